// The language of the page: German unless the URL says ?lang=en. The English texts are loaded by whoever wants them; until they are there, and
// where they cannot be had, the page is German.

import { computed, effect, signal } from "@preact/signals";
import type { Language } from "../format";
import { url } from "../route";
import { de, type Text } from "./de";

export type { Text } from "./de";

const english = signal<Text | undefined>(undefined);

export const language = computed<Language>(() => (url.value.searchParams.get("lang") === "en" ? "en" : "de"));

export const text = computed<Text>(() => (language.value === "en" ? english.value : undefined) ?? de);

let asked: Promise<void> | undefined;

function loadEnglish(): Promise<void> {
  asked ??= import("./en").then(
    ({ en }) => void (english.value = en),
    () => (asked = undefined),
  );
  return asked;
}

/** Gets the English texts whenever the page turns English, and shows it once the texts of its first language are there. */
export function startText(show: () => void): void {
  if (language.peek() === "de") show();
  else void loadEnglish().then(show);
  effect(() => {
    if (language.value === "en") void loadEnglish();
  });
}

/** An address of this site that keeps the language. */
export function keepLanguage(path: string): string {
  return language.value === "de" ? path : `${path}?lang=${language.value}`;
}
