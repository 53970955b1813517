// The typed client against the stand-in server, over real HTTP. Node's fetch keeps no cookies, so sessions are tested in e2e.

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { start } from "../dev/server.mjs";
import { cancelOrder, getCatalog, getOrder, getQuote, recordOrderAttempt, signIn, signUp, visitId } from "../src/api";
import { ApiError, Intent, UnreachableError, unreachableSince } from "../src/http";

let platform: Awaited<ReturnType<typeof start>>;
const stored = new Map<string, string>();

beforeAll(async () => {
  platform = await start();
  vi.stubGlobal("location", { origin: platform.url });
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("sessionStorage", { getItem: (name: string) => stored.get(name) ?? null, setItem: (name: string, value: string) => stored.set(name, value) });
});

afterAll(async () => {
  await platform.close();
  vi.unstubAllGlobals();
});

test("a quote for something from the catalogue", async () => {
  const { wastes, earliest_date: date, included_days } = await getCatalog();
  const quote = await getQuote({ postcode: "10115", waste: wastes[0]!.code, size: 7, date });
  expect(quote).toMatchObject({ postcode: "10115", size_m3: 7, date, included_days });
  expect(quote.price.gross_cents).toBe(quote.price.net_cents + quote.price.vat_cents);
});

test("the dates of a place: its holiday is shown as closed, and refused", async () => {
  const { closed_dates } = await getCatalog("80331");
  const { date } = closed_dates.find(({ reason }) => reason !== "Sonntag")!;
  const error = await getQuote({ postcode: "80331", waste: "170904", size: 7, date }).catch((caught: unknown) => caught);
  expect((error as ApiError).problem.errors.map(({ pointer }) => pointer)).toEqual(["?date"]);
  expect(await getQuote({ postcode: "10115", waste: "170904", size: 7, date })).toMatchObject({ date });
});

test("a refusal is an ApiError with pointer and trace id", async () => {
  const { earliest_date: date } = await getCatalog();
  const error = await getQuote({ postcode: "00000", waste: "170904", size: 7, date }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  const { problem } = error as ApiError;
  expect(problem.status).toBe(422);
  expect(problem.trace_id).toMatch(/^[0-9a-f]{32}$/);
  expect(problem.errors.map(({ pointer }) => pointer)).toEqual(["?postcode"]);
});

test("accounts: sign up, sign in, wrong password, taken address", async () => {
  const body = { email: "erika@example.org", password: "Lange-Leitung-1", name: "Erika" };
  const user = await signUp(new Intent(), body);
  expect(user).toMatchObject({ email: body.email, name: body.name, role: "customer" });
  expect(await signIn(new Intent(), { email: body.email, password: body.password })).toEqual(user);
  await expect(signIn(new Intent(), { email: body.email, password: "falsch" })).rejects.toMatchObject({ problem: { status: 401 } });
  await expect(signUp(new Intent(), body)).rejects.toMatchObject({ problem: { status: 409 } });
});

test("an order needs a session", async () => {
  for (const asked of [getOrder("o-1"), cancelOrder("o-1", "no longer needed")]) {
    await expect(asked).rejects.toMatchObject({ problem: { status: 401, type: "/problems/unauthenticated" } });
  }
});

test("an attempt is told with this visit's id and string data", async () => {
  const { wastes, earliest_date: date } = await getCatalog();
  const quote = await getQuote({ postcode: "10115", waste: wastes[0]!.code, size: 7, date });
  recordOrderAttempt(quote);
  await vi.waitFor(() => expect(platform.events).toHaveLength(1));
  expect(platform.events[0]).toMatchObject({ type: "order-attempt", visit_id: visitId(), data: { postcode: "10115", size_m3: "7", value_cents: String(quote.price.gross_cents) } });
});

test("a superseded request ends as AbortError and says nothing about the network", async () => {
  const stop = new AbortController();
  const asked = getQuote({ postcode: "10115", waste: "170904", size: 7, date: "2026-12-01" }, stop.signal);
  stop.abort();
  await expect(asked).rejects.toMatchObject({ name: "AbortError" });
  expect(unreachableSince.value).toBeUndefined();
});

test("no answer is told since when, until one comes", async () => {
  vi.stubGlobal("location", { origin: "http://127.0.0.1:1" });
  await expect(getCatalog()).rejects.toBeInstanceOf(UnreachableError);
  const since = unreachableSince.value;
  expect(since).toBeInstanceOf(Date);
  await expect(getCatalog()).rejects.toBeInstanceOf(UnreachableError);
  expect(unreachableSince.value).toBe(since);
  vi.stubGlobal("location", { origin: platform.url });
  await getCatalog();
  expect(unreachableSince.value).toBeUndefined();
});
