// The other people of an order by the API: what a test needs to bring it to its invoice, and that to its payment.

import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { type APIRequestContext, type APIResponse, expect, request } from "@playwright/test";

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set. Run the test by: go run ./test/smoke -then "…", which sets it.`);
  return value;
}

export class Staff {
  private constructor(private readonly api: APIRequestContext) {}

  /** A dispatcher of the partner that takes orders of Cologne at once. */
  static dispatcher = () => Staff.signUp("-partner", "p-koeln");

  static backOffice = () => Staff.signUp("-role", "back_office");

  /** Signs up with an invitation made by the binary of the platform under test. */
  private static async signUp(...who: string[]): Promise<Staff> {
    const invite = execFileSync(setting("KREISLAUF_BIN"), ["invite", "-data", setting("KREISLAUF_DATA"), ...who], { encoding: "utf8" }).trim();
    const api = await request.newContext({ baseURL: setting("KREISLAUF_URL") });
    const unique = randomUUID();
    await succeed(
      await api.post("/api/identity/v1/users", {
        headers: { "Idempotency-Key": unique },
        data: { email: `staff.${unique}@example.org`, password: `Lange-Leitung-${unique}`, name: "Greta Beispiel", invite },
      }),
    );
    return new Staff(api);
  }

  /** One step of a job: "on-site", "collected" or "weighed". */
  async step(orderID: string, step: string, data: object): Promise<void> {
    await succeed(await this.api.post(`/api/order/v1/jobs/${orderID}/${step}`, { headers: await this.csrf(), data }));
  }

  async sendDocument(orderID: string, kind: "photo" | "slip", type: string, content: Buffer): Promise<void> {
    const sha256 = createHash("sha256").update(content).digest("hex");
    const headers = { ...(await this.csrf()), "Content-Type": type };
    await succeed(await this.api.put(`/api/order/v1/jobs/${orderID}/documents/${sha256}?kind=${kind}`, { headers, data: content }));
  }

  /** A line of the bank statement of today that names an invoice. */
  async book(invoice: string, cents: number): Promise<void> {
    const booked_on = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(new Date());
    const data = { id: randomUUID(), booked_on, amount_cents: cents, remitter: "Erika Muster", reference: `Rechnung ${invoice}` };
    await succeed(await this.api.post("/api/payment/v1/statement-lines", { headers: await this.csrf(), data }));
  }

  dispose = () => this.api.dispose();

  private async csrf(): Promise<Record<string, string>> {
    const { cookies } = await this.api.storageState();
    return { "X-CSRF-Token": cookies.find(({ name }) => name === "kreislauf_csrf")?.value ?? "" };
  }
}

async function succeed(answer: APIResponse): Promise<void> {
  expect(answer.ok(), `${answer.status()} ${answer.url()} ${await answer.text()}`).toBe(true);
}
