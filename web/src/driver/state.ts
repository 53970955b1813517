// What the driver's app knows, as signals over the store, and when it talks to the platform: at the start, when the network or the driver comes
// back, after each action, and again with growing pauses while nobody answers. It works without any of that.

import { computed, signal } from "@preact/signals";
import { ApiError, UnreachableError } from "../http";
import { sha256, today } from "../partner/rules";
import { clockAhead, type Driver, getCatalog, getDriver, getJob, getJobs, hangUp, type Job, randomId, send, signOut } from "./api";
import { Store, type StoredFile } from "./db";
import { type Action, again, applied, flush, holdMs, nextToSend, pause, type Step, undo, waiting } from "./outbox";
import { shrink } from "./photo";

/** The store; undefined until it is open. */
let store: Store | undefined;

export const ready = signal(false);
/** This browser keeps nothing, so the app cannot promise anything. */
export const storeless = signal(false);
export const driver = signal<Driver | undefined>(undefined);
/** The session has ended; everything is kept until the driver signs in again. */
export const signedOut = signal(false);
export const offline = signal(false);
export const sending = signal(false);
export const actions = signal<Action[]>([]);
export const lastSent = signal<string | undefined>(undefined);
/** The jobs as the platform told them last, and when. */
export const known = signal<{ jobs: Job[]; at: string } | undefined>(undefined);
export const wasteNames = signal<Record<string, { de: string; en: string }>>({});

/** The driver's own actions. */
export const mine = computed(() => actions.value.filter((action) => action.userId === driver.value?.user_id));

/** The jobs as they are once everything has arrived. */
export const jobs = computed<Job[]>(() => (known.value?.jobs ?? []).map((job) => applied(job, mine.value)));

/** The time, every second. */
export const now = signal(Date.now());

/** Since when the oldest action waits, if that is long enough to worry: two hours. */
export const waitsLong = computed(() => {
  const oldest = waiting(mine.value)[0]?.at;
  return oldest !== undefined && now.value - Date.parse(oldest) > 7_200_000 ? oldest : undefined;
});

/** The last thing that can still be undone. */
export const undoable = computed(() => mine.value.findLast((action) => action.heldUntil > now.value && !action.underWay && action.refused === undefined));

export async function start(): Promise<void> {
  try {
    store = await Store.open();
  } catch {
    storeless.value = true;
    return;
  }
  driver.value = await store.kept<Driver>("driver");
  known.value = await store.kept("jobs");
  lastSent.value = await store.kept("last-sent");
  wasteNames.value = (await store.kept("wastes")) ?? {};
  await reload();
  ready.value = true;
  addEventListener("online", () => {
    hangUp();
    void sync();
  });
  addEventListener("offline", () => (offline.value = true));
  addEventListener("visibilitychange", () => document.visibilityState === "visible" && void reload().then(() => sync()));
  setInterval(() => (now.value = Date.now()), 1_000);
  setInterval(() => document.visibilityState === "visible" && void refresh(), 60_000);
  await sync();
}

const open = (): Store => {
  if (store === undefined) throw new Error("the store is not open");
  return store;
};

async function reload(): Promise<void> {
  actions.value = await open().actions();
}

async function setJobs(next: Job[], at = known.peek()?.at ?? new Date().toISOString()): Promise<void> {
  known.value = { jobs: next, at };
  await open().keep("jobs", known.value);
}

/** Sends what waits, then asks for the jobs. With `all` also what could still be undone: the driver wants it sent. */
export async function sync(all = false): Promise<void> {
  failures = 0;
  await flushNow(all);
  await refresh();
}

/** Asks who is signed in and for the jobs. Without an answer everything stays as it is. */
export async function refresh(): Promise<void> {
  try {
    const who = await getDriver();
    await enter(who);
    if (who.role !== "driver") return;
    const fresh = await getJobs();
    // A job that is done is in no list any more; it stays in sight for the day, and as long as something of it waits.
    const sameDay = known.peek()?.at !== undefined && today(new Date(known.peek()?.at ?? 0)) === today(new Date());
    const stays = (job: Job) => mine.value.some((action) => action.orderId === job.order_id) || (sameDay && ["weighed", "invoiced", "paid"].includes(job.state));
    const left = (known.peek()?.jobs ?? []).filter((job) => stays(job) && !fresh.some((each) => each.order_id === job.order_id));
    await setJobs([...fresh, ...left], new Date().toISOString());
    offline.value = false;
    if (Object.keys(wasteNames.peek()).length === 0) {
      const { wastes } = await getCatalog();
      wasteNames.value = Object.fromEntries(wastes.map(({ code, name_de: de, name_en: en }) => [code, { de, en }]));
      await open().keep("wastes", wasteNames.value);
    }
  } catch (error) {
    if (error instanceof UnreachableError) offline.value = true;
    else if (!(error instanceof ApiError)) throw error;
    else if (error.problem.status === 401) signedOut.value = true;
  }
}

/** Somebody is signed in. The jobs of another driver go; what that one has not sent stays, and waits for that account. */
export async function enter(who: Driver): Promise<void> {
  if (driver.peek()?.user_id !== who.user_id) {
    known.value = undefined;
    await open().keep("jobs", undefined);
  }
  driver.value = who;
  signedOut.value = false;
  await open().keep("driver", who);
}

