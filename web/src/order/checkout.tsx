// Inside the last step: account (only without a session), address, public ground. The button that sends it is in the price bar.

import { useEffect } from "preact/hooks";
import type { DayWindow } from "../api";
import { money, weight } from "../format";
import { keepLanguage, language, text } from "../text";
import { navigate, url } from "../route";
import { leave, user } from "../session";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import { Icon } from "../ui/icon";
import { ProblemAlert } from "../ui/problem";
import { accountMode, complaints, draft, failure, notice, order, ownWords } from "./checkout-state";
import { SiteChoice } from "./site-choice";
import { busy, catalog, permit, selection, shownQuote } from "./state";
import { checkoutForm } from "./step";
import { orderText } from "./text";

/** The server's limit for new passwords; a stricter server still answers beside the field. */
const leastPassword = 10;

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
    const typed = { [member]: (event.currentTarget as HTMLInputElement).value };
    draft.value = { ...draft.value, ...typed, ...(member === "street" || member === "city" ? { site: "" } : {}) }; // it is not at the site then
  };
}

export function CheckoutForm() {
  const towns = catalog.value?.towns ?? [];
  useEffect(() => {
    const [only] = towns;
    if (towns.length === 1 && only !== undefined && draft.peek().city === "") draft.value = { ...draft.peek(), city: only };
  }, [towns.join()]);
  const words = text.value.checkout;
  const found = complaints.value;
  return (
    <form class="form" id={checkoutForm} noValidate onSubmit={submit}>
      <fieldset>
        <legend>{words.address}</legend>
        <p class="note">
          <Icon name="truck" />
          {words.space}
        </p>
        <SiteChoice complaint={found["/site_id"]} />
        <Field name="/address/name" label={words.name} type="text" autoComplete="name" required minLength={2} maxLength={100} value={draft.value.name} onInput={keep("name")} complaint={found["/address/name"] ?? found["/name"]} />
        <Field name="/address/street" label={words.street} type="text" autoComplete="street-address" required minLength={2} maxLength={100} value={draft.value.street} onInput={keep("street")} complaint={found["/address/street"]} />
        <div class="town">
          <div class="field">
            <span class="label">{words.postcode}</span>
            <span class="fixed-value">{selection.value.plz}</span>
          </div>
          <Field name="/address/city" label={words.city} type="text" autoComplete="address-level2" required minLength={2} maxLength={100} value={draft.value.city} onInput={keep("city")} complaint={found["/address/city"] && { text: orderText.value.towns(selection.value.plz, towns) }} />
        </div>
        <PublicGround />
      </fieldset>
      <Window />
      <PriceParts />
      <Account />
      {notice.value !== "" && (
        <p class="note" role="alert">
          <Icon name="alert" />
          {notice.value}
        </p>
      )}
      <CheckoutProblem />
    </form>
  );
}

/** Fields of the form that can show a complaint themselves. */
const shownBeside = new Set(["/address/name", "/name", "/address/street", "/address/city", "/site_id", "/email", "/password"]);

function CheckoutProblem() {
  const pointers = Object.keys(complaints.value);
  if (pointers.length > 0 && pointers.every((pointer) => shownBeside.has(pointer))) return null;
  return <ProblemAlert error={failure.value} own={ownWords(failure.value)} />;
}

/** What of the day the customer wishes. */
function Window() {
  const words = orderText.value;
  return (
    <fieldset>
      <legend>{words.window}</legend>
      <div class="switch switch-three">
        {(["any", "morning", "afternoon"] as DayWindow[]).map((each) => (
          <label key={each}>
            <input type="radio" name="window" value={each} checked={draft.value.window === each} onChange={() => (draft.value = { ...draft.value, window: each })} />
            <span>{words.windows[each]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** What is in the price, and what may come on top. */
function PriceParts() {
  const quote = shownQuote.value;
  if (quote?.lines === undefined) return null;
  const words = orderText.value;
  const euros = (cents: number) => money(cents, language.value);
  const least = weight(quote.included_kg, language.value);
  return (
    <fieldset>
      <legend>{words.parts}</legend>
      <table class="parts">
        <tbody>
          {quote.lines.map(({ kind, net_cents }) => (
            <tr key={kind}>
              <th scope="row">{kind === "disposal" ? words.disposal(least, quote.tariff) : words.lines[kind]}</th>
              <td>{euros(net_cents)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">{words.vat}</th>
            <td>{euros(quote.price.vat_cents)}</td>
          </tr>
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{text.value.price.label}</th>
            <td>{euros(quote.price.gross_cents)}</td>
          </tr>
        </tfoot>
      </table>
      <p class="hint">{words.onTop(euros(quote.extra_day_cents), euros(quote.extra_tonne_cents), euros(quote.failed_trip_cents), quote.included_days, least)}</p>
    </fieldset>
  );
}

function PublicGround() {
  const words = text.value.checkout;
  const own = orderText.value.permit;
  return (
    <div class="tick">
      <input
        type="checkbox" id="public-ground" checked={draft.value.publicGround} aria-describedby="public-ground-hint"
        onChange={({ currentTarget: { checked } }) => {
          draft.value = { ...draft.value, publicGround: checked };
          if (!checked) permit.value = false;
        }}
      />
      <label for="public-ground">{words.publicGround}</label>
      <p class="hint" id="public-ground-hint">
        {words.publicGroundHint}
      </p>
      {draft.value.publicGround && (
        <div class="permit" role="radiogroup" aria-label={own.label}>
          {[false, true].map((ours) => (
            <label key={String(ours)}>
              <input type="radio" name="permit" checked={permit.value === ours} onChange={() => (permit.value = ours)} />
              <span>{ours ? own.ours(money(catalog.value?.permit_cents ?? 0, language.value)) : own.own}</span>
            </label>
          ))}
        </div>
      )}
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
      <p class="hint tall-links">
        <a href={fresh ? `/konto/neu${url.value.search}${url.value.search === "" ? "?" : "&"}firma` : keepLanguage("/passwort/vergessen")}>
          {fresh ? text.value.account.firm : text.value.account.forgotten}
        </a>
      </p>
    </fieldset>
  );
}
