// What a state means to the reader: its words' key, and a tone for its colour. Pure.

import type { AccountText } from "./text";

/** "good" went well, "now" is under way, "todo" waits for the customer, "over" ended otherwise. */
export type Tone = "good" | "now" | "todo" | "over";

export function orderTone(state: string): Tone {
  if (state === "paid") return "good";
  if (state === "cancelled") return "over";
  return state === "invoiced" || state === "unmatched" ? "todo" : "now";
}

/** The local date (YYYY-MM-DD) in Europe/Berlin. */
export function berlinDate(now: Date): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(now);
}

type State = keyof AccountText["invoice"]["states"];

/** The state of an invoice as it is shown; one that was due before today is late, a correction only has its effect. */
export function invoiceState(invoice: { state: string; due_on: string; kind?: string }, now: Date): { state: State; tone: Tone } {
  if (invoice.kind === "correction") return { state: "effective", tone: "over" };
  if (invoice.state === "paid") return { state: "paid", tone: "good" };
  if (invoice.state === "cancelled") return { state: "cancelled", tone: "over" };
  return { state: invoice.due_on < berlinDate(now) ? "late" : "issued", tone: "todo" };
}

/** "DE89370400440532013000" -> "DE89 3704 0044 0532 0130 00". */
export function ibanGroups(iban: string): string {
  return iban.replaceAll(/(.{4})(?=.)/g, "$1 ");
}
