// One job: where it is and what it is, its photos, and the one next button.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { day, moment } from "../format";
import { parseKg } from "../partner/rules";
import { Icon } from "../ui/icon";
import type { Job } from "./api";
import { kilograms, Line, phase, wasteWords } from "./parts";
import { Photos } from "./photos";
import { due, jobs, mine, takeStep } from "./state";
import { language, words } from "./text";

export function JobPage({ id }: { id: string }) {
  const ours = words.value.job;
  const job = jobs.value.find((each) => each.order_id === id);
  if (job === undefined) {
    return (
      <>
        <Back />
        <div class="panel">
          <h1 tabIndex={-1}>{mine.value.some((action) => action.orderId === id) ? ours.done : ours.gone}</h1>
          <p>{ours.goneTodo}</p>
        </div>
      </>
    );
  }
  const refused = mine.value.filter((action) => action.orderId === id && action.refused !== undefined);
  return (
    <>
      <Back />
      <h1 tabIndex={-1}>{ours.titles[phase(job)] ?? ours.done}</h1>
      <Where job={job} />
      {refused.map((action) => (
        <a key={action.id} class="problem" href="/fahrer/ausgang">
          <Icon name="alert" />
          <span>
            <strong>
              {words.value.outbox.refused}: {words.value.what[action.what]}
            </strong>
            <br />
            {words.value.outbox.why[action.refused?.status ?? 0] ?? action.refused?.detail}
          </span>
        </a>
      ))}
      <section class="panel next" aria-label={ours.titles[phase(job)] ?? ours.done}>
        {job.state === "matched" ? <Place key="place" job={job} /> : job.state === "on_site" ? <Collect key="collect" job={job} /> : job.state === "collected" ? <Weigh key="weigh" job={job} /> : <p>{ours.doneTodo}</p>}
      </section>
      {(job.state === "matched" || job.state === "on_site") && <FailedTrip job={job} />}
      <Facts job={job} />
    </>
  );
}

function Back() {
  return (
    <a class="back" href="/fahrer">
      {words.value.job.back}
    </a>
  );
}

/** A link to the phone's navigation: geo: is Android's, Apple has an address of its own, others get a map. */
function mapLink(place: string, agent = navigator.userAgent): string {
  const asked = encodeURIComponent(place);
  if (/Android/.test(agent)) return `geo:0,0?q=${asked}`;
  return /iPhone|iPad/.test(agent) ? `https://maps.apple.com/?q=${asked}` : `https://www.openstreetmap.org/search?query=${asked}`;
}

function Where({ job }: { job: Job }) {
  const ours = words.value.job;
  const { street, city, name } = job.address;
  const { phone } = job;
  const failed = job.history?.findLast((step) => step.failed_trip !== undefined);
  return (
    <section class="panel where">
      <address>
        <strong>{street}</strong>
        <span>
          {job.postcode} {city}
        </span>
        <span class="hint">{name}</span>
      </address>
      {job.access_notes !== undefined && (
        <p class="note">
          <Icon name="pin" />
          <span>
            <strong>{ours.access}:</strong> {job.access_notes}
          </span>
        </p>
      )}
      {job.public_ground && job.state === "matched" && (
        <p class="note">
          <Icon name="alert" />
          {ours.publicGround}
        </p>
      )}
      {failed !== undefined && job.state !== "collected" && (
        <p class="note">
          <Icon name="cross" />
          {ours.failed(moment(failed.at, language.value), [ours.reasons[failed.failed_trip?.reason ?? ""], failed.failed_trip?.note].filter(Boolean).join(", "))}
        </p>
      )}
      <div class="buttons">
        <a class="button" href={mapLink(`${street}, ${job.postcode} ${city}`)} data-native target="_blank" rel="noopener noreferrer external">
          <Icon name="pin" />
          {ours.map}
        </a>
        {phone !== undefined && (
          <a class="button" href={`tel:${phone.replaceAll(/[^\d+]/g, "")}`} data-native>
            {ours.call}
          </a>
        )}
      </div>
      <p class="hint">
        {wasteWords(job.waste_code, job.size_m3)}
        {job.container !== undefined && ` · ${ours.container} ${job.container}`}
      </p>
    </section>
  );
}

