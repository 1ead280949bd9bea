/** One normalised store: values by key, each with its own subscribers, told once per frame. */

import {
  type Timeline,
  type Viewer,
  emptyTimeline,
  mergeEvents,
  reduceConversation,
  runOf,
} from "./reduce";
import type { HubFile } from "./files";
import type { Card, ConversationView, Ephemeral, HubEvent, Panel, RunView } from "./types";

/** Calls back before the next paint; node tests hand in their own. */
export type Scheduler = (flush: () => void) => void;

/** A message that is shown before the hub has it. */
export interface Pending {
  cid: string;
  conversation: string;
  text: string;
  files?: readonly HubFile[] | undefined;
  at: string;
  state: "queued" | "sending" | "stored" | "failed";
  seq?: number;
  /** A note is for agents only. */
  note?: boolean;
  /** The code of why it failed. */
  error?: string;
}

export interface Typing {
  by: string;
  name: string;
  until: number;
}

/** Names of the store's values. */
export const key = {
  conversation: (id: string) => `conversation:${id}`,
  timeline: (id: string) => `timeline:${id}`,
  panels: (id: string) => `panels:${id}`,
  pending: (id: string) => `pending:${id}`,
  typing: (id: string) => `typing:${id}`,
  viewing: (id: string) => `viewing:${id}`,
  delivered: (id: string) => `delivered:${id}`,
  run: (id: string) => `run:${id}`,
  file: (id: string) => `file:${id}`,
  /** The ids of all known conversations, newest first. */
  list: "list",
  /** Who is online: `agent:…` and `visitor:…`. */
  presence: "presence",
  connection: "connection",
} as const;

const NONE: readonly never[] = [];
const MOVED_ONE_BY_ONE = 16;

/** State of one client. Values are never changed in place: compare them by identity. */
export class Store {
  private readonly values = new Map<string, unknown>();
  private readonly subscribers = new Map<string, Set<() => void>>();
  private readonly dirty = new Set<string>();
  private isScheduled = false;

  constructor(
    public viewer: Viewer,
    private readonly schedule: Scheduler = nextFrame,
    private readonly now: () => number = Date.now,
  ) {}

  get<T>(name: string): T | undefined {
    return this.values.get(name) as T | undefined;
  }

  set(name: string, value: unknown): void {
    if (this.values.get(name) === value) return;
    this.values.set(name, value);
    this.dirty.add(name);
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.schedule(() => this.flush());
  }

  /** Be told after *name* changed, at most once per frame; gives the unsubscriber. */
  subscribe(name: string, tell: () => void): () => void {
    const group = this.subscribers.get(name) ?? new Set();
    this.subscribers.set(name, group.add(tell));
    return () => group.delete(tell);
  }

  /** Tell everybody now. */
  flush(): void {
    this.isScheduled = false;
    const told = new Set<() => void>();
    for (const name of this.dirty) for (const tell of this.subscribers.get(name) ?? NONE) told.add(tell);
    this.dirty.clear();
    for (const tell of told) tell();
  }

  /** Forget everything but what is not sent yet: a snapshot follows. */
  clear(): void {
    for (const name of [...this.values.keys()]) {
      if (!name.startsWith("pending:") && name !== key.connection) this.set(name, undefined);
    }
  }

  conversation(id: string): ConversationView | undefined {
    return this.get(key.conversation(id));
  }

  timeline(id: string): Timeline {
    return this.get<Timeline>(key.timeline(id)) ?? emptyTimeline;
  }

  hasEvent(id: string, seq: number): boolean {
    return this.timeline(id).entries.some((entry) => entry.event.seq === seq);
  }

  pending(id: string): readonly Pending[] {
    return this.get<readonly Pending[]>(key.pending(id)) ?? NONE;
  }

  panels(id: string): readonly Panel[] {
    return this.get<readonly Panel[]>(key.panels(id)) ?? NONE;
  }

  typing(id: string): readonly Typing[] {
    return this.get<readonly Typing[]>(key.typing(id)) ?? NONE;
  }

