import { afterAll, beforeAll, expect, test, vi } from "vitest";

const replaced: string[] = [];
beforeAll(() => {
  vi.stubGlobal("location", new URL("http://127.0.0.1/passwort/neu?lang=en#TOKEN"));
  vi.stubGlobal("history", { replaceState: (_state: unknown, _title: string, to: string) => replaced.push(to) });
});
afterAll(() => vi.unstubAllGlobals());

test("the secret of a link is read once and leaves the address", async () => {
  const { secret } = await import("../src/access/secret");
  expect(secret()).toBe("TOKEN");
  location.hash = "";
  expect(secret()).toBe("TOKEN");
  expect(replaced).toEqual(["/passwort/neu?lang=en"]);
});

test("an invitation says for whom it is; what is none says nothing", async () => {
  const { invitedEmail } = await import("../src/access/secret");
  const code = (content: unknown) => `i2.${btoa(JSON.stringify(content)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.c2ln`;
  expect(invitedEmail(code({ role: "customer", email: "new@bau.example" }))).toBe("new@bau.example");
  for (const other of ["", "i2", "i2.!.x", code(null), code({ email: 7 }), code({ role: "ops" })]) expect(invitedEmail(other)).toBe("");
});

test("a sign-in that has to wait says for how long", async () => {
  const { ApiError, problemOf } = await import("../src/http");
  const { signInWords } = await import("../src/ui/problem");
  const { startText } = await import("../src/text");
  await new Promise<void>((shown) => startText(shown));
  const words = (status: number, retryAfter: number) => signInWords(new ApiError(problemOf(status, ""), retryAfter));
  expect(words(401, 0)?.todo).toContain("password");
  expect(words(429, 30)?.todo).toContain("in a minute");
  expect(words(429, 61)?.todo).toContain("in 2 minutes");
  expect(words(429, 1)).toBeUndefined(); // the entry's limit: the general words fit
  expect(words(503, 1)).toBeUndefined();
});
