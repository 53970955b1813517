// The plan of a day: what is not planned yet, and each driver's or vehicle's trips in driving order. Several jobs are planned at once, by mouse or
// by keyboard.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { getJobs, type Job, type NewPlan, planJob } from "./api";
import { fleetPath } from "./fleet-page";
import { Done, LoadProblem, PartnerProblem, wasteWords } from "./parts";
import { jobPath } from "./places";
import { getPartner, type Partner, windows } from "./planning-api";
import { dayOf, moved, planWith } from "./planning-rules";
import { planning } from "./planning-text";
import { usePolled } from "./poll";
import { daysLater, dueOn, today } from "./rules";
import { day } from "../format";
import { navigate, url } from "../route";
import { withSession } from "../session";
import { keepLanguage, language } from "../text";
import { Icon } from "../ui/icon";
import { Skeleton } from "../ui/skeleton";

const place = "#plan input[type=checkbox]";

export function PlanPage() {
  const ours = planning.value.plan;
  const jobs = usePolled(getJobs, 15_000);
  const partner = usePolled(getPartner, 60_000);
  const now = today(new Date());
  const asked = url.value.searchParams.get("tag") ?? "";
  const date = /^\d{4}-\d\d-\d\d$/.test(asked) && asked >= now ? asked : now;
  const by = url.value.searchParams.get("nach") === "fahrzeug" ? ("vehicle" as const) : ("driver" as const);
  const chosen = useSignal<string[]>([]);
  const busy = useSignal(false);
  const said = useSignal("");
  const failures = useSignal<{ count: number; of: number; error: unknown } | undefined>(undefined);
  const target = useRef<HTMLSelectElement>(null);
  const plan = dayOf(jobs.value ?? [], date, now, by);

  const go = (change: Record<string, string>) => {
    const next = new URL(url.value);
    for (const [name, value] of Object.entries(change)) next.searchParams.set(name, value);
    chosen.value = [];
    navigate(next.href, true);
  };

  /** Sends the plans one after the other: their order is the driver's. */
  const apply = async (plans: { id: string; plan: NewPlan }[], told: boolean) => {
    if (plans.length === 0 || busy.value) return;
    busy.value = true;
    said.value = "";
    failures.value = undefined;
    let changed = jobs.value ?? [];
    let [count, error] = [0, undefined as unknown];
    for (const { id, plan: next } of plans) {
      try {
        const job = await withSession(() => planJob(id, next));
        changed = changed.map((each) => (each.order_id === id ? job : each));
        chosen.value = chosen.value.filter((each) => each !== id);
      } catch (cause) {
        count += 1;
        error = cause;
      }
    }
    busy.value = false;
    jobs.refresh(changed);
    if (count > 0) failures.value = { count, of: plans.length, error };
    else if (told) said.value = ours.done(plans.length);
  };

  const toggle = (id: string) => (chosen.value = chosen.value.includes(id) ? chosen.value.filter((each) => each !== id) : [...chosen.value, id]);

  const move = (id: string, step: -1 | 1) => {
    const row = [...plan.rows.values()].find((each) => each.some((job) => job.order_id === id));
    if (row !== undefined) void apply(moved(row, id, step), false);
  };

  // One listener for the page, so that the keys work wherever the focus is, but for fields in which one types.
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const from = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || from.matches("select, textarea, input:not([type=checkbox])")) return;
      const boxes = [...document.querySelectorAll<HTMLInputElement>(place)];
      const at = boxes.indexOf(document.activeElement as HTMLInputElement);
      const id = boxes[at]?.value;
      if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown") && id !== undefined) move(id, event.key === "ArrowUp" ? -1 : 1);
      else if (event.altKey) return;
      else if (event.key === "j") boxes[Math.min(at + 1, boxes.length - 1)]?.focus();
      else if (event.key === "k") boxes[Math.max(at - 1, 0)]?.focus();
      else if (event.key === "x" && id !== undefined) toggle(id);
      else if (event.key === "m" && chosen.value.length > 0) target.current?.focus();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  });

  const known = partner.value;
  const rows = known === undefined ? [] : rowsOf(known, by, plan.rows);
  return (
    <>
      <div class="hero plan-head">
        <div>
          <h1 tabIndex={-1}>{ours.title}</h1>
          <p>{day(date, language.value)}</p>
        </div>
        <div class="plan-days">
          <button type="button" aria-label={ours.before} disabled={date <= now} onClick={() => go({ tag: daysLater(date, -1) })}>
            ‹
          </button>
          <button type="button" onClick={() => go({ tag: now })}>
            {ours.today}
          </button>
          <button type="button" aria-label={ours.after} onClick={() => go({ tag: daysLater(date, 1) })}>
            ›
          </button>
          <label class="unseen" for="plan-day">
            {ours.day}
          </label>
          <input type="date" id="plan-day" value={date} min={now} onChange={(event) => event.currentTarget.value !== "" && go({ tag: event.currentTarget.value })} />
        </div>
      </div>
      <div class="told">
        {said.value !== "" && <Done onClose={() => (said.value = "")}>{said.value}</Done>}
        {failures.value !== undefined && (
          <PartnerProblem error={failures.value.error}>
            <p class="problem-detail">{ours.failed(failures.value.count, failures.value.of)}</p>
          </PartnerProblem>
        )}
        <LoadProblem polled={jobs} />
        <LoadProblem polled={partner} />
      </div>
      {jobs.value === undefined || known === undefined ? (
        jobs.error === undefined && partner.error === undefined && <Skeleton rows={4} kind="card" />
      ) : (
        <div id="plan">
          <Placing partner={known} placing={plan.placing} />
          <fieldset class="switch plan-by">
            <legend class="unseen">{ours.by}</legend>
            {(["driver", "vehicle"] as const).map((each) => (
              <label key={each}>
                <input type="radio" name="by" checked={by === each} onChange={() => go({ nach: each === "driver" ? "fahrer" : "fahrzeug" })} />
                <span>{ours[each]}</span>
              </label>
            ))}
          </fieldset>
          {known.drivers.length === 0 && (
            <p class="note">
              <Icon name="alert" />
              <a href={fleetPath()}>{ours.noDrivers}</a>
            </p>
          )}
          <div class="board">
            <section class="panel row-open" aria-labelledby="row-open">
              <div class="row-head">
                <h2 id="row-open">
                  {ours.open} {plan.open.length > 0 && <span class="tag">{plan.open.length}</span>}
                </h2>
                {plan.open.length > 1 && (
                  <button type="button" class="quiet" onClick={() => (chosen.value = plan.open.map((job) => job.order_id))}>
                    {ours.all}
                  </button>
                )}
              </div>
              {plan.open.length === 0 && <p class="hint">{ours.noneOpen}</p>}
              <ul class="stops">
                {plan.open.map((job) => (
                  <Stop key={job.order_id} job={job} now={now} chosen={chosen.value.includes(job.order_id)} onToggle={() => toggle(job.order_id)} />
                ))}
              </ul>
            </section>
            <div class="rows-planned">
              {rows.map(({ id, title, stops }) => (
                <section key={id} class="panel" aria-labelledby={`row-${id}`}>
                  <h2 id={`row-${id}`}>
                    {title} {stops.length > 0 && <span class="tag">{stops.length}</span>}
                  </h2>
                  {stops.length === 0 && <p class="hint">{ours.none}</p>}
                  <ol class="stops">
                    {stops.map((job, at) => (
                      <Stop key={job.order_id} job={job} now={now} number={at + 1} other={by === "driver" ? job.plan?.vehicle : (known.drivers.find((each) => each.id === job.driver_id)?.name ?? job.driver_id)} chosen={chosen.value.includes(job.order_id)} onToggle={() => toggle(job.order_id)} {...(stops.length > 1 ? { onMove: (step: -1 | 1) => move(job.order_id, step), first: at === 0, last: at === stops.length - 1 } : {})} />
                    ))}
                  </ol>
                </section>
              ))}
            </div>
          </div>
          <p class="hint plan-keys">{ours.keys}</p>
          {chosen.value.length > 0 && (
            <Target
              select={target} partner={known} count={chosen.value.length} busy={busy.value} onClear={() => (chosen.value = [])}
              onPlan={({ driver, vehicle, window }) => {
                const last = (plan.rows.get((by === "driver" ? driver : vehicle) ?? "") ?? []).length;
                const all = jobs.value ?? [];
                const plans = chosen.value.flatMap((id, at) => {
                  const job = all.find((each) => each.order_id === id);
                  return job === undefined ? [] : [{ id, plan: planWith(job, { day: date, driver_id: driver, vehicle, window, position: Math.min(200, last + at + 1) }) }];
                });
                void apply(plans, true);
              }}
            />
          )}
        </div>
      )}
    </>
  );
}

