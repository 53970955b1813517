// The back office: an invitation, the lists of work, an order found by its container number, another one offered to a partner by hand with a
// reason and its effect shown before, somebody else quicker, a service away. The platform under test must have a partner in Berlin that accepts
// by hand and one in Cologne that accepts at once, and KREISLAUF_BIN and KREISLAUF_DATA, which sign the invitation (test/smoke -then).

import { execFileSync } from "node:child_process";
import { type APIRequestContext, type Page, request } from "@playwright/test";
import { expect, expectAccessible, newCustomer, shot, test } from "./page";
import { Staff } from "./staff";

const { KREISLAUF_BIN: bin, KREISLAUF_DATA: data, KREISLAUF_URL: baseURL } = process.env;
const waste = "170904";
const size = 7;

test.describe.configure({ mode: "serial", timeout: 600_000 });
test.skip(bin === undefined || data === undefined, "KREISLAUF_BIN and KREISLAUF_DATA are not set: nobody can be invited");

const someone = newCustomer();
const colleague = { ...someone, name: "Berta Büro", email: someone.email.replace("erika", "buero") };
const unique = Date.now().toString(36).slice(-6).toUpperCase();
const container = `EK ${unique}-7`;

const invite = () => execFileSync(bin ?? "", ["invite", "-data", data ?? "", "-role", "back_office"], { encoding: "utf8" }).trim();

async function post(api: APIRequestContext, path: string, body: object): Promise<Record<string, unknown>> {
  const { cookies } = await api.storageState();
  const token = cookies.find(({ name }) => name === "kreislauf_csrf")?.value ?? "";
  const headers = { "X-CSRF-Token": decodeURIComponent(token), "Idempotency-Key": `e2e-${Date.now()}-${Math.random()}`.replace(".", "-") };
  let answer = await api.post(path, { data: body, headers });
  while (answer.status() === 503) answer = await api.post(path, { data: body, headers });
  expect(answer.ok(), `${path}: ${await answer.text()}`).toBe(true);
  return answer.json();
}

/** A customer with one order. */
async function order(postcode: string, name: string, street: string, city: string): Promise<string> {
  const api = await request.newContext(baseURL === undefined ? {} : { baseURL });
  const customer = newCustomer();
  await post(api, "/api/identity/v1/users", { ...customer, name });
  const { earliest_date: date } = await (await api.get(`/api/pricing/v1/catalog?postcode=${postcode}`)).json();
  const { quote } = await (await api.get(`/api/pricing/v1/quotes?postcode=${postcode}&waste=${waste}&size=${size}&date=${date}`)).json();
  const placed = await post(api, "/api/order/v1/orders", { quote, address: { name, street, city }, public_ground: false });
  await api.dispose();
  return String(placed["order_id"]);
}

async function signIn(page: Page): Promise<void> {
  await page.goto("/office");
  await page.getByLabel("E-Mail").fill(colleague.email);
  await page.getByLabel("Passwort").fill(colleague.password);
  await page.getByRole("button", { name: "Anmelden" }).last().click();
  await expect(page.getByRole("heading", { level: 1, name: "Arbeitslisten" })).toBeVisible();
}

const search = async (page: Page, text: string) => {
  await page.getByRole("searchbox", { name: "Suchen" }).fill(text);
  await page.getByRole("button", { name: "Suchen" }).click();
  await expect(page.getByRole("heading", { level: 1, name: `Suche nach „${text}“` })).toBeVisible();
};

/** Light and dark, phone and desktop, of what the page shows. */
async function looks(page: Page, name: string): Promise<void> {
  for (const [device, width, height] of [["phone", 390, 844], ["desktop", 1360, 900]] as const) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await shot(page, `office-${name}-${device}-${colorScheme}`);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), `${name} runs out on a ${device}`).toBe(0);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

