// What the partner's pages decide without asking anybody: time left, which job is due, weights as typed, files that may be sent.

import type { DocumentKind, Job } from "./api";

/** The local date in Europe/Berlin, as YYYY-MM-DD. */
export function today(now: Date): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(now);
}

/** The date so many days later. */
export function daysLater(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** What is left of an offer: "29:12" (minutes and seconds), "1:05:00" from an hour on; urgent in the last five minutes. */
export function timeLeft(endsAt: string, now: number): { text: string; urgent: boolean; over: boolean } {
  const seconds = Math.max(0, Math.ceil((Date.parse(endsAt) - now) / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const text = hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  return { text, urgent: seconds <= 300, over: seconds === 0 };
}

/** The one next step of a job; undefined when nothing is left to do. */
export type NextStep = "place" | "swap" | "collect" | "weigh";

export function nextStep(job: Pick<Job, "state" | "swap">): NextStep | undefined {
  if (job.state === "matched" && job.swap !== undefined) return "swap";
  return ({ matched: "place", on_site: "collect", collected: "weigh" } as Record<string, NextStep>)[job.state];
}

/** The day of the next step, as planned or as the customer wants it; undefined for a container on site that nobody wants fetched yet. What was collected is to be weighed now. */
export function dueOn(job: Pick<Job, "state" | "date" | "pick_up_on" | "plan">, now: string): string | undefined {
  if (job.plan !== undefined && job.state !== "collected") return job.plan.day;
  if (job.state === "matched") return job.date;
  return job.state === "on_site" ? job.pick_up_on : now;
}

export interface Groups {
  /** Due today or overdue. */
  today: Job[];
  upcoming: Job[];
  /** On site without a day to fetch it. */
  standing: Job[];
}

/** Sorts the open jobs by what is to be done when; within a group by that day. */
export function groupJobs(jobs: Job[], now: string): Groups {
  const groups: Groups = { today: [], upcoming: [], standing: [] };
  const due = (job: Job) => dueOn(job, now) ?? job.date;
  for (const job of jobs.toSorted((a, b) => due(a).localeCompare(due(b)))) {
    const on = dueOn(job, now);
    groups[on === undefined ? "standing" : on <= now ? "today" : "upcoming"].push(job);
  }
  return groups;
}

/** The most that a truck with a container may weigh here, in kg. */
const mostKg = 44_000;

/** A weight as people type it, in kg: "3200", "3.200", "3 200 kg", "3,2 t", "7.45 t". Undefined when it is none, or more than a truck may weigh. */
export function parseKg(typed: string): number | undefined {
  const [, digits = "", unit = "kg"] = /^([\d.,\s]+?)\s*(kg|t)?$/i.exec(typed.trim()) ?? [];
  const plain = digits.replaceAll(/\s/g, "");
  let kg: number;
  if (unit.toLowerCase() === "t") {
    if (!/^\d{1,2}([.,]\d{1,3})?$/.test(plain)) return undefined;
    kg = Math.round(Number(plain.replace(",", ".")) * 1000);
  } else {
    if (!/^(\d{1,5}|\d{1,2}[.,]\d{3})$/.test(plain)) return undefined;
    kg = Number(plain.replace(/[.,]/, ""));
  }
  return kg >= 1 && kg <= mostKg ? kg : undefined;
}

export const mostBytes = 8 * 1024 * 1024;

const allowed: Record<DocumentKind, string[]> = {
  photo: ["image/jpeg", "image/png"],
  slip: ["image/jpeg", "image/png", "application/pdf"],
};

/** The types for a file input. */
export const accepted = (kind: DocumentKind): string => allowed[kind].join(",");

/** Why a file cannot be sent, before it is tried; undefined when it can. */
export function fileFault(kind: DocumentKind, file: { type: string; size: number }): "type" | "size" | "empty" | undefined {
  if (!allowed[kind].includes(file.type)) return "type";
  if (file.size === 0) return "empty";
  return file.size > mostBytes ? "size" : undefined;
}

/** SHA-256 as 64 hexadecimal digits. Browsers offer it on https and localhost only. */
export async function sha256(file: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether this browser can name a file by its content here. */
export const canHash = (): boolean => typeof crypto.subtle?.digest === "function";

/** The last day on which a credit note can be objected to: the 14th after its issue. */
export const objectionUntil = (issuedOn: string): string => daysLater(issuedOn, 14);
