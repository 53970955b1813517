// An order with all that the services know of it. Each part comes from the service that owns it, and says so when that one does not answer.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ActDialog, Actions } from "./actions";
import { type Candidate, type Entry, findDocuments, type FoundDocument, getMails, getMatch, getRecord, getTrail, type Mail, type Match, type Record, retryMail } from "./api";
import { Away, Done, euros, nameOf, OfficeProblem, State, statusOf, useSource, useTitle, volume, when } from "./parts";
import { partnerPath, searchPath } from "./places";
import { marginOf } from "./rules";
import { words } from "./text";
import { day, wasteCode, weight } from "../format";
import { loadCatalog } from "../order/state";
import { keepLanguage, language } from "../text";
import { Icon } from "../ui/icon";
import { Skeleton } from "../ui/skeleton";

export function OrderPage({ id }: { id: string }) {
  const ours = words.value.order;
  const record = useSource(id, (stop) => getRecord(id, stop));
  const match = useSource(id, (stop) => orNothing(getMatch(id, stop)));
  const documents = useSource(id, (stop) => findDocuments(id, stop));
  const mails = useSource(id, (stop) => getMails(id, stop));
  const trail = useSource(id, (stop) => getTrail("order", `order/${id}`, stop));
  const matchTrail = useSource(id, (stop) => getTrail("matching", `order/${id}`, stop));
  const numbers = (documents.value ?? []).filter(({ kind }) => kind !== "correction").map(({ kind, number }) => `${kind}/${number}`);
  const moneyTrail = useSource(numbers.join(), async (stop) => (await Promise.all(numbers.map((subject) => getTrail("payment", subject, stop)))).flat());
  const told = useSignal("");
  useEffect(() => void loadCatalog(), []);
  const known = record.value;
  useTitle(`${ours.title} ${known?.order.address.name ?? ""} ${id}`.replace("  ", " "));
  const refresh = () => [record, match, documents, mails, trail, matchTrail, moneyTrail].forEach((source) => source.again());

  if (known === undefined) {
    return (
      <>
        <div class="hero">
          <h1 tabIndex={-1}>{ours.title}</h1>
        </div>
        {record.error === undefined ? (
          <Skeleton rows={4} kind="card" />
        ) : (
          <OfficeProblem error={record.error} own={statusOf(record.error) === 404 ? ours.none : undefined}>
            <button type="button" onClick={record.again}>
              {words.value.again}
            </button>
          </OfficeProblem>
        )}
      </>
    );
  }
  const { order } = known;
  return (
    <>
      <div class="hero order-head">
        <h1 tabIndex={-1}>{order.address.name}</h1>
        <p>
          <code>{id}</code> <State tone={order.state === "unmatched" ? "alarm" : order.state === "cancelled" ? "warm" : "good"}>{words.value.states[order.state] ?? order.state}</State>
        </p>
      </div>
      <div class="told">
        {told.value !== "" && <Done onClose={() => (told.value = "")}>{told.value}</Done>}
        <Away service="order" source={record} />
      </div>
      <div class="order">
        <div class="column">
          <Facts record={known} match={match.value} />
          <Money record={known} documents={documents.value} />
          <Away service="payment" source={documents} />
          <Actions record={known} match={match.value} documents={documents.value} onRefresh={refresh} onDone={(text) => ((told.value = text), refresh())} />
          <Mails mails={mails.value} onDone={(text) => ((told.value = text), refresh())} />
          <Away service="mailing" source={mails} />
          <Documents record={known} />
        </div>
        <div class="column">
          <Offers match={match.value} />
          <Away service="matching" source={match} />
          <History record={known} match={match.value} documents={documents.value} mails={mails.value} entries={[...(trail.value ?? []), ...(matchTrail.value ?? []), ...(moneyTrail.value ?? [])]} />
        </div>
      </div>
    </>
  );
}

/** A match that is not there yet is no fault. */
async function orNothing(asked: Promise<Match>): Promise<Match> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404) return { state: "", candidates: [], version: 0 };
    throw error;
  }
}

