import { afterAll, beforeAll, expect, test, vi } from "vitest";

beforeAll(() => vi.stubGlobal("location", new URL("http://127.0.0.1/")));
afterAll(() => vi.unstubAllGlobals());

test.each([
  ["/", { name: "order" }],
  ["/bestellen", { name: "order" }],
  ["/konto", { name: "account" }],
  ["/auftrag/o-mfzwizltoqxgk3tp", { name: "status", id: "o-mfzwizltoqxgk3tp" }],
  ["/rechnung/R-2026-000001", { name: "invoice", id: "R-2026-000001" }],
  ["/rechnung/%52", { name: "invoice", id: "R" }],
  ["/rechnung/%", { name: "missing" }],
  ["/rechnung/R/x", { name: "missing" }],
  ["/konto/sicherheit", { name: "access", path: "/konto/sicherheit" }],
  ["/passwort/neu", { name: "access", path: "/passwort/neu" }],
  ["/passwort", { name: "missing" }],
  ["/konto/x", { name: "missing" }],
])("%s", async (path, page) => {
  const { pageOf } = await import("../src/route");
  expect(pageOf(path)).toEqual(page);
});
