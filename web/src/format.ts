// Numbers and dates in the reader's language. Business dates are local dates without a zone; times are shown in Europe/Berlin.

export type Language = "de" | "en";

const locale = { de: "de-DE", en: "en-GB" } as const;

/** 25400 -> "254,00 €". */
export function money(cents: number, language: Language, currency = "EUR"): string {
  return new Intl.NumberFormat(locale[language], { style: "currency", currency }).format(cents / 100);
}

/** 7000 -> "7 t", 450 -> "450 kg". */
export function weight(kg: number, language: Language): string {
  const number = new Intl.NumberFormat(locale[language], { maximumFractionDigits: 2 });
  return kg >= 1000 ? `${number.format(kg / 1000)} t` : `${number.format(kg)} kg`;
}

const dayStyles: Record<"long" | "short" | "numeric", Intl.DateTimeFormatOptions> = {
  long: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
  short: { weekday: "short", day: "numeric", month: "short" },
  numeric: { day: "2-digit", month: "2-digit", year: "numeric" },
};

/** "2026-12-01" -> "Dienstag, 1. Dezember 2026", "Di., 1. Dez." when short, "01.12.2026" when numeric. */
export function day(date: string, language: Language, style: keyof typeof dayStyles = "long"): string {
  const options = dayStyles[style];
  return new Intl.DateTimeFormat(locale[language], { ...options, timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));
}

/** ", 7–12 Uhr" to go behind a day; nothing for any time. */
export function dayWindow(window: string | undefined, language: Language): string {
  const hours = window === "morning" ? "7–12" : window === "afternoon" ? "12–17" : "";
  return hours === "" ? "" : `, ${hours}${language === "de" ? " Uhr" : " h"}`;
}

/** An RFC 3339 time as "1. Dez., 14:05". */
export function moment(time: string, language: Language): string {
  const options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "Europe/Berlin" };
  return new Intl.DateTimeFormat(locale[language], options).format(new Date(time));
}

/** "14:05" in Europe/Berlin. */
export function clock(time: Date, language: Language): string {
  return new Intl.DateTimeFormat(locale[language], { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Berlin" }).format(time);
}

/** "170904" -> "17 09 04", as printed on every weighing slip. */
export function wasteCode(code: string): string {
  return code.replace(/^(\d\d)(\d\d)(\d\d)/, "$1 $2 $3");
}

/** The first `count` days from Monday to Friday within the range, the bounds included, without the closed ones. */
export function workdays(earliest: string, latest: string, count: number, closed: string[] = []): string[] {
  const found: string[] = [];
  const end = Date.parse(`${latest}T00:00:00Z`);
  for (let at = Date.parse(`${earliest}T00:00:00Z`); at <= end && found.length < count; at += 86_400_000) {
    const date = new Date(at);
    const name = date.toISOString().slice(0, 10);
    if (date.getUTCDay() % 6 !== 0 && !closed.includes(name)) found.push(name);
  }
  return found;
}
