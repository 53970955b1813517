// The choice of the day: the next working days, or any other; days that are taken say so.

import { useSignal } from "@preact/signals";
import type { Catalog } from "../api";
import { day } from "../format";
import { navigate } from "../route";
import { language, text } from "../text";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import type { Complaint } from "../ui/problem";
import { refusalOf } from "./choices";
import { closedReason, nextDays, takenDates } from "./selection";
import { choose, selection } from "./state";

export function DateChoice({ catalog }: { catalog: Catalog }) {
  const words = text.value;
  const { earliest_date: earliest, latest_date: latest } = catalog;
  const taken = takenDates(catalog, selection.value);
  const nextFree = (from: string) => {
    const next = nextDays({ ...catalog, earliest_date: from }, taken, 1).at(-1);
    return next === undefined ? "" : day(next, language.value);
  };
  const chosen = selection.value.datum;
  const own = useSignal<Complaint | undefined>(undefined);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const wanted = String(new FormData(form).get("?date"));
    const reason = closedReason(catalog, wanted);
    const shown = day(wanted || earliest, language.value);
    own.value =
      checkForm(form)["?date"] ??
      (reason !== undefined ? { text: words.date.closed(shown, reason) } : taken.includes(wanted) ? { text: words.date.taken(shown, nextFree(wanted)) } : undefined);
    if (own.value !== undefined) return focusFirstComplaint(form);
    navigate(choose({ datum: wanted }));
  };

  return (
    <>
      <h3 class="subtitle">{words.date.next}</h3>
      <ul class="days">
        {nextDays(catalog, taken, 4).map((date) =>
          taken.includes(date) ? (
            <li key={date} class="card card-off">
              {day(date, language.value, "short")}
              <span class="hint">{words.size.reasons.taken}</span>
            </li>
          ) : (
            <li key={date} class={date === chosen ? "card card-chosen" : "card"}>
              <a class="card-link" href={choose({ datum: date })} aria-current={date === chosen ? "true" : undefined}>
                {day(date, language.value, "short")}
              </a>
            </li>
          ),
        )}
      </ul>
      <form class="form form-row" noValidate onSubmit={submit}>
        <Field
          name="?date" label={words.date.other} hint={words.date.hint(day(earliest, language.value, "short"), day(latest, language.value, "short"))}
          type="date" min={earliest} max={latest} required defaultValue={chosen} complaint={own.value ?? refusalOf("datum")}
        />
        <button type="submit">{words.date.take}</button>
      </form>
    </>
  );
}
