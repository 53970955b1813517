// Catalogue and prices of the stand-in server: plausible, not the platform's.

const wastes = [
  {
    code: "170904", name_de: "Gemischte Bauabfälle", name_en: "Mixed construction waste", sizes_m3: [3, 5, 7, 10], net: [24900, 33900, 42900, 55900],
    allowed_de: "Holz, Kunststoff, Metall, Tapeten, Gipskarton, Rohre", forbidden_de: "Asbest, Dämmwolle, Farben, Elektrogeräte, reiner Bauschutt",
  },
  {
    code: "170101", name_de: "Beton", name_en: "Concrete", sizes_m3: [3, 5, 7], net: [14900, 18900, 23900],
    allowed_de: "Beton mit und ohne Bewehrung, Estrich, Pflaster, Randsteine", forbidden_de: "Porenbeton, Gips, Ziegel, Holz, Folien",
  },
  {
    code: "170504", name_de: "Boden und Steine", name_en: "Soil and stones", sizes_m3: [3], net: [16900],
    allowed_de: "Erde, Sand, Lehm, Kies, Natursteine", forbidden_de: "Wurzeln, Grasnarbe, Bauschutt, belasteter Boden",
  },
  {
    code: "200307", name_de: "Sperrmüll", name_en: "Bulky waste", sizes_m3: [5, 7, 10], net: [27900, 34900, 44900],
    allowed_de: "Möbel, Matratzen, Teppiche, Spielzeug, Kunststoffteile", forbidden_de: "Kühlschränke, Elektrogeräte, Reifen, Farben, Bauabfälle",
  },
  {
    code: "170201", name_de: "Holz (A I bis A III)", name_en: "Wood (A I to A III)", sizes_m3: [5, 7, 10], net: [17900, 22900, 28900],
    allowed_de: "Möbelholz, Paletten, Bretter, Spanplatten, Innentüren", forbidden_de: "Bahnschwellen, Zäune, Fenster mit Glas, imprägniertes Holz",
  },
  {
    code: "200201", name_de: "Gartenabfälle", name_en: "Garden waste", sizes_m3: [3, 5, 7, 10], net: [14900, 18900, 22900, 28900],
    allowed_de: "Äste bis 15 cm, Laub, Rasenschnitt, Hecken, Blumen", forbidden_de: "Erde, Steine, Wurzelstöcke, Speisereste, Säcke",
  },
];

const day = (from) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(Date.now() + from * 86_400_000);

/** The answer of GET /api/pricing/v1/catalog. */
export function catalog() {
  return {
    wastes: wastes.map(({ net: _net, ...waste }) => ({ ...waste, hazardous: false })),
    sizes_m3: [3, 5, 7, 10],
    earliest_date: day(3),
    latest_date: day(60),
    included_days: 10,
  };
}

/** The price of an offered waste and size, in cents. */
export function priceOf(code, size) {
  const waste = wastes.find((each) => each.code === code);
  const net = waste.net[waste.sizes_m3.indexOf(size)];
  const vat = Math.round(net * 0.19);
  return { net_cents: net, vat_cents: vat, gross_cents: net + vat, currency: "EUR" };
}
