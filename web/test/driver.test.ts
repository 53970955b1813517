import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test } from "vitest";
import type { Job } from "../src/driver/api";
import { Store } from "../src/driver/db";
import { type Action, again, applied, flush, type Line, nextToSend, pause, undo } from "../src/driver/outbox";
import { ApiError, problemOf, UnreachableError } from "../src/http";

const job = (state: string): Job => ({
  order_id: "o-1", state, waste_code: "170904", size_m3: 7, date: "2026-12-01", postcode: "10115", address: { name: "A", street: "B 1", city: "C" }, public_ground: false,
});

const action = (what: Action["what"], more: Partial<Action> = {}): Omit<Action, "id"> => ({
  key: `key-${what}`, userId: "u-1", orderId: "o-1", where: "B 1, C", what, body: what === "on-site" ? { container: "K 17" } : {}, at: "2026-12-01T08:00:00.000Z", heldUntil: 0,
  underWay: false, early: 0, ...more,
});

const refusal = (status: number) => new ApiError(problemOf(status, JSON.stringify({ type: "/problems/x", title: "T", status, detail: "D", trace_id: "t" })));

/** A platform that counts each key once and may lose the answer: the content of a repetition must be the same. */
class Platform implements Line {
  taken = new Map<string, string>();
  tries: string[] = [];
  state = "matched";
  clock = 1_000;
  offset = 0;
  fails: (Error | undefined)[] = [];
  now = () => this.clock;
  ahead = () => this.offset;
  job = async () => job(this.state);
  async send({ key, what, body }: Action, file: Blob | undefined): Promise<Job> {
    this.tries.push(what);
    const content = JSON.stringify(body) + (file === undefined ? "" : await file.text());
    const fault = this.fails.shift();
    if (fault instanceof ApiError) throw fault;
    if (this.taken.get(key) !== undefined) expect(content).toBe(this.taken.get(key));
    this.taken.set(key, content);
    if (fault !== undefined) throw fault;
    return job(this.state);
  }
}

let store: Store;
let platform: Platform;
let databases = 0;
const open = () => Store.open(`driver-${databases}`);
const run = () => flush(store, platform, "u-1", async () => undefined);

beforeEach(async () => {
  databases += 1;
  store = await open();
  platform = new Platform();
});

