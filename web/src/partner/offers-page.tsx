// The open offers: what is to be done where, for how much, how long the offer stands; accept or decline.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { acceptOffer, declineOffer, declineReasons, type Offer } from "./api";
import { complaintsIn, Done, Empty, LineField, LoadProblem, nameOf, PartnerProblem, statusOf, volume, wasteWords } from "./parts";
import { jobPath } from "./places";
import { type Polled, useNow } from "./poll";
import { timeLeft } from "./rules";
import { words } from "./text";
import { clock, day, dayWindow, money, wasteCode } from "../format";
import { withSession } from "../session";
import { keepLanguage, language } from "../text";
import { Icon, wasteIcon } from "../ui/icon";
import type { Complaints } from "../ui/problem";
import { Skeleton } from "../ui/skeleton";

/** What became of the last answer that was given: which offer, and the error if it was not taken. */
interface Outcome {
  offer: Offer;
  what: "accepted" | "declined";
  error?: unknown;
}

const describe = (offer: Offer) => `${day(offer.date, language.value, "short")}, ${wasteWords(offer.waste_code, offer.size_m3)}, ${offer.postcode}`;

export function OffersPage({ offers }: { offers: Polled<Offer[]> }) {
  const ours = words.value.offers;
  const outcome = useSignal<Outcome | undefined>(undefined);
  const top = useRef<HTMLDivElement>(null);
  const tell = (next: Outcome) => {
    outcome.value = next;
    offers.refresh();
    requestAnimationFrame(() => top.current?.focus());
  };
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{ours.title}</h1>
        {offers.value !== undefined && offers.value.length > 0 && <p>{words.value.open(offers.value.length)}</p>}
      </div>
      <div class="told" ref={top} tabIndex={-1}>
        {outcome.value !== undefined && <OutcomeView outcome={outcome.value} onClose={() => (outcome.value = undefined)} />}
        <LoadProblem polled={offers} />
      </div>
      {offers.value === undefined ? (
        offers.error === undefined && <Skeleton rows={3} kind="card" />
      ) : offers.value.length === 0 ? (
        <Empty title={ours.none}>
          <p class="hint">{ours.noneTodo}</p>
        </Empty>
      ) : (
        <ul class="offers">
          {offers.value.map((offer) => (
            <li key={offer.offer_id}>
              <OfferCard offer={offer} onAnswered={tell} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function OutcomeView({ outcome, onClose }: { outcome: Outcome; onClose: () => void }) {
  const ours = words.value.offers;
  const { offer, what, error } = outcome;
  if (error === undefined) {
    return (
      <Done onClose={onClose}>
        {ours[what](describe(offer))} {what === "accepted" && <a href={keepLanguage(jobPath(offer.order_id))}>{ours.openJob}</a>}
      </Done>
    );
  }
  const gone = [404, 409].includes(statusOf(error));
  return (
    <PartnerProblem error={error} own={gone ? { title: ours.gone.title, todo: ours.gone.todo(describe(offer)) } : undefined}>
      {!gone && <p class="problem-detail">{describe(offer)}</p>}
      <button type="button" onClick={onClose}>
        {words.value.close}
      </button>
    </PartnerProblem>
  );
}

function OfferCard({ offer, onAnswered }: { offer: Offer; onAnswered: (outcome: Outcome) => void }) {
  const ours = words.value.offers;
  const lang = language.value;
  const busy = useSignal(false);
  const accept = async () => {
    busy.value = true;
    try {
      await withSession(() => acceptOffer(offer.offer_id));
      onAnswered({ offer, what: "accepted" });
    } catch (error) {
      onAnswered({ offer, what: "accepted", error });
    } finally {
      busy.value = false;
    }
  };
  const id = `offer-${offer.offer_id}`;
  return (
    <article class="panel offer" aria-labelledby={id}>
      <div class="offer-head">
        <Icon name={wasteIcon(offer.waste_code)} className="icon card-icon" />
        <div>
          <h2 id={id}>{nameOf(offer.waste_code)}</h2>
          <p class="hint">
            {wasteCode(offer.waste_code)} · {volume(offer.size_m3)}
          </p>
        </div>
        <Countdown endsAt={offer.ends_at} />
      </div>
      <dl class="offer-facts">
        <div>
          <dt class="hint">{ours.place}</dt>
          <dd>{day(offer.date, lang, "short") + dayWindow(offer.window, lang)}</dd>
        </div>
        <div>
          <dt class="hint">{words.value.job.address}</dt>
          <dd>
            {offer.postcode}
            <small>{ours.away(offer.distance_km)}</small>
          </dd>
        </div>
        <div>
          <dt class="hint">{words.value.job.pay}</dt>
          <dd>
            <span class="sum">{money(offer.pay.net_cents, lang)}</span> {ours.net}
            <small>{ours.over_weight(money(offer.pay.per_tonne_over_cents, lang))}</small>
          </dd>
        </div>
      </dl>
      <div class="offer-answers">
        <button type="button" class="primary" disabled={busy.value} onClick={() => void accept()} aria-describedby={id}>
          <Icon name="check" />
          {ours.accept}
        </button>
        <Decline offer={offer} onAnswered={onAnswered} />
      </div>
    </article>
  );
}

function Countdown({ endsAt }: { endsAt: string }) {
  const ours = words.value.offers;
  const left = timeLeft(endsAt, useNow());
  return (
    <p class={left.urgent ? "countdown countdown-urgent" : "countdown"}>
      <Icon name="clock" />
      <span>
        <strong>{left.over ? ours.over : `${ours.left} ${left.text}`}</strong>
        <small>{ours.until(clock(new Date(endsAt), language.value))}</small>
      </span>
    </p>
  );
}

function Decline({ offer, onAnswered }: { offer: Offer; onAnswered: (outcome: Outcome) => void }) {
  const ours = words.value.offers;
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const note = String(data.get("/note")).trim();
    busy.value = true;
    error.value = undefined;
    complaints.value = {};
    try {
      await withSession(() => declineOffer(offer.offer_id, { reason: String(data.get("/reason")), ...(note === "" ? {} : { note }) }));
      onAnswered({ offer, what: "declined" });
    } catch (cause) {
      if (statusOf(cause) === 404 || statusOf(cause) === 409) return onAnswered({ offer, what: "declined", error: cause });
      complaints.value = complaintsIn(cause, {});
      error.value = cause;
    } finally {
      busy.value = false;
    }
  };

  const id = `decline-${offer.offer_id}`;
  const complaint = complaints.value["/note"];
  return (
    <details class="more">
      <summary class="button">{ours.decline}</summary>
      <form class="form" onSubmit={submit}>
        <div class="field">
          <label for={`${id}-reason`}>{ours.reason}</label>
          <select id={`${id}-reason`} name="/reason">
            {declineReasons.map((reason) => (
              <option key={reason} value={reason}>
                {ours.reasons[reason]}
              </option>
            ))}
          </select>
        </div>
        <LineField id={`${id}-note`} name="/note" label={ours.note} hint={ours.noteHint} maxLength={200} complaint={complaint} />
        {complaint === undefined && <PartnerProblem error={error.value} />}
        <button type="submit" disabled={busy.value}>
          {ours.declineSubmit}
        </button>
      </form>
    </details>
  );
}
