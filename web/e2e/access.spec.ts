// Accounts: a company and a colleague, passwords, devices, demo people. Needs KREISLAUF_BIN and KREISLAUF_DATA of the platform; test/smoke -then sets both.

import { execFileSync } from "node:child_process";
import type { Browser, Page } from "@playwright/test";
import { expect, expectAccessible, newCustomer, shot, test } from "./page";

const kreislauf = (...args: string[]): string => {
  const bin = process.env["KREISLAUF_BIN"];
  const data = process.env["KREISLAUF_DATA"];
  if (bin === undefined || data === undefined) throw new Error("KREISLAUF_BIN and KREISLAUF_DATA are not set; run the test by: go run ./test/smoke -then …");
  const [command = "", ...rest] = args;
  return execFileSync(bin, [command, "-data", data, ...rest], { encoding: "utf8" });
};

const other = async (browser: Browser): Promise<Page> => (await browser.newContext({ locale: "de-DE" })).newPage();

/** Light and dark, and on a narrow phone nothing runs out of the page. */
async function looks(page: Page, name: string): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await expectAccessible(page);
    await shot(page, `access-${name}-${scheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  if (size !== null) await page.setViewportSize(size);
}

test("a company and its colleague", async ({ page, browser }) => {
  const boss = newCustomer();
  await page.goto("/konto");
  await page.getByRole("link", { name: "Konto anlegen" }).click();
  await page.getByRole("radio", { name: "Firma" }).check();
  await page.getByRole("button", { name: "Konto anlegen" }).click();
  await expect(page.getByLabel("Firma mit Rechtsform")).toHaveAttribute("aria-invalid", "true");
  await page.getByLabel("Vor- und Nachname").fill(boss.name);
  await page.getByLabel("E-Mail", { exact: true }).fill(boss.email);
  await page.getByLabel("Passwort", { exact: true }).fill(boss.password);
  await page.getByLabel("Firma mit Rechtsform").fill("Muster Bau GmbH");
  await page.getByLabel("Straße und Hausnummer").fill("Weg 1");
  await page.getByLabel("PLZ").fill("50667");
  await page.getByLabel("Ort", { exact: true }).fill("Köln");
  await page.getByLabel("E-Mail für Rechnungen").fill("rechnung@bau.example");
  await page.getByLabel("USt-IdNr.").fill("DE123456789");
  await page.getByRole("button", { name: "Konto anlegen" }).click();
  await expect(page.getByText("Diese USt-IdNr. kann nicht stimmen.")).toBeVisible();
  await looks(page, "new-account");
  await page.getByLabel("USt-IdNr.").fill("DE123456788");
  await page.getByRole("button", { name: "Konto anlegen" }).click();
  await expect(page.getByRole("heading", { name: "Meine Aufträge" })).toBeVisible();

  await page.goto("/konto/firma");
  await expect(page.getByLabel("Firma mit Rechtsform")).toHaveValue("Muster Bau GmbH");
  await page.getByLabel("Ort", { exact: true }).fill("Bonn");
  await page.getByRole("button", { name: "Speichern" }).click();
  await expect(page.getByLabel("Ort", { exact: true })).toHaveValue("Bonn");
  const colleague = newCustomer();
  await page.getByLabel("E-Mail der Kollegin oder des Kollegen").fill(colleague.email);
  await page.getByRole("button", { name: "Einladen" }).click();
  const link = (await page.getByText("/konto/einladung#").textContent()) ?? "";
  await looks(page, "company");

  const there = await other(browser);
  await there.goto(link);
  await expect(there.getByLabel("E-Mail")).toHaveValue(colleague.email);
  expect(there.url()).not.toContain("#");
  await there.getByLabel("Vor- und Nachname").fill("Kai Kollege");
  await there.getByLabel("Passwort", { exact: true }).fill(colleague.password);
  await looks(there, "invitation");
  await there.getByRole("button", { name: "Konto anlegen" }).click();
  await expect(there.getByRole("heading", { name: "Meine Aufträge" })).toBeVisible();
  await there.goto("/konto/firma");
  await expect(there.getByText("Kai Kollege (Sie)")).toBeVisible();
  await expect(there.getByText("Ändern kann das nur, wer die Firma verwaltet.")).toBeVisible();

  await page.reload();
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Kai Kollege entfernen" }).click();
  await expect(page.getByText("Kai Kollege")).toHaveCount(0);
  await there.context().close();
});

test("passwords and devices", async ({ page, browser }) => {
  const customer = newCustomer();
  await page.goto("/konto/neu");
  await page.getByLabel("Vor- und Nachname").fill(customer.name);
  await page.getByLabel("E-Mail").fill(customer.email);
  await page.getByLabel("Passwort", { exact: true }).fill(customer.password);
  await page.getByRole("button", { name: "Konto anlegen" }).click();
  await expect(page.getByRole("heading", { name: "Meine Aufträge" })).toBeVisible();

  const phone = await other(browser);
  await phone.goto("/konto");
  await phone.getByRole("link", { name: "Passwort vergessen?" }).click();
  await phone.getByLabel("E-Mail").fill(customer.email);
  await looks(phone, "forgotten");
  await phone.getByRole("button", { name: "Link anfordern" }).click();
  await expect(phone.getByRole("heading", { name: "Bitte sehen Sie in Ihr Postfach" })).toBeFocused();
  let link = "";
  await expect
    .poll(() => {
      const mails = JSON.parse(kreislauf("mail", "-json", "-n", "50")) as { id: string; to: string; subject: string }[];
      const mail = mails.find(({ to, subject }) => to.includes(customer.email) && subject.includes("neues Passwort"));
      if (mail !== undefined) link = /http\S+\/passwort\/neu#\S+/.exec((JSON.parse(kreislauf("mail", "-json", mail.id)) as { text: string }).text)?.[0] ?? "";
      return link;
    })
    .not.toBe("");
  await phone.goto(new URL(link).pathname + new URL(link).hash);
  await phone.getByLabel("Neues Passwort", { exact: true }).fill("Ein-ganz-neues-Passwort");
  await looks(phone, "new-password");
  await phone.getByRole("button", { name: "Passwort speichern" }).click();
  await expect(phone.getByRole("heading", { name: "Ihr neues Passwort gilt" })).toBeFocused();
  await phone.getByLabel("E-Mail").fill(customer.email);
  await phone.getByLabel("Passwort", { exact: true }).fill("Ein-ganz-neues-Passwort");
  await phone.getByRole("button", { name: "Anmelden" }).click();
  await expect(phone.getByRole("link", { name: "Ihr Konto" })).toBeVisible();

  await page.goto("/konto/sicherheit"); // this browser's session has ended
  await page.getByLabel("E-Mail").fill(customer.email);
  await page.getByLabel("Passwort", { exact: true }).fill("Ein-ganz-neues-Passwort");
  await page.getByRole("button", { name: /^Anmelden/ }).click();
  await expect(page.getByText("Dieses Gerät")).toBeVisible();
  await looks(page, "security");
  await page.getByRole("button", { name: /abmelden$/ }).first().click();
  await expect(page.getByRole("button", { name: "Überall sonst abmelden" })).toHaveCount(0);
  await page.getByLabel("Jetziges Passwort").fill("falsch");
  await page.getByLabel("Neues Passwort", { exact: true }).fill(customer.password);
  await page.getByRole("button", { name: "Passwort ändern" }).click();
  await expect(page.getByText("Das ist nicht Ihr jetziges Passwort.")).toBeVisible();
  await page.getByLabel("Jetziges Passwort").fill("Ein-ganz-neues-Passwort");
  await page.getByRole("button", { name: "Passwort ändern" }).click();
  await expect(page.getByText("Ihr Passwort ist geändert.")).toBeVisible();

  await phone.goto("/konto"); // it was signed out; a dialog asks for the password, wrongly answered six times
  const form = phone.getByRole("dialog");
  for (let tries = 0; tries < 6; tries++) {
    await form.getByLabel("E-Mail").fill(customer.email);
    await form.getByLabel("Passwort", { exact: true }).fill("falsch");
    await form.getByRole("button", { name: /^Anmelden/ }).click();
    await expect(form.getByRole("alert")).toContainText(tries < 5 ? "stimmt nicht" : "Versuchen Sie es in einer Minute noch einmal");
  }
  await phone.context().close();
});

test("demo people", async ({ browser }) => {
  for (const [who, path] of [["dispatcher", "/partner"], ["company", "/konto"]] as const) {
    const link = kreislauf("demo").split("\n").find((line) => line.trim().startsWith(who))?.split(/\s+/).at(-1) ?? "";
    const page = await other(browser);
    await page.goto(new URL(link).pathname + new URL(link).hash);
    await expect(page).toHaveURL(new RegExp(`${path}(/.*)?$`));
    await expect(page.getByRole("button", { name: /^Ihr Konto/ })).toBeVisible();
    await page.context().close();
  }
});
