// Loads quotes: asked after a short pause, a superseded request is aborted, the last price stays visible while the next one comes.

import { signal } from "@preact/signals";
import type { Quote, QuoteQuery } from "../api";

export type QuoteState =
  | { kind: "none" }
  | { kind: "loading"; last: Quote | undefined }
  | { kind: "ready"; quote: Quote }
  | { kind: "failed"; error: unknown };

export class QuoteLoader {
  readonly state = signal<QuoteState>({ kind: "none" });
  #query: QuoteQuery | undefined;
  #asked = "";
  #running = new AbortController();

  constructor(
    private readonly load: (query: QuoteQuery, signal: AbortSignal) => Promise<Quote>,
    private readonly pauseMs = 150,
  ) {}

  /** Wants the quote for this query, undefined for none. The same query again changes nothing. */
  ask(query: QuoteQuery | undefined): void {
    const asked = JSON.stringify(query);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#query = query;
    if (query !== undefined) return void this.#start(query, this.pauseMs);
    this.#running.abort();
    this.state.value = { kind: "none" };
  }

  /** Asks again at once, for example after a failure or because the quote ran out. */
  async refresh(): Promise<void> {
    if (this.#query !== undefined) await this.#start(this.#query, 0);
  }

  async #start(query: QuoteQuery, pauseMs: number): Promise<void> {
    this.#running.abort();
    const running = (this.#running = new AbortController());
    const before = this.state.peek();
    this.state.value = { kind: "loading", last: before.kind === "ready" ? before.quote : before.kind === "loading" ? before.last : undefined };
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (running.signal.aborted) return;
    try {
      const quote = await this.load(query, running.signal);
      if (!running.signal.aborted) this.state.value = { kind: "ready", quote };
    } catch (error) {
      if (!running.signal.aborted) this.state.value = { kind: "failed", error };
    }
  }
}
