import { describe, expect, test } from "vitest";
import { ApiError, cookie, Intent, problemOf, randomId, UnreachableError } from "../src/http";

describe("problemOf", () => {
  test("reads a problem document", () => {
    const text = JSON.stringify({ type: "/problems/invalid", title: "T", status: 422, detail: "D", trace_id: "abc", errors: [{ pointer: "/x", detail: "y" }, { pointer: 3 }, null] });
    expect(problemOf(422, text)).toEqual({ type: "/problems/invalid", title: "T", status: 422, detail: "D", trace_id: "abc", errors: [{ pointer: "/x", detail: "y" }] });
  });
  test.each(["<html>502 Bad Gateway</html>", "", "null", "[]", '"text"', '{"errors":{}}'])("survives %j from a proxy", (text) => {
    expect(problemOf(502, text)).toEqual({ type: "/problems/unavailable", title: "", status: 502, detail: "", trace_id: "", errors: [] });
  });
});

test("cookie finds one value and nothing similar", () => {
  expect(cookie("a=1; kreislauf_csrf=x%2Fy; b=2", "kreislauf_csrf")).toBe("x/y");
  expect(cookie("not_kreislauf_csrf=1", "kreislauf_csrf")).toBeUndefined();
  expect(cookie("", "kreislauf_csrf")).toBeUndefined();
});

describe("Intent", () => {
  const keys = async (intent: Intent, ...runs: [unknown, Error | undefined][]) => {
    const seen: string[] = [];
    for (const [body, error] of runs) {
      await intent
        .run(body, async (key) => {
          seen.push(key);
          if (error !== undefined) throw error;
        })
        .catch((caught: unknown) => expect(caught).toBe(error));
    }
    return seen;
  };
  const answer = (status: number) => new ApiError(problemOf(status, "{}"));

  test.each<[string, Error]>([
    ["no answer", new UnreachableError("POST")],
    ["a broken service", answer(503)],
    ["the first try still running", answer(409)],
    ["an expired session", answer(401)],
  ])("keeps its key after %s", async (_name, error) => {
    const [first, second] = await keys(new Intent(), [{ a: 1 }, error], [{ a: 1 }, undefined]);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toBe(first);
  });

  test.each<[string, [unknown, Error | undefined][]]>([
    ["success", [[{ a: 1 }, undefined], [{ a: 1 }, undefined]]],
    ["a refusal", [[{ a: 1 }, answer(422)], [{ a: 1 }, undefined]]],
    ["another body", [[{ a: 1 }, answer(503)], [{ a: 2 }, undefined]]],
  ])("takes a new key after %s", async (_name, runs) => {
    const [first, second] = await keys(new Intent(), ...runs);
    expect(second).not.toBe(first);
  });
});

test("randomId has 128 bits in hex", () => {
  expect(randomId()).toMatch(/^[0-9a-f]{32}$/);
  expect(randomId()).not.toBe(randomId());
});
