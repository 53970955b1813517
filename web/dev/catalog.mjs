// Catalogue and prices of the stand-in server: plausible, not the platform's.

const wastes = [
  {
    code: "170904", name_de: "Gemischte Bauabfälle", name_en: "Mixed construction waste", sizes_m3: [3, 5, 7, 10], net: [24900, 33900, 42900, 55900],
    de: ["Holz, Kunststoff, Metall, Tapeten, Gipskarton, Rohre", "Asbest, Dämmwolle, Farben, Elektrogeräte, reiner Bauschutt"],
    en: ["wood, plastic, metal, wallpaper, plasterboard, pipes", "asbestos, mineral wool, paint, electrical devices, pure rubble"],
  },
  {
    code: "170101", name_de: "Beton", name_en: "Concrete", sizes_m3: [3, 5, 7], net: [14900, 18900, 23900],
    de: ["Beton mit und ohne Bewehrung, Estrich, Pflaster, Randsteine", "Porenbeton, Gips, Ziegel, Holz, Folien"],
    en: ["concrete with or without reinforcement, screed, paving, kerbs", "aerated concrete, gypsum, bricks, wood, foil"],
  },
  {
    code: "170504", name_de: "Boden und Steine", name_en: "Soil and stones", sizes_m3: [3], net: [16900],
    de: ["Erde, Sand, Lehm, Kies, Natursteine", "Wurzeln, Grasnarbe, Bauschutt, belasteter Boden"],
    en: ["soil, sand, loam, gravel, natural stones", "roots, turf, rubble, contaminated soil"],
  },
  {
    code: "200307", name_de: "Sperrmüll", name_en: "Bulky waste", sizes_m3: [5, 7, 10], net: [27900, 34900, 44900],
    de: ["Möbel, Matratzen, Teppiche, Spielzeug, Kunststoffteile", "Kühlschränke, Elektrogeräte, Reifen, Farben, Bauabfälle"],
    en: ["furniture, mattresses, carpets, toys, plastic parts", "fridges, electrical devices, tyres, paint, construction waste"],
  },
  {
    code: "170201", name_de: "Holz (A I bis A III)", name_en: "Wood (A I to A III)", sizes_m3: [5, 7, 10], net: [17900, 22900, 28900],
    de: ["Möbelholz, Paletten, Bretter, Spanplatten, Innentüren", "Bahnschwellen, Zäune, Fenster mit Glas, imprägniertes Holz"],
    en: ["furniture wood, pallets, boards, chipboard, inner doors", "sleepers, fences, windows with glass, treated wood"],
  },
  {
    code: "200201", name_de: "Gartenabfälle", name_en: "Garden waste", sizes_m3: [3, 5, 7, 10], net: [14900, 18900, 22900, 28900],
    de: ["Äste bis 15 cm, Laub, Rasenschnitt, Hecken, Blumen", "Erde, Steine, Wurzelstöcke, Speisereste, Säcke"],
    en: ["branches up to 15 cm, leaves, grass, hedges, flowers", "soil, stones, stumps, food waste, bags"],
  },
];

const day = (from) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(Date.now() + from * 86_400_000);

/** The days of the stand-in: Sundays are closed everywhere, and one working day is a holiday where the postcode begins with 8. */
function dates(postcode) {
  const all = Array.from({ length: 58 }, (_, i) => day(3 + i));
  const isSunday = (date) => new Date(`${date}T00:00:00Z`).getUTCDay() === 0;
  const open = all.filter((date) => !isSunday(date));
  const holiday = postcode.startsWith("8") ? open[4] : undefined;
  const closed = all.filter((date) => date > open[0] && (isSunday(date) || date === holiday));
  return {
    earliest_date: open[0],
    latest_date: open.at(-1),
    closed_dates: closed.filter((date) => date < open.at(-1)).map((date) => ({ date, reason: isSunday(date) ? "Sonntag" : "Heilige Drei Könige" })),
  };
}

/** The answer of GET /api/pricing/v1/catalog. */
export function catalog(postcode = "") {
  return {
    wastes: wastes.map(({ net: _net, de, en, ...waste }) => ({
      ...waste,
      hazardous: false,
      tariff: waste.code === "200307" ? "weight" : "flat",
      extra_tonne_cents: 22610,
      ...(postcode === "" ? {} : { offers: [3, 5, 7, 10].map((size) => offer(waste, size)) }),
      allowed_de: de[0].split(", "),
      forbidden_de: de[1].split(", "),
      allowed_en: en[0].split(", "),
      forbidden_en: en[1].split(", "),
    })),
    sizes_m3: [3, 5, 7, 10],
    ...dates(postcode),
    included_days: 10,
    tariff_version: "dev",
    extra_day_cents: 357,
    permit_cents: 6800,
    failed_trip_cents: 6545,
    hazardous: [{ code: "170605*", name_de: "Asbesthaltige Baustoffe", name_en: "Asbestos-based materials" }],
    ...(postcode === "" ? {} : { towns: [town(postcode)] }),
  };
}

/** The town of a postcode: all of Germany is one, but for Berlin. */
export const town = (postcode) => (postcode.startsWith("1") ? "Berlin" : "Deutschland");

function offer(waste, size) {
  return waste.sizes_m3.includes(size) ? { size_m3: size, gross_cents: priceOf(waste.code, size).gross_cents, included_kg: size * 200 } : { size_m3: size, reason: "too-heavy" };
}

/** What getting the permit costs, net. */
export const permitNet = 5714;

/** The price of an offered waste and size, in cents. */
export function priceOf(code, size, permit = false) {
  const waste = wastes.find((each) => each.code === code);
  const net = waste.net[waste.sizes_m3.indexOf(size)] + (permit ? permitNet : 0);
  const vat = Math.round(net * 0.19);
  return { net_cents: net, vat_cents: vat, gross_cents: net + vat, currency: "EUR" };
}
