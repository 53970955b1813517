import { describe, expect, test } from "vitest";
import { catalog } from "../dev/catalog.mjs";
import type { Catalog } from "../src/api";
import { closedReason, currentStep, fitSelection, missingSizes, orderLink, quoteQuery, readSelection, type Selection, stepOfPointer } from "../src/order/selection";

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
  expect(quoteQuery({ ...full, datum: "" }, offered)).toEqual({ postcode: "10115", waste: "170904", size: 7, date: offered.earliest_date });
});

test("missing sizes are too heavy only if all are larger than the largest offered", () => {
  const waste = (code: string) => offered.wastes.find((each) => each.code === code)!;
  expect(missingSizes(offered, waste("170504"))).toEqual({ sizes: [5, 7, 10], tooHeavy: true });
  expect(missingSizes(offered, waste("200307"))).toEqual({ sizes: [3], tooHeavy: false });
  expect(missingSizes(offered, waste("170904"))).toEqual({ sizes: [], tooHeavy: false });
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
