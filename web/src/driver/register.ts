// Starts the service worker and tells when a new version of the app is there.

import { signal } from "@preact/signals";

const script = "/fahrer/worker.js";

/** The new version that waits; calling it loads it. */
export const update = signal<(() => void) | undefined>(undefined);

interface Types {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The page's policy allows one script for a worker, and no other. */
function workerUrl(): string {
  const { trustedTypes } = window as { trustedTypes?: Types };
  return trustedTypes?.createPolicy("driver-worker", { createScriptURL: () => script }).createScriptURL(script) ?? script;
}

export async function register(): Promise<void> {
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return; // without https there is none
  const registration = await navigator.serviceWorker.register(workerUrl(), { scope: "/fahrer", updateViaCache: "none" });
  let asked = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => asked && location.reload());
  const offer = () => {
    const { waiting } = registration;
    if (waiting === null || navigator.serviceWorker.controller === null) return;
    update.value = () => {
      asked = true;
      waiting.postMessage("take-over");
    };
  };
  offer();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
  addEventListener("visibilitychange", () => document.visibilityState === "visible" && registration.update().catch(() => undefined));
}