  run(id: string): RunView | undefined {
    return this.get(key.run(id));
  }

  list(): readonly string[] {
    return this.get<readonly string[]>(key.list) ?? NONE;
  }

  presence(): ReadonlyMap<string, string> {
    return this.get<ReadonlyMap<string, string>>(key.presence) ?? new Map();
  }

  /** The last event that the other side's device has stored; 0 where unknown. */
  delivered(id: string): number {
    return this.get<number>(key.delivered(id)) ?? 0;
  }

  /** Put conversations of a snapshot or a page in place of what is known about them. */
  putConversations(views: readonly ConversationView[]): void {
    for (const view of views) {
      const known = this.conversation(view.id);
      // A page that was read before the newest event must not turn the view back.
      if (!known || known.head <= view.head) this.set(key.conversation(view.id), view);
      else if (!known.inbox) this.set(key.conversation(view.id), this.caughtUp(view));
    }
    this.sort(views.map((view) => view.id));
  }

  /** *view* with the events that came after it was read: until now nothing but they was known. */
  private caughtUp(view: ConversationView): ConversationView {
    let next = view;
    for (const { event } of this.timeline(view.id).entries) {
      if (event.seq > view.head) next = reduceConversation(next, event, this.viewer) ?? next;
    }
    return next;
  }

  /** Add a page of messages; *more* says whether older ones exist. */
  putEvents(conversation: string, events: readonly HubEvent[], more: boolean): void {
    const known = this.timeline(conversation);
    const timeline = mergeEvents(known, events);
    this.set(key.timeline(conversation), { ...timeline, more, isLoaded: true });
    for (const event of events) if (event.kind === "run.changed") this.putRun(runOf(event));
    this.reconcile(conversation, events);
  }

  putPanel(conversation: string, panel: Panel): void {
    const others = this.panels(conversation).filter((other) => other.instance !== panel.instance);
    const order = this.panels(conversation).findIndex((other) => other.instance === panel.instance);
    const at = order < 0 ? others.length : order;
    this.set(key.panels(conversation), [...others.slice(0, at), panel, ...others.slice(at)]);
  }

  putRun(run: RunView): void {
    this.set(key.run(run.id), run);
  }

  /** Apply events of the stream, in any order and any number of times. */
  apply(events: readonly HubEvent[]): void {
    const groups = new Map<string, HubEvent[]>();
    for (const event of events) {
      if (!event.conversation) continue;
      const group = groups.get(event.conversation) ?? [];
      groups.set(event.conversation, [...group, event]);
      if (event.kind === "run.changed") this.applyRun(event);
    }
    for (const [id, group] of groups) {
      let view = this.conversation(id);
      for (const event of group) view = reduceConversation(view, event, this.viewer);
      this.set(key.conversation(id), view);
      this.set(key.timeline(id), mergeEvents(this.timeline(id), group));
      this.reconcile(id, group);
      this.hush(id, group);
    }
    this.sort([...groups.keys()]);
  }

  /** Apply what is not in the log: typing, presence, delivery, viewing, panels. */
  applyEphemeral(frame: Ephemeral): void {
    const id = frame.conversation ?? "";
    const data = frame.data;
    if (frame.kind === "typing") this.applyTyping(id, frame);
    else if (frame.kind === "presence") this.applyPresence(data);
    else if (frame.kind === "panel") this.putPanel(id, data as unknown as Panel);
    else if (frame.kind === "delivered") {
      this.set(key.delivered(id), Math.max(this.delivered(id), Number(data["seq"])));
    } else if (frame.kind === "viewing") {
      const names = new Map(this.get<Map<string, string>>(key.viewing(id)) ?? []);
      if (data["on"]) names.set(String(data["agent"]), String(data["name"] ?? ""));
      else names.delete(String(data["agent"]));
      this.set(key.viewing(id), names);
    }
  }

