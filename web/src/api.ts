// The platform's routes that this page uses, typed after "Contract: HTTP" in docs/architecture.md.
// Amounts are whole cents, dates are local dates in Europe/Berlin (YYYY-MM-DD), times are RFC 3339 in UTC.

import { type Intent, randomId, request } from "./http";

export interface User {
  user_id: string;
  email: string;
  name: string;
  role: string;
  /** Of a site manager. */
  site_id?: string;
}

export interface Waste {
  /** AVV code, six digits: "170904". */
  code: string;
  name_de: string;
  name_en: string;
  hazardous: boolean;
  sizes_m3: number[];
  allowed_de: string[];
  forbidden_de: string[];
  allowed_en: string[];
  forbidden_en: string[];
  tariff: "flat" | "weight";
  /** Gross, each tonne above what a price includes. */
  extra_tonne_cents: number;
  /** Every size at the postcode that was asked for. */
  offers?: Offer[];
}

/** A waste in a size: its price, or why it cannot be ordered. */
export interface Offer {
  size_m3: number;
  gross_cents?: number;
  reason?: "too-heavy" | "taken";
  /** Open days on which no container of this size is left. */
  taken_dates?: string[];
}

export interface Catalog {
  wastes: Waste[];
  sizes_m3: number[];
  earliest_date: string;
  latest_date: string;
  /** Days between the two on which no container is placed; the reason is the name of a holiday, or "Sonntag". */
  closed_dates: { date: string; reason: string }[];
  included_days: number;
  /** Not in a copy that nginx has kept of an earlier version, as the next. */
  permit_cents?: number;
  /** Wastes that cannot be ordered; their codes end with an asterisk. */
  hazardous?: { code: string; name_de: string; name_en: string }[];
  /** The towns that have the postcode that was asked for. */
  towns?: string[];
}

export interface Price {
  net_cents: number;
  vat_cents: number;
  gross_cents: number;
  currency: string;
}

export interface QuoteQuery {
  postcode: string;
  waste: string;
  size: number;
  date: string;
  /** We get the permit for public ground. */
  permit?: boolean;
}

export interface Quote {
  /** The signed token that an order carries. */
  quote: string;
  postcode: string;
  region: string;
  waste_code: string;
  size_m3: number;
  date: string;
  price: Price;
  included_days: number;
  extra_day_cents: number;
  included_kg: number;
  extra_tonne_cents: number;
  max_weight_kg: number;
  valid_until: string;
  tariff: "flat" | "weight";
  /** What the price consists of, net; none in quotes of an earlier version. */
  lines?: { kind: "service" | "disposal" | "permit"; net_cents: number }[];
  permit_cents?: number;
  failed_trip_cents: number;
}

export interface Address {
  name: string;
  street: string;
  city: string;
}

export interface OrderRequest {
  quote: string;
  address: Address;
  public_ground: boolean;
  window?: DayWindow;
  visit_id: string;
  /** One of the customer's sites at the postcode of the quote. */
  site_id?: string;
}

/** When a container is wished on its day: 7 to 12, 12 to 17 o'clock, or at any time. */
export type DayWindow = "any" | "morning" | "afternoon";

export interface Order {
  order_id: string;
  state: string;
  waste_code: string;
  size_m3: number;
  date: string;
  postcode: string;
  address: Address;
  price: Price;
  window?: "morning" | "afternoon";
  permit?: "ours" | "own";
  partner_id?: string;
  /** Of the customer; absent without. */
  site_id?: string;
  container?: string;
  /** The day on which the customer wants the container fetched. */
  pick_up_on?: string;
  weighing?: { net_kg: number; slip: string };
  /** Photos and weighing slips of the partner, in the order in which they came. */
  documents?: { sha256: string; kind: string; type: string; size: number; at: string }[];
  invoice?: { number: string; total: Price; due_on?: string };
  cancellation?: { by: string; reason: string };
  history: HistoryStep[];
}

/** A state that the order came into, or a truck that came in vain. */
export interface HistoryStep {
  state: string;
  at: string;
  failed_trip?: { reason: string; note?: string };
}

/** The catalogue with the dates of a postcode; without one, with those of the whole country. */
export const getCatalog = (postcode = ""): Promise<Catalog> =>
  request(postcode === "" ? "/api/pricing/v1/catalog" : `/api/pricing/v1/catalog?postcode=${encodeURIComponent(postcode)}`);

export function getQuote(query: QuoteQuery, signal?: AbortSignal): Promise<Quote> {
  const parameters = new URLSearchParams({ postcode: query.postcode, waste: query.waste, size: String(query.size), date: query.date });
  if (query.permit) parameters.set("permit", "true");
  return request(`/api/pricing/v1/quotes?${parameters}`, signal === undefined ? {} : { signal });
}

export const signUp = (intent: Intent, body: { email: string; password: string; name: string }): Promise<User> =>
  intent.run(body, (key) => request("/api/identity/v1/users", { method: "POST", body, key }));

export const signIn = (intent: Intent, body: { email: string; password: string }): Promise<User> =>
  intent.run(body, (key) => request("/api/identity/v1/sessions", { method: "POST", body, key }));

export const getSession = (): Promise<User> => request("/api/identity/v1/sessions/current");

export const signOut = (): Promise<void> => request("/api/identity/v1/sessions/current", { method: "DELETE" });

export const placeOrder = (intent: Intent, body: OrderRequest): Promise<Order> =>
  intent.run(body, (key) => request("/api/order/v1/orders", { method: "POST", body, key }));

export function getOrder(id: string, signal?: AbortSignal): Promise<Order> {
  return request(`/api/order/v1/orders/${encodeURIComponent(id)}`, signal === undefined ? {} : { signal });
}

/** Ends an order that is not on site. The same reason again changes nothing. */
export const cancelOrder = (id: string, reason: string): Promise<Order> =>
  request(`/api/order/v1/orders/${encodeURIComponent(id)}/cancel`, { method: "POST", body: { reason } });

/**
 * Tells the statistics service that the order button was pressed. Fire and forget: it never delays or fails an order,
 * and keepalive lets it outlive the page. The data are strings, as the service's event says.
 */
export function recordOrderAttempt(quote: Quote): void {
  const body = {
    type: "order-attempt",
    id: randomId(),
    visit_id: visitId(),
    data: {
      postcode: quote.postcode,
      waste_code: quote.waste_code,
      size_m3: String(quote.size_m3),
      value_cents: String(quote.price.gross_cents),
    },
  };
  request("/api/statistics/v1/events", { method: "POST", body, keepalive: true }).catch(() => undefined);
}

/** The id of this visit: one per browser tab, forgotten with it. */
export function visitId(): string {
  const name = "kreislauf_visit";
  const known = sessionStorage.getItem(name);
  if (known !== null) return known;
  const fresh = randomId();
  sessionStorage.setItem(name, fresh);
  return fresh;
}
