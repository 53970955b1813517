// The driver on a phone: a dispatcher invites it, it goes offline in the middle, does three steps with photos, the browser is closed and opened
// again without network, and once the network is back everything has arrived, and nothing twice. Needs KREISLAUF_BIN and KREISLAUF_DATA, which
// sign the dispatcher's invitation, and a partner in Cologne that takes orders at once (test/smoke -then).

import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type APIRequestContext, type BrowserContext, chromium, type Page, request } from "@playwright/test";
import { expect, expectAccessible, newCustomer, shot, test } from "./page";

const { KREISLAUF_BIN: bin, KREISLAUF_DATA: data, KREISLAUF_URL: baseURL = "" } = process.env;
const day = () => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(new Date());

test.describe.configure({ mode: "serial" });
test.skip(bin === undefined || data === undefined, "KREISLAUF_BIN and KREISLAUF_DATA are not set: nobody can be invited");

/** Sends as the web page does: with the CSRF token of the session and a key of its own. */
async function send<T>(api: APIRequestContext, path: string, body: object, method = "POST", more: Record<string, string> = {}): Promise<T> {
  const { cookies } = await api.storageState();
  const token = cookies.find(({ name }) => name === "kreislauf_csrf")?.value ?? "";
  const headers = { "X-CSRF-Token": decodeURIComponent(token), "Idempotency-Key": `e2e-${Date.now()}-${Math.random()}`.replace(".", "-"), ...more };
  let answer = await api.fetch(path, { method, data: body, headers });
  while (answer.status() === 503) answer = await api.fetch(path, { method, data: body, headers });
  expect(answer.ok(), `${path}: ${await answer.text()}`).toBe(true);
  return answer.json();
}

interface Job {
  state: string;
  container?: string;
  weighing?: { net_kg: number; slip: string };
  documents?: { kind: string; sha256: string }[];
  history: { state: string; failed_trip?: object }[];
}

const read = async (api: APIRequestContext, id: string): Promise<Job> => (await api.get(`/api/order/v1/jobs/${id}`)).json();

/** A customer's order in Cologne that the partner has taken. */
async function order(street: string): Promise<string> {
  const api = await request.newContext({ baseURL });
  const { name, email, password } = newCustomer();
  await send(api, "/api/identity/v1/users", { name, email, password });
  const { earliest_date: date } = await (await api.get("/api/pricing/v1/catalog?postcode=50667")).json();
  const { quote } = await (await api.get(`/api/pricing/v1/quotes?postcode=50667&waste=170904&size=7&date=${date}`)).json();
  const { order_id: id } = await send<{ order_id: string }>(api, "/api/order/v1/orders", { quote, address: { name, street, city: "Köln" }, public_ground: true });
  await expect.poll(async () => (await (await api.get(`/api/order/v1/orders/${id}`)).json()).state).toBe("matched");
  await api.dispose();
  return id;
}

/** A photo of a camera: 4000 x 3000 pixels, drawn by the browser, as a JPEG. */
async function photo(page: Page, text: string): Promise<{ name: string; mimeType: string; buffer: Buffer }> {
  const url = await page.evaluate((words) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [4000, 3000];
    const paint = canvas.getContext("2d");
    if (paint === null) throw new Error("no canvas");
    for (let at = 0; at < 400; at += 1) {
      paint.fillStyle = `hsl(${(at * 37) % 360} 60% 50%)`;
      paint.fillRect((at * 811) % 4000, (at * 577) % 3000, 300, 200);
    }
    paint.font = "400px sans-serif";
    paint.fillText(words, 200, 1500);
    return canvas.toDataURL("image/jpeg", 0.95);
  }, text);
  return { name: "photo.jpg", mimeType: "image/jpeg", buffer: Buffer.from(url.split(",")[1] ?? "", "base64") };
}

