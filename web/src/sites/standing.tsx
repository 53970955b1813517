// The standing orders of the customer: list, make, pause and end. A link with ?abfall=&groesse=&baustelle= opens the form with what was ordered.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { ListProblem } from "../account/list-problem";
import { useAnswer } from "../account/loaded";
import { berlinDate } from "../account/states";
import { day } from "../format";
import { Intent } from "../http";
import { wasteName } from "../order/choices";
import { findWaste } from "../order/selection";
import { catalog } from "../order/state";
import { url } from "../route";
import { withSession } from "../session";
import { keepLanguage, language, text } from "../text";
import { Field } from "../ui/field";
import { Icon } from "../ui/icon";
import { Skeleton } from "../ui/skeleton";
import { changeStanding, getStanding, makeStanding, type Site, type Standing } from "./api";
import { ChangeProblem, Select, Tick, useForm } from "./parts";
import { planOf, rhythm, rhythmOf, rhythms, weekdayName } from "./plan";
import { words as texts } from "./text";

export function StandingOrders({ sites }: { sites: Site[] }) {
  const words = texts.value;
  const { answer: list, error, again } = useAnswer(getStanding);
  const active = sites.filter((site) => site.active);
  return (
    <section aria-labelledby="standing-title" id="dauerauftrag">
      <h2 id="standing-title">{words.standing}</h2>
      <ListProblem error={error} again={again} />
      {list === undefined
        ? error === undefined && <Skeleton rows={1} kind="card" />
        : list.length === 0
          ? <p class="hint">{words.noStanding}</p>
          : list.map((order) => <StandingCard key={`${order.standing_id} ${order.version}`} order={order} sites={sites} onChange={again} />)}
      {active.length === 0 ? <p class="hint">{words.needsSite}</p> : list !== undefined && <MakeStanding key={list.length} sites={active} onMade={again} />}
    </section>
  );
}

function inWords(order: Standing): string {
  const words = texts.value;
  if (order.month_day > 0) return `${words.monthly} ${words.onDay(order.month_day)}`;
  return `${words.weekly(order.every_weeks)} ${words.onWeekday(weekdayName(order.weekday, language.value))}`;
}

function nameOf(code: string): string {
  const waste = catalog.value === undefined ? undefined : findWaste(catalog.value, code);
  return waste === undefined ? code : wasteName(waste);
}

function StandingCard({ order, sites, onChange }: { order: Standing; sites: Site[]; onChange: () => void }) {
  const words = texts.value;
  const lang = language.value;
  const error = useSignal<unknown>(undefined);
  const become = (state: string) => async () => {
    error.value = undefined;
    try {
      await withSession(() => changeStanding(order, { ...planOf(order), state }));
      onChange();
    } catch (cause) {
      error.value = cause;
    }
  };
  const tone = { active: "good", paused: "todo" }[order.state] ?? "over";
  return (
    <article class="panel site" aria-label={`${nameOf(order.waste_code)}, ${inWords(order)}`}>
      <header>
        <h3>
          {nameOf(order.waste_code)}, {text.value.size.name(order.size_m3)}
        </h3>
        <span class={`badge badge-${tone}`}>{words.states[order.state] ?? order.state}</span>
      </header>
      <p>
        {inWords(order)}, {sites.find((site) => site.site_id === order.site_id)?.name ?? ""}
      </p>
      {order.next !== undefined && <p class="hint">{words.next(day(order.next, lang))}</p>}
      {order.occurrences.length > 0 && (
        <details>
          <summary>{words.occurrences}</summary>
          <ul class="rows">
            {order.occurrences.map((each) => (
              <li key={each.day}>
                {day(each.date, lang, "numeric")}:{" "}
                {each.order_id !== undefined ? <a href={keepLanguage(`/auftrag/${encodeURIComponent(each.order_id)}`)}>{words.ordered}</a> : each.state === "refused" ? words.refused : words.due}
                {each.reason !== undefined && (
                  <span class="hint" lang="en">
                    {" "}
                    ({each.reason})
                  </span>
                )}
              </li>
            ))}
          </ul>
        </details>
      )}
      {order.state !== "ended" && (
        <>
          <p class="buttons">
            <button type="button" onClick={become(order.state === "paused" ? "active" : "paused")}>
              {order.state === "paused" ? words.resume : words.pause}
            </button>
          </p>
          <details>
            <summary>{words.end}</summary>
            <button type="button" onClick={become("ended")}>
              {words.endSubmit}
            </button>
          </details>
        </>
      )}
      <ChangeProblem error={error.value} />
    </article>
  );
}