function Facts({ record: { order, ...record }, match }: { record: Record; match: Match | undefined }) {
  const trace = match?.trace_id;
  const ours = words.value.order;
  const copied = useSignal(false);
  const copy = async (text: string) => {
    await navigator.clipboard?.writeText(text);
    copied.value = true;
  };
  const fact = (name: string, value: preact.ComponentChildren) => (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
  return (
    <section class="panel" aria-labelledby="facts-title">
      <h2 id="facts-title">{ours.facts}</h2>
      <dl class="facts">
        {fact(ours.place, <>{order.address.street}, {order.postcode} {order.address.city}{order.public_ground && <State>{ours.publicGround}</State>}</>)}
        {fact(ours.what, `${nameOf(order.waste_code)} (${wasteCode(order.waste_code)}), ${volume(order.size_m3)}`)}
        {fact(ours.date, day(order.date, language.value, "numeric"))}
        {order.pick_up_on !== undefined && fact(ours.pickUp, day(order.pick_up_on, language.value, "numeric"))}
        {order.container !== undefined && fact(ours.container, order.container)}
        {order.weighing !== undefined && fact(ours.weighed, `${weight(order.weighing.net_kg, language.value)}, ${order.weighing.slip}`)}
        {fact(ours.partner, order.partner_id === undefined ? ours.noPartner : <a href={keepLanguage(partnerPath(order.partner_id))}>{order.partner_id}</a>)}
        {record.driver_id !== undefined && fact(ours.driver, record.driver_id)}
        {fact(ours.customer, <a href={searchPath(record.user_id) + (language.value === "en" ? "&lang=en" : "")}>{ours.account}</a>)}
        {record.company_id !== undefined && fact(ours.company, record.company_id)}
        {record.site_id !== undefined && fact(ours.site, record.site_id)}
        {trace !== undefined &&
          fact(
            ours.trace,
            <span class="trace">
              <code>{trace}</code>
              <button type="button" class="quiet" onClick={() => void copy(trace)}>
                {copied.value ? ours.copied : ours.copy}
              </button>
              {match?.trace_url !== undefined && (
                <a href={match.trace_url} rel="noopener external">
                  {ours.openTrace}
                </a>
              )}
            </span>,
          )}
      </dl>
    </section>
  );
}

function Money({ record, documents }: { record: Record; documents: FoundDocument[] | undefined }) {
  const ours = words.value.order;
  const { marginCents, billed } = marginOf(record, documents);
  const known = record.pay !== undefined || billed.cost || record.order.state === "cancelled";
  const side = (title: string, promised: string, cents: number | undefined, more: string, list: FoundDocument[]) => (
    <div>
      <h3>{title}</h3>
      <dl class="amounts">
        <dt>{promised}</dt>
        <dd>{cents === undefined ? ours.noPartner : euros(cents)}</dd>
        {more !== "" && <dd class="hint amounts-more">{more}</dd>}
        {list.map((document) => (
          <DocumentAmount key={document.number} document={document} />
        ))}
      </dl>
    </div>
  );
  const { price } = record.order;
  return (
    <section class="panel" aria-labelledby="money-title">
      <h2 id="money-title">{ours.money}</h2>
      <p class="hint">{ours.moneyNet}</p>
      <div class="sides">
        {side(ours.customerSide, ours.promisedPrice, price.net_cents, ours.gross(euros(price.gross_cents)), (documents ?? []).filter(({ kind }) => kind !== "credit-note"))}
        {side(ours.partnerSide, ours.promisedPay, record.pay?.net_cents, record.pay === undefined ? "" : ours.perTonne(euros(record.pay.per_tonne_over_cents)), (documents ?? []).filter(({ kind }) => kind === "credit-note"))}
      </div>
      <p class={`margin ${marginCents < 0 ? "margin-negative" : ""}`}>
        <span>
          {ours.margin} {marginCents < 0 && <State tone="alarm">{ours.negative}</State>}
          <small class="hint">{!known ? ours.marginOpen : billed.revenue && billed.cost ? ours.marginBilled : ours.marginPromised}</small>
        </span>
        <strong>{known ? euros(marginCents) : "–"}</strong>
      </p>
    </section>
  );
}

function DocumentAmount({ document: { kind, number, state, total, open_cents, paid_cents } }: { document: FoundDocument }) {
  const ours = words.value;
  const path = kind === "credit-note" ? `/api/payment/v1/credit-notes/${number}/pdf` : `/api/payment/v1/invoices/${number}/pdf`;
  return (
    <>
      <dt>
        <a href={path} download data-native>
          {ours.kinds[kind]} {number}
        </a>{" "}
        {kind !== "correction" && <State tone={state === "objected" ? "alarm" : state === "cancelled" ? "warm" : ""}>{ours.documentStates[state] ?? state}</State>}
        {kind === "invoice" && (paid_cents > 0 || open_cents > 0) && (
          <small class="hint">{[paid_cents > 0 ? ours.order.paid(euros(paid_cents)) : "", open_cents > 0 ? ours.order.open(euros(open_cents)) : ""].filter(Boolean).join(", ")}</small>
        )}
      </dt>
      <dd>{euros(total.net_cents)}</dd>
    </>
  );
}

function Offers({ match }: { match: Match | undefined }) {
  const ours = words.value.order;
  if (match === undefined || (match.candidates.length === 0 && match.reason === undefined)) return null;
  return (
    <section class="panel" aria-labelledby="offers-title">
      <h2 id="offers-title">{ours.offers}</h2>
      {match.reason !== undefined && (
        <p class="hint">
          {ours.offersReason} <span lang="en">{match.reason}</span>
        </p>
      )}
      <ol class="candidates">
        {match.candidates.map((candidate, rank) => (
          <CandidateRow key={rank} candidate={candidate} />
        ))}
      </ol>
    </section>
  );
}

function CandidateRow({ candidate: { partner_id, name, outcome, reason, note, distance_km, pay, score } }: { candidate: Candidate }) {
  const ours = words.value.order;
  const tone = outcome === "accepted" ? "good" : outcome === "offered" ? "warm" : outcome === "declined" || outcome === "timed-out" ? "alarm" : "";
  return (
    <li>
      <p>
        <a href={keepLanguage(partnerPath(partner_id))}>{name}</a>{" "}
        <State tone={tone}>
          {ours.outcomes[outcome] ?? outcome}
          {reason !== undefined && outcome !== "timed-out" && `: ${ours.reasons[reason] ?? reason}`}
        </State>
      </p>
      <p class="hint">
        {distance_km} km · {ours.pay} {euros(pay.net_cents)} · {ours.score} {euros(score.total_cents)} ({ours.scoreHint(euros(score.trip_cents), euros(score.disposal_cents), euros(score.distance_cents))})
      </p>
      {note !== undefined && <p>„{note}“</p>}
    </li>
  );
}

function Mails({ mails, onDone }: { mails: Mail[] | undefined; onDone: (text: string) => void }) {
  const ours = words.value.order;
  const chosen = useSignal<Mail | undefined>(undefined);
  const retried = chosen.value;
  if (mails === undefined) return null;
  return (
    <section class="panel" aria-labelledby="mails-title">
      <h2 id="mails-title">{ours.mails}</h2>
      {mails.length === 0 && <p class="hint">{ours.noMails}</p>}
      <ul class="mails">
        {mails.map(({ id, type, state, at, sent_at, reason }) => (
          <li key={id}>
            <span>{ours.mailTypes[type] ?? type}</span>
            <State tone={state === "sent" ? "good" : state === "failed" ? "alarm" : "warm"}>{ours.mailStates[state]}</State>
            <span class="hint">
              {when(sent_at ?? at)}
              {reason !== undefined && state !== "sent" && (
                <>
                  , <span lang="en">{reason}</span>
                </>
              )}
            </span>
            {state === "failed" && (
              <button type="button" onClick={() => (chosen.value = mails.find((mail) => mail.id === id))}>
                {words.value.act.retry}
              </button>
            )}
          </li>
        ))}
      </ul>
      {retried !== undefined && (
        <ActDialog
          title={words.value.act.retry} effects={[words.value.act.effects.mailAgain(ours.mailTypes[retried.type] ?? retried.type), words.value.act.effects.mailNowhere]} onRefresh={() => undefined} onClose={() => (chosen.value = undefined)}
          act={async (reason) => {
            await retryMail(retried.id, reason);
            chosen.value = undefined;
            onDone(words.value.act.done.retry);
          }}
        />
      )}
    </section>
  );
}

function Documents({ record: { order } }: { record: Record }) {
  const ours = words.value.order;
  if (order.documents === undefined || order.documents.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="documents-title">
      <h2 id="documents-title">{ours.documents}</h2>
      <ul class="thumbs">
        {order.documents.map(({ sha256, kind, type, at }) => (
          <li key={sha256}>
            <a href={`/api/order/v1/orders/${order.order_id}/documents/${sha256}`} download data-native>
              {type.startsWith("image/") ? <img src={`/api/order/v1/orders/${order.order_id}/documents/${sha256}`} alt="" loading="lazy" /> : <Icon name="paper" />}
              {kind === "slip" ? ours.slip : ours.photo}, {when(at)}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Event {
  at: string;
  who: string;
  what: string;
  more?: string;
  quiet?: boolean;
}

/** Everything that happened, in the order in which it did; what people of the back office did among it. */
function events(record: Record, match: Match | undefined, documents: FoundDocument[] | undefined, mails: Mail[] | undefined, entries: Entry[]): Event[] {
  const { order: ours, states, roles, kinds } = words.value;
  const { order } = record;
  const list: Event[] = [];
  const by = (state: string): string => {
    if (state === "placed") return roles["customer"] ?? "";
    if (state === "cancelled") return roles[order.cancellation?.by ?? ""] ?? "";
    if (["on_site", "collected", "weighed"].includes(state)) return `${roles["partner"]} ${order.partner_id ?? ""}`;
    return roles["system"] ?? "";
  };
  for (const { name, offered_at, answered_at, outcome, reason } of match?.candidates ?? []) {
    if (offered_at !== undefined) list.push({ at: offered_at, who: roles["system"] ?? "", what: ours.offered(name) });
    if (answered_at !== undefined) list.push({ at: answered_at, who: name, what: ours.answered(name, ours.outcomes[outcome] ?? outcome), ...(reason === undefined ? {} : { more: ours.reasons[reason] ?? reason }) });
  }
  for (const step of order.history) {
    const trip = step.failed_trip;
    if (trip !== undefined) list.push({ at: step.at, who: by("on_site"), what: ours.failedTrip, more: [ours.reasons[trip.reason] ?? trip.reason, trip.note ?? ""].filter(Boolean).join(": ") });
    else list.push({ at: step.at, who: by(step.state), what: states[step.state] ?? step.state, ...(step.state === "cancelled" && order.cancellation !== undefined ? { more: order.cancellation.reason } : {}) });
  }
  for (const { type, state, at, sent_at } of mails ?? []) list.push({ at: sent_at ?? at, who: roles["system"] ?? "", what: ours.mail(ours.mailTypes[type] ?? type, ours.mailStates[state]), quiet: true });
  for (const { kind, at } of order.documents ?? []) list.push({ at, who: by("on_site"), what: ours.file(kind === "slip" ? ours.slip : ours.photo), quiet: true });
  for (const { kind, number, issued_on } of documents ?? []) list.push({ at: `${issued_on}T23:59:59Z`, who: roles["system"] ?? "", what: ours.issued(kinds[kind], number) });
  for (const { at, actor, operation, reason } of entries) {
    const look = operation.endsWith(".look");
    list.push({ at, who: `${roles[actor.role] ?? actor.role} ${actor.user_id}`, what: ours.operations[operation] ?? operation, quiet: look, ...(look || reason === undefined ? {} : { more: reason }) });
  }
  return list.sort((a, b) => a.at.localeCompare(b.at));
}

function History({ record, match, documents, mails, entries }: { record: Record; match: Match | undefined; documents: FoundDocument[] | undefined; mails: Mail[] | undefined; entries: Entry[] }) {
  const ours = words.value.order;
  return (
    <section class="panel" aria-labelledby="history-title">
      <h2 id="history-title">{ours.history}</h2>
      <ol class="events">
        {events(record, match, documents, mails, entries).map(({ at, who, what, more, quiet }, place) => (
          <li key={place} class={quiet === true ? "event-quiet" : ""}>
            <time dateTime={at}>{at.endsWith("T23:59:59Z") ? day(at.slice(0, 10), language.value, "numeric") : when(at)}</time>
            <div>
              <p>{what}</p>
              {more !== undefined && <p class="hint">{more}</p>}
              <p class="hint">{who}</p>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
