import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Quote, QuoteQuery } from "../src/api";
import { QuoteLoader } from "../src/order/quote-loader";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const query = (size: number): QuoteQuery => ({ postcode: "10115", waste: "170904", size, date: "2026-12-01" });
const quote = (size: number) => ({ size_m3: size }) as Quote;

/** A loader whose answers the test gives by hand. */
function byHand() {
  const asked: { query: QuoteQuery; signal: AbortSignal; answer: (quote: Quote) => void; fail: (error: Error) => void }[] = [];
  const loader = new QuoteLoader((wanted, signal) => new Promise((answer, fail) => asked.push({ query: wanted, signal, answer, fail })), 150);
  return { loader, asked };
}

test("quick changes become one request, for the last one", async () => {
  const { loader, asked } = byHand();
  for (const size of [3, 5, 7]) loader.ask(query(size));
  await vi.advanceTimersByTimeAsync(150);
  expect(asked.map((each) => each.query.size)).toEqual([7]);
});

test("the same query again asks nothing", async () => {
  const { loader, asked } = byHand();
  loader.ask(query(7));
  await vi.advanceTimersByTimeAsync(150);
  loader.ask(query(7));
  await vi.advanceTimersByTimeAsync(150);
  expect(asked).toHaveLength(1);
});

test("a superseded request is aborted and its late answer ignored; the last price stays meanwhile", async () => {
  const { loader, asked } = byHand();
  loader.ask(query(3));
  await vi.advanceTimersByTimeAsync(150);
  asked[0]!.answer(quote(3));
  await vi.advanceTimersByTimeAsync(0);
  expect(loader.state.value).toEqual({ kind: "ready", quote: quote(3) });

  loader.ask(query(5));
  await vi.advanceTimersByTimeAsync(150);
  loader.ask(query(7));
  expect(asked[1]!.signal.aborted).toBe(true);
  asked[1]!.answer(quote(5));
  await vi.advanceTimersByTimeAsync(150);
  expect(loader.state.value).toEqual({ kind: "loading", last: quote(3) });
  asked[2]!.answer(quote(7));
  await vi.advanceTimersByTimeAsync(0);
  expect(loader.state.value).toEqual({ kind: "ready", quote: quote(7) });
});

test("a failure is shown, refresh asks at once, none aborts", async () => {
  const { loader, asked } = byHand();
  const error = new Error("away");
  loader.ask(query(3));
  await vi.advanceTimersByTimeAsync(150);
  asked[0]!.fail(error);
  await vi.advanceTimersByTimeAsync(0);
  expect(loader.state.value).toEqual({ kind: "failed", error });
  void loader.refresh();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveLength(2);
  loader.ask(undefined);
  expect(asked[1]!.signal.aborted).toBe(true);
  expect(loader.state.value).toEqual({ kind: "none" });
});
