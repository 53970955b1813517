// One answer that a page shows: asked for once, and again on demand.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { withSession } from "../session";

/** The answer or the error of `ask`, and a function that asks again. An ended session asks for a new sign-in first. */
export function useAnswer<T>(ask: () => Promise<T>): { answer: T | undefined; error: unknown; again: () => void } {
  const answer = useSignal<T | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const round = useSignal(0);
  useEffect(() => {
    let left = false;
    error.value = undefined;
    withSession(ask).then(
      (found) => left || (answer.value = found),
      (cause: unknown) => left || (error.value = cause),
    );
    return () => (left = true);
  }, [round.value]);
  return { answer: answer.value, error: error.value, again: () => (round.value += 1) };
}
