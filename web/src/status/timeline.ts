// What the time line of an order shows: what has happened, what is going on, what is planned. Pure.

import type { Order } from "../api";
import type { Text } from "../text";

export interface Entry {
  key: string;
  kind: "done" | "now" | "failed" | "planned";
  title: string;
  detail: string;
  /** RFC 3339 time of what has happened, undefined for the rest. */
  at?: string;
}

/** Whether the order still waits for an answer, so asking again makes sense. */
export function isWaiting(order: Order): boolean {
  return order.state === "placed";
}

/** The next pause before asking again: 2 s at first, half as long again each time, 20 s at most. */
export function nextPause(pauseMs: number): number {
  return pauseMs === 0 ? 2000 : Math.min(Math.round(pauseMs * 1.5), 20_000);
}

/** The entries in order. States that this page does not know are shown under their own name rather than hidden. */
export function timeline(order: Order, words: Text["status"], longDay: string, includedDays: number | undefined): Entry[] {
  const known: Record<string, { kind: Entry["kind"]; title: string; detail: string }> = {
    placed: { kind: "done", title: words.placed, detail: "" },
    matched: { kind: "done", title: words.matched, detail: words.matchedDetail },
    unmatched: { kind: "failed", title: words.unmatched, detail: words.unmatchedDetail },
  };
  const entries: Entry[] = order.history.map(({ state, at }) => ({ key: `${state} ${at}`, ...(known[state] ?? { kind: "done", title: state, detail: "" }), at }));
  if (isWaiting(order)) entries.push({ key: "searching", kind: "now", title: words.searching, detail: words.searchingDetail });
  if (order.state === "placed" || order.state === "matched") {
    entries.push({ key: "delivery", kind: "planned", title: words.delivery, detail: longDay });
    entries.push({ key: "collection", kind: "planned", title: words.collection, detail: includedDays === undefined ? "" : words.collectionDetail(includedDays) });
  }
  return entries;
}
