// What the time line of an order shows: what has happened, what is going on, what is planned. Pure.

import type { AccountText } from "../account/text";
import type { Order } from "../api";

export interface Entry {
  key: string;
  kind: "done" | "now" | "failed" | "planned";
  title: string;
  detail: string;
  /** RFC 3339 time of what has happened, undefined for the rest. */
  at?: string;
}

/** Whether the order still waits for a partner's answer. */
export function isWaiting(order: Order): boolean {
  return order.state === "placed";
}

/** Whether nothing can happen to the order any more. */
export function isFinal(order: Order): boolean {
  return ["paid", "cancelled"].includes(order.state);
}

/**
 * The next pause before asking again: 2 s at first and after a change, half as long again each time. While a partner is looked for
 * 20 s at most; what follows takes hours, so later 2 minutes.
 */
export function nextPause(pauseMs: number, waiting = true): number {
  return pauseMs === 0 ? 2000 : Math.min(Math.round(pauseMs * 1.5), waiting ? 20_000 : 120_000);
}

/** Whether the customer can still cancel. */
export function isCancellable(order: Order): boolean {
  return ["placed", "matched", "unmatched"].includes(order.state);
}

/** Whether the container has come, so that the customer knows what it would order again. */
export function isDelivered(order: Order): boolean {
  return ["on_site", "collected", "weighed", "invoiced", "paid"].includes(order.state);
}

/** The reasons for cancelling that a customer can give, as they are sent; the dictionary has the reader's words. */
export const reasons = ["no longer needed", "wrong waste, size or date", "it takes too long", "another reason"];

type Words = AccountText["status"];

/** A reason that is sent in English, in the reader's words where it is one of ours. */
const reason = (words: Words, sent: string): string => words.reasons[sent] ?? sent;

/** What a state that the order came into looks like; `show` writes a date out. */
function reached(state: string, order: Order, words: Words, show: (date: string) => string): Omit<Entry, "key" | "at"> {
  const done = (title: string, detail = ""): Omit<Entry, "key" | "at"> => ({ kind: "done", title, detail });
  const failed = (title: string, detail: string): Omit<Entry, "key" | "at"> => ({ kind: "failed", title, detail });
  const { container, weighing, invoice, cancellation } = order;
  switch (state) {
    case "placed":
      return done(words.placed);
    case "matched":
      return done(words.matched, words.matchedDetail);
    case "unmatched":
      return failed(words.unmatched, words.unmatchedDetail);
    case "on_site":
      return done(words.onSite, container === undefined ? "" : words.container(container));
    case "collected":
      return done(words.collected);
    case "weighed":
      return done(words.weighed, weighing === undefined ? "" : words.weighedDetail(weighing.net_kg, weighing.slip));
    case "invoiced":
      return done(words.invoiced, invoice === undefined ? "" : words.invoicedDetail(invoice.number, invoice.due_on === undefined ? "" : show(invoice.due_on)));
    case "paid":
      return done(words.paid);
    case "cancelled":
      return failed(words.cancelled, cancellation === undefined ? "" : words.cancelledBy(cancellation.by === "customer", reason(words, cancellation.reason)));
    default:
      return done(state); // of a newer platform: shown under its own name rather than hidden
  }
}

/** When the partner comes, if it is planned. */
function planned({ plan }: Order, words: Words, show: (date: string) => string): string | undefined {
  return plan === undefined ? undefined : words.on(show(plan.day), plan.window);
}

/** The entries in order; `show` writes a date (YYYY-MM-DD) out. */
export function timeline(order: Order, words: Words, show: (date: string) => string, includedDays: number | undefined): Entry[] {
  const entries: Entry[] = order.history.map(({ state, at, failed_trip: trip, planned, corrected }, i) => {
    const what =
      corrected !== undefined
        ? { kind: "done" as const, title: words.corrected, detail: `${corrected.changes.map(({ was, now }) => `${was} → ${now}`).join(", ")}: ${corrected.reason}` }
        : planned !== undefined
        ? { kind: "done" as const, title: words.scheduled, detail: words.comes[planned.trip](words.on(show(planned.day), planned.window)) }
        : trip === undefined
          ? reached(state, order, words, show)
          : { kind: "failed" as const, title: words.failedTrip, detail: [reason(words, trip.reason), trip.note].filter(Boolean).join(": ") };
    return { key: `${i} ${state}`, ...what, at };
  });
  if (isWaiting(order)) entries.push({ key: "searching", kind: "now", title: words.searching, detail: words.searchingDetail });
  if (order.state === "placed" || order.state === "matched") {
    entries.push({ key: "delivery", kind: "planned", title: words.delivery, detail: planned(order, words, show) ?? show(order.date) });
  }
  if (["placed", "matched", "on_site"].includes(order.state)) {
    const days = includedDays === undefined ? "" : words.collectionDetail(includedDays);
    const wish = order.swapped_by !== undefined ? words.bySwap : ((order.state === "on_site" ? planned(order, words, show) : undefined) ?? (order.pick_up_on === undefined ? days : show(order.pick_up_on)));
    entries.push({ key: "collection", kind: "planned", title: words.collection, detail: wish });
  }
  return entries;
}
