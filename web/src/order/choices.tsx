// The four choices: postcode, waste, size, date. Each choice is a link or form that changes the URL.

import { useSignal } from "@preact/signals";
import type { Catalog, Waste } from "../api";
import { ApiError } from "../http";
import { day, wasteCode, workdays } from "../format";
import { navigate } from "../route";
import { language, text } from "../text";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import { Icon, wasteIcon } from "../ui/icon";
import sprite from "../ui/icons.svg";
import { type Complaint, complaint, ComplaintText, ProblemAlert } from "../ui/problem";
import { closedReason, findWaste, missingSizes, type Step } from "./selection";
import { StepFrame } from "./step";
import { askQuote, catalog, choose, refusal, regions, selection } from "./state";

/** The name of a waste in the page's language. */
export function wasteName(waste: Waste): string {
  return language.value === "en" ? waste.name_en : waste.name_de;
}

function refusalOf(step: Step): Complaint | undefined {
  const refused = refusal.value;
  return refused?.step === step ? complaint(refused.pointer, refused.detail) : undefined;
}

export function PostcodeStep() {
  const words = text.value;
  const { plz } = selection.value;
  const busy = useSignal(false);
  const own = useSignal<Complaint | undefined>(undefined);
  const error = useSignal<unknown>(undefined);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    own.value = checkForm(form)["?postcode"];
    error.value = undefined;
    if (own.value !== undefined) return focusFirstComplaint(form);
    const postcode = String(new FormData(form).get("?postcode"));
    busy.value = true;
    try {
      own.value = await postcodeComplaint(postcode);
    } catch (cause) {
      error.value = cause;
      return;
    } finally {
      busy.value = false;
    }
    if (own.value === undefined) navigate(choose({ plz: postcode }));
    else focusFirstComplaint(form);
  };

  return (
    <StepFrame name="plz" answer={<>{plz} {regions.value[plz]}</>}>
      <form class="form form-row" noValidate onSubmit={submit}>
        <Field
          name="?postcode" label={words.postcode.label} hint={words.postcode.hint} complaint={own.value ?? refusalOf("plz")}
          type="text" inputMode="numeric" autoComplete="postal-code" pattern="\d{5}" maxLength={5} required defaultValue={plz}
        />
        <button type="submit" class="primary" disabled={busy.value}>
          {busy.value ? words.order.checking : words.order.next}
        </button>
      </form>
      <ProblemAlert error={error.value} />
    </StepFrame>
  );
}

/** Asks for any quote at this postcode: an unknown one is told at once, not three steps later. */
async function postcodeComplaint(postcode: string): Promise<Complaint | undefined> {
  const offered = catalog.value;
  const waste = offered?.wastes[0];
  const size = waste?.sizes_m3[0];
  if (offered === undefined || waste === undefined || size === undefined) return undefined;
  try {
    await askQuote({ postcode, waste: waste.code, size, date: offered.earliest_date });
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status >= 500) throw error;
    const refused = error.problem.errors.find(({ pointer }) => pointer === "?postcode");
    return refused === undefined ? undefined : complaint(refused.pointer, refused.detail);
  }
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
                {waste.hazardous && <strong class="tag">{words.waste.hazardous}</strong>}
              </p>
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
    </StepFrame>
  );
}

const litresPerBarrow = 90;

export function SizeStep({ catalog }: { catalog: Catalog }) {
  const words = text.value;
  const waste = findWaste(catalog, selection.value.abfall);
  const chosen = selection.value.groesse;
  const largest = Math.max(...catalog.sizes_m3);
  const missing = waste === undefined ? undefined : missingSizes(catalog, waste);
  const list = new Intl.ListFormat(language.value, { type: "conjunction" });
  return (
    <StepFrame name="groesse" answer={chosen === undefined ? "" : words.size.name(chosen)}>
      <ComplaintText id="groesse-complaint" complaint={refusalOf("groesse")} />
      <ul class="sizes">
        {waste?.sizes_m3.map((size) => (
          <li key={size} class={size === chosen ? "card card-chosen" : "card"}>
            <span class="size-picture">
              <svg class="icon skip" aria-hidden="true" width={Math.round(96 * Math.cbrt(size / largest))} viewBox="0 0 96 56">
                <use href={`${sprite}#skip`} />
              </svg>
            </span>
            <a class="card-link" href={choose({ groesse: size })} aria-current={size === chosen ? "true" : undefined}>
              {words.size.name(size)}
            </a>
            <span class="hint">{words.size.fits(Math.round((size * 1000) / litresPerBarrow))}</span>
          </li>
        ))}
      </ul>
      {waste !== undefined && missing !== undefined && missing.sizes.length > 0 && (
        <p class="note">
          <Icon name="truck" />
          {(missing.tooHeavy ? words.size.tooHeavy : words.size.notOffered)(list.format(missing.sizes.map(String)), wasteName(waste))}
        </p>
      )}
      <p class="hint">{words.size.limit}</p>
    </StepFrame>
  );
}

export function DateStep({ catalog }: { catalog: Catalog }) {
  const words = text.value;
  const { earliest_date: earliest, latest_date: latest, closed_dates: closed } = catalog;
  const chosen = selection.value.datum;
  const own = useSignal<Complaint | undefined>(undefined);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const wanted = String(new FormData(form).get("?date"));
    const reason = closedReason(catalog, wanted);
    own.value = checkForm(form)["?date"] ?? (reason === undefined ? undefined : { text: words.date.closed(day(wanted, language.value), reason) });
    if (own.value !== undefined) return focusFirstComplaint(form);
    navigate(choose({ datum: wanted }));
  };

  return (
    <StepFrame name="datum" answer={chosen === "" ? "" : day(chosen, language.value)}>
      <h3 class="subtitle">{words.date.next}</h3>
      <ul class="days">
        {workdays(earliest, latest, 4, closed.map(({ date }) => date)).map((date) => (
          <li key={date} class={date === chosen ? "card card-chosen" : "card"}>
            <a class="card-link" href={choose({ datum: date })} aria-current={date === chosen ? "true" : undefined}>
              {day(date, language.value, "short")}
            </a>
          </li>
        ))}
      </ul>
      <form class="form form-row" noValidate onSubmit={submit}>
        <Field
          name="?date" label={words.date.other} hint={words.date.hint(day(earliest, language.value, "short"), day(latest, language.value, "short"))}
          type="date" min={earliest} max={latest} required defaultValue={chosen} complaint={own.value ?? refusalOf("datum")}
        />
        <button type="submit">{words.date.take}</button>
      </form>
    </StepFrame>
  );
}
