// The four choices: postcode, waste, size, date. Each choice is a link or form that changes the URL.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { type Catalog, getCatalog, type Waste } from "../api";
import { ApiError } from "../http";
import { day, money, wasteCode } from "../format";
import { navigate } from "../route";
import { language, text } from "../text";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import { Icon, wasteIcon } from "../ui/icon";
import sprite from "../ui/icons.svg";
import { type Complaint, complaint, complaintsOf, ComplaintText, ProblemAlert } from "../ui/problem";
import { DateChoice } from "./later-lazy";
import { findWaste, lowestPrice, offersOf, type Step } from "./selection";
import { StepFrame } from "./step";
import { catalog, choose, refusal, selection } from "./state";

/** The name of a waste in the page's language. */
export function wasteName(waste: Waste): string {
  return language.value === "en" ? waste.name_en : waste.name_de;
}

export function refusalOf(step: Step): Complaint | undefined {
  const refused = refusal.value;
  return refused?.step === step ? complaint(refused.pointer, refused.detail) : undefined;
}

export function PostcodeStep() {
  const words = text.value;
  const { plz } = selection.value;
  const busy = useSignal(false);
  const own = useSignal<Complaint | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const towns = useSignal("");
  const typed = useRef("");

  /** Asks which towns have a postcode; a postcode that no place has is told at once. */
  const look = async (postcode: string): Promise<void> => {
    try {
      const found = await getCatalog(postcode);
      if (typed.current === postcode) towns.value = (found.towns ?? []).join(", ");
    } catch (cause) {
      if (!(cause instanceof ApiError) || cause.problem.status >= 500) throw cause;
      if (typed.current === postcode) own.value = complaintsOf(cause)["?postcode"];
    }
  };

  const input = (event: Event) => {
    typed.current = (event.currentTarget as HTMLInputElement).value;
    towns.value = "";
    own.value = undefined;
    if (/^\d{5}$/.test(typed.current)) look(typed.current).catch(() => undefined); // told when the form is sent
  };

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    own.value = checkForm(form)["?postcode"];
    error.value = undefined;
    if (own.value !== undefined) return focusFirstComplaint(form);
    const postcode = (typed.current = String(new FormData(form).get("?postcode")));
    busy.value = true;
    try {
      await look(postcode);
    } catch (cause) {
      error.value = cause;
      return;
    } finally {
      busy.value = false;
    }
    if (own.peek() === undefined) navigate(choose({ plz: postcode }));
    else focusFirstComplaint(form);
  };

  return (
    <StepFrame name="plz" answer={`${plz} ${catalog.value?.towns?.slice(0, 3).join(", ") ?? ""}`}>
      <form class="form form-row" noValidate onSubmit={submit}>
        <Field
          name="?postcode" label={words.postcode.label} hint={words.postcode.hint} complaint={own.value ?? refusalOf("plz")} onInput={input}
          type="text" inputMode="numeric" autoComplete="postal-code" pattern="\d{5}" maxLength={5} required defaultValue={plz}
        />
        <button type="submit" class="primary" disabled={busy.value}>
          {busy.value ? words.order.checking : words.order.next}
        </button>
      </form>
      <p class="towns" role="status">
        {towns.value}
      </p>
      <ProblemAlert error={error.value} />
    </StepFrame>
  );
}

export function WasteStep({ catalog }: { catalog: Catalog }) {
  const words = text.value;
  const chosen = findWaste(catalog, selection.value.abfall);
  const english = language.value === "en";
  return (
    <StepFrame name="abfall" answer={chosen === undefined ? "" : wasteName(chosen)}>
      <p class="hint">{words.waste.hint}</p>
      <ComplaintText id="abfall-complaint" complaint={refusalOf("abfall")} />
      <ul class="cards">
        {catalog.wastes.map((waste) => (
          <li key={waste.code} class={waste === chosen ? "card card-chosen" : "card"}>
            <Icon name={wasteIcon(waste.code)} className="icon card-icon" />
            <div>
              <h3>
                <a class="card-link" href={choose({ abfall: waste.code })} aria-current={waste === chosen ? "true" : undefined}>
                  {wasteName(waste)}
                </a>
              </h3>
              <p class="card-code">
                <span class="unseen">{words.waste.code}</span> {wasteCode(waste.code)}
              </p>
              <p class="card-price">{priceWords(catalog, waste)}</p>
              <p class="goes">
                <Icon name="check" className="icon yes" />
                <span class="unseen">{words.waste.allowed}:</span> {(english ? waste.allowed_en : waste.allowed_de).join(", ")}
              </p>
              <p class="goes">
                <Icon name="cross" className="icon no" />
                <span class="unseen">{words.waste.forbidden}:</span> {(english ? waste.forbidden_en : waste.forbidden_de).join(", ")}
              </p>
            </div>
          </li>
        ))}
      </ul>
      {catalog.hazardous !== undefined && (
        <p class="note">
          <Icon name="alert" />
          <span>
            {words.waste.hazardous} {catalog.hazardous.map((waste) => `${wasteCode(waste.code)} ${english ? waste.name_en : waste.name_de}`).join("; ")}.
          </span>
        </p>
      )}
    </StepFrame>
  );
}

/** "from 254,00 €", by weight with the price of a tonne; or that nothing is left. */
function priceWords(catalog: Catalog, waste: Waste): string {
  const words = text.value;
  const lowest = lowestPrice(catalog, waste);
  if (lowest === undefined) return waste.offers === undefined ? "" : words.size.reasons.taken;
  const from = words.price.from(money(lowest, language.value));
  return waste.tariff === "weight" ? `${from} ${words.price.perTonne(money(waste.extra_tonne_cents, language.value))}` : from;
}

const litresPerBarrow = 90;

export function SizeStep({ catalog }: { catalog: Catalog }) {
  const words = text.value;
  const waste = findWaste(catalog, selection.value.abfall);
  const chosen = selection.value.groesse;
  const largest = Math.max(...catalog.sizes_m3);
  return (
    <StepFrame name="groesse" answer={chosen === undefined ? "" : words.size.name(chosen)}>
      <ComplaintText id="groesse-complaint" complaint={refusalOf("groesse")} />
      <ul class="sizes">
        {waste !== undefined &&
          offersOf(catalog, waste).map(({ size_m3: size, gross_cents: price, reason }) => (
            <li key={size} class={reason !== undefined ? "card card-off" : size === chosen ? "card card-chosen" : "card"}>
              <span class="size-picture">
                <svg class="icon skip" aria-hidden="true" width={Math.round(96 * Math.cbrt(size / largest))} viewBox="0 0 96 56">
                  <use href={`${sprite}#skip`} />
                </svg>
              </span>
              {reason !== undefined ? (
                <span class="card-name">{words.size.name(size)}</span>
              ) : (
                <a class="card-link" href={choose({ groesse: size })} aria-current={size === chosen ? "true" : undefined}>
                  {words.size.name(size)}
                </a>
              )}
              <span class="hint">{words.size.fits(Math.round((size * 1000) / litresPerBarrow))}</span>
              <span class={reason === undefined ? "card-price" : "hint"}>
                {reason !== undefined ? words.size.reasons[reason] : price === undefined ? "" : words.price.from(money(price, language.value))}
              </span>
            </li>
          ))}
      </ul>
      <p class="hint">{words.size.limit}</p>
    </StepFrame>
  );
}

export function DateStep({ catalog }: { catalog: Catalog }) {
  const chosen = selection.value.datum;
  return (
    <StepFrame name="datum" answer={chosen === "" ? "" : day(chosen, language.value)}>
      <DateChoice catalog={catalog} />
    </StepFrame>
  );
}
