// The routes that the back office uses, after services/*/openapi.yaml. Each service answers for itself: what one of them cannot say, the
// page says that it is missing.

import type { Address, Order, Price, User } from "../api";
import { type Intent, request } from "../http";
import type { Pay } from "../partner/api";

const get = <T>(path: string, stop?: AbortSignal): Promise<T> => request(path, stop === undefined ? {} : { signal: stop });
const seen = (version: number): { [name: string]: string } => ({ "If-Match": `"${version}"` });

export const whoAmI = (): Promise<User> => get("/api/identity/v1/sessions/current");

/** Opens an account with an invitation. */
export const redeem = (intent: Intent, body: { email: string; password: string; name: string; invite: string }): Promise<User> =>
  intent.run(body, (key) => request("/api/identity/v1/users", { method: "POST", body, key }));

/** The services that the page asks. */
export type Service = "order" | "identity" | "payment" | "disposer" | "matching" | "mailing";

// One search

export interface FoundOrder {
  order_id: string;
  state: string;
  waste_code: string;
  size_m3: number;
  date: string;
  postcode: string;
  address: Address;
  partner_id?: string;
  container?: string;
}

export interface FoundUser {
  user_id: string;
  email: string;
  name: string;
  role: string;
  partner_id?: string;
}

export interface FoundDocument {
  number: string;
  kind: "invoice" | "credit-note" | "correction";
  state: string;
  order_id: string;
  issued_on: string;
  due_on: string;
  total: Price;
  open_cents: number;
  paid_cents: number;
  to: string;
  partner_id?: string;
}

export interface FoundPartner {
  partner_id: string;
  name: string;
  postcode: string;
  city: string;
  active: boolean;
}

const query = (q: string): string => `?q=${encodeURIComponent(q)}`;
export const findOrders = async (q: string, stop?: AbortSignal) => (await get<{ orders: FoundOrder[] }>(`/api/order/v1/search${query(q)}`, stop)).orders;
export const findUsers = async (q: string, stop?: AbortSignal) => (await get<{ users: FoundUser[] }>(`/api/identity/v1/users${query(q)}`, stop)).users;
export const findDocuments = async (q: string, stop?: AbortSignal) => (await get<{ documents: FoundDocument[] }>(`/api/payment/v1/search${query(q)}`, stop)).documents;
export const findPartners = async (q: string, stop?: AbortSignal) => (await get<{ partners: FoundPartner[] }>(`/api/disposer/v1/search${query(q)}`, stop)).partners;

// Lists of work

export interface Worklist {
  name: string;
  count: number;
  more: boolean;
  oldest?: string;
}

export interface Work {
  id: string;
  order_id?: string;
  partner_id?: string;
  number?: string;
  about: string;
  amount_cents?: number;
  since: string;
}

/** Who owns which lists, in the order in which they are shown. */
export const worklists: [Service, string][] = [
  ["order", "unmatched"],
  ["matching", "offers-ending"],
  ["order", "overdue-placing"],
  ["order", "not-weighed"],
  ["order", "not-invoiced"],
  ["payment", "objections"],
  ["payment", "unassigned-receipts"],
  ["payment", "overdue-invoices"],
  ["disposer", "certificates-ending"],
  ["mailing", "failed-mails"],
];

export const getWorklists = async (service: Service, stop?: AbortSignal) => (await get<{ worklists: Worklist[] }>(`/api/${service}/v1/worklists`, stop)).worklists;

export const getWork = (service: Service, list: string, offset: number): Promise<{ items?: Work[]; next_offset?: number }> =>
  get(`/api/${service}/v1/worklists?list=${list}&offset=${offset}`);

// An order

export interface Record {
  order: Order & { public_ground: boolean };
  version: number;
  user_id: string;
  company_id?: string;
  site_id?: string;
  driver_id?: string;
  pay?: Pay;
  placed_at: string;
  steps: string[];
}

export interface Score {
  trip_cents: number;
  disposal_cents: number;
  distance_cents: number;
  total_cents: number;
}

export interface Candidate {
  partner_id: string;
  name: string;
  distance_km: number;
  auto_accept: boolean;
  pay: Pay;
  score: Score;
  outcome: string;
  reason?: string;
  note?: string;
  offered_at?: string;
  answered_at?: string;
}

export interface Match {
  state: string;
  reason?: string;
  partner_id?: string;
  candidates: Candidate[];
  version: number;
  trace_id?: string;
  trace_url?: string;
}

