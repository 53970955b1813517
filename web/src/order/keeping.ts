// What was chosen survives a closed tab and another device. It is kept in this browser at once, and a moment later by the service customer:
// as a draft of whoever is signed in, else as the cart of this browser. Without that service the copy in the browser does.

import { effect } from "@preact/signals";
import { randomId, request } from "../http";
import { page, url } from "../route";
import { sessionKnown, user } from "../session";
import { language } from "../text";
import { draft, placed } from "./checkout-state";
import { type Choice, choiceOf, type Draft, type Kept, newest, selectionOf } from "./choice";
import { orderLink, readSelection } from "./selection";
import { resumed, selection } from "./state";

const store = "kreislauf_choice";
const base = "/api/customer/v1";
const pauseMs = 800;
/** As long as the service keeps a cart: whoever shares this browser does not find an address after months. */
const keepMs = 7 * 24 * 3_600_000;

function read(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(store) ?? "") as Kept;
    if (typeof found.id === "string" && typeof found.version === "number" && Date.now() - (found.at ?? 0) < keepMs) return found;
  } catch {
    // Nothing there, nothing that this version wrote, or a browser that keeps nothing.
  }
  return { id: randomId(), version: 0 };
}

let kept = read();
let timer = 0;
/** Whether the order page has shown what is kept: once, for who goes to the first step later wants to begin anew. */
let shown = false;

function write(): void {
  try {
    localStorage.setItem(store, JSON.stringify({ ...kept, at: Date.now() }));
  } catch {
    // A browser that keeps nothing: the service still does.
  }
}

const isCustomer = () => user.peek()?.role === "customer";

/** Sends what is kept; a failure leaves it in the browser, and the next change tries again. */
async function send(keepalive = false): Promise<void> {
  clearTimeout(timer);
  timer = 0;
  const body = kept.choice;
  if (body === undefined || (user.peek() !== undefined && !isCustomer())) return;
  const { id } = kept;
  try {
    if (!isCustomer()) return await request(`${base}/cart`, { method: "PUT", body, keepalive });
    const { version } = await request<Draft>(`${base}/drafts/${id}`, { method: "PUT", body, keepalive });
    if (kept.id !== id) return;
    kept = { ...kept, version };
    write();
  } catch {
    // The copy in the browser stays.
  }
}

/** Goes on with a choice: the address bar gets it, and the form, where they are empty. */
function resume(choice: Choice): void {
  if (page.peek().name === "order" && readSelection(url.peek().searchParams).plz === "") {
    history.replaceState(null, "", orderLink(selectionOf(choice), language.peek()));
    url.value = new URL(location.href);
    resumed.value = startAgain;
  }
  const { name, street, city } = choice.address;
  const typed = draft.peek();
  if (typed.street === "" && typed.city === "" && selectionOf(choice).plz === selection.peek().plz) {
    draft.value = { ...typed, name: typed.name || name, street, city, site: choice.site_id, publicGround: choice.public_ground };
  }
}

/** Goes on with a choice now, or when the order page is next shown. */
function show(choice: Choice): void {
  kept = { ...kept, choice };
  shown = page.peek().name === "order";
  if (shown) resume(choice);
}

function forget(): void {
  clearTimeout(timer);
  timer = 0;
  const { id, choice } = kept;
  kept = { id: randomId(), version: 0 };
  try {
    localStorage.removeItem(store);
  } catch {
    // See write.
  }
  if (choice === undefined) return;
  const gone = isCustomer() ? `${base}/drafts/${id}` : `${base}/cart`;
  if (user.peek() === undefined || isCustomer()) request(gone, { method: "DELETE", keepalive: true }).catch(() => undefined);
}

function startAgain(): void {
  forget();
  resumed.value = undefined;
  draft.value = { ...draft.peek(), street: "", city: "", site: "", publicGround: false };
  history.replaceState(null, "", orderLink({ plz: "", abfall: "", groesse: undefined, datum: "" }, language.peek()));
  url.value = new URL(location.href);
}

/** Brings this browser and the service together, after signing in and at the start. */
async function meet(): Promise<void> {
  try {
    if (isCustomer()) {
      const other = await request<{ drafts: Draft[] }>(kept.choice === undefined ? `${base}/cart/take-over` : `${base}/drafts`, kept.choice === undefined ? { method: "POST" } : {});
      const found = newest(kept, other.drafts);
      if (found === undefined) {
        await send();
        await request(`${base}/cart`, { method: "DELETE" });
        return;
      }
      kept = { id: found.draft_id, version: found.version, choice: found.choice };
      write();
      show(found.choice);
    } else if (user.peek() === undefined && kept.choice === undefined) {
      const { choice } = await request<{ choice?: Choice }>(`${base}/cart`);
      if (choice !== undefined && kept.choice === undefined) show(choice);
    }
  } catch {
    // The service is away: this browser's copy does.
  }
}

/** Starts keeping. Called once, when the page stands. */
export function startKeeping(): void {
  effect(() => {
    if (page.value.name !== "order" || shown) return;
    shown = true;
    if (kept.choice !== undefined) resume(kept.choice);
  });
  let known = "";
  effect(() => {
    if (!sessionKnown.value) return;
    const now = user.value?.user_id ?? "";
    const before = known;
    known = now;
    if (before !== "" && now === "") return forget(); // signed out: what was typed is nobody else's affair
    void meet();
  });
  effect(() => {
    const choice = choiceOf(selection.value, draft.value);
    if (choice.postcode === "" || page.value.name !== "order" || JSON.stringify(choice) === JSON.stringify(kept.choice)) return;
    kept = { ...kept, choice };
    write();
    clearTimeout(timer);
    timer = window.setTimeout(() => void send(), pauseMs);
  });
  effect(() => {
    if (placed.value !== undefined) forget();
  });
  addEventListener("pagehide", () => timer !== 0 && void send(true));
}
