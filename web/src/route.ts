// The address bar is the state: one signal with the current URL, same-origin links handled in place, Back works.

import { computed, signal } from "@preact/signals";

/** The current address. */
export const url = signal(new URL(location.href));

/** Counts navigations; 0 on the first page, where focus must stay where the browser put it. */
export const navigations = signal(0);

export type Page = { name: "order" } | { name: "account" } | { name: "status" | "invoice"; id: string } | { name: "partner" } | { name: "office" } | { name: "access"; path: string } | { name: "sites" } | { name: "managed" } | { name: "missing" };

export const page = computed<Page>(() => pageOf(url.value.pathname));

/** Maps a path to a page. */
export function pageOf(path: string): Page {
  if (path === "/" || path === "/bestellen") return { name: "order" };
  if (path === "/konto") return { name: "account" };
  if (path === "/konto/baustellen") return { name: "sites" };
  if (path === "/baustelle") return { name: "managed" };
  if (/^\/(konto\/(sicherheit|firma|neu|einladung)|passwort\/(vergessen|neu)|demo)$/.test(path)) return { name: "access", path };
  const area = /^\/(partner|office)(\/|$)/.exec(path)?.[1]; // its pages are its own, see its places.ts
  if (area !== undefined) return { name: area as "partner" | "office" };
  const [, kind, id] = /^\/(auftrag|rechnung)\/([^/]+)$/.exec(path) ?? [];
  if (id === undefined) return { name: "missing" };
  try {
    return { name: kind === "auftrag" ? "status" : "invoice", id: decodeURIComponent(id) };
  } catch {
    return { name: "missing" }; // a broken percent sequence
  }
}

/** Goes to an address of this site. `replace` leaves no entry for Back. */
export function navigate(to: string, replace = false): void {
  const target = new URL(to, url.value);
  if (target.href === url.value.href) return;
  history[replace ? "replaceState" : "pushState"](null, "", target);
  arrive();
}

function arrive(): void {
  url.value = new URL(location.href);
  navigations.value += 1;
}

/** Starts listening to Back and to clicks on links of this site; links with `data-native` are left to the browser. */
export function startRouting(): void {
  addEventListener("popstate", arrive);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || link.target !== "" || link.dataset["native"] !== undefined || link.origin !== location.origin) return;
    event.preventDefault();
    navigate(link.href);
  });
}
