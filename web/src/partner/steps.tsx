// The forms of a job's steps. A form keeps what was typed through every failure; only a conflict takes it away, because the job moved on.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { collect, correctJob, failTrip, type Job, planJob, putOnSite, putSwapped, tripReasons, weigh } from "./api";
import { complaintsIn, kilograms, PartnerProblem } from "./parts";
import { daysLater, type NextStep, parseKg, today } from "./rules";
import { words } from "./text";
import { day } from "../format";
import { Intent } from "../http";
import { withSession } from "../session";
import { language } from "../text";
import { checkForm, Field, focusFirstComplaint } from "../ui/field";
import { Icon } from "../ui/icon";
import { type Complaints, ComplaintText } from "../ui/problem";

interface Props {
  job: Job;
  /** The platform took it: the job as it is now, and what to tell. */
  onDone: (job: Job, said: string) => void;
  /** Says whether the page itself tells this error. */
  onRefused: (error: unknown) => boolean;
}

export function StepForm({ step, ...props }: Props & { step: NextStep }) {
  if (step === "place") return <Place {...props} />;
  if (step === "swap") return <PlaceOrSwap {...props} />;
  return step === "collect" ? <Collect {...props} /> : <Weigh {...props} />;
}

/** What every step's form does: check, send, tell complaints beside the fields and everything else in an alert. */
function useStep({ onDone, onRefused }: Props) {
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const complaints = useSignal<Complaints>({});
  const run = async (form: HTMLFormElement, found: Complaints, send: () => Promise<Job>, said: (job: Job) => string) => {
    complaints.value = found;
    error.value = undefined;
    if (busy.value) return;
    if (Object.keys(found).length > 0) return focusFirstComplaint(form);
    busy.value = true;
    try {
      const job = await withSession(send);
      onDone(job, said(job));
    } catch (cause) {
      if (onRefused(cause)) return;
      complaints.value = complaintsIn(cause, words.value.job.refused);
      error.value = cause;
      focusFirstComplaint(form);
    } finally {
      busy.value = false;
    }
  };
  return { busy: busy.value, error: error.value, complaints: complaints.value, run };
}

const stateWords = (job: Job) => `${words.value.job.states[job.state] ?? job.state}.`;
const typed = (form: HTMLFormElement, name: string) => String(new FormData(form).get(name) ?? "").trim();

function Submit({ busy, children }: { busy: boolean; children: ComponentChildren }) {
  return (
    <button type="submit" class="primary big" disabled={busy}>
      {children}
    </button>
  );
}

/** The alert for what no field of the form shows. */
function Rest({ error, complaints, shown }: { error: unknown; complaints: Complaints; shown: string[] }) {
  const pointers = Object.keys(complaints);
  return pointers.length > 0 && pointers.every((pointer) => shown.includes(pointer)) ? null : <PartnerProblem error={error} />;
}

/** A swap is one step; when only the new container is left on site, it can be told as well. */
function PlaceOrSwap(props: Props) {
  const ours = words.value.job;
  return (
    <>
      <Place {...props} swaps={true} />
      <details class="more">
        <summary>{ours.swapNot}</summary>
        <p>{ours.swapNotLead(props.job.swap?.container ?? "")}</p>
        <Place {...props} />
      </details>
    </>
  );
}

function Place({ swaps = false, ...props }: Props & { swaps?: boolean }) {
  const ours = words.value.job;
  const { busy, error, complaints, run } = useStep(props);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const found = checkForm(form);
    const container = typed(form, "/container");
    if (found["/container"] === undefined && container.length < 2) found["/container"] = { text: ours.containerShort };
    void run(form, found, () => (swaps ? putSwapped : putOnSite)(props.job.order_id, container), stateWords);
  };
  return (
    <form class="form" noValidate onSubmit={submit}>
      <p>{ours.placeLead(day(props.job.date, language.value))}</p>
      {swaps && (
        <p class="note">
          <Icon name="loop" />
          {ours.swapLead(props.job.swap?.container ?? "")}
        </p>
      )}
      <Field name="/container" label={swaps ? ours.swapContainer : ours.containerLabel} hint={ours.containerHint} type="text" autoComplete="off" required minLength={2} maxLength={20} complaint={complaints["/container"]} />
      <Rest error={error} complaints={complaints} shown={["/container"]} />
      <Submit busy={busy}>{swaps ? ours.swapSubmit : ours.placeSubmit}</Submit>
    </form>
  );
}

function Collect(props: Props) {
  const ours = words.value.job;
  const { busy, error, run } = useStep(props);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(event.currentTarget as HTMLFormElement, {}, () => collect(props.job.order_id), stateWords);
  };
  const wish = props.job.pick_up_on;
  return (
    <form class="form" noValidate onSubmit={submit}>
      <p>
        {words.value.jobs.container(props.job.container ?? "")}. {wish === undefined ? ours.collectLeadNone : ours.collectLead(day(wish, language.value))}
      </p>
      <PartnerProblem error={error} />
      <Submit busy={busy}>{ours.collectSubmit}</Submit>
    </form>
  );
}

