// A standing order in words, and what a form says of one. Pure.

import type { Language } from "../format";
import type { Plan } from "./api";

/** The name of a day of the week, 1 for Monday. */
export function weekdayName(weekday: number, language: Language): string {
  return new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2024, 0, weekday)); // 1 January 2024 is a Monday
}

/** The rhythms that the form offers: weeks between two days, or "monthly". */
export const rhythms = ["1", "2", "3", "4", "6", "8", "12", "monthly"];

/** The rhythm of a plan, as the form has it. */
export const rhythmOf = (plan: Pick<Plan, "every_weeks" | "month_day">): string => (plan.month_day > 0 ? "monthly" : String(plan.every_weeks || 2));

/** The plan's members that a rhythm sets. */
export function rhythm(chosen: string, weekday: string, monthDay: string): Pick<Plan, "every_weeks" | "weekday" | "month_day"> {
  if (chosen === "monthly") return { every_weeks: 0, weekday: 0, month_day: Number(monthDay) };
  return { every_weeks: Number(chosen), weekday: Number(weekday), month_day: 0 };
}

/** The plan without what the server adds. */
export function planOf({ site_id, waste_code, size_m3, every_weeks, weekday, month_day, from, until, public_ground, state }: Plan): Plan {
  return { site_id, waste_code, size_m3, every_weeks, weekday, month_day, from, until, public_ground, state };
}
