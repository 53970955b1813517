// What somebody has to look after, by list. A service that does not answer is not an empty list.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getWork, getWorklists, type Service, type Work, type Worklist, worklists } from "./api";
import { ageWords, euros, OfficeProblem, useTitle } from "./parts";
import { orderPath, partnerPath } from "./places";
import { words } from "./text";
import { clock } from "../format";
import { type Polled, usePolled } from "../partner/poll";
import { navigate, url } from "../route";
import { withSession } from "../session";
import { keepLanguage, language } from "../text";
import { Skeleton } from "../ui/skeleton";

const everyMs = 30_000;

export function WorkPage() {
  const ours = words.value.work;
  useTitle(ours.title);
  const sources: Partial<Record<Service, Polled<Worklist[]>>> = {
    order: usePolled((stop) => getWorklists("order", stop), everyMs),
    matching: usePolled((stop) => getWorklists("matching", stop), everyMs),
    payment: usePolled((stop) => getWorklists("payment", stop), everyMs),
    disposer: usePolled((stop) => getWorklists("disposer", stop), everyMs),
    mailing: usePolled((stop) => getWorklists("mailing", stop), everyMs),
  };
  const open = url.value.searchParams.get("liste") ?? "";
  const chosen = worklists.find(([, name]) => name === open);
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{ours.title}</h1>
        <p>{ours.lead}</p>
      </div>
      <ul class="lists">
        {worklists.map(([service, name]) => (
          <Tile key={name} service={service} name={name} source={sources[service]} open={name === open} />
        ))}
      </ul>
      {chosen !== undefined && <WorkTable key={open} service={chosen[0]} name={open} />}
    </>
  );
}

function Tile({ service, name, source, open }: { service: Service; name: string; source: Polled<Worklist[]> | undefined; open: boolean }) {
  const ours = words.value;
  const title = ours.work.lists[name] ?? name;
  const list = source?.value?.find((each) => each.name === name);
  const away = source?.error !== undefined;
  const age = list?.oldest === undefined ? undefined : ageWords(list.oldest);
  const path = `/office?liste=${name}${language.value === "en" ? "&lang=en" : ""}`;
  return (
    <li class={`tile ${away ? "tile-away" : list !== undefined && list.count > 0 ? "tile-busy" : ""}`}>
      <a href={path} {...(open ? { "aria-current": "true" as const } : {})} onClick={(event) => (event.preventDefault(), navigate(path, true))}>
        <span class="tile-count">{away ? "?" : list === undefined ? "…" : `${list.count}${list.more ? "+" : ""}`}</span>
        <span class="tile-title">{title}</span>
        <span class="hint">
          {away ? `${ours.awayList}${source?.at === undefined ? "" : `, ${ours.asOf(clock(source.at, language.value))}${list === undefined ? "" : `: ${list.count}`}`}` : age !== undefined ? (age.ahead ? ours.work.ahead(age.text) : ours.work.oldest(age.text)) : list === undefined ? ours.loading : ours.work.none}
        </span>
        {away && <span class="unseen">{words.value.away[service]}</span>}
      </a>
    </li>
  );
}

/** The work of one list, page by page. */
function WorkTable({ service, name }: { service: Service; name: string }) {
  const ours = words.value;
  const items = useSignal<Work[]>([]);
  const next = useSignal<number | undefined>(0);
  const loaded = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const load = async () => {
    error.value = undefined;
    try {
      const page = await withSession(() => getWork(service, name, next.peek() ?? 0));
      items.value = [...items.peek(), ...(page.items ?? [])];
      next.value = page.next_offset;
      loaded.value = true;
    } catch (cause) {
      error.value = cause;
    }
  };
  useEffect(() => void load(), []);
  return (
    <section class="panel work" aria-labelledby="work-title">
      <h2 id="work-title">{ours.work.lists[name]}</h2>
      {!loaded.value && error.value === undefined && <Skeleton rows={3} kind="line" />}
      {loaded.value && items.value.length === 0 && <p>{ours.work.empty}</p>}
      <ul class="rows">
        {items.value.map((item) => (
          <WorkRow key={item.id + item.about} item={item} />
        ))}
      </ul>
      <OfficeProblem error={error.value}>
        <p class="problem-detail">{ours.away[service]}</p>
        <button type="button" onClick={() => void load()}>
          {ours.again}
        </button>
      </OfficeProblem>
      {loaded.value && error.value === undefined && next.value !== undefined && (
        <button type="button" onClick={() => void load()}>
          {ours.more}
        </button>
      )}
    </section>
  );
}

function WorkRow({ item }: { item: Work }) {
  const { work } = words.value;
  const path = item.order_id !== undefined ? orderPath(item.order_id) : item.partner_id !== undefined ? partnerPath(item.partner_id) : "/office/bank";
  const age = ageWords(item.since);
  return (
    <li>
      <a class="row" href={keepLanguage(path)}>
        <strong>{item.number ?? item.id}</strong>
        <span>{item.about}</span>
        <span class="state warm">{age.ahead ? work.ahead(age.text) : work.oldest(age.text)}</span>
        <span class="hint">{[item.amount_cents === undefined ? "" : euros(item.amount_cents), item.number === undefined ? (item.partner_id ?? "") : ""].filter((each) => each !== "" && each !== item.id).join(" · ")}</span>
      </a>
    </li>
  );
}
