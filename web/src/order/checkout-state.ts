// Placing the order: attempt event, fresh quote, account if there is none, order. What the customer typed survives every failure.

import { signal } from "@preact/signals";
import { type DayWindow, type Order, placeOrder, type Quote, recordOrderAttempt, signIn, signUp, visitId } from "../api";
import { money } from "../format";
import { ApiError, Intent, isRefusal } from "../http";
import { user, withSession } from "../session";
import { language, text } from "../text";
import type { Complaints } from "../ui/problem";
import { complaintsOf } from "../ui/problem";
import { busy, loadCatalog, quotes } from "./state";
import { orderText } from "./text";

/** What was typed; kept here so that opening another step or changing the language loses nothing. Passwords are not kept. */
export const draft = signal({ name: "", street: "", city: "", email: "", site: "", publicGround: false, window: "any" as DayWindow });

export const accountMode = signal<"fresh" | "known">("fresh");
export const failure = signal<unknown>(undefined);
export const notice = signal("");
export const complaints = signal<Complaints>({});

/** The order that was just placed: the next page shows it without asking. */
export const placed = signal<Order | undefined>(undefined);

const orderIntent = new Intent();
const accountIntent = new Intent();

/** The quote of an order whose outcome is unknown. A retry repeats it even after its end: only then can the server recognise the order. */
const unsettled = signal<Quote | undefined>(undefined);

/** Runs the whole last step with the shown quote. Gives the order, or undefined after telling the customer why not. */
export async function order(shown: Quote, password: string): Promise<Order | undefined> {
  busy.value = true;
  failure.value = undefined;
  notice.value = "";
  recordOrderAttempt(shown);
  try {
    const quote = isSameChoice(unsettled.value, shown) ? unsettled.value : await freshQuote(shown);
    if (quote === undefined) return undefined;
    if (user.value === undefined) await openAccount(password);
    const { name, street, city, site, publicGround, window } = draft.value;
    const body = { quote: quote.quote, address: { name, street, city }, public_ground: publicGround, window, visit_id: visitId(), ...(site === "" ? {} : { site_id: site }) };
    unsettled.value = quote;
    placed.value = await withSession(() => placeOrder(orderIntent, body));
    unsettled.value = undefined;
    return placed.value;
  } catch (error) {
    await tell(error);
    return undefined;
  } finally {
    busy.value = false;
  }
}

async function tell(error: unknown): Promise<void> {
  const { "/quote": quote, ...others } = complaintsOf(error);
  complaints.value = others;
  if (error instanceof ApiError && isRefusal(error.problem.status)) unsettled.value = undefined;
  if (quote === undefined) {
    failure.value = error;
    return;
  }
  await quotes.refresh(); // a day that was taken meanwhile is refused again, and its step opens
  const taken = error instanceof ApiError && error.problem.status === 409;
  if (taken) await loadCatalog();
  notice.value = taken ? orderText.value.taken : quote.text;
}

function isSameChoice(before: Quote | undefined, now: Quote): boolean {
  const member = ["postcode", "waste_code", "size_m3", "date", "permit_cents"] as const;
  return before !== undefined && member.every((each) => before[each] === now[each]);
}

async function openAccount(password: string): Promise<void> {
  const { name, email } = draft.value;
  user.value = accountMode.value === "fresh" ? await signUp(accountIntent, { email, password, name }) : await signIn(accountIntent, { email, password });
}

/** The shown quote while it is valid; else a new one if the price is the same. Another price needs another press of the button. */
async function freshQuote(shown: Quote): Promise<Quote | undefined> {
  if (Date.parse(shown.valid_until) - Date.now() > 30_000) return shown;
  await quotes.refresh();
  const state = quotes.state.value;
  if (state.kind === "failed") throw state.error;
  if (state.kind !== "ready") return undefined;
  const [before, now] = [shown.price.gross_cents, state.quote.price.gross_cents];
  if (before === now) return state.quote;
  notice.value = text.value.checkout.priceChanged(money(before, language.value), money(now, language.value));
  return undefined;
}

/** Words for the two refusals that customers meet most: a wrong password and a known email address. */
export function ownWords(error: unknown): { title: string; todo: string } | undefined {
  if (!(error instanceof ApiError) || user.value !== undefined) return undefined;
  if (accountMode.value === "known" && error.problem.status === 401) return text.value.problem.signIn;
  if (accountMode.value === "fresh" && error.problem.status === 409) return text.value.problem.emailTaken;
  return undefined;
}
