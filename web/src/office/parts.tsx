// What several pages of the back office show: problems in its words, what a service that is away leaves out, ages, a field of a form, a table.

import { useSignal } from "@preact/signals";
import type { ComponentChildren, InputHTMLAttributes } from "preact";
import { useEffect } from "preact/hooks";
import type { Service } from "./api";
import { age } from "./rules";
import { words } from "./text";
import { type Language, moment, money } from "../format";
import { ApiError } from "../http";
import { wasteName } from "../order/choices";
import { findWaste } from "../order/selection";
import { catalog } from "../order/state";
import { withSession } from "../session";
import { language, text } from "../text";
import { Icon } from "../ui/icon";
import { type Complaint, type Complaints, ComplaintText, ProblemAlert } from "../ui/problem";

/** The status of the platform's answer; 0 when none came. */
export const statusOf = (error: unknown): number => (error instanceof ApiError ? error.problem.status : 0);

/** Whether somebody else was quicker. */
export const isStale = (error: unknown): boolean => error instanceof ApiError && error.problem.status === 409 && / changed since/.test(error.problem.detail);

export function OfficeProblem({ error, own, children }: { error: unknown; own?: { title: string; todo: string } | undefined; children?: ComponentChildren }) {
  const kind = error instanceof ApiError ? error.problem.type.slice(error.problem.type.lastIndexOf("/") + 1) : "";
  return (
    <ProblemAlert error={error} own={own ?? words.value.problem[kind]}>
      {children}
    </ProblemAlert>
  );
}

/** The complaints of a problem by pointer, without what all of them begin with. */
export function complaintsIn(error: unknown, prefix = ""): Complaints {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(error.problem.errors.map(({ pointer, detail }) => [pointer.startsWith(prefix) ? pointer.slice(prefix.length) : pointer, { text: detail }]));
}

/** What one service answers, or that it does not. */
export interface Source<T> {
  value: T | undefined;
  error: unknown;
}

/** Asks once for each key; `again` asks anew and keeps what is shown. */
export function useSource<T>(key: string, load: (stop: AbortSignal) => Promise<T>): Source<T> & { again: () => void } {
  const state = useSignal<{ key: string } & Source<T>>({ key, value: undefined, error: undefined });
  const round = useSignal(0);
  useEffect(() => {
    const stop = new AbortController();
    if (state.peek().key !== key) state.value = { key, value: undefined, error: undefined };
    withSession(() => load(stop.signal)).then(
      (value) => stop.signal.aborted || (state.value = { key, value, error: undefined }),
      (error: unknown) => stop.signal.aborted || (state.value = { ...state.peek(), key, error }),
    );
    return () => stop.abort();
  }, [key, round.value]);
  const { value, error } = state.value.key === key ? state.value : { value: undefined, error: undefined };
  return { value, error, again: () => (round.value += 1) };
}

/** Says that a service does not answer and what is missing because of it. */
export function Away({ service, source }: { service: Service; source: Source<unknown> & { again: () => void } }) {
  if (source.error === undefined) return null;
  return (
    <div class="away" role="status">
      <Icon name="offline" />
      <span>{words.value.away[service]}</span>
      <button type="button" class="quiet" onClick={source.again}>
        {words.value.again}
      </button>
    </div>
  );
}

/** "3 Tage". */
export function ageWords(since: string): { text: string; ahead: boolean } {
  const { count, unit, ahead } = age(since, Date.now());
  return { text: words.value.ages[unit](count), ahead };
}

export const euros = (cents: number): string => money(cents, language.value as Language);
export const when = (at: string): string => moment(at, language.value);

export function nameOf(code: string): string {
  const waste = catalog.value === undefined ? undefined : findWaste(catalog.value, code);
  return waste === undefined ? code : wasteName(waste);
}

/** "7 m³", kept on one line. */
export const volume = (size: number): string => text.value.size.name(size).replace(" ", "\u00a0");

/** A labelled input whose value lives in the form; `name` is the JSON pointer of its member. */
export function Entry({ name, label, hint, complaint, ...input }: { name: string; label: string; hint?: string | undefined; complaint?: Complaint | undefined } & InputHTMLAttributes) {
  const id = `o${name.replaceAll(/\W/g, "-")}`;
  const described = [hint === undefined ? "" : `${id}-hint`, complaint === undefined ? "" : `${id}-complaint`].join(" ").trim();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <input type="text" autoComplete="off" {...input} id={id} name={name} aria-invalid={complaint !== undefined} {...(described === "" ? {} : { "aria-describedby": described })} />
      <ComplaintText id={`${id}-complaint`} complaint={complaint} />
    </div>
  );
}

/** What an action brought, until it is closed. */
export function Done({ onClose, children }: { onClose: () => void; children: ComponentChildren }) {
  return (
    <div class="done" role="status">
      <Icon name="check" />
      <p>{children}</p>
      <button type="button" class="quiet" aria-label={words.value.close} onClick={onClose}>
        <Icon name="cross" />
      </button>
    </div>
  );
}

/** A state as a small tag; `alarm` and `warm` draw the eye. */
export function State({ tone = "", children }: { tone?: "" | "alarm" | "warm" | "good"; children: ComponentChildren }) {
  return <span class={`state ${tone}`}>{children}</span>;
}

/** Names the page in the browser's tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – ${text.value.brand}`;
  }, [title]);
}
