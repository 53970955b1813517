// What goes wrong and what the customer sees then.

import { chooseAll, expect, expectAccessible, fillAccount, fillAddress, newCustomer, orderButton, shot, test, unknownPostcode } from "./page";

test("a malformed and an unknown postcode are told beside the field", async ({ page }) => {
  await page.goto("/");
  const field = page.getByLabel(/Postleitzahl der Baustelle/);
  await field.fill("123");
  await page.getByRole("button", { name: "Weiter" }).click();
  await expect(page.getByText("Bitte fünf Ziffern eingeben.")).toBeVisible();
  await expect(field).toBeFocused();
  await field.fill(unknownPostcode);
  await page.getByRole("button", { name: "Weiter" }).click();
  await expect(field).toHaveAccessibleDescription(/Diese Postleitzahl gibt es nicht/);
  await expect(page).not.toHaveURL(/plz=/);
  await expectAccessible(page);
  await shot(page, "error-postcode");
});

test("a link with an unknown postcode opens the first step with the reason", async ({ page }) => {
  await chooseAll(page);
  const link = new URL(page.url());
  link.searchParams.set("plz", unknownPostcode);
  await page.goto(link.href);
  await expect(page.getByLabel(/Postleitzahl der Baustelle/)).toHaveAccessibleDescription(/Diese Postleitzahl gibt es nicht/);
});

test("missing entries are told beside each field and the first one gets the focus", async ({ page }) => {
  await chooseAll(page);
  await orderButton(page).click();
  await expect(page.getByLabel("Vor- und Nachname")).toBeFocused();
  await expect(page.getByText("Bitte ausfüllen.")).toHaveCount(4); // the town is that of the postcode
  await expectAccessible(page);
  await shot(page, "error-missing");
});

test("a wrong password and a known address are explained", async ({ page, context }) => {
  const customer = newCustomer();
  await chooseAll(page);
  await fillAddress(page, customer);
  await page.getByRole("radio", { name: "Ich habe ein Konto" }).check();
  await fillAccount(page, customer);
  await orderButton(page).click();
  await expect(page.getByRole("alert")).toContainText("E-Mail oder Passwort stimmt nicht");
  await expect(page.getByRole("alert")).toContainText("Vorgangsnummer");
  await expectAccessible(page);
  await shot(page, "error-sign-in");

  await page.getByRole("radio", { name: "Neu hier" }).check();
  await fillAccount(page, customer);
  await orderButton(page).click();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
  await context.clearCookies();

  await chooseAll(page);
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  await orderButton(page).click();
  await expect(page.locator(".problem, .complaint").first()).toContainText("melden Sie sich an");
});

test("an expired session opens a dialog over the kept form, then the same order goes through", async ({ page, context }) => {
  const customer = newCustomer();
  await chooseAll(page);
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  await orderButton(page).click();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();

  await page.getByRole("link", { name: "Weiteren Container bestellen" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Container bestellen" })).toBeFocused();
  await chooseAll(page);
  await expect(page.getByText(`Angemeldet als ${customer.email}`)).toBeVisible();
  await fillAddress(page, customer);
  await context.clearCookies();
  const keys: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/order/v1/orders")) keys.push(request.headers()["idempotency-key"] ?? "");
  });
  await orderButton(page).click();
  const dialog = page.getByRole("dialog", { name: "Bitte melden Sie sich an" });
  await expect(dialog).toBeVisible();
  await expectAccessible(page);
  await shot(page, "expired", false);
  await dialog.getByLabel("Passwort").fill(customer.password);
  await dialog.getByRole("button", { name: "Anmelden und fortfahren" }).click();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
  expect(new Set(keys).size).toBe(1);
  expect(keys).toHaveLength(2);
});

test("without a connection a bar says so, the form stays, and the retry has the same key", async ({ page, context }) => {
  const customer = newCustomer();
  await chooseAll(page);
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  const keys: (string | undefined)[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/identity/v1/users")) keys.push(request.headers()["idempotency-key"]);
  });
  await context.setOffline(true);
  await orderButton(page).click();
  await expect(page.getByText(/Keine Verbindung seit/)).toBeVisible();
  await expect(page.getByRole("alert")).toContainText("nichts wird doppelt bestellt");
  await expect(page.getByLabel("Straße und Hausnummer")).toHaveValue("Invalidenstraße 43");
  await expectAccessible(page);
  await shot(page, "offline");
  await context.setOffline(false);
  await expect(page.getByText(/Keine Verbindung seit/)).toHaveCount(0);
  await orderButton(page).click();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
  expect(keys).toHaveLength(2);
  expect(keys[1]).toBe(keys[0]);
});

test("a quote that ran out is renewed, and another price needs another press", async ({ page }) => {
  let renewed = false;
  await page.route("**/api/pricing/v1/quotes?*", async (route) => {
    const response = await route.fetch();
    const quote = await response.json();
    if (renewed) quote.price.gross_cents += 1000;
    else quote.valid_until = "2020-01-01T00:00:00Z";
    await route.fulfill({ response, json: quote });
  });
  const customer = newCustomer();
  await chooseAll(page);
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  renewed = true;
  await orderButton(page).click();
  await expect(page.getByRole("alert")).toContainText("Der Preis hat sich geändert");
  await expectAccessible(page);
  await orderButton(page).click();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
});

test("an order whose answer was lost is repeated as it was, not placed twice", async ({ page }) => {
  const customer = newCustomer();
  await chooseAll(page);
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  let lost: { key: string | undefined; body: unknown; order: string } | undefined;
  let again: { key: string | undefined; body: unknown } | undefined;
  await page.route("**/api/order/v1/orders", async (route) => {
    const sent = { key: route.request().headers()["idempotency-key"], body: route.request().postDataJSON() };
    const response = await route.fetch();
    if (lost === undefined) {
      lost = { ...sent, order: (await response.json()).order_id };
      return route.abort("connectionreset");
    }
    again = sent;
    return route.fulfill({ response });
  });
  await orderButton(page).click();
  await expect(page.getByRole("alert")).toContainText("Keine Verbindung");
  await orderButton(page).click();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
  expect(again).toEqual({ key: lost?.key, body: lost?.body });
  await expect(page).toHaveURL(new RegExp(`/auftrag/${lost?.order}$`));
});

test("an order that nobody takes says so", async ({ page }) => {
  await page.route("**/api/order/v1/orders/*", async (route) => {
    const response = await route.fetch();
    const order = await response.json();
    const history = [order.history[0], { state: "unmatched", at: order.history[0].at }];
    await route.fulfill({ response, json: { ...order, state: "unmatched", history } });
  });
  const customer = newCustomer();
  await chooseAll(page);
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  await orderButton(page).click();
  await expect(page.getByRole("heading", { level: 1, name: "Noch kein Partner frei" })).toBeVisible();
  await expect(page.getByText("Kein Partner verfügbar")).toBeVisible();
  await expectAccessible(page);
  await shot(page, "unmatched");
});

test("an unknown order and an unknown page say what to do", async ({ page }) => {
  const customer = newCustomer();
  await chooseAll(page);
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  await orderButton(page).click();
  await expect(page.getByText("Bestellt", { exact: true })).toBeVisible();
  await page.goto("/auftrag/gibt-es-nicht");
  await expect(page.getByRole("alert")).toContainText("Nicht gefunden");
  await expectAccessible(page);
  await page.goto("/bestellen/nirgends");
  await expect(page.getByRole("heading", { level: 1, name: "Diese Seite gibt es nicht" })).toBeVisible();
  await expectAccessible(page);
});
