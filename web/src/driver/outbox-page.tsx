// The outbox: what waits, what was refused and why, when something was sent last.

import { clock, moment } from "../format";
import { Icon } from "../ui/icon";
import { type Action, waiting } from "./outbox";
import { jobPath } from "./parts";
import { actions, discard, lastSent, mine, now, retry, sending, sync } from "./state";
import { language, words } from "./text";

export function OutboxPage() {
  const ours = words.value.outbox;
  const refused = mine.value.filter((action) => action.refused !== undefined);
  const kept = waiting(mine.value);
  const others = actions.value.length - mine.value.length;
  return (
    <>
      <a class="back" href="/fahrer">
        {words.value.job.back}
      </a>
      <h1 tabIndex={-1}>{ours.title}</h1>
      <p class="hint" role="status">
        {sending.value ? ours.sending : lastSent.value === undefined ? ours.never : ours.last(moment(lastSent.value, language.value))}
      </p>
      {refused.length > 0 && (
        <section>
          <h2>{ours.refused}</h2>
          <ul class="actions">
            {refused.map((action) => (
              <Refused key={action.id} action={action} />
            ))}
          </ul>
        </section>
      )}
      {kept.length > 0 ? (
        <section>
          <h2>
            {ours.waiting} <span class="tag">{kept.length}</span>
          </h2>
          <p class="hint">{ours.sum(kept.length, Math.ceil(kept.reduce((sum, { body }) => sum + Number(body["size"] ?? 500), 0) / 1024), clock(new Date(kept[0]?.at ?? 0), language.value))}</p>
          <ul class="actions">
            {kept.map((action) => (
              <li key={action.id} class="panel">
                <Head action={action} />
                {action.heldUntil > now.value && <p class="hint">{ours.held}</p>}
              </li>
            ))}
          </ul>
          <button type="button" class="primary big" disabled={sending.value} onClick={() => void sync(true)}>
            {ours.now}
          </button>
        </section>
      ) : (
        refused.length === 0 && (
          <p class="all-sent">
            <Icon name="check" />
            {ours.none}
          </p>
        )
      )}
      {others > 0 && <p class="note">{ours.others(others)}</p>}
    </>
  );
}

function Head({ action }: { action: Action }) {
  const ours = words.value;
  const size = action.body["size"];
  return (
    <div>
      <h3>
        {ours.what[action.what] ?? action.what} <span class="hint">{clock(new Date(action.at), language.value)}</span>
      </h3>
      <p>
        <a href={jobPath(action.orderId)}>{action.where}</a>
      </p>
      {typeof size === "number" && <p class="hint">{ours.outbox.size(Math.ceil(size / 1024))}</p>}
    </div>
  );
}

function Refused({ action }: { action: Action }) {
  const ours = words.value.outbox;
  const { status, detail, trace } = action.refused ?? { status: 0, detail: "", trace: "" };
  return (
    <li class="panel refused">
      <Head action={action} />
      <p>{ours.why[status] ?? words.value.signIn.failed}</p>
      <p class="hint" lang="en">
        {detail}
      </p>
      {trace !== "" && (
        <p class="hint">
          {ours.trace} <code>{trace}</code>
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={() => void retry(action.id)}>
          {ours.retry}
        </button>
        <button type="button" onClick={() => confirm(ours.discardSure) && void discard(action.id)}>
          {ours.discard}
        </button>
      </div>
    </li>
  );
}
