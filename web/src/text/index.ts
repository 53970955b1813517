// The language of the page: German unless the URL says ?lang=en.

import { computed } from "@preact/signals";
import type { Language } from "../format";
import { url } from "../route";
import { de, type Text } from "./de";
import { en } from "./en";

export type { Text } from "./de";

export const language = computed<Language>(() => (url.value.searchParams.get("lang") === "en" ? "en" : "de"));

export const text = computed<Text>(() => (language.value === "en" ? en : de));

/** An address of this site that keeps the language. */
export function keepLanguage(path: string): string {
  return language.value === "de" ? path : `${path}?lang=${language.value}`;
}
