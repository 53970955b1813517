// The open jobs: what is to be done today, what comes, and what stands at a customer's.

import { getJobs, type Job } from "./api";
import { Empty, LoadProblem, wasteWords } from "./parts";
import { jobPath } from "./places";
import { usePolled } from "./poll";
import { dueOn, groupJobs, nextStep, today } from "./rules";
import { words } from "./text";
import { day } from "../format";
import { keepLanguage, language } from "../text";
import { Icon } from "../ui/icon";
import { Skeleton } from "../ui/skeleton";

export const stepIcon = { place: "skip", swap: "loop", collect: "truck", weigh: "scale" } as const;

export function JobsPage() {
  const ours = words.value.jobs;
  const jobs = usePolled(getJobs, 10_000);
  const now = today(new Date());
  const groups = groupJobs(jobs.value ?? [], now);
  return (
    <>
      <div class="hero">
        <h1 tabIndex={-1}>{ours.title}</h1>
        {jobs.value !== undefined && jobs.value.length > 0 && <p>{words.value.open(jobs.value.length)}</p>}
      </div>
      <div class="told">
        <LoadProblem polled={jobs} />
      </div>
      {jobs.value === undefined ? (
        jobs.error === undefined && <Skeleton rows={4} kind="card" />
      ) : jobs.value.length === 0 ? (
        <Empty title={ours.none}>
          <p class="hint">{ours.noneTodo}</p>
          <a class="button" href={keepLanguage("/partner")}>
            {ours.toOffers}
          </a>
        </Empty>
      ) : (
        (["today", "upcoming", "standing"] as const).map(
          (group) =>
            (group === "today" || groups[group].length > 0) && (
              <section key={group} class="group" aria-labelledby={`group-${group}`}>
                <h2 id={`group-${group}`}>
                  {ours[group]} {groups[group].length > 0 && <span class="tag">{groups[group].length}</span>}
                </h2>
                {groups[group].length === 0 && <p class="hint">{ours.noneToday}</p>}
                <ul class="jobs">
                  {groups[group].map((job) => (
                    <JobRow key={job.order_id} job={job} now={now} />
                  ))}
                </ul>
              </section>
            ),
        )
      )}
    </>
  );
}

function JobRow({ job, now }: { job: Job; now: string }) {
  const ours = words.value.jobs;
  const step = nextStep(job);
  const due = dueOn(job, now);
  const late = due !== undefined && due < now;
  return (
    <li class="card job-row">
      <span class={`job-step job-step-${step}`}>
        <Icon name={step === undefined ? "check" : stepIcon[step]} className="icon job-icon" />
        {step !== undefined && ours.next[step]}
      </span>
      <div>
        <p class="job-due">
          {step === "weigh" ? ours.now : due === undefined ? ours.noWish : day(due, language.value, "short")}
          {late && <span class="tag tag-late">{ours.overdue}</span>}
        </p>
        <h3>
          <a class="card-link" href={keepLanguage(jobPath(job.order_id))}>
            {job.address.street}, {job.postcode} {job.address.city}
          </a>
        </h3>
        <p class="hint">
          {job.address.name} · {wasteWords(job.waste_code, job.size_m3)}
          {job.container !== undefined && ` · ${ours.container(job.container)}`}
        </p>
      </div>
    </li>
  );
}
