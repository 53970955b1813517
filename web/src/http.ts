// Requests to the platform: one fetch with a time limit, problem documents (RFC 9457) as errors, the CSRF header and
// Idempotency-Keys that belong to an intent. It knows nothing about the routes; api.ts does.

import { signal } from "@preact/signals";

/** One complaint about one member: a JSON pointer into the body ("/address/street") or "?name" for a query parameter. */
export interface FieldProblem {
  pointer: string;
  detail: string;
}

/** An RFC 9457 problem as the platform writes it. `trace_id` is empty when a proxy answered instead of a service. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  trace_id: string;
  errors: FieldProblem[];
}

/** The platform answered with an error. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(readonly problem: Problem) {
    super(`${problem.status} ${problem.title}`);
  }
}

/** No answer came: no network, a cut connection or a time-out. Whether the request had an effect is unknown. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** Since when no request got an answer; undefined while the platform answers. navigator.onLine lies, answers do not. */
export const unreachableSince = signal<Date | undefined>(undefined);

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Sent as JSON; a Blob goes as it is, under its own type. */
  body?: unknown;
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  keepalive?: boolean;
  timeoutMs?: number;
}

/**
 * Sends one request and gives the decoded JSON body (undefined for 204).
 * Throws ApiError, UnreachableError, or the AbortError of the caller's signal.
 */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const { method = "GET", body, key, keepalive = false, timeoutMs = 15_000 } = options;
  const headers: Record<string, string> = { Accept: "application/json, application/problem+json", ...options.headers };
  const file = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = file ? body.type : "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  const csrf = method === "GET" ? undefined : cookie(document.cookie, "kreislauf_csrf");
  if (csrf !== undefined) headers["X-CSRF-Token"] = csrf;

  const limit = new AbortController();
  const forward = () => limit.abort();
  options.signal?.throwIfAborted();
  options.signal?.addEventListener("abort", forward);
  const timer = setTimeout(forward, timeoutMs);
  try {
    const init: RequestInit = { method, headers, keepalive, signal: limit.signal, credentials: "same-origin" };
    if (body !== undefined) init.body = file ? body : JSON.stringify(body);
    const answer = await fetch(new URL(path, location.origin), init);
    const text = await answer.text();
    unreachableSince.value = undefined;
    if (!answer.ok) throw new ApiError(problemOf(answer.status, text));
    return (text === "" ? undefined : JSON.parse(text)) as T;
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    options.signal?.throwIfAborted();
    unreachableSince.value ??= new Date();
    throw new UnreachableError(`${method} ${path}`, { cause });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", forward);
  }
}

/** Reads a problem document; whatever else a proxy may answer becomes one with an empty trace id. */
export function problemOf(status: number, text: string): Problem {
  let raw: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) raw = parsed as Record<string, unknown>;
  } catch {
    // Not JSON: an error page of a proxy. The status still says what happened.
  }
  const word = (name: string) => (typeof raw[name] === "string" ? raw[name] : "");
  const errors = Array.isArray(raw["errors"]) ? raw["errors"].filter(isFieldProblem) : [];
  const type = word("type") || (status >= 500 ? "/problems/unavailable" : "/problems/internal");
  return { type, title: word("title"), status, detail: word("detail"), trace_id: word("trace_id"), errors };
}

function isFieldProblem(value: unknown): value is FieldProblem {
  const field = value as Partial<FieldProblem> | null;
  return typeof field?.pointer === "string" && typeof field.detail === "string";
}

/** The value of one cookie in a Cookie string, undefined without. */
export function cookie(cookies: string, name: string): string | undefined {
  const found = cookies.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found === undefined ? undefined : decodeURIComponent(found.slice(name.length + 1));
}

/** 128 random bits as 32 hex digits. Unlike crypto.randomUUID it also works without https. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What the user wants to happen once: the same body keeps the same Idempotency-Key through every retry, another body is
 * another intent. A definite refusal ends the intent; an unknown outcome, a conflict in progress or an expired session does not.
 */
export class Intent {
  #body = "";
  #key = "";

  async run<T>(body: unknown, send: (key: string) => Promise<T>): Promise<T> {
    const text = JSON.stringify(body);
    if (this.#key === "" || this.#body !== text) this.#key = randomId();
    this.#body = text;
    try {
      const result = await send(this.#key);
      this.#key = "";
      return result;
    } catch (error) {
      if (error instanceof ApiError && isRefusal(error.problem.status)) this.#key = "";
      throw error;
    }
  }
}

/** Whether the status says for certain that nothing was done. */
export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 409;
}
