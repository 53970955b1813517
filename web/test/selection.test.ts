import { describe, expect, test } from "vitest";
import { catalog } from "../dev/catalog.mjs";
import type { Catalog } from "../src/api";
import { closedReason, currentStep, fitSelection, lowestPrice, nextDays, offersOf, orderLink, quoteQuery, readSelection, type Selection, stepOfPointer } from "../src/order/selection";

const offered = catalog() as Catalog;
const read = (query: string) => readSelection(new URLSearchParams(query));
const full: Selection = { plz: "10115", abfall: "170904", groesse: 7, datum: offered.earliest_date };
const none: Selection = { plz: "", abfall: "", groesse: undefined, datum: "" };

describe("readSelection", () => {
  test.each([
    ["plz=10115&abfall=170904&groesse=7&datum=2026-12-01", { plz: "10115", abfall: "170904", groesse: 7, datum: "2026-12-01" }],
    ["", none],
    ["plz=1011&abfall=17&groesse=viel&datum=morgen", none],
    ["plz=10115%3Cscript%3E&groesse=-7&datum=2026-12-01T00", none],
  ])("%s", (query, want) => expect(read(query)).toEqual(want));
});

describe("fitSelection drops what the catalogue does not offer", () => {
  test.each<[string, Partial<Selection>, Partial<Selection>]>([
    ["nothing when all fits", {}, {}],
    ["an unknown waste", { abfall: "999999" }, { abfall: "" }],
    ["a size that is too heavy for soil", { abfall: "170504", groesse: 7 }, { groesse: undefined }],
    ["a size that nobody has", { groesse: 8 }, { groesse: undefined }],
    ["a day of the past", { datum: "2020-01-01" }, { datum: "" }],
    ["a day after the last one", { datum: "2999-01-01" }, { datum: "" }],
    ["a Sunday", { datum: offered.closed_dates[0]!.date }, { datum: "" }],
  ])("%s", (_name, given, want) => expect(fitSelection({ ...full, ...given }, offered)).toEqual({ ...full, ...given, ...want }));
});

test("orderLink and readSelection are inverse", () => {
  const link = new URL(orderLink(full, "en", "abfall"), "http://localhost");
  expect(readSelection(link.searchParams)).toEqual(full);
  expect(link.searchParams.get("lang")).toBe("en");
  expect(link.hash).toBe("#abfall");
  expect(orderLink(none, "de")).toBe("/bestellen");
});

describe("currentStep", () => {
  test.each<[string, Selection, string, Parameters<typeof currentStep>[2], string]>([
    ["starts with the postcode", none, "", undefined, "plz"],
    ["goes to the first gap", { ...full, groesse: undefined }, "", undefined, "groesse"],
    ["ends with the address", full, "", undefined, "adresse"],
    ["opens an answered step on request", full, "abfall", undefined, "abfall"],
    ["does not jump ahead", none, "datum", undefined, "plz"],
    ["ignores an unknown step", full, "irgendwo", undefined, "adresse"],
    ["shows what the server refused", full, "", "plz", "plz"],
  ])("%s", (_name, selection, asked, refused, want) => expect(currentStep(selection, asked, refused)).toBe(want));
});

test("a quote is possible from the size on, for the earliest day until one is chosen", () => {
  expect(quoteQuery({ ...full, groesse: undefined }, offered)).toBeUndefined();
  expect(quoteQuery({ ...full, datum: "" }, offered)).toEqual({ postcode: "10115", waste: "170904", size: 7, date: offered.earliest_date, permit: false });
});

describe("offers of a place", () => {
  const there = catalog("10115") as Catalog;
  const waste = (of: Catalog, code: string) => of.wastes.find((each) => each.code === code)!;
  test("all sizes are there, impossible ones with their reason", () => {
    expect(offersOf(there, waste(there, "170504")).map(({ size_m3, reason }) => [size_m3, reason])).toEqual([[3, undefined], [5, "too-heavy"], [7, "too-heavy"], [10, "too-heavy"]]);
    expect(offersOf(offered, waste(offered, "170504"))[1]).toEqual({ size_m3: 5, reason: "too-heavy" });
  });
  test("the lowest price is that of a size that can be had", () => {
    const lowest = lowestPrice(there, waste(there, "170504"));
    expect(lowest).toBe(offersOf(there, waste(there, "170504"))[0]!.gross_cents);
    expect(lowestPrice(offered, waste(offered, "170504"))).toBeUndefined();
    expect(lowestPrice(there, { ...waste(there, "170504"), offers: [{ size_m3: 3, gross_cents: 100, reason: "taken" }] })).toBeUndefined();
  });
  test("taken days are shown, and free ones behind them", () => {
    const days = nextDays(there, [], 4);
    expect(nextDays(there, [days[1]!], 3)).toEqual(days);
    expect(nextDays(there, days.slice(0, 3), 1)).toEqual(days.slice(2));
  });
  test("a taken day is dropped, and the price is that of the first free one", () => {
    const first = there.earliest_date;
    const taken = { ...there, wastes: there.wastes.map((each) => ({ ...each, offers: each.offers!.map((offer) => ({ ...offer, taken_dates: [first] })) })) } as Catalog;
    expect(fitSelection({ ...full, datum: first }, taken).datum).toBe("");
    expect(quoteQuery({ ...full, datum: "" }, taken)!.date > first).toBe(true);
  });
});

test("pointers of the quote lead to their step", () => {
  expect(stepOfPointer("?postcode")).toBe("plz");
  expect(stepOfPointer("/address/city")).toBeUndefined();
});

test("a holiday is closed where it is one", () => {
  const there = catalog("80331") as Catalog;
  const holiday = there.closed_dates.find(({ reason }) => reason !== "Sonntag")!;
  expect(closedReason(there, holiday.date)).toBe("Heilige Drei Könige");
  expect(closedReason(offered, holiday.date)).toBeUndefined();
  expect(fitSelection({ ...full, datum: holiday.date }, there).datum).toBe("");
  expect(fitSelection({ ...full, datum: holiday.date }, offered).datum).toBe(holiday.date);
});
