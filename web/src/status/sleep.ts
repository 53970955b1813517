// The pause between two questions to the platform.

/** Waits for the pause and then until the page is visible. */
export async function sleep(pauseMs: number, stop: AbortSignal): Promise<void> {
  if (pauseMs > 0) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      stop.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
  while (document.hidden && !stop.aborted) {
    await new Promise<unknown>((resolve) => document.addEventListener("visibilitychange", resolve, { once: true, signal: stop }));
  }
}
