// What the journeys share: a page that fails on policy violations and script errors, axe, screenshots, a fresh customer.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Page, test as base } from "@playwright/test";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A postcode that the platform under test serves, and one that it does not. */
export const postcode = process.env["KREISLAUF_POSTCODE"] ?? "10115";
export const city = postcode.startsWith("1") ? "Berlin" : "Köln";
export const unknownPostcode = process.env["KREISLAUF_UNKNOWN_POSTCODE"] ?? "00000";

export const test = base.extend<{ clean: undefined }>({
  clean: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(`script error: ${error.message}`));
      page.on("console", (message) => {
        if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
      });
      await use(undefined);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/**
 * Every axe rule of WCAG 2.0 to 2.2 A and AA, and best practice, on a page at rest: a price that is being asked for anew is dimmed
 * meanwhile. Injected by the debugger, which the page's policy does not bind.
 */
export async function expectAccessible(page: Page): Promise<void> {
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  await page.evaluate(axeSource);
  const look = () => page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { axe } = window as unknown as { axe: { run(root: Document, options: object): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] }> } };
    const { violations } = await axe.run(document, { runOnly: tags });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html, failureSummary = "" }) => `${html} (${failureSummary.replaceAll(/\s+/g, " ")})`).join(" | ")}`);
  });
  // Once more for a moment: a browser that has just turned from light to dark may still show colours of before.
  await expect.poll(look, { timeout: 5_000 }).toEqual([]);
}

export async function shot(page: Page, name: string, fullPage = true): Promise<void> {
  await page.screenshot({ path: `test-results/${name}.png`, fullPage });
}

export interface Customer {
  name: string;
  email: string;
  password: string;
}

export function newCustomer(): Customer {
  const unique = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 7)}`;
  return { name: "Erika Muster", email: `erika.${unique}@example.org`, password: `Lange-Leitung-${unique}` };
}

/**
 * From the first page to the last step by touch: postcode, the first waste, its first size, the first day. Then the price of this choice is
 * there: what a test changes afterwards (a price, the network) cannot hit the quote of the choice any more.
 */
export async function chooseAll(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByLabel(/Postleitzahl der Baustelle/).fill(postcode);
  await page.getByRole("button", { name: "Weiter" }).click();
  await page.locator("#schritt-abfall .card-link").first().click();
  await page.locator("#schritt-groesse .card-link").first().click();
  await page.locator("#schritt-datum .card-link").first().click();
  await expect(page.getByRole("heading", { name: "Wohin liefern wir?" })).toBeFocused();
  await expect(orderButton(page)).toBeEnabled();
}

export async function fillAddress(page: Page, customer: Customer): Promise<void> {
  await page.getByLabel("Vor- und Nachname").fill(customer.name);
  await page.getByLabel("Straße und Hausnummer").fill("Invalidenstraße 43");
  await page.getByLabel("Ort", { exact: true }).fill(city);
}

export async function fillAccount(page: Page, customer: Customer): Promise<void> {
  await page.getByLabel("E-Mail").fill(customer.email);
  await page.getByLabel("Passwort").fill(customer.password);
}

export const orderButton = (page: Page) => page.getByRole("button", { name: "Zahlungspflichtig bestellen" });