function Weigh(props: Props) {
  const ours = words.value.job;
  const { busy, error, complaints, run } = useStep(props);
  const gross = useSignal("");
  const tare = useSignal("");
  const confirmed = useSignal(false);
  const [grossKg, tareKg] = [parseKg(gross.value), parseKg(tare.value)];
  const netKg = grossKg !== undefined && tareKg !== undefined ? grossKg - tareKg : undefined;
  const doubt = complaints["/confirmed"];

  // Other values need another confirmation.
  const keep = (into: typeof gross) => (event: Event) => {
    into.value = (event.currentTarget as HTMLInputElement).value;
    confirmed.value = false;
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const found = checkForm(form);
    if (found["/gross_kg"] === undefined && grossKg === undefined) found["/gross_kg"] = { text: ours.kg };
    if (found["/tare_kg"] === undefined && tareKg === undefined) found["/tare_kg"] = { text: ours.kg };
    if (netKg !== undefined && netKg <= 0) found["/tare_kg"] = { text: ours.tareMore };
    const body = { gross_kg: grossKg ?? 0, tare_kg: tareKg ?? 0, slip: typed(form, "/slip"), ...(confirmed.value ? { confirmed: true } : {}) };
    void run(form, found, () => weigh(props.job.order_id, body), stateWords);
  };
  return (
    <form class="form" noValidate onSubmit={submit}>
      <p>{ours.weighLead}</p>
      <div class="weights">
        <Field name="/gross_kg" label={ours.gross} hint={ours.grossHint} type="text" inputMode="numeric" autoComplete="off" required value={gross.value} onInput={keep(gross)} complaint={complaints["/gross_kg"]} />
        <Field name="/tare_kg" label={ours.tare} hint={ours.tareHint} type="text" inputMode="numeric" autoComplete="off" required value={tare.value} onInput={keep(tare)} complaint={complaints["/tare_kg"]} />
      </div>
      <p class={doubt === undefined ? "net" : "net net-doubt"} aria-live="polite">
        {ours.net} <strong>{netKg !== undefined && netKg > 0 ? kilograms(netKg) : "–"}</strong>
      </p>
      {doubt !== undefined && (
        <div class="doubt">
          <ComplaintText id="doubt" complaint={{ text: ours.implausibleTodo, detail: doubt.detail ?? doubt.text }} />
          {language.value === "en" && <p class="hint">{doubt.detail ?? doubt.text}</p>}
          <div class="tick">
            <input type="checkbox" id="confirmed" checked={confirmed.value} aria-invalid={true} aria-describedby="doubt" onChange={(event) => (confirmed.value = event.currentTarget.checked)} />
            <label for="confirmed">{ours.confirm}</label>
          </div>
        </div>
      )}
      <Field name="/slip" label={ours.slip} type="text" autoComplete="off" required maxLength={40} complaint={complaints["/slip"]} />
      <Rest error={error} complaints={complaints} shown={["/gross_kg", "/tare_kg", "/slip", "/confirmed"]} />
      <Submit busy={busy}>{ours.weighSubmit}</Submit>
    </form>
  );
}

export function FailedTrip(props: Props) {
  const ours = words.value.job;
  const { busy, error, complaints, run } = useStep(props);
  const intent = useRef(new Intent());
  const reason = useSignal<string>(tripReasons[0]);
  const open = useSignal(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const note = typed(form, "/note");
    const send = async () => {
      const job = await failTrip(intent.current, props.job.order_id, { reason: reason.value, ...(note === "" ? {} : { note }) });
      open.value = false;
      return job;
    };
    void run(form, checkForm(form), send, () => ours.failed);
  };
  return (
    <details class="more fail" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{ours.fail}</summary>
      <form class="form" noValidate onSubmit={submit}>
        <div class="field">
          <label for="trip-reason">{ours.failReason}</label>
          <select id="trip-reason" name="/reason" value={reason.value} onChange={(event) => (reason.value = event.currentTarget.value)}>
            {tripReasons.map((each) => (
              <option key={each} value={each}>
                {ours.tripReasons[each]}
              </option>
            ))}
          </select>
        </div>
        <Field name="/note" label={ours.failNote} hint={ours.failNoteHint} type="text" autoComplete="off" maxLength={500} required={reason.value === "other"} complaint={complaints["/note"]} />
        <Rest error={error} complaints={complaints} shown={["/note"]} />
        <button type="submit" disabled={busy}>
          {ours.failSubmit}
        </button>
      </form>
    </details>
  );
}

const windows = ["", "morning", "afternoon"] as const;

