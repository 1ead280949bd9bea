/** Figures as people read them: shares, averages, spans of time, and how they changed. */

import type { Formatter } from "../../kernel";
import type { Figures } from "./types";

/** The figures of the overview, in their order; each has a name and a definition in the texts. */
export const FIGURES = ["opened", "closed", "backlog", "first_reply", "resolution", "service", "csat"] as const;
export type FigureName = (typeof FIGURES)[number];

/** How many of *of*, or null where there is nothing to have a share in. */
export const share = (part: number, of: number): number | null => (of > 0 ? part / of : null);

/** The average score, or null without ratings. */
export const average = (one: Figures): number | null => share(one.score_sum, one.ratings);

/** The number behind a figure, null where nothing was measured; the backlog is not part of *one*. */
export function valueOf(name: Exclude<FigureName, "backlog">, one: Figures): number | null {
  switch (name) {
    case "opened":
    case "closed":
      return one[name];
    case "first_reply":
      return one.first_reply_p50_s;
    case "resolution":
      return one.resolution_p50_s;
    case "service":
      return share(one.kept, one.promised);
    case "csat":
      return share(one.satisfied, one.ratings);
  }
}

/** A figure as text; an en dash where nothing was measured. */
export function shown(name: FigureName, value: number | null, format: Formatter): string {
  if (value === null) return "\u2013";
  if (name === "service" || name === "csat") return format.number(value, { style: "percent", maximumFractionDigits: 0 });
  if (name === "first_reply" || name === "resolution") return spent(value, format);
  return format.number(value);
}

const UNITS: readonly (readonly [string, number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** A span of time in its two largest units: "1 hr 5 min", "40 sec". */
export function spent(seconds: number, format: Formatter): string {
  const whole = Math.max(0, Math.round(seconds));
  const first = Math.max(0, UNITS.findIndex(([, size]) => whole >= size));
  const at = whole === 0 ? UNITS.length - 1 : first;
  const parts = [at, at + 1].filter((place) => place < UNITS.length);
  let left = whole;
  const said = parts.map((place) => {
    const [unit, size] = UNITS[place]!;
    const count = Math.floor(left / size);
    left -= count * size;
    return count || place === at ? format.number(count, { style: "unit", unit, unitDisplay: "short" }) : "";
  });
  return said.filter(Boolean).join(" ");
}

/** How much *now* is more than *before*, as a share of it; null where that says nothing. */
export function change(now: number | null, before: number | null): number | null {
  if (now === null || before === null || before === 0) return null;
  return (now - before) / before;
}

/** For each day, the share of satisfied ratings in the *width* days that end with it. */
export function rolling(days: readonly Figures[], width = 7): (number | null)[] {
  return days.map((_, at) => {
    const part = days.slice(Math.max(0, at - width + 1), at + 1);
    const sum = (name: "satisfied" | "ratings") => part.reduce((total, one) => total + one[name], 0);
    return share(sum("satisfied"), sum("ratings"));
  });
}

/** A good upper end for an axis to *max*, and the steps to it: 1, 2 or 5 times a power of ten. */
export function axis(max: number, steps = 3): number[] {
  const top = Math.max(max, 1);
  const rough = top / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough)!, 1);
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, at) => at * step);
}

const TIME_STEPS = [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 172_800, 432_000, 864_000];

/** The same for seconds: steps that people count time in. */
export function timeAxis(max: number, steps = 3): number[] {
  const top = Math.max(max, 1);
  const step = TIME_STEPS.find((one) => one * steps >= top) ?? Math.ceil(top / steps / 864_000) * 864_000;
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, at) => at * step);
}