/** The rows of the board: all drivers or vehicles of the partner, then what is planned for somebody whom the partner does not list. */
function rowsOf(partner: Partner, by: "driver" | "vehicle", planned: Map<string, Job[]>): { id: string; title: string; stops: Job[] }[] {
  const ours = planning.value.plan;
  const known = by === "driver" ? partner.drivers.map(({ id, name }) => ({ id, title: name })) : partner.vehicles.map(({ plate }) => ({ id: plate, title: plate }));
  const others = [...planned.keys()].filter((id) => !known.some((each) => each.id === id)).map((id) => ({ id, title: id === "" ? (by === "driver" ? ours.nobody : ours.noVehicle) : id }));
  return [...known, ...others].map((row) => ({ ...row, stops: planned.get(row.id) ?? [] }));
}

/** How many containers are to be placed, against what the partner can place a day. */
function Placing({ partner, placing }: { partner: Partner; placing: Map<number, number> }) {
  const ours = planning.value.plan;
  const sizes = [...new Set([...placing.keys(), ...(partner.capacity ?? []).map((each) => each.size_m3)])].sort((a, b) => a - b);
  if (sizes.length === 0) return null;
  return (
    <dl class="placing">
      {sizes.map((size) => {
        const count = placing.get(size) ?? 0;
        const most = partner.capacity?.find((each) => each.size_m3 === size)?.per_day;
        return (
          <div key={size} class={most !== undefined && count >= most ? "placing-full" : ""}>
            <dt>
              {ours.placing}: {planning.value.fleet.size(size)}
            </dt>
            <dd>{most === undefined ? ours.unlimited(count) : ours.of(count, most)}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function Stop({ job, now, number, other, chosen, onToggle, onMove, first, last }: {
  job: Job; now: string; number?: number; other?: string | undefined; chosen: boolean; onToggle: () => void; onMove?: (step: -1 | 1) => void; first?: boolean; last?: boolean;
}) {
  const ours = planning.value.plan;
  const wished = dueOn(job, now);
  const { street, city, name } = job.address;
  const trip = job.state !== "matched" ? "fetch" : job.swap === undefined ? "place" : "swap";
  return (
    <li class={chosen ? "stop stop-chosen" : "stop"}>
      <input type="checkbox" value={job.order_id} checked={chosen} aria-label={ours.choose(street)} onChange={onToggle} />
      <div>
        <p class="stop-head">
          {number !== undefined && <strong>{number}.</strong>} <Icon name={job.state === "matched" ? "skip" : "truck"} /> {ours.trips[trip]}
          {job.plan?.window !== undefined && <span class="tag">{ours.windows[job.plan.window]}</span>}
          {number === undefined && wished !== undefined && <span class={wished < now ? "tag tag-late" : "tag"}>{ours.wished(day(wished, language.value, "short"))}</span>}
        </p>
        <h3>
          <a href={keepLanguage(jobPath(job.order_id))}>
            {street}, {job.postcode} {city}
          </a>
        </h3>
        <p class="hint">
          {name} · {wasteWords(job.waste_code, job.size_m3)}
          {job.container !== undefined && ` · ${job.container}`}
          {other !== undefined && ` · ${other}`}
        </p>
        {job.access_notes !== undefined && <p class="hint">{job.access_notes}</p>}
      </div>
      {onMove !== undefined && (
        <div class="stop-move">
          <button type="button" aria-label={`${ours.up}: ${street}`} disabled={first === true} onClick={() => onMove(-1)}>
            ↑
          </button>
          <button type="button" aria-label={`${ours.down}: ${street}`} disabled={last === true} onClick={() => onMove(1)}>
            ↓
          </button>
        </div>
      )}
    </li>
  );
}

function Target({ select, partner, count, busy, onPlan, onClear }: {
  select: preact.RefObject<HTMLSelectElement | null>; partner: Partner; count: number; busy: boolean; onPlan: (to: { driver: string; vehicle: string; window: string }) => void; onClear: () => void;
}) {
  const ours = planning.value.plan;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const typed = (name: string) => String(data.get(name) ?? "");
    onPlan({ driver: typed("driver"), vehicle: typed("vehicle"), window: typed("window") });
  };
  return (
    <form class="target panel" onSubmit={submit} aria-label={ours.submit}>
      <p role="status">{ours.chosen(count)}</p>
      <div class="field">
        <label for="target-driver">{ours.driver}</label>
        <select id="target-driver" name="driver" ref={select}>
          {partner.drivers.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
          <option value="">{ours.nobody}</option>
        </select>
      </div>
      <div class="field">
        <label for="target-vehicle">{ours.vehicle}</label>
        <select id="target-vehicle" name="vehicle">
          {partner.vehicles.map(({ plate }) => (
            <option key={plate} value={plate}>
              {plate}
            </option>
          ))}
          <option value="">{ours.noVehicle}</option>
        </select>
      </div>
      <div class="field">
        <label for="target-window">{ours.window}</label>
        <select id="target-window" name="window">
          {windows.map((each) => (
            <option key={each} value={each}>
              {ours.windows[each]}
            </option>
          ))}
        </select>
      </div>
      <div class="buttons">
        <button type="submit" class="primary" disabled={busy}>
          {busy ? ours.busy : ours.submit}
        </button>
        <button type="button" onClick={onClear}>
          {ours.clear}
        </button>
      </div>
    </form>
  );
}