/**
 * One button, big enough for a glove. It answers when everything is written on the device. The next step's button comes where the last one's
 * was, so for a moment it takes no press: the second of a double one is not meant for it.
 */
function Next({ busy, children }: { busy: boolean; children: ComponentChildren }) {
  const awake = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => (awake.value = true), 700);
    return () => clearTimeout(timer);
  }, []);
  return (
    <button type="submit" class="primary big" disabled={busy || !awake.value}>
      {children}
    </button>
  );
}

/** Runs a form: complaints first, then the action is written. */
function useForm(job: Job) {
  const busy = useSignal(false);
  const complaints = useSignal<Record<string, string>>({});
  const run = (step: Parameters<typeof takeStep>[1], read: (typed: (name: string) => string) => { found: Record<string, string>; body: Record<string, unknown> }) => (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const { found, body } = read((name) => String(new FormData(form).get(name) ?? "").trim());
    complaints.value = found;
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    busy.value = true;
    const heading = document.querySelector<HTMLElement>("main h1");
    takeStep(job, step, body)
      .then(() => heading?.focus())
      .catch(() => undefined) // told above, see unsaved
      .finally(() => (busy.value = false));
  };
  return { busy: busy.value, complaints: complaints.value, run };
}

function Place({ job }: { job: Job }) {
  const ours = words.value.job;
  const { busy, complaints, run } = useForm(job);
  const apart = useSignal(false);
  const { swap } = job;
  const submit = run(swap !== undefined && !apart.value ? "swapped" : "on-site", (typed) => {
    const container = typed("container");
    return { found: container.length < 2 || container.length > 20 ? { container: ours.containerShort } : {}, body: { container } };
  });
  return (
    <form class="form" noValidate onSubmit={submit}>
      <Line id="container" type="text" label={ours.containerLabel} hint={ours.containerHint} autoComplete="off" autoCapitalize="characters" maxLength={20} complaint={complaints["container"]} />
      {swap !== undefined && (
        <>
          <p class="note">
            <Icon name="truck" />
            {ours.takes(swap.container)}
          </p>
          <div class="tick">
            <input type="checkbox" id="apart" checked={apart.value} onChange={(event) => (apart.value = event.currentTarget.checked)} />
            <label for="apart">{ours.apart}</label>
          </div>
        </>
      )}
      <Photos job={job} kind="photo" />
      <Next busy={busy}>{swap !== undefined && !apart.value ? ours.swap : ours.place}</Next>
    </form>
  );
}

function Collect({ job }: { job: Job }) {
  const ours = words.value.job;
  const { busy, run } = useForm(job);
  return (
    <form class="form" noValidate onSubmit={run("collected", () => ({ found: {}, body: {} }))}>
      {job.pick_up_on !== undefined && <p>{day(job.pick_up_on, language.value)}</p>}
      <Photos job={job} kind="photo" />
      <Next busy={busy}>{ours.collect}</Next>
    </form>
  );
}

