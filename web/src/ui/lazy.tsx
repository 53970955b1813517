// Pages whose code comes when it is first needed, so that the first load stays small.

import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { UnreachableError } from "../http";
import { navigations } from "../route";
import { text } from "../text";
import { ProblemAlert } from "./problem";
import { Skeleton } from "./skeleton";

/** The top of a page that was navigated to; its heading takes the focus. */
export function focusHeading(): void {
  scrollTo(0, 0);
  document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
}

/** A page, or a part of one, and the function that gets its code ahead of time. The heading of a page takes the focus when it is there. */
export function lazily<Props extends object>(load: () => Promise<ComponentType<Props>>, isPage = true) {
  const page = signal<{ Page: ComponentType<Props> } | undefined>(undefined);
  const error = signal<unknown>(undefined);
  let asked = false;

  const preload = (): void => {
    if (asked) return;
    asked = true;
    load().then(
      (Page) => (page.value = { Page }),
      (cause: unknown) => {
        asked = false;
        error.value = new UnreachableError("load a page's code", { cause });
      },
    );
  };

  function Lazy(props: Props) {
    const found = page.value;
    useEffect(preload, []);
    useEffect(() => {
      if (isPage && found !== undefined && navigations.peek() > 0) focusHeading();
    }, [found]);
    if (found !== undefined) return <found.Page {...props} />;
    // Browsers remember that code could not be had, and an older release's is gone: only a fresh start helps in each case.
    if (error.value === undefined) return <Skeleton rows={4} kind="line" />;
    return (
      <ProblemAlert error={error.value}>
        <button type="button" onClick={() => location.reload()}>
          {text.value.again}
        </button>
      </ProblemAlert>
    );
  }
  return { Lazy, preload };
}
