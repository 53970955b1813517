// How errors are told: beside the field they belong to, else in an alert with title, what to do and the trace id.

import type { ComponentChildren } from "preact";
import { ApiError, UnreachableError } from "../http";
import { language, text, type Text } from "../text";
import { Icon } from "./icon";

/** A complaint beside a field: our sentence, and the server's own where it adds something. */
export interface Complaint {
  text: string;
  detail?: string;
}

export type Complaints = Record<string, Complaint>;

/** Where the server's sentence adds a limit that ours cannot know. */
const addsLimit = new Set(["?date", "/password"]);

/** One complaint in the reader's language; the server's sentence is English and stands alone where we have none. */
export function complaint(pointer: string, detail: string): Complaint {
  const ours = text.value.refused[pointer];
  if (ours === undefined) return { text: detail };
  return addsLimit.has(pointer) ? { text: ours, detail } : { text: ours };
}

/** The complaints of a problem by pointer; empty for any other error. */
export function complaintsOf(error: unknown): Complaints {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(error.problem.errors.map(({ pointer, detail }) => [pointer, complaint(pointer, detail)]));
}

export interface Explanation {
  title: string;
  todo: string;
  detail: string;
  trace: string;
}

/** Title, next step and trace id of any error. */
export function explain(error: unknown, words: Text): Explanation {
  if (error instanceof UnreachableError) return { ...words.problem.unreachable, detail: "", trace: "" };
  const kinds = words.problem.kinds;
  const internal = kinds["internal"] ?? { title: "", todo: "" };
  if (!(error instanceof ApiError)) return { ...internal, detail: "", trace: "" };
  const { type, detail, trace_id: trace } = error.problem;
  const kind = type.slice(type.lastIndexOf("/") + 1);
  return { ...(kinds[kind] ?? internal), detail, trace };
}

/** Our words for a sign-in that was refused: a wrong password, or too many of them. */
export function signInWords(error: unknown): { title: string; todo: string } | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const words = text.value.problem;
  if (error.problem.status === 401) return words.signIn;
  return error.problem.status === 429 && error.retryAfter > 1 ? words.locked(Math.ceil(error.retryAfter / 60)) : undefined;
}

/** The alert region for what belongs to no field. Renders nothing without an error. */
export function ProblemAlert({ error, own, children }: { error: unknown; own?: { title: string; todo: string } | undefined; children?: ComponentChildren }) {
  if (error === undefined) return null;
  const { title, todo, detail, trace } = { ...explain(error, text.value), ...own };
  return (
    <div class="problem" role="alert">
      <Icon name="alert" />
      <div>
        <p class="problem-title">{title}</p>
        <p>{todo}</p>
        {detail !== "" && (
          <p class="problem-detail" lang="en">
            {detail}
          </p>
        )}
        {trace !== "" && (
          <p class="problem-detail">
            {text.value.problem.trace} <code>{trace}</code>
          </p>
        )}
        {children}
      </div>
    </div>
  );
}

/** The message below a field; `id` is what the field's aria-describedby names. */
export function ComplaintText({ id, complaint }: { id: string; complaint: Complaint | undefined }) {
  if (complaint === undefined) return null;
  return (
    <p class="complaint" id={id}>
      {complaint.text}
      {complaint.detail !== undefined && language.value !== "en" && <small lang="en">{complaint.detail}</small>}
    </p>
  );
}
