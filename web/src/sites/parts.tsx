// What the forms about sites share: sending with complaints beside the fields, selects and text areas.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { ApiError } from "../http";
import { withSession } from "../session";
import { checkForm, focusFirstComplaint } from "../ui/field";
import { type Complaint, type Complaints, complaintsOf, ComplaintText, ProblemAlert } from "../ui/problem";
import { words as texts } from "./text";

/** A form that checks, sends, and shows what was refused. `send` gets the form's data. */
export function useForm(send: (data: FormData) => Promise<void>) {
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    complaints.value = checkForm(form);
    error.value = undefined;
    if (Object.keys(complaints.value).length > 0) return focusFirstComplaint(form);
    busy.value = true;
    try {
      await withSession(() => send(new FormData(form)));
    } catch (cause) {
      complaints.value = Object.fromEntries(Object.entries(complaintsOf(cause)).map(([at, told]) => [at, { text: texts.value.invalid[at] ?? told.text }]));
      if (Object.keys(complaints.value).length === 0) error.value = cause;
      focusFirstComplaint(form);
    } finally {
      busy.value = false;
    }
  };
  return { busy: busy.value, error: error.value, complaints: complaints.value, submit };
}

/** What went wrong with a change; that somebody else was quicker has words of its own. */
export function ChangeProblem({ error }: { error: unknown }) {
  const stale = error instanceof ApiError && error.problem.status === 409;
  return <ProblemAlert error={error} own={stale && error.problem.detail.includes("If-Match") ? { title: "", todo: texts.value.stale } : undefined} />;
}

interface Described {
  name: string;
  label: string;
  hint?: string;
  complaint?: Complaint | undefined;
}

function Labelled({ name, label, hint, complaint, children }: Described & { children: ComponentChildren }) {
  const id = idOf(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {children}
      <ComplaintText id={`${id}-complaint`} complaint={complaint} />
    </div>
  );
}

const idOf = (name: string) => `f${name.replaceAll(/\W/g, "-")}`;

export function Select({ options, value, onChoose, ...described }: Described & { options: [value: string, label: string][]; value: string; onChoose?: (value: string) => void }) {
  const id = idOf(described.name);
  return (
    <Labelled {...described}>
      <select id={id} name={described.name} value={value} aria-invalid={described.complaint !== undefined} aria-describedby={`${id}-complaint`} onChange={(event) => onChoose?.(event.currentTarget.value)}>
        {options.map(([each, label]) => (
          <option key={each} value={each} selected={each === value}>
            {label}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

export function TextArea({ value, maxLength, ...described }: Described & { value: string; maxLength: number }) {
  const id = idOf(described.name);
  return (
    <Labelled {...described}>
      <textarea id={id} name={described.name} maxLength={maxLength} defaultValue={value} aria-invalid={described.complaint !== undefined} aria-describedby={`${id}-hint ${id}-complaint`} />
    </Labelled>
  );
}

export function Tick({ name, label, checked }: { name: string; label: string; checked: boolean }) {
  const id = idOf(name);
  return (
    <div class="tick">
      <input type="checkbox" id={id} name={name} defaultChecked={checked} />
      <label for={id}>{label}</label>
    </div>
  );
}