function Weigh({ job }: { job: Job }) {
  const ours = words.value.job;
  const { busy, complaints, run } = useForm(job);
  const gross = useSignal("");
  const tare = useSignal("");
  const confirmed = useSignal(false);
  const [grossKg, tareKg] = [parseKg(gross.value), parseKg(tare.value)];
  const net = grossKg !== undefined && tareKg !== undefined && grossKg > tareKg ? grossKg - tareKg : undefined;
  const range = job.plausible_kg;
  const doubt = net !== undefined && range !== undefined && (net < range.least || net > range.most);
  const keep = (into: typeof gross) => (event: Event) => {
    into.value = (event.currentTarget as HTMLInputElement).value;
    confirmed.value = false; // other values need another confirmation
  };
  const submit = run("weighed", (typed) => {
    const found: Record<string, string> = {};
    if (grossKg === undefined) found["gross"] = ours.kg;
    if (tareKg === undefined) found["tare"] = ours.kg;
    if (grossKg !== undefined && tareKg !== undefined && tareKg >= grossKg) found["tare"] = ours.tareMore;
    const slip = typed("slip");
    if (slip === "") found["slip"] = ours.needed;
    if (doubt && !confirmed.value) found["confirmed"] = ours.confirmFirst;
    return { found, body: { gross_kg: grossKg, tare_kg: tareKg, slip, ...(doubt ? { confirmed: true } : {}) } };
  });
  return (
    <form class="form" noValidate onSubmit={submit}>
      <div class="weights">
        <Line id="gross" type="text" inputMode="numeric" label={ours.gross} autoComplete="off" value={gross.value} onInput={keep(gross)} complaint={complaints["gross"]} />
        <Line id="tare" type="text" inputMode="numeric" label={ours.tare} autoComplete="off" value={tare.value} onInput={keep(tare)} complaint={complaints["tare"]} />
      </div>
      <p class={doubt ? "net net-doubt" : "net"} aria-live="polite">
        <span>{ours.net}</span> <strong>{net === undefined ? "–" : kilograms(net)}</strong>
        {doubt && <span class="net-why">{ours.implausible(kilograms(range.least), kilograms(range.most))}</span>}
      </p>
      {doubt && (
        <div class="tick">
          <input
            type="checkbox" id="confirmed" checked={confirmed.value} aria-invalid={complaints["confirmed"] !== undefined} {...(complaints["confirmed"] === undefined ? {} : { "aria-describedby": "confirmed-complaint" })}
            onChange={(event) => (confirmed.value = event.currentTarget.checked)}
          />
          <label for="confirmed">{ours.confirm}</label>
          {complaints["confirmed"] !== undefined && (
            <p class="complaint" id="confirmed-complaint">
              {complaints["confirmed"]}
            </p>
          )}
        </div>
      )}
      <Line id="slip" type="text" label={ours.slip} autoComplete="off" maxLength={40} complaint={complaints["slip"]} />
      <Photos job={job} kind="slip" />
      <Next busy={busy}>{ours.weigh}</Next>
    </form>
  );
}

const tripReasons = ["blocked", "no-access", "wrong-filling", "overfilled", "other"];

function FailedTrip({ job }: { job: Job }) {
  const ours = words.value.job;
  const { busy, complaints, run } = useForm(job);
  const open = useSignal(false);
  const take = run("failed-trip", (typed) => {
    const [reason, note] = [typed("reason"), typed("note")];
    const missing = reason === "other" && note === "";
    return { found: missing ? { note: ours.needed } : {}, body: { reason, ...(note === "" ? {} : { note }) } };
  });
  return (
    <details class="panel fail" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{ours.fail}</summary>
      <form
        class="form" noValidate
        onSubmit={(event) => {
          take(event);
          if (event.currentTarget.querySelector("[aria-invalid=true]") === null && String(new FormData(event.currentTarget).get("reason")) !== "other") open.value = false;
        }}
      >
        <div class="field">
          <label for="reason">{ours.failReason}</label>
          <select id="reason" name="reason">
            {tripReasons.map((each) => (
              <option key={each} value={each}>
                {ours.reasons[each]}
              </option>
            ))}
          </select>
        </div>
        <Line id="note" type="text" label={ours.failNote} hint={ours.failNoteHint} autoComplete="off" maxLength={500} complaint={complaints["note"]} />
        {job.state === "matched" && <Photos job={job} kind="photo" id="trip" />}
        <button type="submit" disabled={busy}>
          {ours.failSubmit}
        </button>
      </form>
    </details>
  );
}

function Facts({ job }: { job: Job }) {
  const ours = words.value.job;
  const on = due(job);
  const vehicle = job.plan?.vehicle;
  const window = ours.windows[job.plan?.window ?? ""];
  return (
    <dl class="facts">
      {on !== undefined && on !== "" && <dt>{ours.day}</dt>}
      {on !== undefined && on !== "" && <dd>{day(on, language.value)}</dd>}
      {window !== undefined && <dt>{ours.window}</dt>}
      {window !== undefined && <dd>{window}</dd>}
      {vehicle !== undefined && <dt>{ours.vehicle}</dt>}
      {vehicle !== undefined && <dd>{vehicle}</dd>}
      <dt>{ours.number}</dt>
      <dd>
        <code>{job.order_id}</code>
      </dd>
    </dl>
  );
}