  /** Drop typing marks that nobody renewed; call it about once a second. */
  expireTyping(id: string): void {
    const alive = this.typing(id).filter((mark) => mark.until > this.now());
    if (alive.length !== this.typing(id).length) this.set(key.typing(id), alive);
  }

  putPending(entry: Pending): void {
    const others = this.pending(entry.conversation);
    const isKnown = others.some((other) => other.cid === entry.cid);
    const next = isKnown ? others.map((other) => (other.cid === entry.cid ? entry : other)) : [...others, entry];
    this.set(key.pending(entry.conversation), next);
  }

  dropPending(conversation: string, cid: string): void {
    const left = this.pending(conversation).filter((entry) => entry.cid !== cid);
    if (left.length !== this.pending(conversation).length) this.set(key.pending(conversation), left);
  }

  private applyRun(event: HubEvent): void {
    const run = runOf(event);
    const name = `run-seq:${run.id}`;
    if (event.seq <= (this.get<number>(name) ?? 0)) return;
    this.set(name, event.seq);
    this.putRun(run);
  }

  private applyTyping(id: string, frame: Ephemeral): void {
    const others = this.typing(id).filter((mark) => mark.by !== frame.by);
    const name = String(frame.data["name"] ?? "");
    const until = this.now() + (frame.ttl_s ?? 6) * 1000;
    this.set(key.typing(id), frame.data["on"] ? [...others, { by: frame.by, name, until }] : others);
  }

  private applyPresence(data: Record<string, unknown>): void {
    const seats = new Map(this.presence());
    if (data["online"]) seats.set(String(data["who"]), String(data["status"] ?? "online"));
    else seats.delete(String(data["who"]));
    this.set(key.presence, seats);
  }

  /** What the hub has stored needs no optimistic twin. */
  private reconcile(id: string, events: readonly HubEvent[]): void {
    for (const event of events) {
      const cid = event.data["cid"];
      if (typeof cid !== "string") continue;
      this.dropPending(id, cid);
      this.dropPending("new", cid);
    }
  }

  /** Who has just spoken is not typing any more. */
  private hush(id: string, events: readonly HubEvent[]): void {
    const spoke = new Set(events.filter((event) => event.kind === "message.posted").map((event) => event.by));
    const left = this.typing(id).filter((mark) => !spoke.has(mark.by));
    if (left.length !== this.typing(id).length) this.set(key.typing(id), left);
  }

  private sort(touched: readonly string[]): void {
    if (!touched.length) return;
    const known = this.list();
    const head = (id: string) => this.conversation(id)?.head ?? -1;
    const order = (a: string, b: string) => head(b) - head(a) || (a < b ? 1 : -1);
    const moved = [...new Set(touched)].filter((id) => this.conversation(id)).sort(order);
    let ids: string[];
    if (moved.length > MOVED_ONE_BY_ONE) {
      const leaving = new Set(moved);
      ids = [...known.filter((id) => !leaving.has(id)), ...moved].sort(order);
    } else {
      // Few of many move: two steps for each, where a look at ten thousand would be felt.
      ids = [...known];
      for (const id of moved) {
        const at = ids.indexOf(id);
        if (at >= 0) ids.splice(at, 1);
      }
      for (const id of moved) ids.splice(placeOf(ids, id, order), 0, id);
    }
    if (ids.length !== known.length || ids.some((id, i) => id !== known[i])) this.set(key.list, ids);
  }
}

/** Where *id* belongs among the sorted *ids*. */
function placeOf(ids: readonly string[], id: string, order: (a: string, b: string) => number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order(ids[middle]!, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The newest card with *id* on *timeline*. */
export function findCard(timeline: Timeline, id: string): Card | undefined {
  const entry = timeline.entries.find((one) => one.key === `card:${id}`);
  return entry ? (entry.event.data["card"] as Card) : undefined;
}

function nextFrame(flush: () => void): void {
  // A hidden page paints nothing, but its title and sound still follow the store.
  if (typeof document === "undefined" || document.hidden) setTimeout(flush, 16);
  else requestAnimationFrame(flush);
}
