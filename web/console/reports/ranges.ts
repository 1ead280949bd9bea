/** Which days a report is about: the last so many, or from one day to another. */

export const PRESETS = [7, 30, 90] as const;
const DAYS_MAX = 366;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export interface Range {
  from: string;
  to: string;
  /** The number of days that the range was chosen by, null for chosen days. */
  preset: number | null;
}

/** Read a range from an address: `30` or `2026-11-01_2026-11-30`; what is none means 30 days. */
export function rangeOf(text: string, today: string): Range {
  const [from = "", to = ""] = text.split("_");
  if (isRange(from, to)) return { from, to, preset: null };
  const days = PRESETS.find((one) => String(one) === text) ?? 30;
  return { from: moved(today, 1 - days), to: today, preset: days };
}

/** Whether two days make a range that the hub counts. */
export function isRange(from: string, to: string): boolean {
  if (!DAY.test(from) || !DAY.test(to) || from > to) return false;
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return days < DAYS_MAX;
}

/** *day* and *by* days, as a calendar counts. */
export function moved(day: string, by: number): string {
  return new Date(Date.parse(day) + by * 86_400_000).toISOString().slice(0, 10);
}

/** The reader's zone, and what day it is there. */
export function here(now = new Date()): { zone: string; today: string } {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const today = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(now);
  return { zone, today };
}
