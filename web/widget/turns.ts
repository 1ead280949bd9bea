/** From timeline entries to the lines of the log: days, turns, what stands under a bubble. */

import { type Entry, type Formatter, type HubFile, type Pending, type Timeline, filesOf, sideOf } from "../kernel";
import type { Words } from "./texts";

export type SendState = "sending" | "queued" | "stored" | "delivered" | "seen" | "failed";

export interface Bubble {
  kind: "bubble";
  key: string;
  isMine: boolean;
  name: string;
  text: string;
  files: readonly HubFile[] | undefined;
  at: string;
  /** The first and the last bubble of one person's turn. */
  isFirst: boolean;
  isLast: boolean;
  state: SendState | null;
  isEdited?: boolean;
  cid?: string;
  error?: string;
}

export type Line =
  | Bubble
  | { kind: "day"; key: string; text: string }
  | { kind: "system"; key: string; text: string }
  | { kind: "card"; key: string; entry: Entry };

export interface Marks {
  /** The last event that an agent has read, and that an agent's device has stored. */
  seen: number;
  delivered: number;
  isOnline: boolean;
}

/** The lines of the log, oldest first; messages on their way stand at the end. */
export function linesOf(timeline: Timeline, pending: readonly Pending[], marks: Marks, words: Words): Line[] {
  const lines: Line[] = [];
  let day = "";
  for (const entry of timeline.entries) {
    const line = lineOf(entry, marks, words);
    if (!line) continue;
    const today = dayName(entry.event.at, words);
    if (today !== day) lines.push({ kind: "day", key: `day:${entry.seq}`, text: (day = today) });
    lines.push(line);
  }
  for (const entry of pending) {
    const today = dayName(entry.at, words);
    if (today !== day) lines.push({ kind: "day", key: `day:${entry.cid}`, text: (day = today) });
    lines.push(pendingLine(entry, marks));
  }
  return turned(lines);
}

function lineOf(entry: Entry, marks: Marks, words: Words): Line | null {
  const { event, seq } = entry;
  const name = String(event.data["name"] ?? "");
  const time = words.format.time(event.at);
  switch (event.kind) {
    case "message.posted": {
      if (event.data["erased"]) return null;
      const isMine = sideOf(event.by) === "visitor";
      // The command's id keeps the bubble the same element from "sending" to "stored".
      const key = isMine && event.data["cid"] ? String(event.data["cid"]) : entry.key;
      const state = isMine ? stateOf(seq, marks) : null;
      const text = String(event.data["text"] ?? "");
      return { kind: "bubble", key, isMine, name, text, files: filesOf(event), at: event.at, isFirst: true, isLast: true, state, isEdited: !!event.data["edited"] };
    }
    case "card.shown":
      return entry.key === "card:erased" ? null : { kind: "card", key: entry.key, entry };
    case "conversation.closed": {
      const text = name ? words.t("system.closed", { name, time }) : words.t("system.closed_nobody", { time });
      return { kind: "system", key: entry.key, text };
    }
    case "conversation.reopened":
      return { kind: "system", key: entry.key, text: words.t("system.reopened", { time }) };
    case "conversation.assigned":
      if (!event.data["assignee"] || !name) return null;
      return { kind: "system", key: entry.key, text: words.t("system.assigned", { name }) };
    default:
      return null;
  }
}

function pendingLine(entry: Pending, marks: Marks): Bubble {
  // Without a connection nothing is being sent, whatever was tried last.
  const waits = entry.state === "queued" || (entry.state === "sending" && !marks.isOnline);
  const state: SendState = entry.state === "failed" || entry.state === "stored" ? entry.state : waits && !marks.isOnline ? "queued" : "sending";
  return {
    kind: "bubble", key: entry.cid, isMine: true, name: "", text: entry.text, files: entry.files, at: entry.at,
    isFirst: true, isLast: true, state, cid: entry.cid, ...(entry.error ? { error: entry.error } : {}),
  }; // prettier-ignore
}

function stateOf(seq: number, marks: Marks): SendState {
  if (seq <= marks.seen) return "seen";
  return seq <= marks.delivered ? "delivered" : "stored";
}

/** Neighbouring bubbles of one person are one turn. */
function turned(lines: Line[]): Line[] {
  const voice = (line: Line | undefined) => (line?.kind === "bubble" ? `${line.isMine} ${line.name}` : null);
  return lines.map((line, at) => {
    if (line.kind !== "bubble") return line;
    const own = voice(line);
    return { ...line, isFirst: voice(lines[at - 1]) !== own, isLast: voice(lines[at + 1]) !== own };
  });
}

function dayName(at: string, words: Words): string {
  const format: Formatter = words.format;
  const days = format.daysFromNow(at);
  if (days === 0) return words.t("day.today");
  if (days === -1) return words.t("day.yesterday");
  return format.day(at, "long");
}
