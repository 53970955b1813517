// The signals behind the order page: catalogue, selection (from the URL), quote, and the step to show.

import { batch, computed, effect, signal } from "@preact/signals";
import { type Catalog, getCatalog, getQuote } from "../api";
import { ApiError, isRefusal } from "../http";
import { url } from "../route";
import { language } from "../text";
import { currentStep, fitSelection, orderLink, quoteQuery, readSelection, type Selection, type Step, stepOfPointer } from "./selection";
import { QuoteLoader } from "./quote-loader";

/** Begins anew, when an earlier choice has come back; undefined otherwise. */
export const resumed = signal<(() => void) | undefined>(undefined);

/** Whether an order is being placed. */
export const busy = signal(false);

export const catalog = signal<Catalog | undefined>(undefined);
export const catalogError = signal<unknown>(undefined);

const postcode = computed(() => readSelection(url.value.searchParams).plz);

/** The postcode whose dates the catalogue has: public holidays differ between the federal states. */
const datesOf = signal<string | undefined>(undefined);

/** Loads the catalogue of the chosen postcode; called again after a failure. A known catalogue stays when the new one cannot be had. */
export async function loadCatalog(): Promise<void> {
  const wanted = postcode.peek();
  catalogError.value = undefined;
  try {
    const found = await catalogOf(wanted);
    if (wanted !== postcode.peek()) return;
    batch(() => {
      catalog.value = found;
      datesOf.value = wanted;
    });
  } catch (error) {
    if (wanted === postcode.peek()) catalogError.value = error;
  }
}

/** The catalogue of a place. One that nobody knows is refused with its price; until then the dates of the whole country will do. */
async function catalogOf(place: string): Promise<Catalog> {
  try {
    return await getCatalog(place);
  } catch (error) {
    if (place === "" || !(error instanceof ApiError) || !isRefusal(error.problem.status)) throw error;
    return getCatalog();
  }
}

export const selection = computed<Selection>(() => {
  const read = readSelection(url.value.searchParams);
  return catalog.value === undefined ? read : fitSelection(read, catalog.value);
});

/** The customer wants us to get the permit for public ground: the price includes it. */
export const permit = signal(false);

export const quotes = new QuoteLoader(getQuote);

/** The quote to show: the present one, or the last one while the next is on its way. */
export const shownQuote = computed(() => {
  const state = quotes.state.value;
  return state.kind === "ready" ? state.quote : state.kind === "loading" ? state.last : undefined;
});

/** The first refused parameter of the quote, with its step. */
export const refusal = computed<{ step: Step; pointer: string; detail: string } | undefined>(() => {
  const state = quotes.state.value;
  if (state.kind !== "failed" || !(state.error instanceof ApiError)) return undefined;
  for (const { pointer, detail } of state.error.problem.errors) {
    const step = stepOfPointer(pointer);
    if (step !== undefined) return { step, pointer, detail };
  }
  return undefined;
});

export const step = computed<Step>(() => currentStep(selection.value, url.value.hash.slice(1), refusal.value?.step));

/** Keeps catalogue and quote in step with the selection. Called once at start. */
export function startQuoting(): void {
  effect(() => {
    postcode.value; // each one has dates of its own
    void loadCatalog();
  });
  effect(() => {
    const offered = datesOf.value === postcode.value || catalogError.value !== undefined ? catalog.value : undefined;
    quotes.ask(offered === undefined ? undefined : quoteQuery(selection.value, offered, permit.value));
  });
}

/** The link that makes one choice. */
export function choose(choice: Partial<Selection>): string {
  const chosen = { ...selection.value, ...choice };
  return orderLink(catalog.value === undefined ? chosen : fitSelection(chosen, catalog.value), language.value);
}

/** The link that opens one answered step again. */
export function reopen(at: Step): string {
  return orderLink(selection.value, language.value, at);
}
