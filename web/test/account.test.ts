import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { berlinDate, ibanGroups, invoiceState, orderTone } from "../src/account/states";
import { de, en } from "../src/account/text";

describe("invoiceState", () => {
  const lateEvening = new Date("2026-12-14T22:59:00Z"); // 23:59 in Berlin
  const midnight = new Date("2026-12-14T23:00:00Z");
  test.each([
    ["due today", { state: "issued", due_on: "2026-12-14" }, lateEvening, "issued", "todo"],
    ["due yesterday", { state: "issued", due_on: "2026-12-14" }, midnight, "late", "todo"],
    ["paid late", { state: "paid", due_on: "2026-12-01" }, midnight, "paid", "good"],
    ["cancelled", { state: "cancelled", due_on: "2026-12-01" }, midnight, "cancelled", "over"],
    ["a correction", { state: "issued", due_on: "2026-12-01", kind: "correction" }, midnight, "effective", "over"],
  ])("%s", (_name, invoice, now, state, tone) => {
    expect(invoiceState(invoice, now)).toEqual({ state, tone });
  });
});

test("a date is Berlin's, in summer too", () => {
  expect(berlinDate(new Date("2026-06-30T22:30:00Z"))).toBe("2026-07-01");
});

test("an IBAN is read in groups of four", () => {
  expect(ibanGroups("DE89370400440532013000")).toBe("DE89 3704 0044 0532 0130 00");
  expect(ibanGroups("NL91ABNA0417164300")).toBe("NL91 ABNA 0417 1643 00");
});

test("every state of the order service has words in the list", () => {
  const contract = readFileSync(new URL("../../services/order/openapi.yaml", import.meta.url), "utf8");
  const states = /\n {4}State:\n.*\n {6}enum: \[(.*)\]/.exec(contract)?.[1]?.split(", ") ?? [];
  expect(states).toContain("on_site");
  for (const language of [de, en]) expect(Object.keys(language.account.states)).toEqual(states);
});

test("what waits for the customer stands out", () => {
  expect(["placed", "on_site", "invoiced", "unmatched", "paid", "cancelled", "swapped"].map(orderTone)).toEqual(["now", "now", "todo", "todo", "good", "over", "now"]);
});
