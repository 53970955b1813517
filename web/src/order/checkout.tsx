// The last step: account (only without a session), address, public ground. The button that sends it is in the price bar.

import { useEffect } from "preact/hooks";
import { preloadAccount } from "../account/lazy";
import { keepLanguage, text } from "../text";
import { navigate, url } from "../route";
import { leave, user } from "../session";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import { Icon } from "../ui/icon";
import { ProblemAlert } from "../ui/problem";
import { accountMode, busy, complaints, draft, failure, notice, order, ownWords } from "./checkout-state";
import { selection, shownQuote } from "./state";
import { StepFrame } from "./step";

/** The server's limit for new passwords; a stricter server still answers beside the field. */
const leastPassword = 10;

/** The form's id: the button in the price bar refers to it. */
export const checkoutForm = "bestellung";

async function submit(event: SubmitEvent) {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const quote = shownQuote.value;
  if (busy.value || quote === undefined) return;
  complaints.value = checkForm(form);
  failure.value = undefined;
  if (Object.keys(complaints.value).length > 0) return focusFirstComplaint(form);
  const placed = await order(quote, String(new FormData(form).get("/password") ?? ""));
  if (placed === undefined) focusFirstComplaint(form);
  else navigate(keepLanguage(`/auftrag/${encodeURIComponent(placed.order_id)}`));
}

type Typed = "name" | "street" | "city" | "email";

function keep(member: Typed) {
  return (event: Event) => {
    draft.value = { ...draft.value, [member]: (event.currentTarget as HTMLInputElement).value };
  };
}

export function Checkout() {
  useEffect(preloadAccount, []); // the next page
  const words = text.value.checkout;
  const found = complaints.value;
  return (
    <StepFrame name="adresse">
      <form class="form" id={checkoutForm} noValidate onSubmit={submit}>
        <fieldset>
          <legend>{words.address}</legend>
          <p class="note">
            <Icon name="truck" />
            {words.space}
          </p>
          <Field name="/address/name" label={words.name} type="text" autoComplete="name" required minLength={2} maxLength={100} value={draft.value.name} onInput={keep("name")} complaint={found["/address/name"] ?? found["/name"]} />
          <Field name="/address/street" label={words.street} type="text" autoComplete="street-address" required minLength={2} maxLength={100} value={draft.value.street} onInput={keep("street")} complaint={found["/address/street"]} />
          <div class="town">
            <div class="field">
              <span class="label">{words.postcode}</span>
              <span class="fixed-value">{selection.value.plz}</span>
            </div>
            <Field name="/address/city" label={words.city} type="text" autoComplete="address-level2" required minLength={2} maxLength={100} value={draft.value.city} onInput={keep("city")} complaint={found["/address/city"]} />
          </div>
          <PublicGround />
        </fieldset>
        <Account />
        {notice.value !== "" && (
          <p class="note" role="alert">
            <Icon name="alert" />
            {notice.value}
          </p>
        )}
        <CheckoutProblem />
      </form>
    </StepFrame>
  );
}

/** Fields of the form that can show a complaint themselves. */
const shownBeside = new Set(["/address/name", "/name", "/address/street", "/address/city", "/email", "/password"]);

function CheckoutProblem() {
  const pointers = Object.keys(complaints.value);
  if (pointers.length > 0 && pointers.every((pointer) => shownBeside.has(pointer))) return null;
  return <ProblemAlert error={failure.value} own={ownWords(failure.value)} />;
}

function PublicGround() {
  const words = text.value.checkout;
  return (
    <div class="tick">
      <input
        type="checkbox" id="public-ground" checked={draft.value.publicGround} aria-describedby="public-ground-hint"
        onChange={(event) => (draft.value = { ...draft.value, publicGround: event.currentTarget.checked })}
      />
      <label for="public-ground">{words.publicGround}</label>
      <p class="hint" id="public-ground-hint">
        {words.publicGroundHint}
      </p>
    </div>
  );
}

function Account() {
  const words = text.value.checkout;
  if (user.value !== undefined) {
    return (
      <fieldset>
        <legend>{words.account}</legend>
        <p class="signed-in">
          <Icon name="check" className="icon yes" />
          {words.signedIn(user.value.email)}
          <button type="button" class="quiet" onClick={() => leave().catch((error: unknown) => (failure.value = error))}>
            {words.leave}
          </button>
        </p>
      </fieldset>
    );
  }
  const fresh = accountMode.value === "fresh";
  const found = complaints.value;
  return (
    <fieldset>
      <legend>{words.account}</legend>
      <div class="switch">
        {(["fresh", "known"] as const).map((mode) => (
          <label key={mode}>
            <input type="radio" name="account" value={mode} checked={accountMode.value === mode} onChange={() => (accountMode.value = mode)} />
            <span>{words[mode]}</span>
          </label>
        ))}
      </div>
      <Field name="/email" label={words.email} type="email" autoComplete={fresh ? "email" : "username"} required value={draft.value.email} onInput={keep("email")} complaint={found["/email"]} />
      <Field
        key={accountMode.value} name="/password" label={words.password} type="password" required autoComplete={fresh ? "new-password" : "current-password"}
        {...(fresh ? { minLength: leastPassword, hint: words.passwordHint(leastPassword) } : {})} complaint={found["/password"]}
      />
      <p class="hint">
        <a href={fresh ? `/konto/neu${url.value.search}${url.value.search === "" ? "?" : "&"}firma` : keepLanguage("/passwort/vergessen")}>
          {fresh ? text.value.account.firm : text.value.account.forgotten}
        </a>
      </p>
    </fieldset>
  );
}