test("a customer sees nothing of it; an invitation opens it", async ({ page }) => {
  await post(page.request, "/api/identity/v1/users", newCustomer());
  await page.goto("/office");
  await expect(page.getByRole("heading", { level: 1, name: "Dieses Konto gehört nicht zum Kundendienst" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Konto wechseln" }).click();
  await page.getByRole("radio", { name: "Einladung einlösen" }).check();
  await page.getByLabel("Einladungscode").fill(invite());
  await page.getByLabel("Vor- und Nachname").fill(colleague.name);
  await page.getByLabel("E-Mail").fill(colleague.email);
  await page.getByLabel("Passwort").fill(colleague.password);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Zugang anlegen" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Arbeitslisten" })).toBeVisible();
  await expect(page.locator(".tile")).toHaveCount(10);
  await expect(page.getByText("Wird geladen")).toHaveCount(0);
  await expectAccessible(page);
  await looks(page, "work");
});

test("an order is found by its container number, with all that is known of it", async ({ page }) => {
  const id = await order("50667", `Karl ${unique}`, "Domkloster 4", "Köln");
  const dispatcher = await Staff.dispatcher();
  await expect(async () => dispatcher.step(id, "on-site", { container })).toPass({ timeout: 120_000 });
  await signIn(page);
  await search(page, `ek${unique.toLowerCase()}`);
  await expect(page.getByRole("link", { name: new RegExp(`Karl ${unique}`) })).toBeVisible();
  await expectAccessible(page);
  await looks(page, "search");
  await page.getByRole("link", { name: new RegExp(`Karl ${unique}`) }).click();
  await expect(page.getByRole("heading", { level: 1, name: `Karl ${unique}` })).toBeFocused();
  await expect(page.locator(".facts")).toContainText(container);
  await expect(page.getByText("Zugesagte Vergütung")).toBeVisible();
  await expect(page.locator(".margin")).toContainText("€");
  await expect(page.getByRole("heading", { name: "Angebote an Partner" })).toBeVisible();
  await expect(page.locator(".mails li").first()).toBeVisible();
  await expect(page.locator(".events")).toContainText("steht vor Ort");
  await expect(page.locator(".trace code")).toHaveText(/^[0-9a-f]{32}$/);
  await expectAccessible(page);
  await looks(page, "order");

  // Who has looked is in the trail.
  await page.reload();
  await expect(page.locator(".events")).toContainText("Auftrag angesehen");
  await dispatcher.dispose();
});

