/** How long until an answer is due: icon, words and colour, so that none of them stands alone. */

import type { ConversationView } from "../../kernel";
import { useDesk, useT, useTexts, type Translate } from "../hooks";
import { Icon } from "../parts/Icon";
import { type Due, dueOf } from "./due";

const HOUR = 60;
const DAY = 24 * HOUR;

export function useDue(view: ConversationView, now: number): Due | null {
  return dueOf(view, useDesk().inboxes, now);
}

export function DueChip({ due, className }: { due: Due; className: string }) {
  const t = useT();
  const { format } = useTexts();
  const tone = { ok: "", soon: " is-warning", late: " is-danger" }[due.tone];
  return (
    <span className={`${className} due${tone}`} data-due={due.tone} title={t("due.at", { time: format.dateTime(due.at) })}>
      <Icon name={due.tone === "late" ? "warn" : "clock"} />
      {dueText(due, t)}
    </span>
  );
}

export function dueText(due: Due, t: Translate): string {
  const kind = due.tone === "late" ? "late" : "left";
  if (due.minutes < HOUR) return t(`due.${kind}_min`, { count: due.minutes });
  if (due.minutes < DAY) return t(`due.${kind}_h`, { hours: Math.floor(due.minutes / HOUR), minutes: due.minutes % HOUR });
  return t(`due.${kind}_d`, { count: Math.floor(due.minutes / DAY) });
}
