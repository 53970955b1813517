// "Session expired": a modal dialog over the page, whose forms keep what was entered. After signing in the waiting request goes on.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { renew, user, waiting } from "../session";
import { keepLanguage, text } from "../text";
import { checkForm, Field, focusFirstComplaint } from "./field";
import { type Complaints, complaintsOf, ProblemAlert, signInWords } from "./problem";

export function SignInDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = waiting.value !== undefined;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const giveUp = () => {
    waiting.value?.giveUp();
    waiting.value = undefined;
  };
  return (
    <dialog ref={dialog} aria-labelledby="sign-in-title" onCancel={giveUp}>
      {open && (
        <SignInForm submitLabel={text.value.expired.submit} onGiveUp={giveUp}>
          <h2 id="sign-in-title">{text.value.expired.title}</h2>
          <p class="hint">{text.value.expired.detail}</p>
        </SignInForm>
      )}
    </dialog>
  );
}

interface FormProps {
  submitLabel: string;
  onGiveUp?: () => void;
  children?: ComponentChildren;
}

/** Email and password; signing in lets a waiting request go on. */
export function SignInForm({ submitLabel, onGiveUp, children }: FormProps) {
  const words = text.value;
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    complaints.value = checkForm(form);
    if (Object.keys(complaints.value).length > 0) return focusFirstComplaint(form);
    const data = new FormData(form);
    busy.value = true;
    error.value = undefined;
    try {
      await renew(String(data.get("/email")), String(data.get("/password")));
    } catch (cause) {
      complaints.value = complaintsOf(cause);
      error.value = cause;
    } finally {
      busy.value = false;
    }
  };

  return (
    <form class="form" noValidate onSubmit={submit}>
      {children}
      <ProblemAlert error={error.value} own={signInWords(error.value)} />
      <Field name="/email" label={words.checkout.email} type="email" autoComplete="username" required defaultValue={user.value?.email ?? ""} complaint={complaints.value["/email"]} />
      <Field name="/password" label={words.checkout.password} type="password" autoComplete="current-password" required autoFocus={user.value !== undefined} complaint={complaints.value["/password"]} />
      <p class="hint">
        <a href={keepLanguage("/passwort/vergessen")} {...(onGiveUp === undefined ? {} : { onClick: onGiveUp })}>
          {words.account.forgotten}
        </a>
      </p>
      <div class="buttons">
        <button type="submit" class="primary" disabled={busy.value}>
          {submitLabel}
        </button>
        {onGiveUp !== undefined && (
          <button type="button" onClick={onGiveUp}>
            {words.expired.cancel}
          </button>
        )}
      </div>
    </form>
  );
}
