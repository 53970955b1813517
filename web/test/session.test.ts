// Requests that find the session ended wait for one sign-in together.

import { beforeEach, expect, test, vi } from "vitest";
import { ApiError, problemOf } from "../src/http";
import { waiting, withSession } from "../src/session";

vi.hoisted(() => vi.stubGlobal("document", { cookie: "" }));

/** Fails once with 401, then answers. */
function endedOnce(answer: string): () => Promise<string> {
  let asked = 0;
  return () => (asked++ === 0 ? Promise.reject(new ApiError(problemOf(401, ""))) : Promise.resolve(answer));
}

beforeEach(() => {
  waiting.value = undefined;
});

test("one sign-in lets every waiting request go on", async () => {
  const both = Promise.all([withSession(endedOnce("a poll")), withSession(endedOnce("a step"))]);
  await vi.waitFor(() => expect(waiting.value).toBeDefined());
  await Promise.resolve();
  waiting.value?.resume();
  expect(await both).toEqual(["a poll", "a step"]);
});

test("giving up tells every waiting request", async () => {
  const both = Promise.allSettled([withSession(endedOnce("a poll")), withSession(endedOnce("a step"))]);
  await vi.waitFor(() => expect(waiting.value).toBeDefined());
  await Promise.resolve();
  waiting.value?.giveUp();
  expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("another error is nobody's session", async () => {
  await expect(withSession(() => Promise.reject(new ApiError(problemOf(409, ""))))).rejects.toMatchObject({ problem: { status: 409 } });
  expect(waiting.value).toBeUndefined();
});