function MakeStanding({ sites, onMade }: { sites: Site[]; onMade: () => void }) {
  const words = texts.value;
  const wished = url.value.searchParams;
  const offered = catalog.value;
  const intent = useRef(new Intent());
  const waste = useSignal(wished.get("abfall") ?? "");
  const every = useSignal(rhythmOf({ every_weeks: 2, month_day: 0 }));
  const form = useForm(async (data) => {
    const value = (name: string) => String(data.get(name) ?? "");
    await makeStanding(intent.current, {
      site_id: value("/site_id"), waste_code: value("/waste_code"), size_m3: Number(value("/size_m3")), ...rhythm(every.value, value("/weekday"), value("/month_day")),
      from: value("/from"), until: value("/until"), public_ground: data.has("/public_ground"), state: "active",
    });
    onMade();
  });
  if (offered === undefined) return null;
  const chosen = findWaste(offered, waste.value) ?? offered.wastes[0];
  if (chosen === undefined) return null;
  const site = wished.get("baustelle") ?? "";
  return (
    <details class="panel site" open={wished.has("abfall")}>
      <summary class="with-icon">
        <Icon name="loop" />
        {words.makeStanding}
      </summary>
      <form class="form" noValidate onSubmit={form.submit}>
        <p class="hint">{words.ahead}</p>
        <Select name="/site_id" label={words.site} value={sites.some((each) => each.site_id === site) ? site : (sites[0]?.site_id ?? "")} options={sites.map((each) => [each.site_id, `${each.name}, ${each.postcode} ${each.city}`])} complaint={form.complaints["/site_id"]} />
        <div class="pair">
          <Select name="/waste_code" label={words.waste} value={chosen.code} options={offered.wastes.map((each) => [each.code, wasteName(each)])} onChoose={(code) => (waste.value = code)} complaint={form.complaints["/waste_code"]} />
          <Select name="/size_m3" label={words.size} value={wished.get("groesse") ?? String(chosen.sizes_m3[0])} options={chosen.sizes_m3.map((size) => [String(size), text.value.size.name(size)])} complaint={form.complaints["/size_m3"]} />
        </div>
        <div class="pair">
          <Select name="/every_weeks" label={words.rhythm} value={every.value} options={rhythms.map((each) => [each, each === "monthly" ? words.monthly : words.weekly(Number(each))])} onChoose={(value) => (every.value = value)} complaint={form.complaints["/every_weeks"]} />
          {every.value === "monthly" ? (
            <Field name="/month_day" label={words.monthDay} type="text" inputMode="numeric" required pattern="[0-9]{1,2}" defaultValue="1" complaint={form.complaints["/month_day"]} />
          ) : (
            <Select name="/weekday" label={words.weekday} value="1" options={[1, 2, 3, 4, 5, 6].map((weekday) => [String(weekday), weekdayName(weekday, language.value)])} complaint={form.complaints["/weekday"]} />
          )}
        </div>
        <div class="pair">
          <Field name="/from" label={words.from} type="date" required min={berlinDate(new Date())} defaultValue={offered.earliest_date} complaint={form.complaints["/from"]} />
          <Field name="/until" label={words.until2} type="date" complaint={form.complaints["/until"]} />
        </div>
        <Tick name="/public_ground" label={words.publicGround} checked={false} />
        <ChangeProblem error={form.error} />
        <button type="submit" class="primary" disabled={form.busy}>
          {words.makeStanding}
        </button>
      </form>
    </details>
  );
}
