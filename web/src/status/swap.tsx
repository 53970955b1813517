// The swap: an empty container in place of the full one, by the same truck. It is a new order with a price of its own, two taps from here:
// the day, then the button that names the price.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { words as texts } from "../account/words";
import { getQuote, type Order, placeOrder, type Quote, visitId } from "../api";
import { money } from "../format";
import { ApiError, Intent } from "../http";
import { navigate } from "../route";
import { withSession } from "../session";
import { keepLanguage, language } from "../text";
import { focusFirstComplaint } from "../ui/field";
import { Icon } from "../ui/icon";
import { type Complaint, ProblemAlert } from "../ui/problem";
import { DayChips, dayOf, WithCatalog } from "./pick-up";

export const orderPage = (id: string): string => keepLanguage(`/auftrag/${encodeURIComponent(id)}`);

export function Swap({ order }: { order: Order }) {
  const words = texts.value.swap;
  const open = useSignal(false);
  return (
    <details class="swap" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>
        <Icon name="loop" />
        {words.title}
      </summary>
      <p>{words.lead}</p>
      {open.value && <Form order={order} />}
    </details>
  );
}

function Form({ order }: { order: Order }) {
  const words = texts.value.swap;
  const lang = language.value;
  const chosen = useSignal("");
  const quote = useSignal<Quote | undefined>(undefined);
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaint = useSignal<Complaint | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);
  const intent = useRef(new Intent());
  const alive = useRef(new AbortController());
  useEffect(() => () => alive.current.abort(), []);

  /** Asks for the price of a day; only the answer to the newest question counts. */
  const ask = async (date: string) => {
    alive.current.abort();
    alive.current = new AbortController();
    const { signal } = alive.current;
    quote.value = undefined;
    error.value = undefined;
    if (date === "") return;
    try {
      const found = await getQuote({ postcode: order.postcode, waste: order.waste_code, size: order.size_m3, date }, signal);
      if (!signal.aborted) quote.value = found;
    } catch (cause) {
      if (!signal.aborted) error.value = cause;
    }
  };

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = quote.value;
    complaint.value = token === undefined ? { text: texts.value.pickUp.choose } : undefined;
    if (token === undefined) return focusFirstComplaint(event.currentTarget as HTMLFormElement);
    busy.value = true;
    error.value = undefined;
    const { name, street, city } = order.address;
    const body = { quote: token.quote, address: { name, street, city }, public_ground: order.public_ground, visit_id: visitId(), swap_of: order.order_id };
    try {
      const placed = await withSession(() => placeOrder(intent.current, body));
      navigate(orderPage(placed.order_id));
    } catch (cause) {
      error.value = cause;
    } finally {
      busy.value = false;
    }
  };

  return (
    <WithCatalog postcode={order.postcode}>
      {(known) => (
        <form class="form" noValidate ref={form} onSubmit={submit} onChange={() => form.current !== null && void ask(dayOf(form.current, chosen.value))}>
          <fieldset>
            <legend class="unseen">{words.legend}</legend>
            <DayChips known={known} chosen={chosen} complaint={complaint} name="swap-day" />
          </fieldset>
          <ProblemAlert error={error.value} own={error.value instanceof ApiError && error.value.problem.status === 409 ? words.conflict : undefined} />
          <button type="submit" class="primary" disabled={busy.value || quote.value === undefined}>
            {quote.value === undefined ? words.submit : words.submitFor(money(quote.value.price.gross_cents, lang, quote.value.price.currency))}
          </button>
        </form>
      )}
    </WithCatalog>
  );
}