/** The plan of the next trip: day, part of the day, driver, vehicle. The customer sees the first two. */
export function PlanForm(props: Props) {
  const ours = words.value.plan;
  const { busy, error, complaints, run } = useStep(props);
  const { job } = props;
  const first = today(new Date());
  const part = useSignal<string>(job.plan?.window ?? "");
  const open = useSignal(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = { window: part.value, driver_id: typed(form, "/driver_id"), vehicle: typed(form, "/vehicle") };
    const body = { day: typed(form, "/day"), ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "")) };
    const send = async () => {
      const next = await planJob(job.order_id, body);
      open.value = false;
      return next;
    };
    void run(form, checkForm(form), send, () => ours.done);
  };
  return (
    <details class="more plan" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{job.plan === undefined ? ours.title : ours.change}</summary>
      <form class="form" noValidate onSubmit={submit}>
        <p>{ours.lead}</p>
        <Field name="/day" label={ours.day} type="date" required min={first} max={daysLater(first, 90)} defaultValue={job.plan?.day ?? (job.state === "matched" ? job.date : (job.pick_up_on ?? ""))} complaint={complaints["/day"]} />
        <fieldset>
          <legend class="label">{ours.window}</legend>
          <div class="switch">
            {windows.map((each) => (
              <label key={each}>
                <input type="radio" name="window" value={each} checked={part.value === each} onChange={() => (part.value = each)} />
                <span>{ours.windows[each]}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <Field name="/driver_id" label={ours.driver} hint={ours.driverHint} type="text" autoComplete="off" maxLength={64} defaultValue={job.driver_id ?? ""} complaint={complaints["/driver_id"]} />
        <Field name="/vehicle" label={ours.vehicle} type="text" autoComplete="off" maxLength={20} defaultValue={job.plan?.vehicle ?? ""} complaint={complaints["/vehicle"]} />
        <Rest error={error} complaints={complaints} shown={["/day", "/driver_id", "/vehicle"]} />
        <button type="submit" disabled={busy}>
          {ours.submit}
        </button>
      </form>
    </details>
  );
}

/** Puts right what was recorded, until the invoice. The wrong values stay in the history. */
export function CorrectForm(props: Props) {
  const ours = words.value.job;
  const { corrected: _, ...own } = words.value.correct;
  const { busy, error, complaints, run } = useStep(props);
  const { job } = props;
  const { weighing } = job;
  const doubt = complaints["/confirmed"];
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const found = checkForm(form);
    const body: Parameters<typeof correctJob>[1] = { container: typed(form, "/container"), reason: typed(form, "/reason") };
    if (weighing !== undefined) {
      const [gross, tare] = [parseKg(typed(form, "/gross_kg")), parseKg(typed(form, "/tare_kg"))];
      if (gross === undefined) found["/gross_kg"] = { text: ours.kg };
      if (tare === undefined) found["/tare_kg"] = { text: ours.kg };
      Object.assign(body, { gross_kg: gross ?? 0, tare_kg: tare ?? 0, slip: typed(form, "/slip"), ...(new FormData(form).has("confirmed") ? { confirmed: true } : {}) });
    }
    void run(form, found, () => correctJob(job.order_id, body), () => own.done);
  };
  return (
    <details class="more">
      <summary>{own.title}</summary>
      <form class="form" noValidate onSubmit={submit}>
        <Field name="/container" label={ours.containerLabel} type="text" autoComplete="off" required minLength={2} maxLength={20} defaultValue={job.container ?? ""} complaint={complaints["/container"]} />
        {weighing !== undefined && (
          <>
            <Field name="/gross_kg" label={ours.gross} type="text" inputMode="numeric" autoComplete="off" required defaultValue={String(weighing.gross_kg)} complaint={complaints["/gross_kg"]} />
            <Field name="/tare_kg" label={ours.tare} type="text" inputMode="numeric" autoComplete="off" required defaultValue={String(weighing.tare_kg)} complaint={complaints["/tare_kg"]} />
            <Field name="/slip" label={ours.slip} type="text" autoComplete="off" required maxLength={40} defaultValue={weighing.slip} complaint={complaints["/slip"]} />
            {doubt !== undefined && (
              <div class="doubt">
                <ComplaintText id="correct-doubt" complaint={{ text: ours.implausibleTodo, detail: doubt.detail ?? doubt.text }} />
                <div class="tick">
                  <input type="checkbox" id="correct-confirmed" name="confirmed" aria-describedby="correct-doubt" />
                  <label for="correct-confirmed">{ours.confirm}</label>
                </div>
              </div>
            )}
          </>
        )}
        <Field name="/reason" label={own.reason} hint={own.reasonHint} type="text" autoComplete="off" required minLength={5} maxLength={500} complaint={complaints["/reason"]} />
        <Rest error={error} complaints={complaints} shown={["/container", "/gross_kg", "/tare_kg", "/slip", "/confirmed", "/reason"]} />
        <button type="submit" disabled={busy}>
          {own.submit}
        </button>
      </form>
    </details>
  );
}
