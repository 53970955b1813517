// The wish for the day on which the container is fetched: one of the next working days, or another one of the catalogue.

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { askPickUp } from "../account/api";
import { words as texts } from "../account/words";
import { type Catalog, getCatalog, type Order } from "../api";
import { day, workdays } from "../format";
import { withSession } from "../session";
import { language, text } from "../text";
import { Field, focusFirstComplaint } from "../ui/field";
import { Icon } from "../ui/icon";
import { type Complaint, complaintsOf, ProblemAlert } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";

const other = "other";

/** The choice of a day: the next working days, or another one. The field's name is /date, its complaint stands beside it. */
export function DayChips({ known, chosen, complaint, name }: { known: Catalog; chosen: Signal<string>; complaint: Signal<Complaint | undefined>; name: string }) {
  const words = texts.value.pickUp;
  const lang = language.value;
  const closed = known.closed_dates.map(({ date }) => date);
  const days = workdays(known.earliest_date, known.latest_date, 5, closed);
  return (
    <>
      <div class="chips">
        {[...days, other].map((value) => (
          <label key={value}>
            <input type="radio" name={name} value={value} aria-invalid={complaint.value !== undefined && chosen.value !== other} checked={chosen.value === value} onChange={() => ((chosen.value = value), (complaint.value = undefined))} />
            <span>{value === other ? words.other : day(value, lang, "short")}</span>
          </label>
        ))}
      </div>
      {chosen.value === other ? (
        <Field name="/date" label={words.date} hint={words.between(day(known.earliest_date, lang), day(known.latest_date, lang))} type="date" min={known.earliest_date} max={known.latest_date} complaint={complaint.value} />
      ) : (
        complaint.value !== undefined && (
          <p class="complaint" role="alert">
            {complaint.value.text}
          </p>
        )
      )}
    </>
  );
}

/** The day that is chosen or typed; empty for none. */
export const dayOf = (form: HTMLFormElement, chosen: string): string => String(chosen === other ? (new FormData(form).get("/date") ?? "") : chosen);

/** Shows its child with the catalogue of a postcode, when that has come. */
export function WithCatalog({ postcode, children }: { postcode: string; children: (known: Catalog) => ComponentChildren }) {
  const catalog = useSignal<Catalog | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const load = () => {
    error.value = undefined;
    getCatalog(postcode).then(
      (found) => (catalog.value = found),
      (cause: unknown) => (error.value = cause),
    );
  };
  useEffect(load, [postcode]);
  if (catalog.value !== undefined) return <>{children(catalog.value)}</>;
  return error.value === undefined ? (
    <Skeleton rows={2} kind="line" />
  ) : (
    <ProblemAlert error={error.value}>
      <button type="button" onClick={load}>
        {text.value.again}
      </button>
    </ProblemAlert>
  );
}

export function PickUp({ order, onAsked }: { order: Order; onAsked: (order: Order) => void }) {
  const words = texts.value.pickUp;
  const lang = language.value;
  const told = useRef<HTMLParagraphElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current) told.current?.focus(); // the form, which had the focus, is gone
    asked.current = false;
  }, [order.pick_up_on]);
  const tell = (next: Order) => {
    asked.current = true;
    onAsked(next);
  };
  return (
    <div class="pick-up">
      <h3>{words.title}</h3>
      {order.pick_up_on === undefined ? (
        <p>{words.lead}</p>
      ) : (
        <p class="with-icon" role="status" ref={told} tabIndex={-1}>
          <Icon name="check" />
          {words.wished(day(order.pick_up_on, lang))}
        </p>
      )}
      {order.pick_up_on === undefined ? (
        <Days order={order} onAsked={tell} />
      ) : (
        <details key={order.pick_up_on}>
          <summary>{words.change}</summary>
          <Days order={order} onAsked={tell} />
        </details>
      )}
    </div>
  );
}

function Days({ order, onAsked }: { order: Order; onAsked: (order: Order) => void }) {
  const words = texts.value.pickUp;
  const chosen = useSignal("");
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaint = useSignal<Complaint | undefined>(undefined);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const date = dayOf(form, chosen.value);
    error.value = undefined;
    complaint.value = date === "" ? { text: words.choose } : undefined;
    if (complaint.value !== undefined) return focusFirstComplaint(form);
    busy.value = true;
    try {
      onAsked(await withSession(() => askPickUp(order.order_id, date)));
    } catch (cause) {
      const refused = complaintsOf(cause)["/date"];
      if (refused === undefined) error.value = cause;
      else complaint.value = { text: words.refused, detail: refused.text };
      focusFirstComplaint(form);
    } finally {
      busy.value = false;
    }
  };

  return (
    <WithCatalog postcode={order.postcode}>
      {(known) => (
        <form class="form" noValidate onSubmit={submit}>
          <fieldset>
            <legend class="unseen">{words.legend}</legend>
            <DayChips known={known} chosen={chosen} complaint={complaint} name="day" />
          </fieldset>
          <ProblemAlert error={error.value} />
          <button type="submit" class="primary" disabled={busy.value}>
            {words.submit}
          </button>
        </form>
      )}
    </WithCatalog>
  );
}