describe("the outbox", () => {
  test("sends in the order in which it was taken, photos with their content, and is empty then", async () => {
    await store.add(action("photo", { body: { sha256: "ab", size: 5 } }), { type: "image/jpeg", bytes: new TextEncoder().encode("pixel").buffer as ArrayBuffer });
    for (const what of ["on-site", "collected", "weighed"] as const) await store.add(action(what));
    expect(await run()).toBe("done");
    expect(platform.tries).toEqual(["photo", "on-site", "collected", "weighed"]);
    expect(platform.taken.get("key-photo")).toContain("pixel");
    expect(await store.actions()).toEqual([]);
    expect(await store.file("key-photo")).toBeUndefined();
  });

  test("survives a lost answer and the end of the browser: the same request goes again, whatever the clock says then", async () => {
    await store.add(action("on-site"));
    platform.fails = [new UnreachableError("POST")];
    platform.offset = 3_600_000; // the phone is an hour behind
    expect(await run()).toBe("later");
    store.close();
    store = await open();
    platform.offset = 0;
    expect(await run()).toBe("done");
    expect(platform.tries).toEqual(["on-site", "on-site"]);
    expect([...platform.taken.values()]).toEqual(['{"container":"K 17","at":"2026-12-01T09:00:00.000Z"}']);
  });

  test.each([401, 503, 429])("keeps everything when the answer is %i", async (status) => {
    await store.add(action("on-site"));
    platform.fails = [refusal(status)];
    expect(await run()).toBe(status === 401 ? "signed-out" : "later");
    expect(await store.actions()).toHaveLength(1);
    expect(await run()).toBe("done");
    expect(await store.actions()).toEqual([]);
  });

  test("a refused step holds back the later ones of its job, and no photo and no other job", async () => {
    platform.fails = [refusal(422)];
    for (const what of ["on-site", "collected", "photo"] as const) await store.add(action(what));
    await store.add(action("collected", { orderId: "o-2", key: "key-other" }));
    expect(await run()).toBe("done");
    expect(platform.tries).toEqual(["on-site", "photo", "collected"]);
    expect((await store.actions()).map(({ what, refused }) => [what, refused?.status])).toEqual([["on-site", 422], ["collected", undefined]]);
    await store.add(action("on-site", { key: "key-better", body: { container: "K 18" } })); // takes the place of the refused one
    expect(await run()).toBe("done");
    expect(platform.tries.slice(3)).toEqual(["on-site", "collected"]);
    expect(await store.actions()).toEqual([]);
  });

  test("a step before its predecessor is tried again, and refused in the end", async () => {
    await store.add(action("collected"));
    platform.fails = Array.from({ length: 6 }, () => refusal(409));
    for (let tries = 0; tries < 5; tries += 1) expect(await run()).toBe("later");
    expect(await run()).toBe("done");
    const [refused] = await store.actions();
    expect(refused?.refused).toEqual({ status: 409, detail: "D", trace: "t", overtaken: false });
    await again(store, refused?.id ?? 0);
    platform.state = "on_site";
    expect(await run()).toBe("done");
    expect(await store.actions()).toEqual([]);
  });

  test("what somebody else has recorded is told, and the next step goes on", async () => {
    await store.add(action("on-site"));
    await store.add(action("collected"));
    platform.state = "on_site";
    platform.fails = [refusal(409)];
    expect(await run()).toBe("done");
    expect(platform.tries).toEqual(["on-site", "collected"]);
    expect((await store.actions()).map(({ what, refused }) => [what, refused?.overtaken])).toEqual([["on-site", true]]);
  });

  test("what is held can be undone, and nothing that was sent", async () => {
    await store.add(action("on-site", { heldUntil: 5_000 }));
    await store.add(action("collected"));
    expect(await run()).toBe("done");
    expect(platform.tries).toEqual([]);
    const [first, second] = await store.actions();
    expect(await undo(store, first?.id ?? 0)).toBe(true);
    platform.fails = [new UnreachableError("POST")];
    expect(await run()).toBe("later");
    expect(await undo(store, second?.id ?? 0)).toBe(false);
    expect(await store.actions()).toHaveLength(1);
  });

  test("another account's actions stay", async () => {
    await store.add(action("on-site", { userId: "u-2" }));
    expect(await run()).toBe("done");
    expect(platform.tries).toEqual([]);
    expect(nextToSend(await store.actions(), "u-2", 0)?.what).toBe("on-site");
  });
});

test("applied shows the job as it will be, without what was refused", () => {
  const numbered = (list: Omit<Action, "id">[]) => list.map((each, id) => ({ ...each, id }));
  const refused = { status: 422, detail: "", trace: "", overtaken: false };
  expect(applied(job("matched"), numbered([action("photo"), action("on-site"), action("collected")]))).toMatchObject({ state: "collected", container: "K 17" });
  expect(applied(job("matched"), numbered([action("on-site", { refused }), action("collected")]))).toEqual(job("matched"));
  expect(applied(job("weighed"), numbered([action("on-site")]))).toEqual(job("weighed"));
});

test("a swap brings one container and takes the other along", () => {
  const actions = [{ ...action("swapped", { takes: "o-old", body: { container: "K 18" } }), id: 1 }];
  const fresh: Job = { ...job("matched"), swap: { order_id: "o-old", container: "K 17" }, plan: { trip: "swap", day: "2026-12-01" } };
  const shown = applied(fresh, actions);
  expect(shown).toMatchObject({ state: "on_site", container: "K 18" });
  expect(shown.plan).toBeUndefined();
  expect(applied({ ...job("on_site"), order_id: "o-old", container: "K 17" }, actions)).toMatchObject({ state: "collected", container: "K 17" });
});

test("pauses grow up to five minutes", () => {
  expect([1, 2, 3, 20].map((failures) => pause(failures, 0))).toEqual([2_000, 4_000, 8_000, 300_000]);
  expect(pause(1, 1)).toBe(1_500);
});
