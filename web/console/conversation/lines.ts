/** From a timeline to the lines on screen: days, unread mark, groups of messages, runs of system events. */

import type { Entry, HubEvent, Pending, Timeline } from "../../kernel";

export type Line =
  | { type: "day"; key: string; at: string }
  | { type: "unread"; key: string; count: number }
  | { type: "message"; key: string; event: HubEvent; isFirst: boolean; isLast: boolean }
  | { type: "note"; key: string; event: HubEvent }
  | { type: "pending"; key: string; pending: Pending }
  | { type: "card"; key: string; event: HubEvent }
  | { type: "run"; key: string; run: string; at: string }
  | { type: "system"; key: string; events: HubEvent[] };

/** Messages of one author stand together unless five minutes pass between them. */
const GROUP_MS = 5 * 60_000;
/** A conversation's own start says nothing that its first message does not. */
const UNSAID = new Set(["conversation.opened", "prechat.answered"]);

/** Lines of *timeline*. The unread mark stands before the first message after *readTo*. */
export function linesOf(timeline: Timeline, pending: readonly Pending[], readTo: number): Line[] {
  const lines: Line[] = [];
  let day = "";
  let isMarked = false;
  for (const entry of timeline.entries) {
    const { event } = entry;
    if (UNSAID.has(event.kind)) continue;
    const at = firstAt(entry);
    if (dayOf(at) !== day) {
      day = dayOf(at);
      lines.push({ type: "day", key: `day:${day}`, at });
    }
    const isTheirs = event.kind === "message.posted" && event.by.startsWith("visitor:");
    if (!isMarked && isTheirs && entry.seq > readTo) {
      isMarked = true;
      lines.push({ type: "unread", key: "unread", count: countUnread(timeline, readTo) });
    }
    put(lines, entry);
  }
  for (const one of pending) lines.push({ type: "pending", key: `pending:${one.cid}`, pending: one });
  markLast(lines);
  return lines;
}

/** The number of the last event in *line*; 0 where it shows none. */
export function seqOf(line: Line): number {
  if (line.type === "system") return line.events[line.events.length - 1]!.seq;
  return "event" in line ? line.event.seq : 0;
}

function put(lines: Line[], entry: Entry): void {
  const { event, key } = entry;
  const before = lines[lines.length - 1];
  switch (event.kind) {
    case "message.posted":
      lines.push({ type: "message", key, event, isFirst: !continues(before, event), isLast: true });
      return;
    case "note.posted":
      lines.push({ type: "note", key, event });
      return;
    case "card.shown":
      lines.push({ type: "card", key, event });
      return;
    case "run.changed": {
      const run = event.data["run"] as { id: string; started_at: string };
      lines.push({ type: "run", key, run: run.id, at: run.started_at });
      return;
    }
    default:
      if (before?.type === "system") before.events.push(event);
      else lines.push({ type: "system", key, events: [event] });
  }
}

function continues(before: Line | undefined, event: HubEvent): boolean {
  if (before?.type !== "message" || before.event.by !== event.by) return false;
  return Date.parse(event.at) - Date.parse(before.event.at) < GROUP_MS;
}

function markLast(lines: Line[]): void {
  for (let at = 0; at < lines.length - 1; at++) {
    const line = lines[at]!;
    const next = lines[at + 1]!;
    if (line.type === "message" && next.type === "message" && !next.isFirst) line.isLast = false;
  }
}

function countUnread(timeline: Timeline, readTo: number): number {
  return timeline.entries.filter(
    ({ event, seq }) => seq > readTo && event.kind === "message.posted" && event.by.startsWith("visitor:"),
  ).length;
}

/** A run stands where it began, whatever event it shows now. */
function firstAt(entry: Entry): string {
  if (entry.event.kind !== "run.changed") return entry.event.at;
  return (entry.event.data["run"] as { started_at?: string }).started_at ?? entry.event.at;
}

function dayOf(at: string): string {
  const time = new Date(at);
  return `${time.getFullYear()}-${time.getMonth() + 1}-${time.getDate()}`;
}
