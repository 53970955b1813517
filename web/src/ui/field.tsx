// One labelled input with hint and complaint, and the check that runs before a form is sent.

import type { InputHTMLAttributes } from "preact";
import { useId } from "preact/hooks";
import { text } from "../text";
import { type Complaint, type Complaints, ComplaintText } from "./problem";

interface Props {
  /** The JSON pointer of the member that the field fills: it is where the server's complaint goes. */
  name: string;
  label: string;
  hint?: string;
  complaint?: Complaint | undefined;
  type: "text" | "email" | "password" | "date";
  inputMode?: "numeric";
  autoComplete?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  min?: string;
  max?: string;
  required?: boolean;
  value?: string;
  defaultValue?: string;
  autoFocus?: boolean;
  onInput?: (event: Event) => void;
}

export function Field({ name, label, hint, complaint, ...input }: Props) {
  const id = useId(); // not of the name: a page can have two forms with the same fields
  const described = [hint === undefined ? "" : `${id}-hint`, complaint === undefined ? "" : `${id}-complaint`].join(" ").trim();
  // Preact's type is a union over every input type; a variable type fits none of its members.
  const attributes = { ...input, id, name, "aria-invalid": complaint !== undefined, ...(described === "" ? {} : { "aria-describedby": described }) } as InputHTMLAttributes;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <input {...attributes} />
      <ComplaintText id={`${id}-complaint`} complaint={complaint} />
    </div>
  );
}

/** What the browser's own validation refuses, in our words, by field name. */
export function checkForm(form: HTMLFormElement): Complaints {
  const found: Complaints = {};
  for (const element of form.elements) {
    if (element instanceof HTMLInputElement && !element.validity.valid) found[element.name] = { text: wordFor(element) };
  }
  return found;
}

function wordFor({ validity, type, minLength }: HTMLInputElement): string {
  const words = text.value.invalid;
  if (type === "date" && !validity.valueMissing) return words.date;
  if (validity.valueMissing) return words.required;
  if (validity.typeMismatch) return words.email;
  if (validity.tooShort) return words.tooShort(minLength);
  return words.postcode;
}

/** Puts the focus into the first field that has a complaint, after it was rendered; without one shows the form's alert. */
export function focusFirstComplaint(form: HTMLFormElement): void {
  requestAnimationFrame(() => {
    const field = form.querySelector<HTMLInputElement>("[aria-invalid=true]");
    if (field !== null) field.focus();
    else form.querySelector("[role=alert]")?.scrollIntoView({ block: "center" });
  });
}
