// The page of one order: time line, what can be done now, documents and summary. It is asked again until nothing can change any more.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { words as texts } from "../account/words";
import { getOrder, type Order } from "../api";
import { ApiError, UnreachableError } from "../http";
import { day, dayWindow, moment, money, wasteCode } from "../format";
import { wasteName } from "../order/choices";
import { placed } from "../order/checkout-state";
import { findWaste } from "../order/selection";
import { catalog } from "../order/state";
import { user, withSession } from "../session";
import { keepLanguage, language, text } from "../text";
import { Icon, wasteIcon } from "../ui/icon";
import { ProblemAlert } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";
import { Cancel } from "./cancel";
import { OrderDocuments } from "./documents";
import { PickUp } from "./pick-up";
import { sleep } from "./sleep";
import { type Entry, isCancellable, isDelivered, isFinal, isWaiting, nextPause, timeline } from "./timeline";

export function StatusPage({ id }: { id: string }) {
  const words = texts.value.status;
  const order = useSignal<Order | undefined>(user.peek() !== undefined && placed.peek()?.order_id === id ? placed.peek() : undefined);
  const error = useSignal<unknown>(undefined);
  const round = useSignal(0);

  useEffect(() => {
    const stop = new AbortController();
    void watch(id, stop.signal, order.peek(), (next) => {
      error.value = next instanceof Error ? next : undefined;
      if (!(next instanceof Error)) order.value = next;
    });
    return () => stop.abort();
  }, [id, round.value]);

  const known = order.value;
  return (
    <>
      <p class="way-back">
        <a href={keepLanguage("/konto")}>{texts.value.account.back}</a>
      </p>
      <div class="hero">
        <h1 tabIndex={-1}>{known === undefined ? words.number : words.title(known.state)}</h1>
        <p>
          {words.number} <code>{id}</code>
        </p>
      </div>
      <ProblemAlert error={error.value}>
        <button type="button" onClick={() => (round.value += 1)}>
          {error.value instanceof ApiError && error.value.problem.status === 401 ? words.signIn : text.value.again}
        </button>
      </ProblemAlert>
      {known !== undefined ? <OrderView order={known} onChange={(next) => (order.value = next)} /> : error.value === undefined && <Skeleton rows={4} kind="line" />}
    </>
  );
}

/** Asks for the order until it is final, less often while nothing changes; a hidden page asks nothing. Ends when `stop` aborts. */
async function watch(id: string, stop: AbortSignal, start: Order | undefined, tell: (next: Order | Error) => void): Promise<void> {
  let order = start;
  let pause = order === undefined ? 0 : nextPause(0);
  while (!stop.aborted && (order === undefined || !isFinal(order))) {
    await sleep(pause, stop);
    if (stop.aborted) return;
    try {
      const next: Order = await withSession(() => getOrder(id, stop));
      if (stop.aborted) return;
      const changed = JSON.stringify(next) !== JSON.stringify(order);
      pause = changed ? nextPause(0) : nextPause(pause, isWaiting(next));
      order = next;
      tell(order);
    } catch (error) {
      if (stop.aborted) return;
      pause = nextPause(pause);
      const away = error instanceof UnreachableError || (error instanceof ApiError && error.problem.status >= 500);
      // With the order on the screen a short outage is no news; the offline bar tells it. Anything else ends the watch.
      if (!away || order === undefined) return tell(error as Error);
    }
  }
}

function OrderView({ order, onChange }: { order: Order; onChange: (order: Order) => void }) {
  const words = texts.value.status;
  const lang = language.value;
  const waste = catalog.value === undefined ? undefined : findWaste(catalog.value, order.waste_code);
  const entries = timeline(order, words, (date) => day(date, lang), catalog.value?.included_days);
  return (
    <div class="status">
      <section class="panel" aria-labelledby="timeline-title">
        <h2 id="timeline-title">{words.timeline}</h2>
        <ol class="timeline" aria-live="polite">
          {entries.map((entry) => (
            <TimelineEntry key={entry.key} entry={entry} />
          ))}
        </ol>
        {order.invoice !== undefined && (
          <a class="button primary" href={keepLanguage(`/rechnung/${encodeURIComponent(order.invoice.number)}`)}>
            <Icon name="paper" />
            {texts.value.invoice.open}
          </a>
        )}
        {order.state === "weighed" && (
          <p class="note" role="status">
            <Icon name="paper" />
            {texts.value.invoice.coming}
          </p>
        )}
        {order.state === "on_site" && <PickUp order={order} onAsked={onChange} />}
      </section>
      <div class="status-side">
        <section class="panel" aria-labelledby="summary-title">
          <h2 id="summary-title">{words.summary}</h2>
          <dl class="facts">
            <dt>{words.waste}</dt>
            <dd class="with-icon">
              <Icon name={wasteIcon(order.waste_code)} />
              <span>
                {waste === undefined ? "" : wasteName(waste)} <small>{wasteCode(order.waste_code)}</small>
              </span>
            </dd>
            <dt>{words.size}</dt>
            <dd>{text.value.size.name(order.size_m3)}</dd>
            <dt>{words.date}</dt>
            <dd>{day(order.date, lang) + dayWindow(order.window, lang)}</dd>
            <dt>{words.address}</dt>
            <dd>
              {order.address.name}
              <br />
              {order.address.street}
              <br />
              {order.postcode} {order.address.city}
            </dd>
            <dt>{words.price}</dt>
            <dd class="sum">{money(order.price.gross_cents, lang, order.price.currency)}</dd>
            {order.invoice !== undefined && (
              <>
                <dt>{texts.value.invoice.total}</dt>
                <dd class="sum">{money(order.invoice.total.gross_cents, lang, order.invoice.total.currency)}</dd>
              </>
            )}
          </dl>
          <a class="button" href={keepLanguage("/bestellen")}>
            {words.another}
          </a>
          {isDelivered(order) && (
            <a class="button" href={`${keepLanguage("/konto/baustellen")}${lang === "de" ? "?" : "&"}abfall=${order.waste_code}&groesse=${order.size_m3}&baustelle=${order.site_id ?? ""}#dauerauftrag`}>
              <Icon name="loop" />
              {texts.value.account.repeat}
            </a>
          )}
          {isCancellable(order) && <Cancel order={order} onCancelled={onChange} />}
        </section>
        <OrderDocuments order={order} />
      </div>
    </div>
  );
}

function TimelineEntry({ entry }: { entry: Entry }) {
  const mark = { done: "check", failed: "cross", now: "loop", planned: "" }[entry.kind];
  return (
    <li class={`entry entry-${entry.kind}`}>
      <span class="entry-mark">{mark !== "" && <Icon name={mark} />}</span>
      <div>
        <p class="entry-title">
          {entry.title}
          {entry.kind === "planned" && <span class="tag">{texts.value.status.planned}</span>}
        </p>
        {entry.at !== undefined && (
          <p class="hint">
            <time dateTime={entry.at}>{moment(entry.at, language.value)}</time>
          </p>
        )}
        {entry.detail !== "" && <p class="hint">{entry.detail}</p>}
      </div>
    </li>
  );
}
