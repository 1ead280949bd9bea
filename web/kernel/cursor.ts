/** Places in the log: how a range of events meets the place a client has reached. */

import type { Position } from "./api";
import type { HubEvent } from "./types";

/** The number behind the last colon of a cursor; frames give it alone or with its epoch. */
export function seqOf(position: Position): number {
  return typeof position === "number" ? position : Number(position.slice(position.lastIndexOf(":") + 1));
}

/** The same epoch as *cursor*, at *position*. */
export function moved(cursor: string, position: Position): string {
  if (typeof position === "string" && position.includes(":")) return position;
  return `${cursor.slice(0, cursor.lastIndexOf(":") + 1)}${position}`;
}

function epochOf(position: Position): string | null {
  const colon = typeof position === "string" ? position.lastIndexOf(":") : -1;
  return colon < 0 ? null : String(position).slice(0, colon);
}

export type Fit =
  | { fits: "next"; events: HubEvent[]; cursor: string }
  | { fits: "old" }
  | { fits: "gap" };

/** How the range (from, to] meets *cursor*: it goes on from it, is known already, or leaves a gap.

A range that overlaps gives only its unknown part: two sockets may deliver at the same time
while one replaces the other. */
export function fit(cursor: string, from: Position, to: Position, events: HubEvent[]): Fit {
  const epoch = epochOf(from);
  if (epoch !== null && epoch !== epochOf(cursor)) return { fits: "gap" };
  const here = seqOf(cursor);
  if (seqOf(to) <= here) return { fits: "old" };
  if (seqOf(from) > here) return { fits: "gap" };
  return {
    fits: "next",
    events: seqOf(from) === here ? events : events.filter((event) => event.seq > here),
    cursor: moved(cursor, to),
  };
}
