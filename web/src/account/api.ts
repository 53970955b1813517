// The routes of the account's pages, after services/order and services/payment openapi.yaml. Units as in src/api.ts.

import type { Order, Price } from "../api";
import { request } from "../http";

/** What the list of invoices says of each. */
export interface InvoiceSummary {
  number: string;
  /** "issued" (waits for its payment), "paid" or "cancelled". */
  state: string;
  order_id: string;
  issued_on: string;
  due_on: string;
  total: Price;
  /** What is still to pay. */
  open_cents: number;
}

export interface Party {
  name: string;
  street: string;
  postcode: string;
  city: string;
  seller_id?: string;
  vat_id?: string;
  tax_number?: string;
  register?: string;
  email?: string;
  phone?: string;
}

export interface PaperLine {
  /** As printed, in German. */
  text: string;
  /** Three decimals: "1.250"; negative on a correction. */
  quantity: string;
  /** UN/ECE recommendation 20: C62 a piece, DAY a day, TNE a tonne. */
  unit: string;
  unit_cents: number;
  net_cents: number;
  vat_percent: number;
}

/** An invoice, or the correction that cancels one. */
export interface Paper extends InvoiceSummary {
  kind: string;
  title: string;
  supplied_from: string;
  supplied_to: string;
  term_days: number;
  seller: Party;
  buyer: Party;
  lines: PaperLine[];
  taxes: { percent: number; net_cents: number; vat_cents: number }[];
  iban?: string;
  bic?: string;
  /** Printed below, in German. */
  notes: string[];
  slip: string;
  /** The invoice that this correction cancels. */
  corrects?: { number: string; issued_on: string };
  /** The number of the correction that cancels this invoice. */
  correction?: string;
  payments?: { statement_line: string; booked_on: string; amount_cents: number }[];
  reminders?: { level: number; at: string; pay_by: string }[];
}

/** The customer's newest 100 orders, newest first; with a site those for it. */
export const getOrders = async (siteId = ""): Promise<Order[]> =>
  (await request<{ orders: Order[] }>(`/api/order/v1/orders${siteId === "" ? "" : `?site_id=${encodeURIComponent(siteId)}`}`)).orders;

/** The customer's newest 100 invoices, newest first. */
export const getInvoices = async (): Promise<InvoiceSummary[]> => (await request<{ invoices: InvoiceSummary[] }>("/api/payment/v1/invoices")).invoices;

export const getInvoice = (number: string): Promise<Paper> => request(`/api/payment/v1/invoices/${encodeURIComponent(number)}`);

/** Says on which day the container on site is to be fetched. Another day takes the place of the first. */
export const askPickUp = (id: string, date: string): Promise<Order> =>
  request(`/api/order/v1/orders/${encodeURIComponent(id)}/pick-up`, { method: "POST", body: { date } });

/** Where a photo or slip of an order is. */
export const documentAddress = (id: string, sha256: string): string => `/api/order/v1/orders/${encodeURIComponent(id)}/documents/${sha256}`;

/** Where the proof of a year is: slips, photos and register of what was fetched, as a ZIP file. */
export const proofAddress = (year: string): string => `/api/order/v1/proof?year=${year}`;
