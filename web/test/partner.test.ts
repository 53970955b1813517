import { describe, expect, test, vi } from "vitest";
import type { Job } from "../src/partner/api";
import { placeOf } from "../src/partner/places";
import { dayOf, expiry, moved, newDriverId, planWith } from "../src/partner/planning-rules";
import { daysLater, dueOn, fileFault, groupJobs, mostBytes, nextStep, objectionUntil, parseKg, sha256, timeLeft, today } from "../src/partner/rules";
import { pageOf } from "../src/route";

// route.ts reads the address when it is loaded.
vi.hoisted(() => vi.stubGlobal("location", { href: "http://127.0.0.1/" }));

test("every address below /partner is the partner's", () => {
  expect(pageOf("/partner")).toEqual({ name: "partner" });
  expect(pageOf("/partner/auftraege")).toEqual({ name: "partner" });
  expect(pageOf("/partnerschaft")).toEqual({ name: "missing" });
});

test.each([
  ["/partner", { name: "offers" }],
  ["/partner/", { name: "offers" }],
  ["/partner/auftraege", { name: "jobs" }],
  ["/partner/gutschriften", { name: "credit-notes" }],
  ["/partner/auftrag/o-mfzwizltoqxgk3tp", { name: "job", id: "o-mfzwizltoqxgk3tp" }],
  ["/partner/auftrag/%E0%A4%A", { name: "missing" }],
  ["/partner/auftrag/../x", { name: "missing" }],
  ["/partner/sonstwo", { name: "missing" }],
])("%s", (path, place) => {
  expect(placeOf(path)).toEqual(place);
});

test("a plan says when a job is due, and a swap what its next step is", () => {
  const job = { state: "matched", date: "2026-12-01" };
  const swap = { order_id: "o-1", container: "K 17" };
  expect(dueOn({ ...job, plan: { trip: "swap", day: "2026-12-03" } }, "2026-12-02")).toBe("2026-12-03");
  expect(nextStep({ ...job, swap })).toBe("swap");
  expect(nextStep({ state: "on_site", swap })).toBe("collect");
});

describe("weights as typed", () => {
  test.each([
    ["3200", 3200],
    [" 3.200 ", 3200],
    ["3,200", 3200],
    ["3 200 kg", 3200],
    ["3200KG", 3200],
    ["3,2 t", 3200],
    ["7.45t", 7450],
    ["3.200 t", 3200],
    ["44000", 44000],
    ["44001", undefined],
    ["44,1 t", undefined],
    ["0", undefined],
    ["-5", undefined],
    ["3,2", undefined],
    ["3.20", undefined],
    ["1.2.3", undefined],
    ["3e3", undefined],
    ["drei", undefined],
    ["t", undefined],
    ["", undefined],
  ])("%j", (typed, kg) => {
    expect(parseKg(typed)).toBe(kg);
  });
});

test.each([
  ["2026-12-01T10:29:12Z", { text: "29:12", urgent: false, over: false }],
  ["2026-12-01T11:05:00Z", { text: "1:05:00", urgent: false, over: false }],
  ["2026-12-01T10:05:00Z", { text: "5:00", urgent: true, over: false }],
  ["2026-12-01T10:00:00.400Z", { text: "0:01", urgent: true, over: false }],
  ["2026-12-01T10:00:00Z", { text: "0:00", urgent: true, over: true }],
  ["2026-12-01T09:00:00Z", { text: "0:00", urgent: true, over: true }],
])("time left until %s", (endsAt, left) => {
  expect(timeLeft(endsAt, Date.parse("2026-12-01T10:00:00Z"))).toEqual(left);
});

test("today is the day in Berlin", () => {
  expect(today(new Date("2026-11-30T23:30:00Z"))).toBe("2026-12-01");
  expect(today(new Date("2026-07-01T21:59:59Z"))).toBe("2026-07-01");
});

test("a credit note can be objected to until the 14th day", () => {
  expect(objectionUntil("2026-11-30")).toBe("2026-12-14");
  expect(daysLater("2026-12-25", 14)).toBe("2027-01-08");
  expect(daysLater("2026-03-28", 1)).toBe("2026-03-29"); // the day on which the clocks change
});

