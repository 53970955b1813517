// What several pages of the driver show.

import type { InputHTMLAttributes } from "preact";
import type { Job } from "./api";
import { language, words } from "./text";
import { wasteNames } from "./state";
import { wasteCode } from "../format";

/** "13.455 kg". */
export const kilograms = (kg: number): string => `${kg.toLocaleString(language.value === "de" ? "de-DE" : "en-GB")}\u00a0kg`;

export const wasteName = (code: string): string => wasteNames.value[code]?.[language.value] ?? wasteCode(code);

export const wasteWords = (code: string, size: number): string => `${wasteName(code)}, ${words.value.job.size(size)}`;

/** What is to be done: the state, or "swap" where a full container goes with the truck that brings the new one. */
export const phase = (job: Job): string => (job.state === "matched" && job.swap !== undefined ? "swap" : job.state);

export const jobPath = (id: string): string => `/fahrer/auftrag/${encodeURIComponent(id)}`;

/** A labelled input; the complaint stands beneath it. */
export function Line({ id, label, hint, complaint, ...input }: { id: string; label: string; hint?: string; complaint?: string | undefined } & Omit<InputHTMLAttributes, "label">) {
  const described = [hint === undefined ? "" : `${id}-hint`, complaint === undefined ? "" : `${id}-complaint`].join(" ").trim();
  const attributes = { ...input, id, name: id, "aria-invalid": complaint !== undefined, ...(described === "" ? {} : { "aria-describedby": described }) } as InputHTMLAttributes;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <input {...attributes} />
      {complaint !== undefined && (
        <p class="complaint" id={`${id}-complaint`}>
          {complaint}
        </p>
      )}
    </div>
  );
}
