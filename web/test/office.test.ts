import { describe, expect, test } from "vitest";
import type { FoundDocument } from "../src/office/api";
import { placeOf } from "../src/office/places";
import { age, centsOf, marginOf, statementLines } from "../src/office/rules";

const price = (net_cents: number) => ({ net_cents, vat_cents: 0, gross_cents: net_cents, currency: "EUR" });
const document = (kind: FoundDocument["kind"], net: number, state = "issued") => ({ kind, state, total: price(net) }) as FoundDocument;
const record = (state = "weighed") => ({ order: { state, price: price(48300) }, pay: { net_cents: 31000, per_tonne_over_cents: 0 } }) as Parameters<typeof marginOf>[0];

describe("marginOf", () => {
  test.each([
    ["promised", record(), undefined, 17300],
    ["billed on both sides", record(), [document("invoice", 50000), document("credit-note", 52000)], -2000],
    ["an invoice that was taken back", record(), [document("invoice", 50000, "cancelled"), document("correction", -50000), document("credit-note", 31000)], -31000],
    ["a credit note that was objected to", record(), [document("invoice", 50000), document("credit-note", 20000, "objected")], 19000],
    ["a cancelled order", record("cancelled"), [], 0],
  ])("%s", (_, order, documents, margin) => expect(marginOf(order, documents).marginCents).toBe(margin));
});

test("amounts as people type them", () => {
  const typed = ["42", "42,5", "1.234,50", "1234.50", "574,77 €", "1,234.50", "x", "", "-3"];
  expect(typed.map(centsOf)).toEqual([4200, 4250, 123450, 123450, 57477, undefined, undefined, undefined, undefined]);
});

test("lines of a statement, and what is wrong with them by line", () => {
  const { lines, mistakes } = statementLines("id;booked_on;amount;remitter;reference\nb-1;30.11.2026;574,77;Erika Muster;R-2026-000001; danke\n\nb 2;2026-11-30;1;A;B\nb-3;2026-11-30;0;A;B\n");
  expect(lines).toEqual([{ id: "b-1", booked_on: "2026-11-30", amount_cents: 57477, remitter: "Erika Muster", reference: "R-2026-000001;danke" }]);
  expect(mistakes).toEqual([{ line: 4, column: "id" }, { line: 5, column: "amount" }]);
});

test("how long something waits", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  expect(age("2026-11-30T11:15:30Z", now)).toEqual({ count: 44, unit: "minute", ahead: false });
  expect(age("2026-11-29T12:00:00Z", now)).toEqual({ count: 24, unit: "hour", ahead: false });
  expect(age("2027-01-01T12:00:00Z", now)).toEqual({ count: 32, unit: "day", ahead: true });
});

test("pages of the back office", () => {
  expect(["/office", "/office/suche", "/office/auftrag/o-mfzwizltoqxgk3tp", "/office/partner/p-koeln", "/office/partner/neu", "/office/moon"].map((path) => placeOf(path).name)).toEqual([
    "work", "search", "order", "partner", "partner", "missing",
  ]);
});