test("an order is offered to another partner by hand, after its effect was shown; whoever is late changes nothing", async ({ page }) => {
  const id = await order("12435", `Paula ${unique}`, "Puschkinallee 9", "Berlin");
  await signIn(page);
  await search(page, "12435 puschkinallee 9");
  await page.getByRole("link", { name: new RegExp(`Paula ${unique}`) }).click();
  await expect(page.locator(".candidates")).toContainText("gefragt");
  await page.getByRole("button", { name: "Neu vergeben" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Neu vergeben" }).click();
  await expect(dialog.getByText("Bitte einen Partner wählen.")).toBeVisible();
  await expect(dialog.getByText("Bitte in 5 bis 500 Zeichen begründen.")).toBeVisible();
  await dialog.locator("input[value=p-koeln]").check();
  await expect(dialog.locator(".effects")).toContainText("Marge:");
  await expect(dialog.locator(".effects")).toContainText("Nimmt sofort an");
  await dialog.getByLabel("Begründung").fill("Partner hat angerufen und abgesagt");
  await expectAccessible(page);
  await looks(page, "reassign");

  // Somebody else has changed the match since the page was read: nothing is overwritten, and the new state comes by itself.
  let staled = false;
  await page.route("**/reassign", async (route) => {
    const headers = { ...route.request().headers(), ...(staled ? {} : { "if-match": '"1000"' }) };
    staled = true;
    await route.continue({ headers });
  });
  await dialog.getByRole("button", { name: "Neu vergeben" }).click();
  await expect(dialog.getByText("Inzwischen geändert")).toBeVisible();
  await expect(dialog.getByLabel("Begründung")).toHaveValue("Partner hat angerufen und abgesagt");
  await shot(page, "office-stale");
  await dialog.getByRole("button", { name: "Neu vergeben" }).click();
  await expect(page.getByText("Das Angebot ist beim neuen Partner.")).toBeVisible();
  await expect(page.locator(".candidates")).toContainText("angenommen");
  await expect(page.locator(".candidates")).toContainText("anders vergeben");
  await expect(async () => {
    await page.reload();
    await expect(page.locator(".events")).toContainText("Partner hat angerufen und abgesagt", { timeout: 5_000 });
    await expect(page.locator(".hero .state")).toHaveText("zugesagt", { timeout: 5_000 });
  }).toPass({ timeout: 120_000 });

  // It is cancelled in the end.
  await page.getByRole("button", { name: "Auftrag stornieren" }).click();
  await expect(dialog.locator(".effects")).toContainText("p-koeln verliert den Auftrag");
  await dialog.getByLabel("Begründung").fill("Kunde braucht keinen Container mehr");
  await dialog.getByRole("button", { name: "Auftrag stornieren" }).click();
  await expect(page.getByText("Der Auftrag ist storniert.")).toBeVisible();
  await expect(page.locator(".hero .state")).toHaveText("storniert");
  expect(id).toMatch(/^o-/);
});

test("a service that is away is told, never shown as nothing", async ({ page }) => {
  await page.route("**/api/payment/**", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"type":"/problems/unavailable","title":"x","status":503,"detail":"x","trace_id":""}' }));
  await signIn(page);
  const tile = page.locator(".tile", { hasText: "Rechnungen überfällig" });
  await expect(tile).toContainText("?");
  await expect(tile).toContainText("antwortet nicht");
  await search(page, unique);
  await expect(page.getByText("Die Abrechnung antwortet nicht")).toBeVisible();
  await expect(page.getByRole("link", { name: new RegExp(`Karl ${unique}`) }).first()).toBeVisible();
  await expectAccessible(page);
  await looks(page, "away");
});

test("a partner's certificates and rates are changed with a reason, and a receipt is assigned", async ({ page }) => {
  await signIn(page);
  await page.getByRole("link", { name: "Partner", exact: true }).click();
  await page.getByRole("link", { name: /p-berlin/ }).click();
  await expect(page.getByLabel("Je Fahrt, €")).toHaveValue(/,\d\d$/);
  await expectAccessible(page);
  await looks(page, "partner");
  await page.getByLabel("Je Fahrt, €").fill("viel");
  await page.getByRole("button", { name: "Speichern" }).click();
  await expect(page.getByText("Bitte einen Betrag wie 42,50 eingeben.")).toBeVisible();
  await page.getByLabel("Je Fahrt, €").fill("78,00");
  await page.getByLabel("Umkreis in km").fill("123");
  await page.getByLabel("Begründung").fill("Neuer Vertrag seit heute");
  await page.getByRole("button", { name: "Speichern" }).click();
  await expect(page.getByText("Gespeichert.")).toBeVisible();
  await expect(page.getByLabel("Umkreis in km")).toHaveValue("123");

  await page.getByRole("link", { name: "Bank" }).click();
  const file = (text: string) => ({ name: "auszug.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.getByLabel("CSV-Datei").setInputFiles(file("id;booked_on;amount;remitter;reference\nb 1;gestern;x;;\n"));
  await expect(page.getByText("Zeile 2: ID aus Buchstaben")).toBeVisible();
  await page.getByLabel("CSV-Datei").setInputFiles(file(`id;booked_on;amount;remitter;reference\ne2e-${unique};2026-11-02;12,50;Rolf Rätsel;ohne Nummer\n`));
  await page.getByRole("button", { name: "Einlesen" }).click();
  await expect(page.getByText("1 Zeile eingelesen, 0 davon")).toBeVisible();
  const receipt = page.locator(".receipts li", { hasText: "Rolf Rätsel" }).first();
  await receipt.getByLabel("Rechnungsnummer").fill("R-2026-999999");
  await receipt.getByRole("button", { name: "Zuordnen" }).click();
  await expect(receipt.getByText("Diese Rechnung gibt es nicht.")).toBeVisible();
  await expectAccessible(page);
  await looks(page, "bank");

  // The receipt is work, with its age.
  await page.getByRole("link", { name: "Arbeitslisten" }).click();
  const tile = page.locator(".tile", { hasText: "Zahlungen ohne Rechnung" });
  await expect(tile).toContainText(/seit (weniger als )?\d+ Minute/);
  await tile.getByRole("link").click();
  await expect(page.locator(".work .row", { hasText: "Rolf Rätsel" }).first()).toContainText("12,50");
  await expectAccessible(page);
  await looks(page, "list");
});
