// The whole order without a pointer: only Tab, Enter, Space and typing.

import type { Page } from "@playwright/test";
import { city, expect, newCustomer, postcode, test } from "./page";

/** Presses Tab until the focused element has this role-like selector; fails when the page has no such stop. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let stop = 0; stop < 60; stop += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
  }
  throw new Error(`Tab never reached ${selector}`);
}

test("an order by keyboard alone", async ({ page }) => {
  const customer = newCustomer();
  await page.goto("/");
  await expect(page.getByLabel(/Postleitzahl der Baustelle/)).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Zum Inhalt" })).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, "input[name='?postcode']");
  await page.keyboard.type(postcode);
  await page.keyboard.press("Enter");
  for (const step of ["abfall", "groesse", "datum"]) {
    await expect(page.locator(`#schritt-${step} h2`)).toBeFocused();
    await tabTo(page, `#schritt-${step} .card-link`);
    await page.keyboard.press("Enter");
  }
  await expect(page.locator("#schritt-adresse h2")).toBeFocused();
  for (const [name, value] of [
    ["/address/name", customer.name],
    ["/address/street", "Invalidenstraße 43"],
    ["/address/city", city],
  ]) {
    await tabTo(page, `input[name='${name}']`);
    await page.keyboard.type(value as string);
  }
  await tabTo(page, "#public-ground");
  await page.keyboard.press("Space");
  await tabTo(page, "input[name='/email']");
  await page.keyboard.type(customer.email);
  await tabTo(page, "input[name='/password']");
  await page.keyboard.type(customer.password);
  await tabTo(page, ".price-bar button");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});
