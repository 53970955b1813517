// The account's texts in the reader's language.

import { computed } from "@preact/signals";
import { language } from "../text";
import { type AccountText, de, en } from "./text";

export const words = computed<AccountText>(() => (language.value === "en" ? en : de));
