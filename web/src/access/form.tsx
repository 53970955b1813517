// One form of these pages: it checks, sends, and tells what was refused beside the fields or above them.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { ApiError } from "../http";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import { type Complaints, ProblemAlert } from "../ui/problem";
import type { Details } from "./api";
import { words } from "./text";

type Own = { title: string; todo: string };

interface Props {
  submit: string;
  className?: string;
  /** Sends what was typed; an error is shown. */
  send: (typed: (name: string) => string) => Promise<void>;
  /** Our words for a refusal, instead of the general ones. */
  own?: (status: number, pointers: string[]) => Own | undefined;
  children: (found: Complaints) => ComponentChildren;
}

export function Form({ submit, className = "form", send, own, children }: Props) {
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});

  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    complaints.value = checkForm(form);
    error.value = undefined;
    if (Object.keys(complaints.value).length > 0) return focusFirstComplaint(form);
    const data = new FormData(form);
    busy.value = true;
    try {
      await send((name) => String(data.get(name) ?? ""));
    } catch (cause) {
      complaints.value = complaintsIn(cause);
      error.value = cause;
      focusFirstComplaint(form);
    } finally {
      busy.value = false;
    }
  };

  const pointers = Object.keys(complaints.value);
  const status = error.value instanceof ApiError ? error.value.problem.status : 0;
  return (
    <form class={className} noValidate onSubmit={onSubmit}>
      {children(complaints.value)}
      <ProblemAlert error={error.value} own={own?.(status, pointers)} />
      <div class="buttons">
        <button type="submit" class="primary" disabled={busy.value}>
          {submit}
        </button>
      </div>
    </form>
  );
}

/** The complaints by pointer; those about a company inside of an account stand at the same fields as those about a company. */
function complaintsIn(error: unknown): Complaints {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(
    error.problem.errors.map(({ pointer, detail }) => {
      const member = pointer.slice(pointer.lastIndexOf("/"));
      const ours = words.value.refused[member];
      return [pointer, ours === undefined ? { text: detail } : { text: ours, detail }];
    }),
  );
}

/** The fields of a new person: name, address, password. */
export function PersonFields({ found, email }: { found: Complaints; email?: string }) {
  const ours = words.value;
  return (
    <>
      <Field name="/name" label={ours.name} type="text" autoComplete="name" required minLength={2} maxLength={100} complaint={found["/name"]} />
      <Field name="/email" label={ours.email} type="email" autoComplete="username" required maxLength={254} defaultValue={email ?? ""} complaint={found["/email"]} />
      <Field name="/password" label={ours.password} hint={ours.passwordHint} type="password" autoComplete="new-password" required minLength={10} maxLength={256} complaint={found["/password"]} />
    </>
  );
}

/** The fields of a company; `at` is where it stands in the body that is sent. */
export function CompanyFields({ found, at = "", before }: { found: Complaints; at?: string; before?: Details | null }) {
  const ours = words.value.company;
  const field = (name: string) => ({ name: `${at}/${name}`, complaint: found[`${at}/${name}`] });
  return (
    <>
      <Field {...field("name")} label={ours.name} type="text" autoComplete="organization" required minLength={2} maxLength={100} defaultValue={before?.name ?? ""} />
      <Field {...field("street")} label={ours.street} type="text" autoComplete="billing street-address" required minLength={2} maxLength={100} defaultValue={before?.street ?? ""} />
      <div class="town">
        <Field {...field("postcode")} label={ours.postcode} type="text" inputMode="numeric" autoComplete="billing postal-code" required pattern="[0-9]{5}" maxLength={5} defaultValue={before?.postcode ?? ""} />
        <Field {...field("city")} label={ours.city} type="text" autoComplete="billing address-level2" required minLength={2} maxLength={80} defaultValue={before?.city ?? ""} />
      </div>
      <Field {...field("email")} label={ours.email} type="email" autoComplete="off" required maxLength={254} defaultValue={before?.email ?? ""} />
      <Field {...field("vat_id")} label={ours.vatId} hint={ours.vatHint} type="text" autoComplete="off" maxLength={30} defaultValue={before?.vat_id ?? ""} />
    </>
  );
}

/** What was typed into CompanyFields. */
export function detailsOf(typed: (name: string) => string, at = ""): Details {
  const member = (name: string) => typed(`${at}/${name}`).trim();
  const vat_id = member("vat_id");
  return { name: member("name"), street: member("street"), postcode: member("postcode"), city: member("city"), email: member("email"), ...(vat_id === "" ? {} : { vat_id }) };
}
