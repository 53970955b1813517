// The routes that a driver uses, after services/{identity,order,pricing}/openapi.yaml. Every answer also tells the time of the platform, so
// that a phone whose clock is wrong reports right times.

import type { Address, Catalog, User } from "../api";
import { ApiError, cookie, problemOf, randomId, UnreachableError } from "../http";
import type { Action } from "./outbox";

export interface Driver extends User {
  partner_id?: string;
  driver_id?: string;
}

export interface Job {
  order_id: string;
  state: string;
  waste_code: string;
  size_m3: number;
  /** The day of placing, as ordered. */
  date: string;
  postcode: string;
  address: Address;
  public_ground: boolean;
  /** Whom the driver calls on site, and what it must know to get there. */
  phone?: string;
  access_notes?: string;
  container?: string;
  pick_up_on?: string;
  /** What the dispatcher has planned of the next trip. */
  plan?: { trip: string; day: string; window?: string; vehicle?: string; position?: number };
  /** The container of another job that is taken away in the trip that brings this one's. */
  swap?: { order_id: string; container: string; done?: boolean };
  weighing?: { gross_kg: number; tare_kg: number; net_kg: number; slip: string };
  documents?: { sha256: string; kind: string; at: string }[];
  history?: { state: string; at: string; failed_trip?: { reason: string; note?: string } }[];
  plausible_kg?: { least: number; most: number };
}

/** How many milliseconds the platform's clock is ahead of this device's; undefined before the first answer. */
let ahead: number | undefined;

export const clockAhead = (): number => ahead ?? 0;

const running = new Set<AbortController>();

/** Gives up what waits for an answer: after a change of the network it would wait for one that cannot come. */
export function hangUp(): void {
  for (const each of running) each.abort();
}

interface Options {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  key?: string;
  timeoutMs?: number;
}

/** Sends one request. Throws ApiError, or UnreachableError when no answer came. */
async function ask<T>(path: string, { method = "GET", body, key, timeoutMs = 15_000 }: Options = {}): Promise<T> {
  const file = body instanceof Blob;
  const headers: Record<string, string> = { Accept: "application/json, application/problem+json" };
  if (body !== undefined) headers["Content-Type"] = file ? body.type : "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  const csrf = method === "GET" ? undefined : cookie(document.cookie, "kreislauf_csrf");
  if (csrf !== undefined) headers["X-CSRF-Token"] = csrf;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timeoutMs);
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store", signal: limit.signal };
  if (body !== undefined) init.body = file ? body : JSON.stringify(body);
  let answer: Response;
  let text: string;
  running.add(limit);
  try {
    answer = await fetch(path, init);
    text = await answer.text();
  } catch (cause) {
    throw new UnreachableError(`${method} ${path}`, { cause });
  } finally {
    clearTimeout(timer);
    running.delete(limit);
  }
  const date = Date.parse(answer.headers.get("Date") ?? "");
  if (!Number.isNaN(date)) ahead = date - Date.now();
  if (!answer.ok) throw new ApiError(problemOf(answer.status, text));
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

export const getDriver = (): Promise<Driver> => ask("/api/identity/v1/sessions/current");

export const signIn = (email: string, password: string): Promise<Driver> => ask("/api/identity/v1/sessions", { method: "POST", body: { email, password } });

export const redeem = (key: string, body: { email: string; password: string; name: string; invite: string }): Promise<Driver> =>
  ask("/api/identity/v1/users", { method: "POST", body, key });

export const signOut = (): Promise<void> => ask("/api/identity/v1/sessions/current", { method: "DELETE" });

export const getJobs = async (): Promise<Job[]> => (await ask<{ jobs: Job[] }>("/api/order/v1/jobs")).jobs;

export const getJob = (id: string): Promise<Job> => ask(`/api/order/v1/jobs/${encodeURIComponent(id)}`);

export const getCatalog = (): Promise<Catalog> => ask("/api/pricing/v1/catalog");

/** Sends what the driver has done. Two minutes for a photo: over a slow mobile network it takes a while. */
export function send(action: Action, file: Blob | undefined): Promise<Job> {
  const job = `/api/order/v1/jobs/${encodeURIComponent(action.orderId)}`;
  if (action.what === "photo" || action.what === "slip") {
    return ask(`${job}/documents/${String(action.body["sha256"])}?kind=${action.what}`, { method: "PUT", body: file, timeoutMs: 120_000 });
  }
  return ask(`${job}/${action.what}`, { method: "POST", body: action.body, key: action.key });
}

export { randomId };
