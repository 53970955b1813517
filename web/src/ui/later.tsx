// A part of the site that only some visitors need: fetched when it is shown first.

import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { UnreachableError } from "../http";
import { text } from "../text";
import { ProblemAlert } from "./problem";
import { Skeleton } from "./skeleton";

export function Later({ load }: { load: () => Promise<{ default: ComponentType }> }) {
  const part = useSignal<{ default: ComponentType } | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  useEffect(() => {
    load().then(
      (loaded) => (part.value = loaded),
      (cause: unknown) => (error.value = new UnreachableError("load a part of the page", { cause })),
    );
  }, []);
  if (part.value === undefined && error.value === undefined) return <Skeleton rows={4} kind="line" />;
  const Part = part.value?.default;
  return Part !== undefined ? (
    <Part />
  ) : (
    <ProblemAlert error={error.value}>
      <button type="button" onClick={() => location.reload()}>
        {text.value.again}
      </button>
    </ProblemAlert>
  );
}
