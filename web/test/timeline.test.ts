import { describe, expect, test } from "vitest";
import type { Order } from "../src/api";
import { de, en } from "../src/account/text";
import { isCancellable, isFinal, isWaiting, nextPause, reasons, timeline } from "../src/status/timeline";

const placedAt = "2026-11-22T18:00:00Z";

function order(state: string, ...history: string[]): Order {
  return { state, date: "2026-12-01", history: history.map((each) => ({ state: each, at: placedAt })) } as Order;
}

describe("timeline", () => {
  test.each<[string, Order, string[]]>([
    ["waiting", order("placed", "placed"), ["done Bestellt", "now Partner wird gesucht", "planned Container wird gestellt", "planned Abholung"]],
    ["matched", order("matched", "placed", "matched"), ["done Bestellt", "done Partner gefunden", "planned Container wird gestellt", "planned Abholung"]],
    ["unmatched", order("unmatched", "placed", "unmatched"), ["done Bestellt", "failed Kein Partner verfügbar"]],
    ["on site", order("on_site", "placed", "matched", "on_site"), ["done Bestellt", "done Partner gefunden", "done Container gestellt", "planned Abholung"]],
    [
      "paid",
      order("paid", "placed", "matched", "on_site", "collected", "weighed", "invoiced", "paid"),
      ["done Bestellt", "done Partner gefunden", "done Container gestellt", "done Container abgeholt", "done Abfall gewogen", "done Rechnung gestellt", "done Bezahlt"],
    ],
    ["cancelled", order("cancelled", "placed", "cancelled"), ["done Bestellt", "failed Storniert"]],
    ["a state of a newer platform", order("swapped", "placed", "swapped"), ["done Bestellt", "done swapped"]],
  ])("%s", (_name, given, want) => {
    const entries = timeline(given, de.status, (date) => `am ${date}`, 10);
    expect(entries.map(({ kind, title }) => `${kind} ${title}`)).toEqual(want);
    expect(entries.every(({ kind, at }) => (at !== undefined) === (kind === "done" || kind === "failed"))).toBe(true);
  });
});

describe("details", () => {
  const full: Order = {
    ...order("cancelled", "matched", "on_site", "weighed", "invoiced", "cancelled"),
    container: "K 17",
    pick_up_on: "2026-12-04",
    weighing: { net_kg: 2000, slip: "W-1" },
    invoice: { number: "R-2026-000001", total: { net_cents: 1, vat_cents: 0, gross_cents: 1, currency: "EUR" }, due_on: "2026-12-20" },
    cancellation: { by: "customer", reason: "no longer needed" },
  };
  const details = (given: Order, words = de.status) => timeline(given, words, (date) => `am ${date}`, 10).map(({ detail }) => detail);

  test("each state says what is known of it", () => {
    expect(details(full)).toEqual([
      de.status.matchedDetail,
      "Nummer K 17",
      "2.000 kg netto, Wiegeschein W-1",
      "Nummer R-2026-000001, zahlbar bis am 2026-12-20",
      "Von Ihnen: Nicht mehr gebraucht",
    ]);
    expect(details(full, en.status).slice(1)).toEqual([
      "Number K 17",
      "2,000 kg net, weighing slip W-1",
      "Number R-2026-000001, due on am 2026-12-20",
      "By you: No longer needed",
    ]);
  });

  test("a planned trip says when it comes, and takes the place of the wish", () => {
    const plan = { trip: "fetch" as const, day: "2026-12-05", window: "morning" as const };
    const given = { ...full, state: "on_site", plan, history: [{ state: "on_site", at: placedAt, planned: plan }] };
    expect(timeline(given, de.status, (date) => `am ${date}`, 10).map(({ title, detail }) => `${title}: ${detail}`)).toEqual([
      "Termin geplant: Der Container wird geholt: am 2026-12-05, vormittags",
      "Abholung: am 2026-12-05, vormittags",
    ]);
    expect(details({ ...given, history: [], swapped_by: "o-2" })).toEqual([de.status.bySwap]);
  });

  test("the day that the customer asked for takes the place of the included days", () => {
    expect(details({ ...full, state: "on_site", history: [] })).toEqual(["am 2026-12-04"]);
    expect(details({ ...order("on_site") })).toEqual([de.status.collectionDetail(10)]);
  });

  test("a failed trip is an entry of its own, and the state stays", () => {
    const trip = { state: "matched", at: placedAt, failed_trip: { reason: "blocked", note: "a lorry" } };
    const given = { ...order("matched", "placed", "matched"), history: [...order("", "matched").history, trip, trip] };
    const entries = timeline(given, de.status, (date) => date, 10).slice(0, 3);
    expect(entries.map(({ kind, title, detail }) => `${kind} ${title} ${detail}`).slice(1)).toEqual(
      Array(2).fill("failed Vergebliche Anfahrt Der Stellplatz war versperrt: a lorry"),
    );
    expect(new Set(entries.map(({ key }) => key)).size).toBe(3);
  });

  test("a reason that is none of ours is shown as it is", () => {
    expect(details({ ...full, history: order("", "cancelled").history, cancellation: { by: "back_office", reason: "twice" } })).toEqual(["Von unserem Kundendienst: twice"]);
  });
});

test("an order can be cancelled until its container is on site, for reasons that have words in both languages", () => {
  const states = ["placed", "matched", "unmatched", "on_site", "collected", "weighed", "invoiced", "paid", "cancelled"];
  expect(states.filter((state) => isCancellable(order(state)))).toEqual(["placed", "matched", "unmatched"]);
  for (const reason of reasons) {
    expect(reason.length).toBeGreaterThanOrEqual(5); // what the order service takes
    expect(de.status.reasons[reason]).toBeTruthy();
    expect(en.status.reasons[reason]).toBeTruthy();
  }
});

test("only a placed order waits", () => {
  expect(isWaiting(order("placed"))).toBe(true);
  expect(isWaiting(order("matched"))).toBe(false);
});

test("pauses start at 2 s, grow by half and end at 20 s, once a partner is found at 2 minutes", () => {
  const grow = (waiting: boolean) => Array.from({ length: 13 }).reduce<number[]>((pauses) => [...pauses, nextPause(pauses.at(-1) ?? 0, waiting)], []);
  expect(grow(true).slice(0, 8)).toEqual([2000, 3000, 4500, 6750, 10125, 15188, 20000, 20000]);
  expect(grow(false).slice(9)).toEqual([76890, 115335, 120000, 120000]);
});

test("an order is asked for until it is paid or cancelled", () => {
  const states = ["placed", "matched", "unmatched", "on_site", "collected", "weighed", "invoiced", "paid", "cancelled"];
  expect(states.filter((state) => isFinal(order(state)))).toEqual(["paid", "cancelled"]);
});
