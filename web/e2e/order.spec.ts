// The customer's journey on a phone: quote, sign-up, order, and the way back.

import { chooseAll, expect, expectAccessible, fillAccount, fillAddress, newCustomer, orderButton, postcode, shot, test } from "./page";

test("a new customer sees a price, orders and sees the order", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1, name: "Container bestellen" })).toBeVisible();
  await expectAccessible(page);
  await shot(page, "1-postcode");

  await page.getByLabel(/Postleitzahl der Baustelle/).fill(postcode);
  await page.getByRole("button", { name: "Weiter" }).click();
  await expect(page.getByRole("heading", { name: "Was möchten Sie entsorgen?" })).toBeFocused();
  await expectAccessible(page);
  await shot(page, "2-waste");

  await page.locator("#schritt-abfall .card-link").first().click();
  await expect(page.getByRole("heading", { name: "Welche Größe brauchen Sie?" })).toBeFocused();
  await expectAccessible(page);
  await shot(page, "3-size");

  await page.locator("#schritt-groesse .card-link").first().click();
  const bar = page.getByRole("complementary", { name: "Preis" });
  await expect(bar).toContainText("€");
  await expect(bar).toContainText("inkl. MwSt.");
  await expect(bar).toContainText(/\d+ Tage inklusive/);
  await expectAccessible(page);
  await shot(page, "4-date", false);

  await page.locator("#schritt-datum .card-link").first().click();
  const customer = newCustomer();
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  await expectAccessible(page);
  await shot(page, "5-checkout");

  const attempt = page.waitForRequest("**/api/statistics/v1/events");
  const placing = page.waitForRequest("**/api/order/v1/orders");
  await orderButton(page).click();
  const event = (await attempt).postDataJSON();
  expect(event).toMatchObject({ type: "order-attempt", data: { postcode } });
  const sent = await placing;
  expect(sent.headers()["idempotency-key"]).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
  expect(sent.headers()["x-csrf-token"]).toBeTruthy();
  expect(sent.postDataJSON().visit_id).toBe(event.visit_id);

  await expect(page).toHaveURL(/\/auftrag\/[^/]+$/);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
  await expectAccessible(page);
  await shot(page, "6-ordered");

  await expect(page.getByText("Partner gefunden")).toBeVisible();
  await expectAccessible(page);
  await shot(page, "7-matched");

  await page.reload();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
});

test("every choice is in the address, Back takes it back, a link carries it", async ({ page }) => {
  await chooseAll(page);
  const full = page.url();
  expect(new URL(full).searchParams.get("plz")).toBe(postcode);
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Wann soll er kommen?" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Welche Größe brauchen Sie?" })).toBeVisible();
  await page.goto(full);
  await expect(page.getByRole("heading", { name: "Wohin liefern wir?" })).toBeVisible();
  await page.getByRole("link", { name: "Abfall: Ändern" }).click();
  await expect(page.getByRole("heading", { name: "Was möchten Sie entsorgen?" })).toBeFocused();
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Wohin liefern wir?" })).toBeVisible();
});

test("English is one link away and keeps the choices and what was typed", async ({ page }) => {
  await chooseAll(page);
  await fillAddress(page, newCustomer());
  await page.getByRole("link", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Order a container" })).toBeVisible();
  await expect(page.getByLabel("Street and number")).toHaveValue("Invalidenstraße 43");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expectAccessible(page);
  await shot(page, "8-english");
});
