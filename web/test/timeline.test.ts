import { describe, expect, test } from "vitest";
import type { Order } from "../src/api";
import { isWaiting, nextPause, timeline } from "../src/status/timeline";
import { de } from "../src/text/de";

const placedAt = "2026-11-22T18:00:00Z";

function order(state: string, ...history: string[]): Order {
  return { state, date: "2026-12-01", history: history.map((each) => ({ state: each, at: placedAt })) } as Order;
}

describe("timeline", () => {
  test.each<[string, Order, string[]]>([
    ["waiting", order("placed", "placed"), ["done Bestellt", "now Partner wird gesucht", "planned Container wird gestellt", "planned Abholung"]],
    ["matched", order("matched", "placed", "matched"), ["done Bestellt", "done Partner gefunden", "planned Container wird gestellt", "planned Abholung"]],
    ["unmatched", order("unmatched", "placed", "unmatched"), ["done Bestellt", "failed Kein Partner verfügbar"]],
    ["a state of a newer platform", order("weighed", "placed", "weighed"), ["done Bestellt", "done weighed"]],
  ])("%s", (_name, given, want) => {
    const entries = timeline(given, de.status, "Dienstag, 1. Dezember 2026", 10);
    expect(entries.map(({ kind, title }) => `${kind} ${title}`)).toEqual(want);
    expect(entries.every(({ kind, at }) => (at !== undefined) === (kind === "done" || kind === "failed"))).toBe(true);
  });
});

test("only a placed order waits", () => {
  expect(isWaiting(order("placed"))).toBe(true);
  expect(isWaiting(order("matched"))).toBe(false);
});

test("pauses start at 2 s, grow by half and end at 20 s", () => {
  const pauses = [nextPause(0)];
  while (pauses.length < 8) pauses.push(nextPause(pauses.at(-1)!));
  expect(pauses).toEqual([2000, 3000, 4500, 6750, 10125, 15188, 20000, 20000]);
});
