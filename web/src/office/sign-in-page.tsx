// Signing in to the back office, or opening the account with an invitation of the operators.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { redeem } from "./api";
import { complaintsIn, OfficeProblem, statusOf, useTitle } from "./parts";
import { words } from "./text";
import { signIn } from "../api";
import { Intent } from "../http";
import { user } from "../session";
import { text } from "../text";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import type { Complaints } from "../ui/problem";

export function SignInPage() {
  const ours = words.value.signIn;
  const invited = useSignal(false);
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});
  const intent = useRef(new Intent());
  useTitle(ours.title);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    complaints.value = checkForm(form);
    error.value = undefined;
    if (Object.keys(complaints.value).length > 0) return focusFirstComplaint(form);
    const data = new FormData(form);
    const typed = (name: string) => String(data.get(name) ?? "").trim();
    const account = { email: typed("/email"), password: String(data.get("/password")) };
    busy.value = true;
    try {
      user.value = invited.value ? await redeem(intent.current, { ...account, name: typed("/name"), invite: typed("/invite") }) : await signIn(intent.current, account);
    } catch (cause) {
      complaints.value = complaintsIn(cause);
      error.value = cause;
      focusFirstComplaint(form);
    } finally {
      busy.value = false;
    }
  };

  const found = complaints.value;
  const own = !invited.value && statusOf(error.value) === 401 ? text.value.problem.signIn : undefined;
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{ours.title}</h1>
        <p>{ours.lead}</p>
      </div>
      <form class="form panel narrow" noValidate onSubmit={submit}>
        <fieldset>
          <legend class="unseen">{ours.account}</legend>
          <div class="switch">
            {(["known", "invited"] as const).map((each) => (
              <label key={each}>
                <input type="radio" name="account" value={each} checked={invited.value === (each === "invited")} onChange={() => (invited.value = each === "invited")} />
                <span>{ours[each]}</span>
              </label>
            ))}
          </div>
          {invited.value && <Field name="/invite" label={ours.invite} hint={ours.inviteHint} type="text" autoComplete="off" required complaint={found["/invite"]} />}
          {invited.value && <Field name="/name" label={ours.name} type="text" autoComplete="name" required minLength={2} maxLength={100} complaint={found["/name"]} />}
          <Field key="email" name="/email" label={ours.email} type="email" autoComplete="username" required complaint={found["/email"]} />
          <Field
            key={String(invited.value)} name="/password" label={ours.password} type="password" required autoComplete={invited.value ? "new-password" : "current-password"}
            {...(invited.value ? { minLength: 10, hint: ours.passwordHint } : {})} complaint={found["/password"]}
          />
        </fieldset>
        <OfficeProblem error={error.value} own={own} />
        <button type="submit" class="primary" disabled={busy.value}>
          {ours.submit[invited.value ? "invited" : "known"]}
        </button>
      </form>
    </>
  );
}
