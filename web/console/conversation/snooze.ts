/** When a snoozed conversation comes back: four times people mean when they say "later". */

import type { Formatter } from "../../kernel";
import type { Translate } from "../hooks";
import type { MenuChoice } from "../parts/Menu";

export interface SnoozeChoice {
  name: "hour" | "afternoon" | "tomorrow" | "week";
  until: Date;
}

/** Choices that lie ahead of *now*, in the reader's zone. */
export function snoozeChoices(now: Date): SnoozeChoice[] {
  const at = (days: number, hour: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  const monday = ((8 - now.getDay()) % 7) || 7;
  const choices: SnoozeChoice[] = [
    { name: "hour", until: new Date(now.getTime() + 3_600_000) },
    { name: "afternoon", until: at(0, 15) },
    { name: "tomorrow", until: at(1, 9) },
    { name: "week", until: at(monday, 9) },
  ];
  return choices.filter((one) => one.until.getTime() > now.getTime() + 20 * 60_000);
}

/** The choices as a menu shows them. */
export function snoozeItems(t: Translate, format: Formatter): MenuChoice[] {
  return snoozeChoices(new Date()).map((one) => ({ id: one.name, label: t(`snooze.${one.name}`), hint: format.dateTime(one.until.toISOString()) }));
}
