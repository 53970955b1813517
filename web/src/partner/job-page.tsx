// One job: its one next step, the failed trip, photos and slips, what is known about it, and what happened.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { getJob, type Job } from "./api";
import { Documents } from "./documents";
import { Done, kilograms, LoadProblem, nameOf, PartnerProblem, statusOf } from "./parts";
import { usePolled } from "./poll";
import { nextStep } from "./rules";
import { FailedTrip, StepForm } from "./steps";
import { words } from "./text";
import { day, dayWindow, moment, money, wasteCode } from "../format";
import { keepLanguage, language, text } from "../text";
import { Icon, wasteIcon } from "../ui/icon";
import { Skeleton } from "../ui/skeleton";

export function JobPage({ id }: { id: string }) {
  const ours = words.value.job;
  const job = usePolled((stop) => getJob(id, stop), 10_000);
  const conflict = useSignal<unknown>(undefined);
  const done = useSignal("");
  const seen = useRef<string | undefined>(undefined);
  const top = useRef<HTMLDivElement>(null);
  const known = job.value;

  // A state that came without this page's doing is told: the form of the step before it has gone.
  useEffect(() => {
    if (known === undefined) return;
    if (seen.current !== undefined && seen.current !== known.state) done.value = ours.changed(ours.states[known.state] ?? known.state);
    seen.current = known.state;
  }, [known?.state]);

  const took = (next: Job, said: string) => {
    seen.current = next.state;
    conflict.value = undefined;
    done.value = said;
    job.refresh(next);
    requestAnimationFrame(() => top.current?.focus());
  };
  /** A conflict means that this page is out of date: it is told above, and the job is asked for anew. Other errors stay with the form. */
  const refused = (error: unknown): boolean => {
    if (statusOf(error) !== 409) return false;
    conflict.value = error;
    done.value = "";
    job.refresh();
    requestAnimationFrame(() => top.current?.focus());
    return true;
  };

  const step = known === undefined ? undefined : nextStep(known);
  return (
    <>
      <div class="hero">
        <a class="back" href={keepLanguage("/partner/auftraege")}>
          {ours.back}
        </a>
        <h1 tabIndex={-1}>{known === undefined ? ours.number : step === undefined ? ours.doneTitle(known.state) : ours.title[step]}</h1>
        <p>
          {known !== undefined && `${known.address.street}, ${known.postcode} ${known.address.city}`}
        </p>
      </div>
      <div class="told" ref={top} tabIndex={-1}>
        {done.value !== "" && <Done onClose={() => (done.value = "")}>{done.value}</Done>}
        {conflict.value !== undefined && (
          <PartnerProblem error={conflict.value} own={ours.recorded}>
            <button type="button" onClick={() => (conflict.value = undefined)}>
              {words.value.close}
            </button>
          </PartnerProblem>
        )}
        <LoadProblem polled={job} own={statusOf(job.error) === 404 ? ours.notFound : undefined} />
      </div>
      {known === undefined ? (
        job.error === undefined && <Skeleton rows={4} kind="line" />
      ) : (
        <div class="job">
          <section class="panel next" aria-labelledby="next-title">
            <h2 id="next-title">{step === undefined ? ours.states[known.state] : ours.nextStep}</h2>
            {step === undefined ? <Finished job={known} /> : <StepForm key={known.state} job={known} step={step} onDone={took} onRefused={refused} />}
            {(step === "place" || step === "collect") && <FailedTrip job={known} onDone={took} onRefused={refused} />}
          </section>
          <Facts job={known} />
          {known.state !== "cancelled" && <Documents job={known} onDone={(next) => job.refresh(next)} onRefused={refused} />}
          <History job={known} />
        </div>
      )}
    </>
  );
}

function Finished({ job }: { job: Job }) {
  const ours = words.value.job;
  if (job.cancellation !== undefined) return <p>{ours.cancelled(job.cancellation.by, job.cancellation.reason)}</p>;
  return (
    <>
      <p>{ours.done}</p>
      <a class="button" href={keepLanguage("/partner/gutschriften")}>
        {ours.toNotes}
      </a>
    </>
  );
}

