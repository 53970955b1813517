// What the customer has chosen, as it stands in the URL: ?plz=&abfall=&groesse=&datum=. Pure: no signals, no browser.

import type { Catalog, Offer, QuoteQuery, Waste } from "../api";
import { workdays } from "../format";

export interface Selection {
  plz: string;
  abfall: string;
  groesse: number | undefined;
  datum: string;
}

/** The steps in order; "adresse" is the last part of the page, reached when the four choices are made. */
export const steps = ["plz", "abfall", "groesse", "datum", "adresse"] as const;
export type Step = (typeof steps)[number];

/** Reads a selection; what is not of the right shape is left out. */
export function readSelection(search: URLSearchParams): Selection {
  const take = (name: string, shape: RegExp) => (shape.test(search.get(name) ?? "") ? (search.get(name) as string) : "");
  const size = take("groesse", /^\d{1,2}$/);
  return {
    plz: take("plz", /^\d{5}$/),
    abfall: take("abfall", /^\d{6}$/),
    groesse: size === "" ? undefined : Number(size),
    datum: take("datum", /^\d{4}-\d\d-\d\d$/),
  };
}

/** Drops what the catalogue does not offer: an old link must not lead to an order that cannot be placed. */
export function fitSelection(selection: Selection, catalog: Catalog): Selection {
  const waste = findWaste(catalog, selection.abfall);
  const { groesse, datum } = selection;
  return {
    plz: selection.plz,
    abfall: waste?.code ?? "",
    groesse: groesse !== undefined && (waste === undefined ? catalog.sizes_m3.includes(groesse) : offersOf(catalog, waste).some((offer) => offer.size_m3 === groesse && offer.reason === undefined)) ? groesse : undefined,
    datum: datum >= catalog.earliest_date && datum <= catalog.latest_date && closedReason(catalog, datum) === undefined && !takenDates(catalog, selection).includes(datum) ? datum : "",
  };
}

/** Why no container is placed on a day within the range of the catalogue, undefined for an open day. */
export function closedReason(catalog: Catalog, date: string): string | undefined {
  return catalog.closed_dates.find((closed) => closed.date === date)?.reason;
}

/** Every size of the catalogue for a waste. A catalogue of no postcode knows no prices. */
export function offersOf(catalog: Catalog, waste: Waste): Offer[] {
  return waste.offers ?? catalog.sizes_m3.map((size) => (waste.sizes_m3.includes(size) ? { size_m3: size } : { size_m3: size, reason: "too-heavy" }));
}

/** The lowest price of a waste, undefined without one. */
export function lowestPrice(catalog: Catalog, waste: Waste): number | undefined {
  const prices = offersOf(catalog, waste).flatMap(({ gross_cents, reason }) => (gross_cents === undefined || reason !== undefined ? [] : [gross_cents]));
  return prices.length === 0 ? undefined : Math.min(...prices);
}

/** The open days on which no container of the chosen waste and size is left. */
export function takenDates(catalog: Catalog, { abfall, groesse }: Selection): string[] {
  return findWaste(catalog, abfall)?.offers?.find((offer) => offer.size_m3 === groesse)?.taken_dates ?? [];
}

/** The next working days to show: as many free ones as wanted, and the taken ones among them. */
export function nextDays(catalog: Catalog, taken: string[], wanted: number): string[] {
  const days = workdays(catalog.earliest_date, catalog.latest_date, wanted + taken.length, catalog.closed_dates.map(({ date }) => date));
  const free = days.filter((date) => !taken.includes(date)).slice(0, wanted);
  const last = free.at(-1);
  return last === undefined ? [] : days.filter((date) => date <= last).slice(-2 * wanted);
}

export function findWaste(catalog: Catalog, code: string): Waste | undefined {
  return catalog.wastes.find((waste) => waste.code === code);
}

/** The link to the page with this selection; `step` opens one step although it is answered. */
export function orderLink(selection: Selection, language: string, step?: Step): string {
  const search = new URLSearchParams();
  if (selection.plz !== "") search.set("plz", selection.plz);
  if (selection.abfall !== "") search.set("abfall", selection.abfall);
  if (selection.groesse !== undefined) search.set("groesse", String(selection.groesse));
  if (selection.datum !== "") search.set("datum", selection.datum);
  if (language !== "de") search.set("lang", language);
  const query = search.size === 0 ? "" : `?${search}`;
  return `/bestellen${query}${step === undefined ? "" : `#${step}`}`;
}

/** Whether the step has an answer. */
export function isAnswered(selection: Selection, step: Step): boolean {
  return step !== "adresse" && selection[step] !== "" && selection[step] !== undefined;
}

/** The step to show: the one refused by the server, the one asked for in the URL, else the first without an answer. */
export function currentStep(selection: Selection, asked: string, refused?: Step): Step {
  if (refused !== undefined) return refused;
  const open = steps.find((step) => !isAnswered(selection, step)) ?? "adresse";
  const wanted = steps.find((step) => step === asked);
  return wanted !== undefined && steps.indexOf(wanted) < steps.indexOf(open) ? wanted : open;
}

/** The quote to ask for: possible from the size on; until a date is chosen it is for the earliest one. */
export function quoteQuery(selection: Selection, catalog: Catalog, permit = false): QuoteQuery | undefined {
  const { plz, abfall, groesse, datum } = selection;
  if (plz === "" || abfall === "" || groesse === undefined) return undefined;
  const taken = takenDates(catalog, selection);
  const earliest = taken.includes(catalog.earliest_date) ? (nextDays(catalog, taken, 1).at(-1) ?? catalog.earliest_date) : catalog.earliest_date;
  return { postcode: plz, waste: abfall, size: groesse, date: datum || earliest, permit };
}

/** The step that a refused quote parameter belongs to. */
export function stepOfPointer(pointer: string): Step | undefined {
  const step: Record<string, Step> = { "?postcode": "plz", "?waste": "abfall", "?size": "groesse", "?date": "datum" };
  return step[pointer];
}
