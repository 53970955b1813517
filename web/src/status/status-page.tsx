// The page of one order: time line and summary, asked again while the order waits for a partner.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getOrder, type Order } from "../api";
import { ApiError, UnreachableError } from "../http";
import { day, moment, money, wasteCode } from "../format";
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
import { type Entry, isCancellable, isWaiting, nextPause, timeline } from "./timeline";

export function StatusPage({ id }: { id: string }) {
  const words = text.value.status;
  const order = useSignal<Order | undefined>(placed.peek()?.order_id === id ? placed.peek() : undefined);
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
      {known !== undefined ? <OrderView order={known} onCancelled={(next) => (order.value = next)} /> : error.value === undefined && <Skeleton rows={4} kind="line" />}
    </>
  );
}

/** Asks for the order until it waits no longer; a hidden page asks nothing. Ends when `stop` aborts. */
async function watch(id: string, stop: AbortSignal, start: Order | undefined, tell: (next: Order | Error) => void): Promise<void> {
  let order = start;
  let pause = order === undefined ? 0 : nextPause(0);
  while (!stop.aborted && (order === undefined || isWaiting(order))) {
    await sleep(pause, stop);
    if (stop.aborted) return;
    pause = nextPause(pause);
    try {
      order = await withSession(() => getOrder(id, stop));
      if (!stop.aborted) tell(order);
    } catch (error) {
      if (stop.aborted) return;
      const away = error instanceof UnreachableError || (error instanceof ApiError && error.problem.status >= 500);
      // With the order on the screen a short outage is no news; the offline bar tells it. Anything else ends the watch.
      if (!away || order === undefined) return tell(error as Error);
    }
  }
}

/** Waits for the pause and then until the page is visible. */
export async function sleep(pauseMs: number, stop: AbortSignal): Promise<void> {
  if (pauseMs > 0) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      stop.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
  while (document.hidden && !stop.aborted) {
    await new Promise<unknown>((resolve) => document.addEventListener("visibilitychange", resolve, { once: true, signal: stop }));
  }
}

function OrderView({ order, onCancelled }: { order: Order; onCancelled: (order: Order) => void }) {
  const words = text.value.status;
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
      </section>
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
          <dd>{day(order.date, lang)}</dd>
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
        </dl>
        <a class="button" href={keepLanguage("/bestellen")}>
          {words.another}
        </a>
        {isCancellable(order) && <Cancel order={order} onCancelled={onCancelled} />}
        {user.value !== undefined && <p class="hint">{text.value.checkout.signedIn(user.value.email)}</p>}
      </section>
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
          {entry.kind === "planned" && <span class="tag">{text.value.status.planned}</span>}
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
