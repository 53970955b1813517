// The partner's dispatcher on a phone: invitation, offers, a job from accepting to the weighing slip, the credit note. The platform under
// test must have a partner in Berlin that accepts by hand, and KREISLAUF_BIN and KREISLAUF_DATA, which sign the invitation (test/smoke -then).

import { execFileSync } from "node:child_process";
import { type APIRequestContext, type Locator, type Page, request } from "@playwright/test";
import { expect, expectAccessible, newCustomer, shot, test } from "./page";

const { KREISLAUF_BIN: bin, KREISLAUF_DATA: data, KREISLAUF_URL: baseURL } = process.env;
const postcode = "12435";
const waste = "170904";
const size = 7;

test.describe.configure({ mode: "serial" });
test.skip(bin === undefined || data === undefined, "KREISLAUF_BIN and KREISLAUF_DATA are not set: nobody can be invited");

const invite = () => execFileSync(bin ?? "", ["invite", "-data", data ?? "", "-partner", "p-berlin"], { encoding: "utf8" }).trim();

const someone = newCustomer();
const dispatcher = { ...someone, name: "Dora Dispo", email: someone.email.replace("erika", "dispo") };

/** Sends as the web page does: with the CSRF token of the session and a key of its own. */
async function post(api: APIRequestContext, path: string, body: object): Promise<Record<string, unknown>> {
  const { cookies } = await api.storageState();
  const token = cookies.find(({ name }) => name === "kreislauf_csrf")?.value ?? "";
  const headers = { "X-CSRF-Token": decodeURIComponent(token), "Idempotency-Key": `e2e-${Date.now()}-${Math.random()}`.replace(".", "-") };
  let answer = await api.post(path, { data: body, headers });
  while (answer.status() === 503) answer = await api.post(path, { data: body, headers });
  expect(answer.ok(), `${path}: ${await answer.text()}`).toBe(true);
  return answer.json();
}

/** Presses a button until what it is for is there: a busy machine may answer that no instance is reachable, and to try again. */
async function press(button: Locator, done: Locator): Promise<void> {
  const away = button.page().getByText("Gerade nicht erreichbar").first();
  for (;;) {
    await button.click();
    await expect(done.or(away).first()).toBeVisible();
    if (await done.isVisible()) return;
  }
}

/** A customer of its own with one order; `street` finds it among others. */
async function order(street: string): Promise<{ id: string; api: APIRequestContext }> {
  const api = await request.newContext(baseURL === undefined ? {} : { baseURL });
  const { name, email, password } = newCustomer();
  await post(api, "/api/identity/v1/users", { name, email, password });
  const { earliest_date: date } = await (await api.get(`/api/pricing/v1/catalog?postcode=${postcode}`)).json();
  const { quote } = await (await api.get(`/api/pricing/v1/quotes?postcode=${postcode}&waste=${waste}&size=${size}&date=${date}`)).json();
  const placed = await post(api, "/api/order/v1/orders", { quote, address: { name, street, city: "Berlin" }, public_ground: true });
  return { id: String(placed["order_id"]), api };
}

async function signIn(page: Page): Promise<void> {
  await page.goto("/partner");
  await page.getByLabel("E-Mail").fill(dispatcher.email);
  await page.getByLabel("Passwort").fill(dispatcher.password);
  await press(page.getByRole("button", { name: "Anmelden" }), page.getByRole("heading", { level: 1, name: "Angebote" }));
}

const offerCards = (page: Page) => page.locator(".offer");

/** Accepts the only offer and opens its job. */
async function acceptOnly(page: Page): Promise<void> {
  await expect(offerCards(page)).toHaveCount(1);
  const open = page.getByRole("link", { name: "Auftrag öffnen" });
  await press(page.getByRole("button", { name: "Annehmen" }), open);
  await open.click();
  await expect(page.getByRole("heading", { level: 1, name: "Container stellen" })).toBeVisible();
}

const nothingRunsOut = async (page: Page) =>
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);

test("a customer who opens the partner's pages is told so, and loads none of them before", async ({ page }) => {
  const loaded: string[] = [];
  page.on("request", (asked) => loaded.push(asked.url()));
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1, name: "Container bestellen" })).toBeVisible();
  expect(loaded.filter((url) => url.includes("/assets/partner"))).toEqual([]);

  const customer = newCustomer();
  await post(page.request, "/api/identity/v1/users", customer);
  await page.goto("/partner");
  await expect(page.getByRole("heading", { level: 1, name: "Dieses Konto gehört keinem Partner" })).toBeVisible();
  await expect(page.getByText(`Sie sind als ${customer.email}`)).toBeVisible();
  await expectAccessible(page);
  await shot(page, "partner-customer");
  await page.getByRole("button", { name: "Konto wechseln" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Anmelden als Partner" })).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel("E-Mail").fill(customer.email);
  await page.getByLabel("Passwort").fill("wrong password here");
  await press(page.getByRole("button", { name: "Anmelden" }), page.getByText("E-Mail oder Passwort stimmt nicht"));
  await expect(page.getByRole("alert")).toContainText("Vorgangsnummer");
  await expect(page.getByLabel("E-Mail")).toHaveValue(customer.email);
  await shot(page, "partner-sign-in");
});

