/** When an answer is due: opening time after the customer's word, by the spans the hub told. */

import type { ConversationView, InboxView } from "../../kernel";

/** Under a quarter of the target that is left the chip turns amber, after it red. */
const SOON = 0.25;

export interface Due {
  at: number;
  tone: "ok" | "soon" | "late";
  /** Whole minutes that are left, or that it is late by. */
  minutes: number;
}

/** When *view* is due, in milliseconds; null where nobody waits for us or nothing was promised. */
export function dueAt(view: ConversationView, inboxes: readonly InboxView[]): number | null {
  const sla = inboxes.find((one) => one.id === view.inbox)?.sla;
  if (!sla || !view.waiting_since || view.state !== "open") return null;
  return added(Date.parse(view.waiting_since), sla.response_s * 1000, sla.spans);
}

export function dueOf(view: ConversationView, inboxes: readonly InboxView[], now: number): Due | null {
  const at = dueAt(view, inboxes);
  if (at === null) return null;
  const target = inboxes.find((one) => one.id === view.inbox)!.sla!.response_s * 1000;
  const left = at - now;
  const tone = left <= 0 ? "late" : left < target * SOON ? "soon" : "ok";
  return { at, tone, minutes: left > 0 ? Math.ceil(left / 60_000) : Math.floor(-left / 60_000) };
}

/** *start* and *budget* milliseconds of opening time; null beyond what the hub told. */
export function added(start: number, budget: number, spans: readonly (readonly [number, number])[] | null): number | null {
  if (!spans) return start + budget;
  let left = budget;
  for (const [first, last] of spans) {
    const from = Math.max(start, first * 1000);
    const open = last * 1000 - from;
    if (open <= 0) continue;
    if (open >= left) return from + left;
    left -= open;
  }
  return null;
}
