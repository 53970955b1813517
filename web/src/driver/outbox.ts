// The outbox: what the driver has done and the platform does not know yet. Actions of a job are sent in the order in which they were taken, each
// under a key of its own, until the platform confirms them or refuses them for good. Nothing is deleted before that.

import { ApiError, UnreachableError } from "../http";
import type { Job } from "./api";
import type { Store } from "./db";

export type Step = "on-site" | "swapped" | "collected" | "weighed" | "failed-trip";

export interface Action {
  /** Grows: the order in which the actions were taken. */
  id: number;
  /** Idempotency-Key; the name of the file in the store. */
  key: string;
  /** Whose account took it. Nobody else's sends it. */
  userId: string;
  orderId: string;
  /** The address, to show. */
  where: string;
  what: Step | "photo" | "slip";
  /** Of a swap: the other job, whose container the truck took with it. */
  takes?: string;
  /** The body of a step; of a file its sha256 and size. From the first try on it does not change. */
  body: Record<string, unknown>;
  /** When it was taken by the clock of the device, RFC 3339. */
  at: string;
  /** Until then it can be undone, and is not sent; milliseconds since 1970. */
  heldUntil: number;
  /** It was sent at least once: whether it arrived may be unknown. */
  underWay: boolean;
  /** Tries that came before the step in front of it was known. */
  early: number;
  refused?: Refusal;
}

export interface Refusal {
  status: number;
  detail: string;
  trace: string;
  /** The platform has another record of this step: what comes after it can go on. */
  overtaken: boolean;
}

/** How long an action can be undone. */
export const holdMs = 8_000;

/** Tries of a step that comes too early, before it is refused. */
const mostEarly = 5;

const isStep = (action: Action): boolean => action.what !== "photo" && action.what !== "slip";

/** The next action to send; undefined when all others are held, refused, or behind one of these. A photo waits for no step. */
export function nextToSend(actions: Action[], userId: string, now: number): Action | undefined {
  const blocked = new Set<string>();
  for (const action of actions) {
    if (action.userId !== userId) continue;
    const held = action.heldUntil > now;
    if (action.refused !== undefined || held || (isStep(action) && blocked.has(action.orderId))) {
      if (isStep(action) && action.refused?.overtaken !== true) blocked.add(action.orderId);
      continue;
    }
    return action;
  }
  return undefined;
}

/** What waits to be sent, without the refused. */
export const waiting = (actions: Action[]): Action[] => actions.filter((action) => action.refused === undefined);

const states = ["matched", "on_site", "collected", "weighed", "invoiced", "paid"];

/** The state from which a step is possible and the one to which it leads. */
const moves: Record<string, { from: string; to: string }> = {
  "on-site": { from: "matched", to: "on_site" },
  swapped: { from: "matched", to: "on_site" },
  collected: { from: "on_site", to: "collected" },
  weighed: { from: "collected", to: "weighed" },
};

/** The job as it is once the actions that wait have arrived. */
export function applied(job: Job, actions: Action[]): Job {
  return actions.reduce((known, action) => {
    const move = moves[action.takes === job.order_id ? "collected" : action.what];
    if ((action.orderId !== job.order_id && action.takes !== job.order_id) || action.refused !== undefined || move?.from !== known.state) return known;
    const { plan: _, ...left } = known; // of the trip that has been made
    const container = action.orderId === job.order_id ? action.body["container"] : undefined;
    return { ...left, state: move.to, ...(typeof container === "string" ? { container } : {}) };
  }, job);
}

/** How the platform is asked; a test puts its own in place. */
export interface Line {
  send(action: Action, file: Blob | undefined): Promise<Job>;
  job(id: string): Promise<Job>;
  now(): number;
  /** Milliseconds that the platform's clock is ahead of the device's. */
  ahead(): number;
}

/** Why sending has stopped: nothing is left to send now, the session has ended, or nobody answers and it is to be tried later. */
export type Stopped = "done" | "signed-out" | "later";

/** Clocks that differ by less are not corrected: the platform tells its time to the second. */
const fineMs = 30_000;

/** Sends what can be sent. `sent` hears of each confirmed action and the job as the platform has it. */
export async function flush(store: Store, line: Line, userId: string, sent: (action: Action, job: Job) => Promise<void>): Promise<Stopped> {
  for (;;) {
    const found = nextToSend(await store.actions(), userId, line.now());
    if (found === undefined) return "done";
    // From here on it cannot be undone, and its content is fixed: a repetition is the same request.
    const action = await store.change(found.id, (known) => (known.underWay ? known : { ...known, underWay: true, body: timed(known, line.ahead()) }));
    if (action === undefined) continue; // undone in this moment
    try {
      const stored = isStep(action) ? undefined : await store.file(action.key);
      const job = await line.send(action, stored === undefined ? undefined : new Blob([stored.bytes], { type: stored.type }));
      await sent(action, job);
      await store.change(action.id, () => undefined);
    } catch (error) {
      const stopped = await failed(store, line, action, error, sent);
      if (stopped !== undefined) return stopped;
    }
  }
}

/** The body with the time of the step, by the platform's clock as far as it is known. */
function timed(action: Action, ahead: number): Action["body"] {
  if (!isStep(action)) return action.body;
  const at = Date.parse(action.at) + (Math.abs(ahead) > fineMs ? ahead : 0);
  return { ...action.body, at: new Date(at).toISOString() };
}

/** What a failed try means: stop for now, or (undefined) the action is refused, and the others go on. */
async function failed(store: Store, line: Line, action: Action, error: unknown, sent: (action: Action, job: Job) => Promise<void>): Promise<Stopped | undefined> {
  if (error instanceof UnreachableError) return "later";
  if (!(error instanceof ApiError)) throw error;
  const { status, detail, trace_id: trace } = error.problem;
  if (status === 401) return "signed-out";
  if (status >= 500 || status === 429 || status === 408) return "later";
  let overtaken = false;
  const move = moves[action.what];
  if (status === 409 && move !== undefined) {
    try {
      const job = await line.job(action.orderId);
      const behind = states.indexOf(job.state) < states.indexOf(move.from);
      overtaken = states.indexOf(job.state) >= states.indexOf(move.to);
      if (behind && action.early < mostEarly) {
        await store.change(action.id, (known) => ({ ...known, early: known.early + 1 }));
        return "later";
      }
      if (overtaken) await sent({ ...action, refused: { status, detail, trace, overtaken } }, job);
    } catch (cause) {
      if (cause instanceof UnreachableError) return "later";
    }
  }
  await store.change(action.id, (known) => ({ ...known, refused: { status, detail, trace, overtaken } }));
  return undefined;
}

/** Takes an action back while it is held; false when it is too late. */
export async function undo(store: Store, id: number): Promise<boolean> {
  const left = await store.change(id, (known) => (known.underWay ? known : undefined));
  return left === undefined;
}

/** Sends a refused action again. */
export async function again(store: Store, id: number): Promise<void> {
  await store.change(id, ({ refused: _, ...known }) => ({ ...known, early: 0 }));
}

/** Milliseconds until the next try after so many failed ones in a row: 2 s, 4 s, … 5 minutes, by chance up to a quarter less. */
export function pause(failures: number, chance = Math.random()): number {
  return Math.min(2_000 * 2 ** Math.max(0, failures - 1), 300_000) * (1 - chance / 4);
}

/** How many actions of a job wait. */
export const keepsWaiting = (actions: Action[], orderId: string): number => waiting(actions).filter((action) => action.orderId === orderId).length;
