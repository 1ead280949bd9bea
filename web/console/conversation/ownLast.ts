/** Which message or note of mine is the last one, and whether it may still be edited. */

import type { Edited, HubEvent, Timeline } from "../../kernel";
import { sameAgent } from "../inbox/views";

export type Mode = "reply" | "note";

/** The hub's own limit, so that nobody types what would be refused. */
const WITHIN_MS = 15 * 60_000;

/** My newest message (or note) on *timeline*, when nothing forbids to edit it but its age. */
export function lastOwn(timeline: Timeline, myself: string, mode: Mode): HubEvent | null {
  const kind = mode === "note" ? "note.posted" : "message.posted";
  for (let at = timeline.entries.length - 1; at >= 0; at--) {
    const { event } = timeline.entries[at]!;
    if (event.kind === kind && sameAgent(event.by, myself)) return event.data["erased"] ? null : event;
  }
  return null;
}

export function isYoung(event: HubEvent, now: number): boolean {
  return now - Date.parse(event.at) < WITHIN_MS;
}

export function versionOf(event: HubEvent): number {
  return (event.data["edited"] as Edited | undefined)?.version ?? 0;
}