export interface Choice {
  partner_id: string;
  name: string;
  possible: boolean;
  why: string;
  asked?: string;
  distance_km: number;
  auto_accept: boolean;
  pay: Pay;
  score: Score;
}

export interface Mail {
  id: string;
  type: string;
  state: "queued" | "sending" | "sent" | "failed" | "suppressed";
  at: string;
  attempts: number;
  sent_at?: string;
  reason?: string;
}

export interface Entry {
  id: string;
  at: string;
  actor: { user_id: string; role: string; on_behalf_of?: string };
  operation: string;
  subject: string;
  reason?: string;
  change?: { fields?: string[] };
  trace_id?: string;
}

export const getRecord = (id: string, stop?: AbortSignal): Promise<Record> => get(`/api/order/v1/orders/${id}/record`, stop);
export const getMatch = (id: string, stop?: AbortSignal): Promise<Match> => get(`/api/matching/v1/matches/${id}`, stop);
export const getChoices = async (id: string) => (await get<{ choices: Choice[] }>(`/api/matching/v1/matches/${id}/choices`)).choices;
export const getMails = async (id: string, stop?: AbortSignal) => (await get<{ mails: Mail[] }>(`/api/mailing/v1/mails?order_id=${id}`, stop)).mails;
export const getTrail = async (service: Service, subject: string, stop?: AbortSignal) =>
  (await get<{ entries: Entry[] }>(`/api/${service}/v1/audit?subject=${encodeURIComponent(subject)}`, stop)).entries;

export const cancelOrder = (id: string, version: number, reason: string): Promise<unknown> =>
  request(`/api/order/v1/orders/${id}/cancel`, { method: "POST", body: { reason }, headers: seen(version) });

export const reassign = (id: string, version: number, body: { partner_id: string; reason: string }): Promise<Match> =>
  request(`/api/matching/v1/matches/${id}/reassign`, { method: "POST", body, headers: seen(version) });

export const retryMail = (id: string, reason: string): Promise<Mail> => request(`/api/mailing/v1/mails/${encodeURIComponent(id)}/retry`, { method: "POST", body: { reason } });

export const cancelInvoice = (number: string, reason: string): Promise<{ number: string }> =>
  request(`/api/payment/v1/invoices/${number}/correction`, { method: "POST", body: { reason } });

// Partners

export interface Partner {
  partner_id: string;
  version: number;
  name: string;
  street: string;
  postcode: string;
  city: string;
  email: string;
  tax_id: string;
  radius_km: number;
  waste_codes: string[];
  auto_accept: boolean;
  active: boolean;
  rates: { trip_cents: number; per_m3_cents: { [code: string]: number }; per_tonne_over_cents: number };
  certificates: { kind: string; number: string; valid_until?: string }[];
  drivers: { id: string; name: string }[];
  vehicles: { plate: string; kind: string }[];
}

export const getPartners = async (stop?: AbortSignal) => (await get<{ partners: Partner[] }>("/api/disposer/v1/partners", stop)).partners;
export const getPartner = (id: string, stop?: AbortSignal): Promise<Partner> => get(`/api/disposer/v1/partners/${id}`, stop);

/** Stores a partner as somebody who has read `version`; 0 makes a new one. */
export function putPartner(id: string, version: number, partner: Omit<Partner, "partner_id" | "version">, reason: string): Promise<Partner> {
  const headers: { [name: string]: string } = version === 0 ? { "If-None-Match": "*" } : seen(version);
  return request(`/api/disposer/v1/partners/${id}`, { method: "PUT", body: { partner, reason }, headers });
}

// Bank

export interface StatementLine {
  id: string;
  booked_on: string;
  amount_cents: number;
  remitter: string;
  reference: string;
  state: "assigned" | "unassigned";
  invoice?: string;
}

export const getLines = async (unassigned: boolean, stop?: AbortSignal) =>
  (await get<{ statement_lines: StatementLine[] }>(`/api/payment/v1/statement-lines${unassigned ? "?state=unassigned" : ""}`, stop)).statement_lines;

export const postLine = (line: Omit<StatementLine, "state" | "invoice">): Promise<StatementLine> => request("/api/payment/v1/statement-lines", { method: "POST", body: line });

export const assignLine = (id: string, invoice: string): Promise<StatementLine> =>
  request(`/api/payment/v1/statement-lines/${encodeURIComponent(id)}/assign`, { method: "POST", body: { invoice } });