test("a dispatcher takes an invitation, accepts an offer, does the job and is credited", async ({ page }) => {
  await page.goto("/partner");
  await page.getByRole("radio", { name: "Einladung einlösen" }).check();
  await page.getByLabel("Einladungscode").fill("i2.wrong");
  await page.getByLabel("Vor- und Nachname").fill(dispatcher.name);
  await page.getByLabel("E-Mail").fill(dispatcher.email);
  await page.getByLabel("Passwort").fill(dispatcher.password);
  await press(page.getByRole("button", { name: "Zugang anlegen" }), page.getByText("Dieser Code gilt nicht"));
  await expect(page.getByLabel("Einladungscode")).toHaveAccessibleDescription(/Dieser Code gilt nicht/);
  await expectAccessible(page);
  await page.getByLabel("Einladungscode").fill(invite());
  await press(page.getByRole("button", { name: "Zugang anlegen" }), page.getByText("Gerade gibt es kein offenes Angebot."));
  await expectAccessible(page);
  await shot(page, "partner-no-offers");

  // The offer comes by itself.
  const { id } = await order("Puschkinallee 7");
  await expect(offerCards(page)).toHaveCount(1);
  await expect(page.getByRole("link", { name: "Angebote 1 offen" })).toBeVisible();
  await expect(offerCards(page)).toContainText("12435");
  await expect(offerCards(page)).toContainText(/noch \d+:\d\d/);
  await expect(offerCards(page)).not.toContainText("Puschkinallee");
  await expectAccessible(page);
  await shot(page, "partner-offers");
  await press(page.getByRole("button", { name: "Annehmen" }), page.getByText("Angenommen:"));
  await expect(offerCards(page)).toHaveCount(0);
  await expectAccessible(page);
  await shot(page, "partner-accepted");

  await page.getByRole("link", { name: "Aufträge" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Aufträge" })).toBeFocused();
  await page.getByRole("link", { name: /Puschkinallee 7/ }).click();
  await expect(page).toHaveURL(new RegExp(`/partner/auftrag/${id}$`));
  await expect(page.getByRole("heading", { level: 1, name: "Container stellen" })).toBeVisible();
  await expect(page.getByText("Erika Muster")).toBeVisible();
  await expectAccessible(page);
  await shot(page, "partner-place");

  await page.getByText("Vergebliche Anfahrt melden").click();
  await page.getByLabel("Was war der Grund?").selectOption("other");
  await page.getByRole("button", { name: "Anfahrt melden" }).click();
  await expect(page.getByLabel("Anmerkung")).toBeFocused();
  await page.getByLabel("Was war der Grund?").selectOption("blocked");
  await page.getByLabel("Anmerkung").fill("Ein Lkw stand vor dem Tor.");
  await expectAccessible(page);
  await press(page.getByRole("button", { name: "Anfahrt melden" }), page.getByText("Der Auftrag bleibt offen"));
  await expect(page.getByText("Stellplatz versperrt: Ein Lkw stand vor dem Tor.")).toBeVisible();

  await page.getByRole("button", { name: "Container steht" }).click();
  await expect(page.getByLabel("Containernummer")).toHaveAccessibleDescription(/Bitte ausfüllen/);
  await page.getByLabel("Containernummer").fill("K 17");
  await press(page.getByRole("button", { name: "Container steht" }), page.getByRole("heading", { level: 1, name: "Container abholen" }));

  const sending = page.getByRole("region", { name: "Fotos und Wiegescheine" });
  await sending.getByLabel("Datei wählen").setInputFiles({ name: "notiz.txt", mimeType: "text/plain", buffer: Buffer.from("x") });
  await sending.getByRole("button", { name: "Senden" }).click();
  await expect(sending.getByText("Dieses Format geht nicht.")).toBeVisible();
  await sending.getByLabel("Datei wählen").setInputFiles({ name: "gross.jpg", mimeType: "image/jpeg", buffer: Buffer.alloc(8 * 1024 * 1024 + 1, 0xff) });
  await sending.getByRole("button", { name: "Senden" }).click();
  await expect(sending.getByText("größer als 8 MB")).toBeVisible();
  await expectAccessible(page);
  await shot(page, "partner-collect");
  await sending.getByLabel("Datei wählen").setInputFiles({ name: "container.png", mimeType: "image/png", buffer: await page.screenshot() });
  await press(sending.getByRole("button", { name: "Senden" }), sending.getByText("Gesendet: container.png"));
  const download = page.waitForEvent("download");
  await sending.getByRole("link", { name: "Foto" }).click();
  expect((await download).suggestedFilename()).toMatch(/^photo-[0-9a-f]+\.png$/);

  await press(page.getByRole("button", { name: "Container abgeholt" }), page.getByRole("heading", { level: 1, name: "Abfall wiegen" }));
  await page.getByLabel("Brutto in kg").fill("20.000");
  await page.getByLabel("Tara in kg").fill("12 t");
  await expect(page.getByText(/^8\.000\skg$/)).toBeVisible();
  await page.getByLabel("Nummer des Wiegescheins").fill("W-4711");
  await press(page.getByRole("button", { name: "Gewicht melden" }), page.getByText(/8000 kg net are not plausible/));
  await expect(page.getByRole("checkbox", { name: /das Gewicht stimmt/ })).toBeFocused();
  await expectAccessible(page);
  await shot(page, "partner-implausible");
  await page.getByRole("checkbox", { name: /das Gewicht stimmt/ }).check();
  await page.getByLabel("Brutto in kg").fill("20.015");
  await expect(page.getByRole("checkbox", { name: /das Gewicht stimmt/ })).not.toBeChecked();
  await page.getByRole("checkbox", { name: /das Gewicht stimmt/ }).check();
  await press(page.getByRole("button", { name: "Gewicht melden" }), page.getByRole("heading", { level: 1, name: "Auftrag erledigt" }));
  await expect(page.getByText(/20\.015\skg brutto, 12\.000\skg Tara, 8\.015\skg netto; Schein W-4711/)).toBeVisible();
  await expect(page.getByText("ungewöhnlich, von Ihnen bestätigt")).toBeVisible();
  await expectAccessible(page);
  await shot(page, "partner-done");

  await page.getByRole("link", { name: "Zu den Gutschriften" }).click();
  const note = page.getByRole("listitem").filter({ hasText: /G-\d{4}-\d{6}/ });
  await expect(async () => {
    await page.reload();
    await expect(note).toHaveCount(1, { timeout: 5_000 });
  }).toPass({ timeout: 60_000 });
  await expectAccessible(page);
  await shot(page, "partner-credit-notes");
  await note.locator("summary").click();
  await note.getByLabel("Was stimmt nicht?").fill("Auf dem Wiegeschein stehen 1.520 kg.");
  await expectAccessible(page);
  await press(note.getByRole("button", { name: "Der Gutschrift widersprechen" }), page.getByText("ist eingegangen"));
  await expect(note).toContainText("widersprochen");
  await expect(note.locator("summary")).toHaveCount(0);
  await expectAccessible(page);
});

test("an offer is declined with a reason", async ({ page }) => {
  const { api, id } = await order("Am Treptower Park 20");
  await signIn(page);
  await expect(offerCards(page)).toHaveCount(1);
  await page.getByText("Ablehnen", { exact: true }).click();
  await page.getByLabel("Warum lehnen Sie ab?").selectOption("no-vehicle");
  await page.getByLabel(/Anmerkung/).fill("Bis Freitag sind alle unterwegs.");
  await expectAccessible(page);
  await shot(page, "partner-decline");
  await press(page.getByRole("button", { name: "Angebot ablehnen" }), page.getByText("Das Angebot ging an den nächsten Partner"));
  await expect(offerCards(page)).toHaveCount(0);
  await post(api, `/api/order/v1/orders/${id}/cancel`, { reason: "no longer needed" }).catch(() => undefined);
});

test("an offer that is gone says so, and the list is asked for anew", async ({ page }) => {
  const { api, id } = await order("Elsenstraße 3");
  await signIn(page);
  await expect(offerCards(page)).toHaveCount(1);
  // From here on the page sees the old list, as a page between two questions does.
  const old = await (await page.request.get("/api/matching/v1/offers")).text();
  await page.route("**/api/matching/v1/offers", (route) => route.fulfill({ contentType: "application/json", body: old }));
  await post(api, `/api/order/v1/orders/${id}/cancel`, { reason: "no longer needed" });
  await expect.poll(async () => (await (await page.request.get("/api/matching/v1/offers")).json()).offers.length).toBe(0);
  await page.unroute("**/api/matching/v1/offers");
  await press(page.getByRole("button", { name: "Annehmen" }), page.getByText("Dieses Angebot gibt es nicht mehr"));
  await expect(page.getByRole("alert")).toContainText("Vorgangsnummer");
  await expect(offerCards(page)).toHaveCount(0);
  await expectAccessible(page);
  await shot(page, "partner-gone");
});

test("an ended session keeps what was typed, and a job that moved on says so", async ({ page, context }) => {
  const { id } = await order("Bulgarische Straße 12");
  await signIn(page);
  await acceptOnly(page);
  await page.getByLabel("Containernummer").fill("K 18");
  await context.clearCookies();
  await page.getByRole("button", { name: "Container steht" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await expectAccessible(page);
  await dialog.getByLabel("Passwort").fill(dispatcher.password);
  await press(dialog.getByRole("button", { name: "Anmelden und fortfahren" }), page.getByRole("heading", { level: 1, name: "Container abholen" }));
  await expect(page.getByText("K 18").first()).toBeVisible();

  // A colleague is faster.
  const stale = await (await page.request.get(`/api/order/v1/jobs/${id}`)).text();
  await page.route(`**/api/order/v1/jobs/${id}`, (route) => route.fulfill({ contentType: "application/json", body: stale }));
  await post(page.request, `/api/order/v1/jobs/${id}/collected`, {});
  await post(page.request, `/api/order/v1/jobs/${id}/weighed`, { gross_kg: 13_500, tare_kg: 12_000, slip: "W-1" });
  await page.unroute(`**/api/order/v1/jobs/${id}`);
  await page.getByText("Vergebliche Anfahrt melden").click();
  await press(page.getByRole("button", { name: "Anfahrt melden" }), page.getByRole("heading", { level: 1, name: "Auftrag erledigt" }));
  await expect(page.getByRole("alert")).toContainText("Ihre Eingabe wurde nicht übernommen");
});

for (const scheme of ["light", "dark"] as const) {
  for (const [device, viewport] of Object.entries({ phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } })) {
    test(`partner, ${device}, ${scheme}`, async ({ page }) => {
      const streets = scheme === "light" && device === "phone" ? ["Baumschulenstraße 5", "Kiefholzstraße 88"] : [];
      for (const street of streets) await order(street);
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme: scheme });
      await signIn(page);
      if (streets.length > 0) {
        await expect(offerCards(page)).toHaveCount(2);
        await shot(page, "look-partner-two-offers", false);
        await press(page.getByRole("button", { name: "Annehmen" }).first(), page.getByText("Angenommen:"));
      }
      await expect(offerCards(page)).toHaveCount(1);
      await expectAccessible(page);
      await nothingRunsOut(page);
      await shot(page, `look-partner-${device}-${scheme}-offers`);
      await page.getByRole("link", { name: "Aufträge" }).click();
      await expect(page.locator(".job-row")).not.toHaveCount(0);
      await expectAccessible(page);
      await shot(page, `look-partner-${device}-${scheme}-jobs`);
      await page.locator(".job-row .card-link").first().click();
      await expect(page.getByRole("heading", { name: "Nächster Schritt" })).toBeVisible();
      await expectAccessible(page);
      await nothingRunsOut(page);
      await shot(page, `look-partner-${device}-${scheme}-job`);
      await page.getByRole("link", { name: "Gutschriften" }).click();
      await expect(page.locator(".notes > li").first()).toBeVisible();
      await expectAccessible(page);
      await shot(page, `look-partner-${device}-${scheme}-credit-notes`);
    });
  }
}

test("partner, English and a narrow phone", async ({ page }) => {
  await signIn(page);
  await page.setViewportSize({ width: 320, height: 640 });
  await page.getByRole("link", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Offers" })).toBeVisible();
  await expect(page).toHaveTitle(/Offers – kreislauf$/);
  await nothingRunsOut(page);
  await page.getByRole("link", { name: "Jobs" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Jobs" })).toBeFocused();
  await expect(page.locator(".job-row")).not.toHaveCount(0);
  await nothingRunsOut(page);
  await expectAccessible(page);
  await page.locator(".job-row .card-link").first().click();
  await expect(page.getByRole("heading", { name: "Next step" })).toBeVisible();
  await expect(page).toHaveURL(/lang=en/);
  await nothingRunsOut(page);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("main a:not(.card-link), main button, main input:not([type=checkbox], [type=radio]), main select, main summary")]
      .filter((target) => target.checkVisibility() && target.getBoundingClientRect().height < 44)
      .map((target) => target.outerHTML.slice(0, 120)),
  );
  expect(small).toEqual([]);
  await shot(page, "look-partner-narrow");
});
