// What customers keep between orders: a choice that comes back, sites with links for site managers, standing orders.

import { chooseAll, expect, expectAccessible, fillAccount, fillAddress, newCustomer, orderButton, postcode, shot, test } from "./page";

test("what was chosen comes back after the tab was closed, on this browser and from its cart, comes to another device by signing in, and goes when it is ordered", async ({ page, browser }) => {
  const kept = page.waitForResponse((answer) => answer.url().endsWith("/api/customer/v1/cart") && answer.request().method() === "PUT" && answer.request().postDataJSON().date !== "");
  await chooseAll(page);
  await kept;
  await page.goto("about:blank");
  await page.goto("/");
  await expect(page.getByText("Ihre letzte Auswahl ist wieder da")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Wohin liefern wir?" })).toBeVisible();

  await page.evaluate(() => localStorage.clear());
  await page.goto("about:blank");
  await page.goto("/bestellen");
  await expect(page.getByText("Ihre letzte Auswahl ist wieder da")).toBeVisible();
  await expectAccessible(page);
  await shot(page, "sites-resumed");

  const customer = newCustomer();
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  await orderButton(page).click();
  await expect(page).toHaveURL(/\/auftrag\/[^/]+$/);
  await page.waitForLoadState("networkidle"); // what was kept of the choice is taken away behind the order
  await page.goto("/bestellen");
  await expect(page.getByLabel(/Postleitzahl der Baustelle/)).toBeVisible();
  await expect(page.getByText("Ihre letzte Auswahl ist wieder da")).toHaveCount(0);

  const draft = page.waitForResponse((answer) => answer.url().includes("/api/customer/v1/drafts/") && answer.request().method() === "PUT" && answer.request().postDataJSON().size_m3 > 0);
  await page.getByLabel(/Postleitzahl der Baustelle/).fill(postcode);
  await page.getByRole("button", { name: "Weiter" }).click();
  for (const step of ["abfall", "groesse"]) await page.locator(`#schritt-${step} .card-link`).first().click();
  await draft;
  const tablet = await browser.newContext({ locale: "de-DE" });
  const other = await tablet.newPage();
  await other.goto("/bestellen");
  await expect(other.getByLabel(/Postleitzahl der Baustelle/)).toBeVisible();
  await other.getByRole("link", { name: "Anmelden" }).click();
  await fillAccount(other, customer);
  await other.getByRole("button", { name: "Anmelden" }).click();
  await expect(other.getByRole("heading", { level: 1, name: "Meine Aufträge" })).toBeVisible();
  await other.getByRole("link", { name: "kreislauf" }).click();
  await expect(other.getByText("Ihre letzte Auswahl ist wieder da")).toBeVisible();
  await other.getByRole("button", { name: "Neu beginnen" }).click();
  await expect(other.getByLabel(/Postleitzahl der Baustelle/)).toBeVisible();
  await tablet.close();
});

test("a customer makes a site, orders for it, lets a site manager in and out, and has a standing order", async ({ page, browser }) => {
  const customer = newCustomer();
  await chooseAll(page);
  await fillAddress(page, customer);
  await fillAccount(page, customer);
  await orderButton(page).click();
  await expect(page).toHaveURL(/\/auftrag\/[^/]+$/);

  await page.goto("/konto");
  await page.getByRole("link", { name: "Baustellen und Daueraufträge" }).click();
  await page.getByLabel("Name der Baustelle").fill("Neubau Hafenstraße");
  await page.getByLabel("Straße und Hausnummer").fill("Hafenstraße 1");
  await page.getByLabel("PLZ").fill(postcode);
  await page.getByLabel("Ort", { exact: true }).fill("Köln");
  await page.getByLabel("Hinweise für den Fahrer").fill("Tor 2\nCode 4711");
  await page.getByLabel("Telefon").fill("ruf an");
  await page.getByRole("button", { name: "Speichern" }).click();
  await expect(page.getByText("Bitte eine Telefonnummer angeben")).toBeVisible();
  await expect(page.getByLabel("Telefon")).toBeFocused();
  await expectAccessible(page);
  await page.getByLabel("Telefon").fill("0170 1234567");
  await page.getByRole("button", { name: "Speichern" }).click();
  await expect(page.getByRole("heading", { name: "Neubau Hafenstraße" })).toBeVisible();

  await page.getByText("Links für die Bauleitung").click();
  await page.getByLabel("Für wen?").fill("Polier Kranz");
  await page.getByRole("button", { name: "Link erstellen" }).click();
  const link = page.getByRole("link", { name: "Link für Polier Kranz" });
  await expect(link).toBeVisible();
  const address = new URL((await link.getAttribute("href")) ?? "");
  await page.getByText("Neuer Dauerauftrag").first().click();
  await page.getByLabel("Wie oft?").selectOption("monthly");
  await page.getByLabel("Tag im Monat").fill("15");
  await expectAccessible(page);
  await shot(page, "sites-list");
  await page.getByRole("button", { name: "Neuer Dauerauftrag" }).click();
  await expect(page.getByText(/Jeden Monat am 15\./)).toBeVisible();
  await page.getByRole("button", { name: "Pausieren" }).click();
  await expect(page.getByText("Pausiert")).toBeVisible();
  await page.getByText("Beenden", { exact: true }).click();
  await page.getByRole("button", { name: "Endgültig beenden" }).click();
  await expect(page.getByText("Beendet")).toBeVisible();

  await page.getByRole("link", { name: "Container bestellen" }).first().click();
  for (const step of ["abfall", "groesse", "datum"]) await page.locator(`#schritt-${step} .card-link`).first().click();
  await expect(page.getByLabel("Baustelle", { exact: true }).locator("option:checked")).toHaveText(/Neubau Hafenstraße/);
  await expect(page.getByLabel("Straße und Hausnummer")).toHaveValue("Hafenstraße 1");
  await page.getByLabel("Vor- und Nachname").fill(customer.name);
  await expectAccessible(page);
  await orderButton(page).click();
  await expect(page).toHaveURL(/\/auftrag\/[^/]+$/);

  await page.goto("/konto");
  await expect(page.locator(".rows .card-link")).toHaveCount(2);
  await page.getByLabel("Baustelle").selectOption({ label: "Neubau Hafenstraße" });
  await expect(page.locator(".rows .card-link")).toHaveCount(1);
  await expect(page.getByText("Neubau Hafenstraße, Hafenstraße 1")).toBeVisible();
  await expectAccessible(page);
  await shot(page, "sites-orders");

  const stranger = await browser.newContext();
  const manager = await stranger.newPage();
  await manager.goto(address.pathname + address.hash);
  await expect(manager.getByRole("heading", { level: 1, name: "Neubau Hafenstraße" })).toBeVisible();
  await expect(manager).toHaveURL(/\/baustelle$/); // the code is gone from the address bar
  await expect(manager.locator("article")).toHaveCount(1);
  await expect(manager.getByText("€")).toHaveCount(0);
  await expectAccessible(manager);
  await shot(manager, "sites-manager");

  await page.goto("/konto/baustellen");
  await page.getByText("Links für die Bauleitung").click();
  await page.getByRole("button", { name: /Widerrufen/ }).click();
  await expect(page.getByRole("link", { name: "Link für Polier Kranz" })).toHaveCount(0);
  await manager.goto(address.pathname + address.hash);
  await expect(manager.getByRole("heading", { level: 1, name: "Dieser Link gilt nicht mehr" })).toBeVisible();
  await expectAccessible(manager);
  await stranger.close();
});
