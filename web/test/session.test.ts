import { expect, test } from "vitest";
import { ApiError } from "../src/http";
import { waiting, withSession } from "../src/session";

/** A request that meets an ended session once. */
function request(name: string): () => Promise<string> {
  let tries = 0;
  return async () => {
    tries += 1;
    if (tries === 1) throw new ApiError({ type: "/problems/unauthenticated", title: name, status: 401, detail: "", trace_id: "", errors: [] });
    return name;
  };
}

async function untilAsked(): Promise<NonNullable<typeof waiting.value>> {
  await new Promise((resolve) => setTimeout(resolve)); // both requests have failed by then
  const asked = waiting.value;
  if (asked === undefined) throw new Error("nobody is asked to sign in");
  waiting.value = undefined; // as the dialog does
  return asked;
}

test("one sign-in lets every request go on that met the ended session", async () => {
  const both = Promise.all([withSession(request("orders")), withSession(request("invoices"))]);
  (await untilAsked()).resume();
  expect(await both).toEqual(["orders", "invoices"]);
});

test("giving up ends every request that waits", async () => {
  const both = Promise.allSettled([withSession(request("orders")), withSession(request("invoices"))]);
  (await untilAsked()).giveUp();
  expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("another refusal is no question of the session", async () => {
  const refused = new ApiError({ type: "/problems/forbidden", title: "", status: 403, detail: "", trace_id: "", errors: [] });
  await expect(withSession(() => Promise.reject(refused))).rejects.toBe(refused);
  expect(waiting.value).toBeUndefined();
});
