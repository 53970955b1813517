// What the planning pages decide without asking anybody.

import { daysLater, dueOn } from "./rules";
import type { Job, NewPlan } from "./api";
import type { Certificate } from "./planning-api";

/** Whether a truck still has to come for it: what is collected is on its way to the scale. */
const comes = (job: Job): boolean => job.state === "matched" || job.state === "on_site";

/** The plan of the trip that comes next; a plan of a day that has passed counts no more. */
const planOf = (job: Job, today: string) => (comes(job) && job.plan !== undefined && job.plan.day >= today ? job.plan : undefined);

const position = (job: Job): number => job.plan?.position ?? 1_000;

export interface Day {
  /** Wanted on this day or before, and not planned. */
  open: Job[];
  /** Planned for this day, by driver or vehicle, each in driving order. "" is nobody's. */
  rows: Map<string, Job[]>;
  /** Containers to place by size in m³. */
  placing: Map<number, number>;
}

/** Sorts the jobs for the plan of a day. */
export function dayOf(jobs: Job[], date: string, today: string, by: "driver" | "vehicle"): Day {
  const day: Day = { open: [], rows: new Map(), placing: new Map() };
  for (const job of jobs.toSorted((a, b) => position(a) - position(b) || a.order_id.localeCompare(b.order_id))) {
    const plan = planOf(job, today);
    const due = dueOn(job, today);
    if (plan?.day === date) {
      const row = (by === "driver" ? job.driver_id : plan.vehicle) ?? "";
      day.rows.set(row, [...(day.rows.get(row) ?? []), job]);
      if (job.state === "matched") day.placing.set(job.size_m3, (day.placing.get(job.size_m3) ?? 0) + 1);
    } else if (plan === undefined && comes(job) && due !== undefined && due <= date) day.open.push(job);
  }
  return day;
}

/** The plans that put a job one place up (-1) or down (1) in its row: of all jobs whose position changes. */
export function moved(row: Job[], id: string, by: -1 | 1): { id: string; plan: NewPlan }[] {
  const at = row.findIndex((job) => job.order_id === id);
  const to = at + by;
  const next = [...row];
  const [taken] = next.splice(at, 1);
  if (at < 0 || to < 0 || to >= row.length || taken === undefined) return [];
  next.splice(to, 0, taken);
  return next.flatMap((job, place) => (job.plan === undefined || job.plan.position === place + 1 ? [] : [{ id: job.order_id, plan: planWith(job, { position: place + 1 }) }]));
}

/** The job's plan with some of it changed. */
export function planWith(job: Job, change: Partial<NewPlan>): NewPlan {
  const { day = "", window, vehicle, position: place } = job.plan ?? {};
  const plan: NewPlan = {
    day, ...(window === undefined ? {} : { window }), ...(vehicle === undefined ? {} : { vehicle }), ...(place === undefined ? {} : { position: place }),
    ...(job.driver_id === undefined ? {} : { driver_id: job.driver_id }), ...change,
  };
  return Object.fromEntries(Object.entries(plan).filter(([, value]) => value !== "" && value !== undefined)) as unknown as NewPlan;
}

export type Expiry = "fine" | "soon" | "urgent" | "over";

/** How near the end of a certificate is: two months, then one week ahead it is to be told. */
export function expiry({ valid_until }: Certificate, today: string): Expiry {
  if (valid_until === undefined) return "fine";
  if (valid_until < today) return "over";
  return valid_until <= daysLater(today, 7) ? "urgent" : valid_until <= daysLater(today, 60) ? "soon" : "fine";
}

/** Whole days until a date. */
export const daysUntil = (date: string, today: string): number => Math.round((Date.parse(date) - Date.parse(today)) / 86_400_000);

/** An id for a new driver that no other has: "d-4". */
export function newDriverId(known: { id: string }[]): string {
  const highest = known.map(({ id }) => Number(/^d-(\d+)$/.exec(id)?.[1] ?? 0)).reduce((a, b) => Math.max(a, b), 0);
  return `d-${highest + 1}`;
}
