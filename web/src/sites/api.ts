// The routes of the service customer about sites, links and standing orders, after services/customer/openapi.yaml.

import type { Order } from "../api";
import { type Intent, request } from "../http";

export interface Place {
  name: string;
  street: string;
  postcode: string;
  city: string;
  /** What the driver must know; lines end with a line feed. */
  access: string;
  contact: string;
  phone: string;
  active: boolean;
}

export interface Site extends Place {
  site_id: string;
  version: number;
}

/** A site as its site manager sees it. */
export type ManagedSite = Pick<Site, "site_id" | "name" | "street" | "postcode" | "city">;

export interface Link {
  number: number;
  label: string;
  made_at: string;
  until: string;
  code: string;
}

/** Either every_weeks and weekday (1 Monday to 6 Saturday) or month_day is set; the others are 0. */
export interface Plan {
  site_id: string;
  waste_code: string;
  size_m3: number;
  every_weeks: number;
  weekday: number;
  month_day: number;
  from: string;
  until: string;
  public_ground: boolean;
  state: string;
}

export interface Occurrence {
  day: string;
  date: string;
  state: string;
  order_id?: string;
  reason?: string;
}

export interface Standing extends Plan {
  standing_id: string;
  version: number;
  next?: string;
  occurrences: Occurrence[];
}

/** An order as a site manager sees it: without money. */
export interface SiteOrder {
  order_id: string;
  state: string;
  waste_code: string;
  size_m3: number;
  date: string;
  postcode: string;
  container?: string;
  pick_up_on?: string;
  history: Order["history"];
}

const base = "/api/customer/v1";
const at = (id: string) => `${base}/sites/${encodeURIComponent(id)}`;

export const getSites = async (): Promise<Site[]> => (await request<{ sites: Site[] }>(`${base}/sites`)).sites;
export const makeSite = (intent: Intent, body: Place): Promise<Site> => intent.run(body, (key) => request(`${base}/sites`, { method: "POST", body, key }));
export const changeSite = ({ site_id, version }: Site, body: Place): Promise<Site> => request(at(site_id), { method: "PUT", body, match: version });
export const deleteSite = ({ site_id, version }: Site): Promise<void> => request(at(site_id), { method: "DELETE", match: version });

export const getLinks = async (id: string): Promise<Link[]> => (await request<{ links: Link[] }>(`${at(id)}/links`)).links;
export const makeLink = (intent: Intent, id: string, body: { label: string; days: number }): Promise<Link> =>
  intent.run({ ...body, id }, (key) => request(`${at(id)}/links`, { method: "POST", body, key }));
export const revokeLink = (id: string, number: number): Promise<void> => request(`${at(id)}/links/${number}`, { method: "DELETE" });

/** The address that lets somebody in: the code stands where no server logs it. */
export const linkAddress = (code: string): string => `${location.origin}/baustelle#${code}`;

export const getStanding = async (): Promise<Standing[]> => (await request<{ standing_orders: Standing[] }>(`${base}/standing-orders`)).standing_orders;
export const makeStanding = (intent: Intent, body: Plan): Promise<Standing> =>
  intent.run(body, (key) => request(`${base}/standing-orders`, { method: "POST", body, key }));
export const changeStanding = ({ standing_id, version }: Standing, body: Plan): Promise<Standing> =>
  request(`${base}/standing-orders/${encodeURIComponent(standing_id)}`, { method: "PUT", body, match: version });

/** Exchanges the code of a link for a session. */
export const visit = (code: string): Promise<ManagedSite> => request(`${base}/visits`, { method: "POST", body: { code } });
export const getManagedSite = (id: string): Promise<ManagedSite> => request(at(id));
export const getSiteOrders = async (): Promise<SiteOrder[]> => (await request<{ orders: SiteOrder[] }>("/api/order/v1/orders")).orders;
