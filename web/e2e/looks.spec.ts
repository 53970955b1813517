// Pictures for the eye, phone and desktop in light and dark; axe checks the contrast of each.

import { chooseAll, expect, expectAccessible, shot, test } from "./page";

for (const scheme of ["light", "dark"] as const) {
  for (const [device, viewport] of Object.entries({ phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } })) {
    test(`${device}, ${scheme}`, async ({ page }) => {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme: scheme });
      await chooseAll(page);
      await expect(page.getByRole("complementary", { name: "Preis" })).toBeVisible();
      await expectAccessible(page);
      await shot(page, `look-${device}-${scheme}-checkout`, false);
      await page.getByRole("link", { name: "Abfall: Ändern" }).click();
      await expect(page.getByRole("heading", { name: "Was möchten Sie entsorgen?" })).toBeFocused();
      await expectAccessible(page);
      await shot(page, `look-${device}-${scheme}-waste`, false);
      await page.getByRole("link", { name: "Größe: Ändern" }).click();
      await expectAccessible(page);
      await shot(page, `look-${device}-${scheme}-size`, false);
    });
  }
}

test("nothing on a narrow phone runs out of the page", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await chooseAll(page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
  await shot(page, "look-narrow", false);
});

test("every target is 44 pixels high or more", async ({ page }) => {
  await chooseAll(page);
  for (const step of ["", "#abfall", "#groesse", "#datum", "#plz"]) {
    if (step !== "") await page.locator(`.step-change[href$="${step}"]`).click();
    const small = await page.evaluate(() => {
      // A card is the target of its link, a label the one of its check box or switch.
      const targets = [...document.querySelectorAll("a:not(.card-link, .to-content), button, input:not([type=checkbox]), .card:has(.card-link), .tick label")];
      return targets.filter((target) => target.getBoundingClientRect().height < 44).map((target) => target.outerHTML.slice(0, 120));
    });
    expect(small).toEqual([]);
  }
});

test("heavy waste explains why only the small container is offered", async ({ page }) => {
  await chooseAll(page);
  const catalog: { sizes_m3: number[]; wastes: { code: string; sizes_m3: number[] }[] } = await (await page.request.get("/api/pricing/v1/catalog")).json();
  const soil = catalog.wastes.find(({ code }) => code === "170504");
  expect(soil, "the catalogue offers soil, 17 05 04").toBeDefined();
  await page.goto(`/bestellen?plz=${new URL(page.url()).searchParams.get("plz")}&abfall=170504&groesse=10`);
  await expect(page.locator("#schritt-groesse .card-link")).toHaveCount(soil?.sizes_m3.length ?? 0);
  await expect(page.getByText("voll zu schwer für den LKW (7 t)").first()).toBeVisible();
  await expectAccessible(page);
  await shot(page, "look-heavy", false);
});
