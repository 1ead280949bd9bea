/** From events to what a screen shows: pure, and the same for any order of arrival. */

import { excerptOf } from "./files";
import type { Card, ConversationView, HubEvent, RunView, Side } from "./types";

/** Who is reading: decides what is "mine" and what counts as unread. */
export interface Viewer {
  side: Side;
  /** `agent:a_…` or `visitor:v_…`. */
  id: string;
}

/** One line of a conversation's timeline. Cards and runs keep their place and change in it. */
export interface Entry {
  key: string;
  /** Where it stands: the first event about it. */
  seq: number;
  /** The event it shows: the newest about it. */
  event: HubEvent;
}

export interface Timeline {
  entries: readonly Entry[];
  /** Edits by the seq of what they edit, which may not be loaded yet. */
  edits?: ReadonlyMap<number, readonly HubEvent[]>;
  /** Older messages exist that are not loaded. */
  more: boolean;
  isLoaded: boolean;
}

export const emptyTimeline: Timeline = { entries: [], more: false, isLoaded: false };

/** Kinds that only move marks; they have no line of their own. */
const SILENT = new Set(["conversation.read", "conversation.unread", "conversation.linked"]);

/** *timeline* with *events* added, each once; the same object when nothing is new. */
export function mergeEvents(timeline: Timeline, events: readonly HubEvent[]): Timeline {
  const fresh = events.filter((event) => !SILENT.has(event.kind));
  if (!fresh.length) return timeline;
  const entries = [...timeline.entries];
  const known = new Map(entries.map((entry) => [entry.key, entry]));
  const edits = new Map(timeline.edits);
  let isChanged = false;
  for (const event of fresh) {
    if (isEdit(event)) {
      const of = Number(event.data["of"]);
      const all = edits.get(of) ?? [];
      if (all.some((one) => one.seq === event.seq)) continue;
      edits.set(of, [...all, event].sort((a, b) => a.seq - b.seq));
      isChanged = true;
      const old = known.get(`event:${of}`);
      if (!old) continue;
      const entry = { ...old, event: edited(old.event, edits) };
      known.set(old.key, entry);
      entries[entries.indexOf(old)] = entry;
      continue;
    }
    const key = keyOf(event);
    const old = known.get(key);
    const entry = old ? merged(old, event) : { key, seq: event.seq, event: edited(event, edits) };
    if (entry === old) continue;
    isChanged = true;
    known.set(key, entry);
    if (old) entries.splice(entries.indexOf(old), 1);
    entries.splice(place(entries, entry.seq), 0, entry);
  }
  return isChanged ? { ...timeline, entries, edits } : timeline;
}

/** True for an event that gives an earlier one another text. */
export function isEdit(event: HubEvent): boolean {
  return event.kind.endsWith(".edited");
}

/** What `data.edited` of a message says: when it was edited last, how often, what it said before. */
export interface Edited {
  at: string;
  version: number;
  was: string[];
}

/** *events* without edits, each with the text that it has now. */
export function standing(events: readonly HubEvent[]): HubEvent[] {
  const edits = new Map<number, HubEvent[]>();
  for (const one of [...events].filter(isEdit).sort((a, b) => a.seq - b.seq)) {
    const of = Number(one.data["of"]);
    edits.set(of, [...(edits.get(of) ?? []), one]);
  }
  return events.filter((one) => !isEdit(one)).map((one) => edited(one, edits));
}

/** *event* with the text of its newest edit. */
function edited(event: HubEvent, edits: ReadonlyMap<number, readonly HubEvent[]>): HubEvent {
  const all = edits.get(event.seq);
  const last = all?.[all.length - 1];
  if (!last) return event;
  const first = (event.data["edited"] as Edited | undefined)?.was[0] ?? event.data["text"];
  const was = [first, ...all.slice(0, -1).map((one) => one.data["text"])];
  return { ...event, data: { ...event.data, text: last.data["text"], edited: { at: last.at, version: last.data["version"], was } } };
}

function keyOf(event: HubEvent): string {
  if (event.kind === "card.shown") return `card:${cardOf(event).id}`;
  if (event.kind === "run.changed") return `run:${runOf(event).id}`;
  if (event.kind === "approval.changed") return `approval:${(event.data["approval"] as { id: string }).id}`;
  return `event:${event.seq}`;
}

function merged(old: Entry, event: HubEvent): Entry {
  const seq = Math.min(old.seq, event.seq);
  const newest = newer(event, old.event) ? event : old.event;
  return seq === old.seq && newest === old.event ? old : { key: old.key, seq, event: newest };
}

/** A card's `rev` decides before its place in the log: a late stale push must not win. */
function newer(event: HubEvent, than: HubEvent): boolean {
  if (event.kind === "card.shown") {
    const rev = cardOf(event).rev ?? 0;
    const other = cardOf(than).rev ?? 0;
    if (rev !== other) return rev > other;
  }
  return event.seq > than.seq;
}

