// German and English texts of the last step. They come with its code.

import { computed } from "@preact/signals";
import { language } from "../text";

const de = {
  towns: (postcode: string, towns: string[]) => `Der Ort passt nicht zur Postleitzahl ${postcode}.${towns.length === 0 ? "" : ` Sie gehört zu ${towns.join(", ")}.`}`,
  window: "Wann am Tag?",
  windows: { any: "Egal", morning: "7–12 Uhr", afternoon: "12–17 Uhr" },
  parts: "Das ist im Preis",
  lines: { service: "Stellen, Miete und Abholen", disposal: "Entsorgung", permit: "Genehmigung für öffentlichen Grund" },
  disposal: (kg: string, tariff: string) => (tariff === "weight" ? `Entsorgung nach Gewicht, mindestens ${kg}` : `Entsorgung bis ${kg}`),
  vat: "MwSt.",
  onTop: (day: string, tonne: string, trip: string, days: number, kg: string) =>
    `Nur falls nötig: jeder Tag nach ${days} Tagen ${day}; jede Tonne über ${kg} ${tonne}, auf das Kilogramm genau; eine Leerfahrt, etwa weil der Platz zugestellt ist, ${trip}. Alles inkl. MwSt.`,
  permit: { label: "Genehmigung", own: "Ich habe die Genehmigung oder hole sie selbst ein", ours: (price: string) => `Holen Sie die Genehmigung für mich ein (${price})` },
  taken: "An diesem Tag ist inzwischen alles ausgebucht. Bitte wählen Sie einen anderen Tag.",
};

const en: typeof de = {
  towns: (postcode, towns) => `The town does not fit the postcode ${postcode}.${towns.length === 0 ? "" : ` It belongs to ${towns.join(", ")}.`}`,
  window: "When on that day?",
  windows: { any: "Any time", morning: "7–12", afternoon: "12–17" },
  parts: "What is in the price",
  lines: { service: "Placing, rent and collecting", disposal: "Disposal", permit: "Permit for public ground" },
  disposal: (kg, tariff) => (tariff === "weight" ? `Disposal by weight, at least ${kg}` : `Disposal of up to ${kg}`),
  vat: "VAT",
  onTop: (day, tonne, trip, days, kg) =>
    `Only where needed: each day after ${days} days ${day}; each tonne above ${kg} ${tonne}, by the kilogram; a trip in vain, for example to a blocked place, ${trip}. All incl. VAT.`,
  permit: { label: "Permit", own: "I have the permit or get it myself", ours: (price) => `Get the permit for me (${price})` },
  taken: "All is taken on this day by now. Please choose another day.",
};

export const orderText = computed(() => (language.value === "en" ? en : de));
