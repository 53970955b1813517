// Today's jobs in driving order, and those that come.

import { clock, day } from "../format";
import type { Job } from "./api";
import { jobPath, phase, wasteWords } from "./parts";
import { driver, due, known, leave, mine, offline, sync, trips } from "./state";
import { language, words } from "./text";
import { keepsWaiting, waiting } from "./outbox";
import { Icon } from "../ui/icon";

const stepIcons: Record<string, string> = { matched: "skip", on_site: "truck", collected: "scale" };

export function ListPage() {
  const ours = words.value;
  const { today, later, done } = trips.value;
  const signOut = () => {
    const count = waiting(mine.peek()).length;
    if (count === 0 || confirm(ours.leaveSure(count))) void leave();
  };
  return (
    <>
      <div class="list-head">
        <h1 tabIndex={-1}>{ours.list.title}</h1>
        <button type="button" class="quiet" onClick={() => void sync()}>
          {ours.list.fetch}
          {known.value !== undefined && !offline.value && <span class="hint"> {clock(new Date(known.value.at), language.value)}</span>}
        </button>
      </div>
      {known.value === undefined ? (
        <p class="hint">{ours.list.loading}</p>
      ) : today.length === 0 ? (
        <div class="panel">
          <h2>{ours.list.none}</h2>
          <p class="hint">{ours.list.noneTodo}</p>
        </div>
      ) : (
        <ol class="trips">
          {today.map((job, at) => (
            <Trip key={job.order_id} job={job} number={at + 1} />
          ))}
        </ol>
      )}
      {later.length > 0 && (
        <section>
          <h2>{ours.list.later}</h2>
          <ol class="trips">
            {later.map((job) => (
              <Trip key={job.order_id} job={job} />
            ))}
          </ol>
        </section>
      )}
      {done.length > 0 && (
        <section>
          <h2>{ours.list.done}</h2>
          <ol class="trips">
            {done.map((job) => (
              <Trip key={job.order_id} job={job} />
            ))}
          </ol>
        </section>
      )}
      <p class="whoami hint">
        {ours.signedIn(driver.value?.email ?? "")}
        <button type="button" class="quiet" onClick={signOut}>
          {ours.leave}
        </button>
      </p>
    </>
  );
}

function Trip({ job, number }: { job: Job; number?: number }) {
  const ours = words.value;
  const Heading = number === undefined ? "h3" : "h2"; // the later ones stand below a heading of their own
  const on = due(job);
  const window = ours.job.windows[job.plan?.window ?? ""];
  const when = number !== undefined ? window : on === undefined || on === "" ? (job.state === "on_site" ? ours.list.noDay : undefined) : `${day(on, language.value, "short")}${window === undefined ? "" : `, ${window}`}`;
  const kept = keepsWaiting(mine.value, job.order_id);
  return (
    <li class="trip">
      <span class="trip-step">
        {number !== undefined && <strong>{number}</strong>}
        <Icon name={stepIcons[job.state] ?? "check"} className="icon trip-icon" />
        {ours.steps[phase(job)] ?? ours.steps["done"]}
      </span>
      <div>
        <Heading class="trip-street">
          <a class="trip-link" href={jobPath(job.order_id)}>
            {job.address.street}
          </a>
        </Heading>
        <p>
          {job.postcode} {job.address.city}
        </p>
        <p class="hint">
          {wasteWords(job.waste_code, job.size_m3)}
          {job.container !== undefined && ` · ${job.container}`}
        </p>
        {when !== undefined && <p class="hint">{when}</p>}
        {kept > 0 && (
          <p class="hint trip-kept">
            <Icon name="clock" /> {ours.badge(kept, 0)}
          </p>
        )}
      </div>
    </li>
  );
}
