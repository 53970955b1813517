// What several pages of the partner show: problems in its words, the state of a list, a waste with its name, a note after an action.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { clock, wasteCode } from "../format";
import { ApiError, UnreachableError } from "../http";
import { wasteName } from "../order/choices";
import { findWaste } from "../order/selection";
import { catalog } from "../order/state";
import { language, text } from "../text";
import { Icon } from "../ui/icon";
import { type Complaint, type Complaints, ComplaintText, ProblemAlert } from "../ui/problem";
import type { Polled } from "./poll";
import { words } from "./text";

type Own = { title: string; todo: string };

/** The status of the platform's answer; 0 when none came. */
export const statusOf = (error: unknown): number => (error instanceof ApiError ? error.problem.status : 0);

/** An alert in the partner's words. */
export function PartnerProblem({ error, own, children }: { error: unknown; own?: Own | undefined; children?: ComponentChildren }) {
  return (
    <ProblemAlert error={error} own={own ?? ownWords(error)}>
      {children}
    </ProblemAlert>
  );
}

function ownWords(error: unknown): Own | undefined {
  const { unreachable, kinds } = words.value.problem;
  if (error instanceof UnreachableError) return unreachable;
  return error instanceof ApiError ? kinds[error.problem.type.slice(error.problem.type.lastIndexOf("/") + 1)] : undefined;
}

/** The complaints of a problem by pointer: our sentence where we have one, with the server's own below it. */
export function complaintsIn(error: unknown, ours: Record<string, string>): Complaints {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(
    error.problem.errors.map(({ pointer, detail }) => {
      const own = ours[pointer];
      return [pointer, own === undefined ? { text: detail } : { text: own, detail }];
    }),
  );
}

/** Why the newest try to load failed, and how old the data are that are still shown. */
export function LoadProblem({ polled, own }: { polled: Polled<unknown>; own?: Own | undefined }) {
  if (polled.error === undefined) return null;
  return (
    <PartnerProblem error={polled.error} own={own}>
      {polled.at !== undefined && <p class="problem-detail">{words.value.asOf(clock(polled.at, language.value))}</p>}
      <button type="button" onClick={() => polled.refresh()}>
        {statusOf(polled.error) === 401 ? words.value.signIn.known : words.value.again}
      </button>
    </PartnerProblem>
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

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="panel empty">
      <Icon name="skip" className="hero-picture icon" />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** "Bauschutt, 7 m³"; the code while the catalogue is not there. */
export function wasteWords(code: string, size: number): string {
  return `${nameOf(code)}, ${volume(size)}`;
}

/** "13.455 kg": to the kilogram, as on the weighing slip. */
export const kilograms = (kg: number): string => `${kg.toLocaleString(language.value === "de" ? "de-DE" : "en-GB")}\u00a0kg`;

/** "7 m³", kept on one line. */
export const volume = (size: number): string => text.value.size.name(size).replace(" ", "\u00a0");

export function nameOf(code: string): string {
  const waste = catalog.value === undefined ? undefined : findWaste(catalog.value, code);
  return waste === undefined ? wasteCode(code) : wasteName(waste);
}

/** A line of text in a list of forms, where the same field stands in several of them: `id` tells them apart. */
export function LineField({ id, name, label, hint, complaint, ...input }: {
  id: string; name: string; label: string; hint: string; complaint: Complaint | undefined; required?: boolean; minLength?: number; maxLength: number;
}) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <input
        type="text" id={id} name={name} autoComplete="off" {...input} aria-invalid={complaint !== undefined}
        aria-describedby={complaint === undefined ? `${id}-hint` : `${id}-hint ${id}-complaint`}
      />
      <ComplaintText id={`${id}-complaint`} complaint={complaint} />
    </div>
  );
}

/** Names the page in the browser's tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – ${text.value.brand}`;
  }, [title]);
}