function place(entries: readonly Entry[], seq: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The card that a `card.shown` event shows. */
export function cardOf(event: HubEvent): Card {
  return event.data["card"] as Card;
}

/** The run that a `run.changed` event reports. */
export function runOf(event: HubEvent): RunView {
  return (event.data["run"] ?? event.data) as RunView;
}

/** Which event each part of a view was taken from; keeps late events from undoing later ones. */
interface Marks {
  state: number;
  rated: number;
  assignee: number;
  tags: number;
  customer: number;
  last: number;
  /** The newest edit of the newest message that was edited: what it edits, which event, the text. */
  edit: readonly [of: number, seq: number, text: string];
  /** The newest message of an agent, and the visitor's messages after it. */
  answered: number;
  asked: readonly (readonly [number, string])[];
  /** Messages of the other side that the snapshot did not count. */
  unread: readonly number[];
  /** What the snapshot counted as unread, up to this event. */
  base: number;
  baseHead: number;
  /** The last message the snapshot knew: whoever has read it has read them all. */
  baseLast: number;
  /** My newest mark of reading, and whether it was "mark as unread". */
  mine: number;
  isUnread: boolean;
}

const MARKS = Symbol("marks");
type Marked = ConversationView & { [MARKS]?: Marks };

/** *view* after *event*, as *viewer* sees it; the same object when nothing changes.

Commutative over events it has not seen, and a repeated event changes nothing. */
export function reduceConversation(
  view: ConversationView | undefined,
  event: HubEvent,
  viewer: Viewer,
): ConversationView | undefined {
  const base: Marked | undefined = view ?? blank(event);
  if (!base) return undefined;
  const marks = base[MARKS] ?? marksOf(base);
  const next: Marked = { ...base };
  const after: Marks = { ...marks };
  apply(next, after, event, viewer);
  if (event.seq > next.head) {
    next.head = event.seq;
    next.last_at = event.at;
  }
  next.waiting_since = after.asked[0]?.[1] ?? (after.answered ? null : base.waiting_since);
  next.unread = unreadOf(next, after);
  Object.defineProperty(next, MARKS, { value: after, enumerable: false });
  return next;
}

function apply(next: ConversationView, marks: Marks, event: HubEvent, viewer: Viewer): void {
  const data = event.data;
  switch (event.kind) {
    case "message.posted":
      return message(next, marks, event, viewer);
    case "note.posted":
      return last(next, marks, event, "note");
    case "message.edited":
    case "note.edited":
      return edit(next, marks, event);
    case "conversation.opened":
      next.inbox = String(data["inbox"] ?? next.inbox);
      next.visitor = String(data["visitor"] ?? next.visitor ?? "");
      next.language = (data["language"] as string | null) ?? next.language;
      if (!next.name) next.name = String(data["name"] ?? "");
      next.opened_at = event.at;
      return;
    case "conversation.assigned":
      if (event.seq <= marks.assignee) return;
      marks.assignee = event.seq;
      next.assignee = assignee(data);
      return;
    case "conversation.closed":
    case "conversation.reopened":
    case "conversation.snoozed":
    case "conversation.woken":
      return state(next, marks, event);
    case "conversation.rated":
      if (event.seq <= marks.rated) return;
      marks.rated = event.seq;
      next.rating = { score: Number(data["score"]), at: event.at };
      if ((next.unrated ?? 0) < event.seq) next.unrated = null;
      return;
    case "conversation.tagged":
      if (event.seq <= marks.tags) return;
      marks.tags = event.seq;
      next.tags = (data["tags"] as string[]) ?? [];
      return;
    case "conversation.read":
      return read(next, marks, event, viewer);
    case "conversation.linked":
      if (!next.links.includes(String(data["object"]))) next.links = [...next.links, String(data["object"])].sort();
      return;
    case "customer.linked":
      if (event.seq <= marks.customer) return;
      marks.customer = event.seq;
      next.customer = customer(next, data);
      if (data["name"]) next.name = String(data["name"]);
      return;
  }
}

function message(next: ConversationView, marks: Marks, event: HubEvent, viewer: Viewer): void {
  last(next, marks, event, "text");
  const side = sideOf(event.by);
  // An adapter's message informs; only a person's answers.
  const isAnswer = event.by.startsWith("agent:");
  if (side === "visitor") next.visitor_read_seq = Math.max(next.visitor_read_seq, event.seq);
  if (isAnswer) next.agent_read_seq = Math.max(next.agent_read_seq, event.seq);
  if (event.by === viewer.id) mark(next, marks, event.seq, event.seq, false);
  if (isAnswer && event.seq > marks.answered) {
    marks.answered = event.seq;
    marks.asked = marks.asked.filter(([seq]) => seq > event.seq);
  }
  if (side === "visitor" && event.seq > marks.answered && !marks.asked.some(([seq]) => seq === event.seq)) {
    marks.asked = [...marks.asked, [event.seq, event.at] as const].sort((a, b) => a[0] - b[0]);
  }
  const isTheirs = side !== viewer.side;
  if (isTheirs && event.seq > marks.baseHead && !marks.unread.includes(event.seq)) {
    marks.unread = [...marks.unread, event.seq];
  }
}

function last(next: ConversationView, marks: Marks, event: HubEvent, kind: string): void {
  if (event.seq <= marks.last) return;
  marks.last = event.seq;
  next.last = { seq: event.seq, by: event.by, text: excerptOf(event), kind, at: event.at };
  correct(next, marks);
}

/** An edit may come before what it edits: the one that can matter is kept. */
function edit(next: ConversationView, marks: Marks, event: HubEvent): void {
  const of = Number(event.data["of"]);
  // The snapshot has everything before it.
  if (event.seq <= marks.baseHead || of < marks.edit[0] || (of === marks.edit[0] && event.seq <= marks.edit[1])) return;
  marks.edit = [of, event.seq, excerptOf(event)];
  correct(next, marks);
}

function correct(next: ConversationView, marks: Marks): void {
  if (next.last?.seq === marks.edit[0]) next.last = { ...next.last, text: marks.edit[2] };
}

function state(next: ConversationView, marks: Marks, event: HubEvent): void {
  if (event.seq <= marks.state) return;
  marks.state = event.seq;
  const kind = event.kind.slice("conversation.".length);
  next.unrated = kind === "closed" && event.seq > marks.rated ? event.seq : null;
  next.state = kind === "closed" ? "closed" : kind === "snoozed" ? "snoozed" : "open";
  next.snoozed_until = kind === "snoozed" ? String(event.data["until"] ?? "") : null;
}

function read(next: ConversationView, marks: Marks, event: HubEvent, viewer: Viewer): void {
  const seq = Number(event.data["seq"]);
  const isUnread = event.data["unread"] === true;
  const field = event.data["side"] === "visitor" ? "visitor_read_seq" : "agent_read_seq";
  if (!isUnread) next[field] = Math.max(next[field], seq);
  const isMine = event.by === viewer.id || (viewer.side === "visitor" && event.data["side"] === "visitor");
  if (isMine) mark(next, marks, event.seq, seq, isUnread);
}

/** Move the reader's own mark, as event *at* says. Who writes has read. */
function mark(next: ConversationView, marks: Marks, at: number, seq: number, isUnread: boolean): void {
  if (at <= marks.mine) return;
  marks.mine = at;
  marks.isUnread = isUnread;
  next.read_seq = seq;
}

function assignee(data: Record<string, unknown>): ConversationView["assignee"] {
  const id = data["assignee"];
  if (id === null || id === undefined) return null;
  return { id: String(id), name: String(data["name"] ?? "") };
}

function customer(next: ConversationView, data: Record<string, unknown>): ConversationView["customer"] {
  const id = String(data["customer"]);
  const known = next.customer?.id === id ? next.customer : null;
  return { ...(known ?? {}), id, name: String(data["name"] ?? known?.name ?? next.name) };
}

function unreadOf(view: ConversationView, marks: Marks): number {
  const base = view.read_seq >= marks.baseLast ? 0 : marks.base;
  const count = base + marks.unread.filter((seq) => seq > view.read_seq).length;
  // What the snapshot had already counted as read can still be marked as unread.
  return marks.isUnread ? Math.max(1, count) : count;
}

function marksOf(view: ConversationView): Marks {
  const seen = view.head;
  return {
    state: seen, rated: seen, assignee: seen, tags: seen, customer: seen, last: view.last ? seen : 0, edit: [0, 0, ""],
    answered: view.head && !view.waiting_since ? seen : 0,
    asked: view.waiting_since ? [[Math.min(seen, view.last?.seq ?? seen), view.waiting_since]] : [],
    unread: [], base: view.unread, baseHead: seen, baseLast: view.last?.seq ?? seen, mine: 0, isUnread: false,
  }; // prettier-ignore
}

/** A conversation that is first heard of through an event, in whatever order. */
function blank(event: HubEvent): ConversationView | undefined {
  if (!event.conversation) return undefined;
  return {
    id: event.conversation, inbox: "", state: "open", customer: null, name: "", language: null,
    assignee: null, tags: [], links: [], opened_at: event.at, last_at: event.at, last: null,
    waiting_since: null, snoozed_until: null, unread: 0, read_seq: 0, visitor_read_seq: 0,
    agent_read_seq: 0, head: 0, summary: "",
  }; // prettier-ignore
}

/** `visitor` or `agent`: adapters and the hub itself speak for the agents' side. */
export function sideOf(by: string): Side {
  return by.startsWith("visitor:") ? "visitor" : "agent";
}