function Facts({ job }: { job: Job }) {
  const ours = words.value.job;
  const lang = language.value;
  const { weighing } = job;
  const where = `${job.address.street}, ${job.postcode} ${job.address.city}`;
  return (
    <section class="panel job-facts" aria-labelledby="facts-title">
      <h2 id="facts-title">{ours.facts}</h2>
      <dl class="facts">
        <dt>{ours.customer}</dt>
        <dd>{job.address.name}</dd>
        <dt>{ours.address}</dt>
        <dd>
          {job.address.street}
          <br />
          {job.postcode} {job.address.city}
          <br />
          <a class="map" href={`https://www.openstreetmap.org/search?query=${encodeURIComponent(where)}`} target="_blank" rel="noopener noreferrer external">
            <Icon name="pin" />
            {ours.map}
          </a>
          {job.public_ground && (
            <p class="note">
              <Icon name="alert" />
              {ours.publicGround}
            </p>
          )}
        </dd>
        {job.access !== undefined && (
          <>
            <dt>{ours.access}</dt>
            <dd>
              {job.access.notes.split("\n").map((line) => (
                <div key={line}>{line}</div>
              ))}
              {job.access.contact} {job.access.phone !== "" && <a href={`tel:${job.access.phone.replaceAll(/[^+\d]/g, "")}`}>{job.access.phone}</a>}
            </dd>
          </>
        )}
        <dt>{ours.waste}</dt>
        <dd class="with-icon">
          <Icon name={wasteIcon(job.waste_code)} />
          <span>
            {nameOf(job.waste_code)} <small>{wasteCode(job.waste_code)}</small>
          </span>
        </dd>
        <dt>{ours.size}</dt>
        <dd>{text.value.size.name(job.size_m3)}</dd>
        <dt>{ours.date}</dt>
        <dd>{day(job.date, lang) + dayWindow(job.window, lang)}</dd>
        {job.container !== undefined && <dt>{ours.container}</dt>}
        {job.container !== undefined && <dd>{job.container}</dd>}
        {job.container !== undefined && <dt>{ours.pickUp}</dt>}
        {job.container !== undefined && <dd>{job.pick_up_on === undefined ? ours.noWish : day(job.pick_up_on, lang)}</dd>}
        {weighing !== undefined && <dt>{ours.weighing}</dt>}
        {weighing !== undefined && (
          <dd>
            {ours.weighed(kilograms(weighing.gross_kg), kilograms(weighing.tare_kg), kilograms(weighing.net_kg), weighing.slip)}
            {weighing.implausible === true && <span class="tag">{ours.implausible}</span>}
          </dd>
        )}
        <dt>{ours.pay}</dt>
        <dd>
          <span class="sum">{money(job.pay.net_cents, lang)}</span> {words.value.offers.net}
          <small class="beneath">{words.value.offers.over_weight(money(job.pay.per_tonne_over_cents, lang))}</small>
        </dd>
        <dt>{ours.number}</dt>
        <dd>
          <code>{job.order_id}</code>
        </dd>
      </dl>
    </section>
  );
}

function History({ job }: { job: Job }) {
  const ours = words.value.job;
  return (
    <section class="panel" aria-labelledby="history-title">
      <h2 id="history-title">{ours.history}</h2>
      <ol class="timeline">
        {job.history.map((step, at) => {
          const trip = step.failed_trip;
          return (
            <li key={at} class={`entry entry-${trip === undefined && step.state !== "cancelled" ? "done" : "failed"}`}>
              <span class="entry-mark">
                <Icon name={trip === undefined && step.state !== "cancelled" ? "check" : "cross"} />
              </span>
              <div>
                <p class="entry-title">{trip === undefined ? (ours.states[step.state] ?? step.state) : ours.failedTrip}</p>
                {trip !== undefined && <p class="hint">{[ours.tripReasons[trip.reason] ?? trip.reason, trip.note].filter(Boolean).join(": ")}</p>}
                <p class="hint">
                  <time dateTime={step.at}>{moment(step.at, language.value)}</time>
                </p>
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
