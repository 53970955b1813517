// The routes that a partner's dispatcher uses, after services/{matching,order,payment}/openapi.yaml. Only a failed trip needs an
// Idempotency-Key: accepting, declining, the steps of a job, a file and an objection answer the same when they are sent again.

import type { Address, HistoryStep, Price, User } from "../api";
import { type Intent, request } from "../http";

export interface Dispatcher extends User {
  partner_id?: string;
}

/** What the partner is paid, net: up to the weight that the customer's price includes, and for each tonne above. */
export interface Pay {
  net_cents: number;
  per_tonne_over_cents: number;
}

export interface Offer {
  offer_id: string;
  order_id: string;
  postcode: string;
  waste_code: string;
  size_m3: number;
  date: string;
  /** Of the day, as the customer wishes; none for any time. */
  window?: string;
  distance_km: number;
  pay: Pay;
  offered_at: string;
  ends_at: string;
}

export const declineReasons = ["no-container", "no-vehicle", "too-far", "price", "other"] as const;
export const tripReasons = ["blocked", "no-access", "wrong-filling", "overfilled", "other"] as const;

export type DocumentKind = "photo" | "slip";

export interface JobDocument {
  sha256: string;
  kind: DocumentKind;
  type: string;
  size: number;
  at: string;
}

export interface Job {
  order_id: string;
  state: string;
  waste_code: string;
  size_m3: number;
  date: string;
  /** Of the day, as the customer wishes; none for any time. */
  window?: string;
  postcode: string;
  address: Address;
  public_ground: boolean;
  pay: Pay;
  driver_id?: string;
  container?: string;
  pick_up_on?: string;
  weighing?: { gross_kg: number; tare_kg: number; net_kg: number; slip: string; implausible?: boolean };
  documents?: JobDocument[];
  cancellation?: { by: string; reason: string };
  history: HistoryStep[];
  /** How to get to the customer's site; absent when there is nothing to say. */
  access?: { notes: string; contact: string; phone: string };
}

export interface CreditNote {
  number: string;
  state: string;
  order_id: string;
  issued_on: string;
  due_on: string;
  total: Price;
}

export interface NewWeighing {
  gross_kg: number;
  tare_kg: number;
  slip: string;
  confirmed?: boolean;
}

const read = <T>(path: string, stop?: AbortSignal): Promise<T> => request(path, stop === undefined ? {} : { signal: stop });
const jobUrl = (id: string): string => `/api/order/v1/jobs/${encodeURIComponent(id)}`;

export const getDispatcher = (stop?: AbortSignal): Promise<Dispatcher> => read("/api/identity/v1/sessions/current", stop);

/** Opens an account with an invitation of the back office. */
export const redeem = (intent: Intent, body: { email: string; password: string; name: string; invite: string }): Promise<Dispatcher> =>
  intent.run(body, (key) => request("/api/identity/v1/users", { method: "POST", body, key }));

export const getOffers = async (stop?: AbortSignal): Promise<Offer[]> => (await read<{ offers: Offer[] }>("/api/matching/v1/offers", stop)).offers;

const offerUrl = (id: string): string => `/api/matching/v1/offers/${encodeURIComponent(id)}`;

export const acceptOffer = (id: string): Promise<Offer> => request(`${offerUrl(id)}/accept`, { method: "POST" });

export const declineOffer = (id: string, body: { reason: string; note?: string }): Promise<Offer> => request(`${offerUrl(id)}/decline`, { method: "POST", body });

export const getJobs = async (stop?: AbortSignal): Promise<Job[]> => (await read<{ jobs: Job[] }>("/api/order/v1/jobs", stop)).jobs;

export const getJob = (id: string, stop?: AbortSignal): Promise<Job> => read(jobUrl(id), stop);

export const putOnSite = (id: string, container: string): Promise<Job> => request(`${jobUrl(id)}/on-site`, { method: "POST", body: { container } });

export const collect = (id: string): Promise<Job> => request(`${jobUrl(id)}/collected`, { method: "POST", body: {} });

export const weigh = (id: string, body: NewWeighing): Promise<Job> => request(`${jobUrl(id)}/weighed`, { method: "POST", body });

export const failTrip = (intent: Intent, id: string, body: { reason: string; note?: string }): Promise<Job> =>
  intent.run({ id, ...body }, (key) => request(`${jobUrl(id)}/failed-trip`, { method: "POST", body, key }));

/** Sends one file under its own SHA-256. Two minutes are the limit: a photo over a slow mobile network takes a while. */
export const putDocument = (id: string, sha256: string, kind: DocumentKind, file: Blob): Promise<Job> =>
  request(`${documentUrl(id, sha256)}?kind=${kind}`, { method: "PUT", body: file, timeoutMs: 120_000 });

export const documentUrl = (id: string, sha256: string): string => `${jobUrl(id)}/documents/${sha256}`;

export const getCreditNotes = async (stop?: AbortSignal): Promise<CreditNote[]> =>
  (await read<{ credit_notes: CreditNote[] }>("/api/payment/v1/credit-notes", stop)).credit_notes;

export const objectTo = (number: string, reason: string): Promise<unknown> =>
  request(`/api/payment/v1/credit-notes/${encodeURIComponent(number)}/objection`, { method: "POST", body: { reason } });
