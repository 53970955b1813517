// What the back office's pages decide by themselves, without the page: money on both sides, amounts as people type them, lines of a file.

import type { FoundDocument, Record } from "./api";

export interface Margin {
  revenueCents: number;
  costCents: number;
  marginCents: number;
  /** Whether bills are in it; before there are any, or while they cannot be read, it is what was promised. */
  billed: { revenue: boolean; cost: boolean };
}

/**
 * Net, from the customer's side minus the partner's. Invoices count with their corrections, which have the opposite sign; a credit note that was
 * objected to has no effect, so what was promised stands in its place.
 */
export function marginOf(record: Pick<Record, "order" | "pay">, documents: FoundDocument[] | undefined): Margin {
  const sum = (list: FoundDocument[]) => list.reduce((cents, document) => cents + document.total.net_cents, 0);
  const invoices = (documents ?? []).filter(({ kind }) => kind !== "credit-note");
  const credits = (documents ?? []).filter(({ kind, state }) => kind === "credit-note" && state !== "objected");
  const billed = { revenue: invoices.length > 0, cost: credits.length > 0 };
  const cancelled = record.order.state === "cancelled";
  const revenueCents = billed.revenue ? sum(invoices) : cancelled ? 0 : record.order.price.net_cents;
  const costCents = billed.cost ? sum(credits) : cancelled ? 0 : (record.pay?.net_cents ?? 0);
  return { revenueCents, costCents, marginCents: revenueCents - costCents, billed };
}

/** "1.234,5", "1234.50" and "42" as cents; undefined for anything else. */
export function centsOf(typed: string): number | undefined {
  const text = typed.replaceAll(/[\s€]/g, "");
  const german = /^\d{1,3}(\.\d{3})+(,\d{1,2})?$|^\d+(,\d{1,2})?$/.test(text);
  const plain = german ? text.replaceAll(".", "").replace(",", ".") : text;
  return /^\d+(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : undefined;
}

/** 4250 -> "42,50", as it is typed. */
export const typedCents = (cents: number): string => (cents / 100).toFixed(2).replace(".", ",");

export interface BankLine {
  id: string;
  booked_on: string;
  amount_cents: number;
  remitter: string;
  reference: string;
}

/**
 * The lines of a statement as CSV: id;booked_on;amount;remitter;reference, with this heading. The rest of a line is the reference. Mistakes name
 * the line as an editor counts it.
 */
export function statementLines(csv: string): { lines: BankLine[]; mistakes: { line: number; column: string }[] } {
  const lines: BankLine[] = [];
  const mistakes: { line: number; column: string }[] = [];
  csv.replace(/^\uFEFF/, "").split(/\r?\n/).forEach((row, at) => {
    if (row.trim() === "") return;
    const [id = "", date = "", amount = "", remitter = "", ...reference] = row.split(";").map((cell) => cell.trim());
    if (at === 0 && id === "id") return;
    const german = /^(\d\d)\.(\d\d)\.(\d{4})$/.exec(date);
    const booked_on = german === null ? date : `${german[3]}-${german[2]}-${german[1]}`;
    const amount_cents = centsOf(amount);
    const wrong = !/^[\w.-]{1,64}$/.test(id) ? "id" : !/^\d{4}-\d\d-\d\d$/.test(booked_on) ? "booked_on" : amount_cents === undefined || amount_cents === 0 ? "amount" : remitter === "" ? "remitter" : "";
    if (wrong !== "" || amount_cents === undefined) mistakes.push({ line: at + 1, column: wrong });
    else lines.push({ id, booked_on, amount_cents, remitter, reference: reference.join(";") });
  });
  return { lines, mistakes };
}

/** How long something waits: minutes, hours or days, whole. */
export function age(since: string, now: number): { count: number; unit: "minute" | "hour" | "day"; ahead: boolean } {
  const ms = now - Date.parse(since);
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  const ahead = ms < 0;
  if (minutes < 60) return { count: minutes, unit: "minute", ahead };
  if (minutes < 48 * 60) return { count: Math.floor(minutes / 60), unit: "hour", ahead };
  return { count: Math.floor(minutes / 1440), unit: "day", ahead };
}
