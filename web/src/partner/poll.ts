// Asking again while the page is visible.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError } from "../http";
import { withSession } from "../session";
import { sleep } from "../status/sleep";

export interface Polled<T> {
  /** The last answer; an error does not take it away. */
  value: T | undefined;
  /** Why the newest try failed; undefined after an answer. */
  error: unknown;
  /** When the last answer came. */
  at: Date | undefined;
  /** Asks at once; an answer that is still on its way no longer counts. With a value, shows it meanwhile. */
  refresh(known?: T): void;
}

/** Asks now and then every so many milliseconds, never while the page is hidden. It ends when nobody may ask (any more). */
export function usePolled<T>(load: (stop: AbortSignal) => Promise<T>, everyMs: number): Polled<T> {
  const value = useSignal<T | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const at = useSignal<Date | undefined>(undefined);
  const round = useSignal(0);
  useEffect(() => {
    const stop = new AbortController();
    const ask = async () => {
      for (let pause = 0; ; pause = everyMs) {
        await sleep(pause, stop.signal);
        if (stop.signal.aborted) return;
        try {
          const next = await withSession(() => load(stop.signal));
          if (stop.signal.aborted) return;
          value.value = next;
          error.value = undefined;
          at.value = new Date();
        } catch (cause) {
          if (stop.signal.aborted) return;
          error.value = cause;
          if (cause instanceof ApiError && (cause.problem.status === 401 || cause.problem.status === 403)) return;
        }
      }
    };
    void ask();
    return () => stop.abort();
  }, [round.value]);
  return {
    value: value.value,
    error: error.value,
    at: at.value,
    refresh: (known) => {
      if (known !== undefined) value.value = known;
      round.value += 1;
    },
  };
}

/** The time, renewed every second. */
export function useNow(): number {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now.value;
}