describe("jobs", () => {
  const job = (order_id: string, state: string, date: string, pick_up_on?: string): Job => ({
    order_id, state, date, ...(pick_up_on === undefined ? {} : { pick_up_on }),
    waste_code: "170904", size_m3: 7, postcode: "12435", address: { name: "", street: "", city: "" }, public_ground: false,
    pay: { net_cents: 1, per_tonne_over_cents: 1 }, history: [],
  });

  test("have one next step, or none", () => {
    expect(["matched", "on_site", "collected", "weighed", "invoiced", "paid", "cancelled"].map((state) => nextStep({ state }))).toEqual([
      "place", "collect", "weigh", undefined, undefined, undefined, undefined,
    ]);
  });

  test("are due when their step is", () => {
    expect(dueOn(job("a", "matched", "2026-12-04"), "2026-12-01")).toBe("2026-12-04");
    expect(dueOn(job("a", "on_site", "2026-11-20"), "2026-12-01")).toBeUndefined();
    expect(dueOn(job("a", "on_site", "2026-11-20", "2026-12-02"), "2026-12-01")).toBe("2026-12-02");
    expect(dueOn(job("a", "collected", "2026-11-20"), "2026-12-01")).toBe("2026-12-01");
  });

  test("are grouped by what is to be done when, the earliest first", () => {
    const jobs = [
      job("later", "matched", "2026-12-09"),
      job("soon", "on_site", "2026-11-20", "2026-12-02"),
      job("scale", "collected", "2026-11-25"),
      job("late", "matched", "2026-11-30"),
      job("now", "matched", "2026-12-01"),
      job("standing", "on_site", "2026-11-20"),
    ];
    const groups = groupJobs(jobs, "2026-12-01");
    const ids = Object.fromEntries(Object.entries(groups).map(([name, list]: [string, Job[]]) => [name, list.map(({ order_id }) => order_id)]));
    expect(ids).toEqual({ today: ["late", "scale", "now"], upcoming: ["soon", "later"], standing: ["standing"] });
  });
});

test("a file is checked before it is sent", () => {
  expect(fileFault("photo", { type: "image/jpeg", size: mostBytes })).toBeUndefined();
  expect(fileFault("photo", { type: "image/jpeg", size: mostBytes + 1 })).toBe("size");
  expect(fileFault("photo", { type: "application/pdf", size: 10 })).toBe("type");
  expect(fileFault("slip", { type: "application/pdf", size: 10 })).toBeUndefined();
  expect(fileFault("slip", { type: "image/heic", size: 10 })).toBe("type");
  expect(fileFault("slip", { type: "image/png", size: 0 })).toBe("empty");
});

test("a file is named by its SHA-256", async () => {
  expect(await sha256(new Blob(["test"]))).toBe("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
});

describe("the day plan", () => {
  const job = (id: string, more: Partial<Job>): Job => ({
    order_id: id, state: "matched", waste_code: "170904", size_m3: 7, date: "2026-12-01", postcode: "50667", address: { name: "A", street: "B 1", city: "C" }, public_ground: false,
    pay: { net_cents: 1, per_tonne_over_cents: 1 }, history: [], ...more,
  });
  const planned = (id: string, position: number, more: Partial<Job> = {}) => job(id, { driver_id: "d-1", plan: { trip: "place", day: "2026-12-01", vehicle: "K-A 1", position }, ...more });
  const ids = (list: Job[] | undefined) => list?.map(({ order_id }) => order_id);

  test("holds what is planned in driving order, and what is due and not planned", () => {
    const jobs = [
      planned("o-2", 2), planned("o-1", 1), job("o-late", { date: "2026-11-30" }), job("o-later", { date: "2026-12-02" }), job("o-standing", { state: "on_site" }), job("o-wish", { state: "on_site", pick_up_on: "2026-12-01" }),
      planned("o-missed", 1, { plan: { trip: "place", day: "2026-11-29", position: 1 } }), planned("o-truck", 3, { state: "collected" }), planned("o-nobody", 1, { driver_id: undefined as never }),
    ];
    const day = dayOf(jobs, "2026-12-01", "2026-12-01", "driver");
    expect(ids(day.rows.get("d-1"))).toEqual(["o-1", "o-2"]);
    expect(ids(day.rows.get(""))).toEqual(["o-nobody"]);
    expect(ids(day.open)?.sort()).toEqual(["o-late", "o-missed", "o-wish"]);
    expect(day.placing.get(7)).toBe(3);
    expect([...dayOf(jobs, "2026-12-01", "2026-12-01", "vehicle").rows.keys()]).toEqual(["K-A 1"]);
  });

  test("moves a trip and changes only the positions that differ", () => {
    const row = [planned("o-1", 1), planned("o-2", 2), planned("o-3", 3)];
    expect(moved(row, "o-2", -1).map(({ id, plan }) => [id, plan.position])).toEqual([["o-2", 1], ["o-1", 2]]);
    expect(moved(row, "o-1", -1)).toEqual([]);
    expect(planWith(planned("o-1", 1), { window: "", driver_id: "d-2" })).toEqual({ day: "2026-12-01", vehicle: "K-A 1", position: 1, driver_id: "d-2" });
  });

  test("warns of certificates two months and a week ahead", () => {
    const until = (valid_until?: string) => expiry({ kind: "53", number: "A-1", ...(valid_until === undefined ? {} : { valid_until }) }, "2026-12-01");
    expect([until(), until("2026-11-30"), until("2026-12-01"), until("2026-12-08"), until("2026-12-09"), until("2027-01-30"), until("2027-01-31")]).toEqual(["fine", "over", "urgent", "urgent", "soon", "soon", "fine"]);
  });

  test("gives a new driver an id that nobody has", () => {
    expect(newDriverId([])).toBe("d-1");
    expect(newDriverId([{ id: "d-anton" }, { id: "d-7" }, { id: "d-2" }])).toBe("d-8");
  });
});