/** Signs out. What is not sent stays for the next time. */
export async function leave(): Promise<void> {
  try {
    await signOut();
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status !== 401) throw error;
  }
  driver.value = known.value = undefined;
  signedOut.value = false;
  await open().keep("driver", undefined);
  await open().keep("jobs", undefined);
}

let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Sends what can be sent, in one tab at a time, and plans the next try. */
async function flushNow(all = false): Promise<void> {
  clearTimeout(timer);
  const who = driver.peek();
  if (who === undefined || nextToSend(actions.peek(), who.user_id, Infinity) === undefined) return;
  const run = async () => {
    sending.value = true;
    try {
      const line = { send, job: getJob, now: all ? () => Infinity : Date.now, ahead: clockAhead };
      const stopped = await flush(open(), line, who.user_id, async (action, job) => {
        await setJobs((known.peek()?.jobs ?? []).map((each) => (each.order_id === job.order_id ? job : each)));
        if (action.refused !== undefined) return;
        lastSent.value = new Date().toISOString();
        await open().keep("last-sent", lastSent.value);
        failures = 0;
        await reload();
      });
      signedOut.value = stopped === "signed-out";
      offline.value = stopped === "later";
      failures = stopped === "later" ? failures + 1 : 0;
    } finally {
      sending.value = false;
    }
  };
  let elsewhere = false; // another tab is sending
  await ("locks" in navigator ? navigator.locks.request("kreislauf-outbox", { ifAvailable: true }, (lock) => ((elsewhere = lock === null) ? undefined : run())) : run());
  await reload();
  const next = nextToSend(actions.peek(), who.user_id, Infinity);
  if (next === undefined || signedOut.peek()) return;
  clearTimeout(timer);
  timer = setTimeout(() => void flushNow(), failures > 0 ? pause(failures) : Math.max(elsewhere ? 2_000 : 250, next.heldUntil - Date.now() + 50));
}

function action(job: Job, what: Action["what"], body: Record<string, unknown>): Omit<Action, "id"> {
  const at = new Date();
  return {
    key: randomId(), userId: driver.peek()?.user_id ?? "", orderId: job.order_id, where: `${job.address.street}, ${job.address.city}`, what, body,
    ...(what === "swapped" && job.swap !== undefined ? { takes: job.swap.order_id } : {}), at: at.toISOString(), heldUntil: at.getTime() + holdMs, underWay: false, early: 0,
  };
}

/** Written: only now may the page say so. */
async function written(): Promise<void> {
  now.value = Date.now();
  await reload();
  void navigator.storage?.persist?.().catch(() => false);
  clearTimeout(timer);
  timer = setTimeout(() => void flushNow(), holdMs + 50);
}

/** The device could not write what the driver did last: its memory may be full. */
export const unsaved = signal(false);

async function add(taken: Omit<Action, "id">, file?: StoredFile): Promise<void> {
  try {
    await open().add(taken, file);
    unsaved.value = false;
  } catch (error) {
    unsaved.value = true;
    throw error;
  }
  await written();
}

export const takeStep = (job: Job, step: Step, body: Record<string, unknown>): Promise<void> => add(action(job, step, body));

export async function takePhoto(job: Job, kind: "photo" | "slip", file: Blob): Promise<void> {
  const taken = action(job, kind, {}); // bound to the job at once, whatever is shown when it is ready
  const small = await shrink(file);
  taken.body = { sha256: await sha256(small), size: small.size };
  await add({ ...taken, heldUntil: Date.now() + holdMs }, { type: small.type, bytes: await small.arrayBuffer() });
}

/** Takes an action back; false when it was on its way already. */
export async function takeBack(id: number): Promise<boolean> {
  const undone = await undo(open(), id);
  await reload();
  return undone;
}

export async function retry(id: number): Promise<void> {
  await again(open(), id);
  await reload();
  await sync();
}

/** Gives a refused action up. */
export async function discard(id: number): Promise<void> {
  await open().change(id, (action) => (action.refused === undefined ? action : undefined));
  await reload();
  await sync();
}

export const storedFile = (key: string) => open().file(key);

/** The day of the next step; "" at once, undefined while nobody wants the container fetched. */
export function due(job: Job): string | undefined {
  if (job.state === "collected") return "";
  if (job.plan !== undefined && (job.state === "matched" || job.state === "on_site")) return job.plan.day;
  return job.state === "matched" ? job.date : job.state === "on_site" ? job.pick_up_on : undefined;
}

const day = computed(() => today(new Date(now.value)));

/** The jobs of today and those that come, each in driving order. */
export const trips = computed(() => {
  const on = day.value;
  const order = (job: Job) => job.plan?.position ?? 1_000;
  const sorted = jobs.value.toSorted((a, b) => (due(a) ?? "~").localeCompare(due(b) ?? "~") || order(a) - order(b));
  const isDone = (job: Job) => due(job) === undefined && job.state !== "on_site";
  const todays = sorted.filter((job) => (due(job) ?? "~") <= on);
  return {
    today: [...todays.filter((job) => job.state === "collected"), ...todays.filter((job) => job.state !== "collected").toSorted((a, b) => order(a) - order(b))],
    later: sorted.filter((job) => !todays.includes(job) && !isDone(job)),
    done: sorted.filter(isDone),
  };
});
