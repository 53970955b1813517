import { describe, expect, test } from "vitest";
import { clock, day, moment, money, wasteCode, weight, workdays } from "../src/format";
import { de } from "../src/text/de";
import { en } from "../src/text/en";

const plain = (text: string) => text.replaceAll(/\s/g, " ");

test("money, weight and codes", () => {
  expect(plain(money(25400, "de"))).toBe("254,00 €");
  expect(plain(money(123456, "en"))).toBe("€1,234.56");
  expect(weight(7000, "de")).toBe("7 t");
  expect(weight(7450, "de")).toBe("7,45 t");
  expect(weight(450, "en")).toBe("450 kg");
  expect(wasteCode("170904")).toBe("17 09 04");
});

test("business dates have no zone, times are Berlin's", () => {
  expect(day("2026-12-01", "de")).toBe("Dienstag, 1. Dezember 2026");
  expect(day("2026-12-01", "en", "short")).toMatch(/^Tue,? 1 Dec$/); // the comma differs between versions of the locale data
  expect(moment("2026-11-22T23:30:00Z", "de")).toBe("23. Nov., 00:30");
  expect(clock(new Date("2026-07-01T12:05:00Z"), "de")).toBe("14:05");
});

describe("workdays", () => {
  test("leaves closed days out", () => {
    expect(workdays("2026-12-24", "2027-01-04", 3, ["2026-12-25", "2027-01-01"])).toEqual(["2026-12-24", "2026-12-28", "2026-12-29"]);
  });
  test.each<[string, string, string, number, string[]]>([
    ["skips the weekend", "2026-11-27", "2026-12-31", 3, ["2026-11-27", "2026-11-30", "2026-12-01"]],
    ["ends with the range", "2026-11-26", "2026-11-27", 4, ["2026-11-26", "2026-11-27"]],
    ["may be empty", "2026-11-28", "2026-11-29", 4, []],
  ])("%s", (_name, earliest, latest, count, want) => expect(workdays(earliest, latest, count)).toEqual(want));
});

test("both languages have words for the same problems", () => {
  expect(Object.keys(en.problem.kinds)).toEqual(Object.keys(de.problem.kinds));
});