const phone = {
  baseURL, locale: "de-DE", timezoneId: "Europe/Berlin", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, reducedMotion: "reduce" as const,
  executablePath: process.env["KREISLAUF_CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
};
const folder = mkdtempSync(join(tmpdir(), "kreislauf-driver-"));
const complaints: string[] = [];

/** The driver's phone: the same browser each time, with what it has kept. */
async function openPhone(): Promise<{ context: BrowserContext; page: Page }> {
  const context = await chromium.launchPersistentContext(folder, phone);
  const page = context.pages()[0] ?? (await context.newPage());
  page.on("pageerror", (error) => complaints.push(`script error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
  });
  return { context, page };
}

async function looks(page: Page, name: string): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await expectAccessible(page);
    await shot(page, `driver-${name}-${scheme}`);
  }
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  await page.setViewportSize(phone.viewport);
  await page.emulateMedia({ colorScheme: "light" });
}

/** Presses "send now" until everything has arrived: a busy machine may answer that no instance is reachable, and then the pauses grow. */
async function sendAll(page: Page): Promise<void> {
  const all = page.getByRole("link", { name: /Ausgang/ }).filter({ hasText: "Alles gesendet" });
  const now = page.getByRole("button", { name: "Jetzt senden" });
  while (!(await all.isVisible())) {
    await expect(all.or(page.locator("main button.primary:enabled"))).toBeVisible();
    if (await now.isVisible()) await now.click({ timeout: 2_000 }).catch(() => undefined); // it goes when everything has been sent meanwhile
  }
}

let dispatcher: APIRequestContext;
const dispo = { ...newCustomer(), name: "Dora Dispo" };
const driver = { ...newCustomer(), name: "Fritz Fahrer" };
let [first, second] = ["", ""];

test.beforeAll(async () => {
  dispatcher = await request.newContext({ baseURL });
  const invite = execFileSync(bin ?? "", ["invite", "-data", data ?? "", "-partner", "p-koeln"], { encoding: "utf8" }).trim();
  await send(dispatcher, "/api/identity/v1/users", { ...dispo, invite });
  first = await order("Aachener Straße 5");
  second = await order("Venloer Straße 88");
  for (const [position, id] of [second, first].entries()) {
    await send(dispatcher, `/api/order/v1/jobs/${id}/plan`, { day: day(), window: "morning", driver_id: "d-1", vehicle: "K-RM 117", position: position + 1 });
  }
});

test.afterAll(async () => {
  await dispatcher.dispose();
  expect(complaints).toEqual([]);
});

test("a driver takes the invitation, works without network through the end of the browser, and everything arrives once", async () => {
  const { invite } = await send<{ invite: string }>(dispatcher, "/api/identity/v1/driver-invitations", { driver_id: "d-1" });
  let { context, page } = await openPhone();
  await page.goto(`/fahrer#einladung=${invite}`);
  await expect(page.getByRole("heading", { level: 1, name: "Zugang anlegen" })).toBeVisible();
  await looks(page, "invited");
  await page.getByLabel("Vor- und Nachname").fill(driver.name);
  await page.getByLabel("E-Mail").fill(driver.email);
  await page.getByLabel("Passwort").fill(driver.password);
  await page.getByRole("button", { name: "Zugang anlegen" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Heute" })).toBeVisible();
  await expect(page).toHaveURL(/\/fahrer$/); // the invitation is gone from the address

  // In driving order, as planned.
  await expect(page.locator(".trips .trip-street")).toHaveText(["Venloer Straße 88", "Aachener Straße 5"]);
  await looks(page, "list");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.getByRole("link", { name: "Aachener Straße 5" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Container stellen" })).toBeFocused();
  await looks(page, "place");

  // Into the dead zone.
  await context.setOffline(true);
  await page.getByRole("button", { name: "Container steht" }).click();
  await expect(page.getByLabel("Containernummer")).toHaveAccessibleDescription(/2 bis 20 Zeichen/);
  await page.getByLabel("Containernummer").fill("K 17");
  const gate = await photo(page, "Tor");
  await page.locator("input[type=file]").first().setInputFiles(gate);
  await expect(page.getByAltText("Foto, noch nicht gesendet").first()).toBeVisible();
  await shot(page, "driver-photo-light", false);
  await page.getByRole("button", { name: "Container steht" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Container abholen" })).toBeVisible();
  await looks(page, "undo");
  await page.getByRole("button", { name: /^Rückgängig/ }).click(); // too quick
  await expect(page.getByRole("heading", { level: 1, name: "Container stellen" })).toBeVisible();
  await page.getByLabel("Containernummer").fill("K 71");
  await page.getByRole("button", { name: "Container steht" }).click();
  await page.getByRole("button", { name: "Container abgeholt" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Abfall wiegen" })).toBeVisible();
  await expect(page.getByRole("link", { name: /Ausgang/ })).toContainText("3 warten");

  // The browser ends, and starts again without network: the app and all of it is still there.
  await context.close();
  ({ context, page } = await openPhone());
  await context.setOffline(true);
  await page.goto("/fahrer");
  await expect(page.getByRole("link", { name: /Ausgang/ })).toContainText("3 warten");
  await expect(page.getByText(/^Kein Netz/)).toBeVisible();
  await page.getByRole("link", { name: "Aachener Straße 5" }).click();
  await page.getByLabel("Brutto in kg").fill("9.200");
  await page.getByLabel("Tara in kg").fill("1200");
  await expect(page.getByText(/^Ungewöhnlich/)).toBeVisible();
  await page.getByLabel("Nummer des Wiegescheins").fill("W-4711");
  await page.getByRole("button", { name: "Gewicht melden" }).click();
  await expect(page.getByText("Bitte prüfen und bestätigen.")).toBeVisible();
  await looks(page, "doubt");
  await page.getByLabel("Brutto in kg").fill("3,2 t");
  await expect(page.getByText("2.000 kg")).toBeVisible();
  await page.locator("input[type=file]").first().setInputFiles(await photo(page, "Schein"));
  await expect(page.getByAltText("Foto, noch nicht gesendet")).toBeVisible();
  await page.getByRole("button", { name: "Gewicht melden" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Erledigt" })).toBeVisible();
  await page.getByRole("link", { name: /Ausgang/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Ausgang" })).toBeVisible();
  await expect(page.locator(".actions > li")).toHaveCount(5);
  await looks(page, "outbox");
  expect((await read(dispatcher, first)).state).toBe("matched"); // the platform knows nothing of it

  // Back in the network. An answer is lost on the way: the platform has taken the step, and the phone does not know it.
  let lost = 0;
  await context.route("**/collected", async (route) => {
    if (lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    await route.abort();
  });
  await context.setOffline(false);
  await sendAll(page);
  await expect(page.getByText(/^Zuletzt gesendet/)).toBeVisible();
  expect(lost).toBe(1);
  await looks(page, "sent");

  const job = await read(dispatcher, first);
  expect(job.container).toBe("K 71");
  expect(job.weighing).toMatchObject({ net_kg: 2000, slip: "W-4711" });
  expect(job.documents?.map(({ kind }) => kind)).toEqual(["photo", "slip"]);
  for (const state of ["on_site", "collected", "weighed"]) expect(job.history.filter((step) => step.state === state), state).toHaveLength(1);
  const sent = await dispatcher.get(`/api/order/v1/jobs/${first}/documents/${job.documents?.[0]?.sha256}`);
  const bytes = (await sent.body()).length;
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(gate.buffer.length / 2);
  await context.close();
});

test("a session that ends offline keeps everything and asks to sign in; what is refused says why", async () => {
  const { context, page } = await openPhone();
  await page.goto(`/fahrer/auftrag/${second}`);
  await expect(page.getByRole("heading", { level: 1, name: "Container stellen" })).toBeVisible();
  await context.setOffline(true);
  await page.getByText("Vergebliche Anfahrt").click();
  await page.getByLabel("Was war der Grund?").selectOption("blocked");
  await page.getByLabel("Anmerkung").fill("Ein Lkw vor dem Tor");
  await page.getByRole("button", { name: "Anfahrt melden" }).click();
  await page.getByLabel("Containernummer").fill("K 18");
  await page.getByRole("button", { name: "Container steht" }).click();
  await expect(page.getByRole("link", { name: /Ausgang/ })).toContainText("2 warten");
  await context.clearCookies();
  // Meanwhile the dispatcher has reported another container.
  await send(dispatcher, `/api/order/v1/jobs/${second}/on-site`, { container: "K 99" });
  await context.setOffline(false);
  await expect(page.getByText(/^Ihre Sitzung ist zu Ende/)).toBeVisible();
  await looks(page, "ended");
  await page.getByRole("link", { name: "Anmelden" }).click();
  await expect(page.getByText("2 Meldungen warten hier auf das Senden.")).toBeVisible();
  await looks(page, "sign-in");
  await page.getByLabel("Passwort").fill("something else");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await expect(page.getByText("E-Mail oder Passwort stimmt nicht.")).toBeVisible();
  await page.getByLabel("Passwort").fill(driver.password);
  await page.getByRole("button", { name: "Anmelden" }).click();
  await expect(page.getByRole("link", { name: /Ausgang/ })).toContainText("1 abgelehnt");
  await page.getByRole("link", { name: /Ausgang/ }).click();
  await expect(page.getByText(/etwas anderes eingetragen/)).toBeVisible();
  await looks(page, "refused");
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Verwerfen" }).click();
  await expect(page.getByText("Nichts wartet. Alles ist angekommen.")).toBeVisible();
  const job = await read(dispatcher, second);
  expect(job.container).toBe("K 99");
  expect(job.history.filter((step) => step.failed_trip !== undefined)).toHaveLength(1);
  await page.goto("/fahrer");
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Today" })).toBeVisible();
  await looks(page, "english");
  await context.close();
});

test("the dispatcher adds a driver, invites it, and plans several jobs at once by keyboard", async ({ page }) => {
  const dates: string[] = [];
  for (const street of ["Domstraße 1", "Domstraße 2", "Domstraße 3"]) {
    const id = await order(street);
    const { date } = await (await dispatcher.get(`/api/order/v1/jobs/${id}`)).json();
    dates.push(date);
  }
  const date = dates[0] ?? "";
  await page.goto("/partner/betrieb");
  await page.getByLabel("E-Mail").fill(dispo.email);
  await page.getByLabel("Passwort").fill(dispo.password);
  await page.getByRole("button", { name: "Anmelden" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Betrieb" })).toBeVisible();
  await page.getByText("Fahrer hinzufügen").first().click();
  await page.getByLabel("Vor- und Nachname").fill("Petra Pritsche");
  await page.getByLabel("Telefon (freiwillig)").fill("ruf an");
  await page.getByRole("button", { name: "Fahrer hinzufügen" }).click();
  await expect(page.getByLabel("Telefon (freiwillig)")).toHaveAccessibleDescription(/telephone number/);
  await page.getByLabel("Telefon (freiwillig)").fill("+49 171 1234567");
  await page.getByRole("button", { name: "Fahrer hinzufügen" }).click();
  await expect(page.getByText("Gespeichert.")).toBeVisible();
  await page.getByRole("button", { name: "Einladen: Petra Pritsche" }).click();
  await expect(page.getByLabel("Einladungslink: Petra Pritsche")).toHaveValue(/\/fahrer#einladung=i2\./);
  await looks(page, "fleet");

  await page.getByRole("link", { name: "Planung" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Tagesplan" })).toBeFocused();
  await page.getByLabel("Tag", { exact: true }).fill(date);
  const open = page.getByRole("region", { name: /^Noch nicht geplant/ });
  await expect(open.getByText("Domstraße 3")).toBeVisible();
  const rows = open.locator(".stop", { hasText: "Domstraße" });
  const before = await rows.count();
  await open.getByLabel("Auswählen: Domstraße 2").focus();
  await page.keyboard.press("x");
  await open.getByLabel("Auswählen: Domstraße 1").focus();
  await page.keyboard.press("x");
  await expect(page.getByText("2 ausgewählt")).toBeVisible();
  await looks(page, "plan-chosen");
  await page.keyboard.press("m");
  await expect(page.getByLabel("Fahrer").last()).toBeFocused();
  await page.locator("#target-driver").selectOption({ label: "Petra Pritsche" });
  await page.locator("#target-window").selectOption("morning");
  await page.getByRole("button", { name: "Einplanen" }).click();
  await expect(page.getByText("2 Fahrten sind geplant.")).toBeVisible();
  await expect(rows).toHaveCount(before - 2);
  const petra = page.getByRole("region", { name: /^Petra Pritsche/ });
  await expect(petra.locator("h3")).toHaveText([/Domstraße 2/, /Domstraße 1/]); // as they were chosen
  await petra.getByLabel("Auswählen: Domstraße 1").focus();
  await page.keyboard.press("Alt+ArrowUp");
  await expect(petra.locator("h3")).toHaveText([/Domstraße 1/, /Domstraße 2/]);
  await page.reload();
  await expect(petra.locator("h3")).toHaveText([/Domstraße 1/, /Domstraße 2/]);
  await looks(page, "plan");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.getByRole("radio", { name: "Fahrzeug" }).check();
  await expect(page).toHaveURL(/nach=fahrzeug/);
  await expectAccessible(page);
  await shot(page, "driver-plan-desktop-light");
});
