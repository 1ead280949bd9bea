/** What was written and is not stored by the hub yet: kept on disk, sent in order, never lost. */

import { ApiError } from "./api";
import { backoffMs } from "./transport";
import type { Env, Timer } from "./env";
import type { Command, Receipt } from "./types";

/** One command on its way. `lane` is what must stay in order: the conversation. */
export interface OutboxEntry {
  cid: string;
  lane: string;
  command: Command;
  at: string;
  state: "queued" | "failed";
  error?: string;
  tries: number;
}

/** Where entries survive; every call resolves after the write is durable. */
export interface OutboxStorage {
  all(): Promise<OutboxEntry[]>;
  put(entry: OutboxEntry): Promise<void>;
  remove(cid: string): Promise<void>;
}

export interface OutboxOptions {
  storage: OutboxStorage;
  env: Pick<Env, "after" | "cancel" | "random" | "now">;
  /** Sends one command. Raises `ApiError`; `retry` decides what becomes of the entry. */
  deliver: (command: Command) => Promise<Receipt>;
  onState: (entry: OutboxEntry, state: "queued" | "sending" | "stored" | "failed", receipt?: Receipt) => void;
}

/** Sends entries in order per lane; a lane waits for its head, other lanes do not. */
export class Outbox {
  private readonly lanes = new Map<string, OutboxEntry[]>();
  private readonly busy = new Set<string>();
  private readonly flying = new Set<OutboxEntry>();
  private readonly shared = new Map<string, string>();
  private readonly timers = new Map<string, Timer>();
  private readonly saving = new Map<string, Promise<void>>();
  private isOpen = false;

  constructor(private readonly options: OutboxOptions) {}

  /** Bring back what an earlier page left behind. Call it once, before `add`. */
  async restore(): Promise<void> {
    const entries = await this.options.storage.all().catch(() => []);
    // Command ids grow with time: their order is the order of writing.
    for (const entry of entries.sort((a, b) => (a.cid < b.cid ? -1 : 1))) {
      this.lane(entry.lane).push(entry);
      this.options.onState(entry, entry.state);
    }
  }

  /** Queue *command*; it is on disk before it is sent. */
  async add(conversation: string, command: Command & { cid: string }): Promise<void> {
    const lane = this.shared.get(conversation) ?? conversation;
    const at = new Date(this.options.env.now()).toISOString();
    const entry: OutboxEntry = { cid: command.cid, lane, command, at, state: "queued", tries: 0 };
    this.lane(lane).push(entry);
    this.options.onState(entry, "queued");
    // A browser that forbids storage still chats; it only cannot survive closing the tab.
    const saved = this.options.storage.put(entry).catch(() => undefined);
    this.saving.set(entry.cid, saved);
    await saved;
    this.saving.delete(entry.cid);
    void this.pump(lane);
  }

  /** The connection is there: send. */
  open(): void {
    this.isOpen = true;
    for (const timer of this.timers.values()) this.options.env.cancel(timer);
    this.timers.clear();
    for (const lane of this.lanes.keys()) void this.pump(lane);
  }

  /** The connection is gone: wait. */
  pause(): void {
    this.isOpen = false;
  }

  /** Send a failed entry again; its id stays, so it cannot be stored twice. */
  async retry(cid: string): Promise<void> {
    const entry = this.find(cid);
    if (entry?.state !== "failed") return;
    entry.state = "queued";
    entry.tries = 0;
    delete entry.error;
    await this.options.storage.put(entry).catch(() => undefined);
    this.options.onState(entry, "queued");
    void this.pump(entry.lane);
  }

  /** Forget a failed entry; its text was given back to the writer. */
  async discard(cid: string): Promise<void> {
    const entry = this.find(cid);
    if (!entry) return;
    this.take(entry);
    await this.options.storage.remove(cid).catch(() => undefined);
  }

  /** The hub's own event arrived, by whatever way: the entry is done. */
  async confirm(cid: string): Promise<void> {
    await this.discard(cid);
  }

  /** What waits in *from* now goes to the conversation *to*: the first message opened it.

  What is on its way stays as it was sent, since the same id with another body would be
  refused; and nothing overtakes it, so both share one lane from then on. */
  async move(from: string, to: string): Promise<void> {
    const lane = this.lane(from);
    const isSent = (entry: OutboxEntry) => this.flying.has(entry) || entry.tries > 0;
    if (lane.some(isSent)) this.shared.set(to, from);
    const name = this.shared.get(to) ?? to;
    const moved = lane.filter((one) => !isSent(one));
    // All at once: a pause between two would let the second one out first.
    for (const entry of moved) {
      this.take(entry);
      entry.lane = name;
      entry.command = { ...entry.command, conversation: to } as Command;
      this.lane(name).push(entry);
      this.options.onState(entry, entry.state);
    }
    for (const entry of moved) await this.options.storage.put(entry).catch(() => undefined);
    void this.pump(name);
  }

  get size(): number {
    return [...this.lanes.values()].reduce((sum, lane) => sum + lane.length, 0);
  }

  private async pump(name: string): Promise<void> {
    if (this.busy.has(name)) return;
    this.busy.add(name);
    try {
      let head: OutboxEntry | undefined;
      while (this.isOpen && (head = this.head(name))) {
        await this.saving.get(head.cid);
        if (!(await this.sendOne(head))) break;
      }
    } finally {
      this.busy.delete(name);
    }
  }

  /** True when the lane may go on with its next entry. */
  private async sendOne(entry: OutboxEntry): Promise<boolean> {
    this.options.onState(entry, "sending");
    this.flying.add(entry);
    try {
      const receipt = await this.options.deliver(entry.command);
      this.take(entry);
      this.options.onState(entry, "stored", receipt);
      await this.options.storage.remove(entry.cid).catch(() => undefined);
      return true;
    } catch (error) {
      return this.failed(entry, error);
    } finally {
      this.flying.delete(entry);
    }
  }

  private async failed(entry: OutboxEntry, error: unknown): Promise<boolean> {
    const api = error instanceof ApiError ? error : null;
    if (api && api.retry === "never") {
      entry.state = "failed";
      entry.error = api.code;
      await this.options.storage.put(entry).catch(() => undefined);
      this.options.onState(entry, "failed");
      return true;
    }
    // Its own event may have come while the answer was lost.
    if (!this.lane(entry.lane).includes(entry)) return true;
    this.options.onState(entry, "queued");
    const wait = api?.afterMs ?? backoffMs(entry.tries++, this.options.env.random);
    if (this.isOpen) this.later(entry.lane, wait);
    return false;
  }

  private later(lane: string, ms: number): void {
    const old = this.timers.get(lane);
    if (old !== undefined) this.options.env.cancel(old);
    this.timers.set(
      lane,
      this.options.env.after(ms, () => {
        this.timers.delete(lane);
        void this.pump(lane);
      }),
    );
  }

  private lane(name: string): OutboxEntry[] {
    const lane = this.lanes.get(name) ?? [];
    this.lanes.set(name, lane);
    return lane;
  }

  private head(name: string): OutboxEntry | undefined {
    return this.lanes.get(name)?.find((entry) => entry.state === "queued");
  }

  private find(cid: string): OutboxEntry | undefined {
    for (const lane of this.lanes.values()) {
      const entry = lane.find((one) => one.cid === cid);
      if (entry) return entry;
    }
    return undefined;
  }

  private take(entry: OutboxEntry): void {
    const lane = this.lane(entry.lane);
    const at = lane.indexOf(entry);
    if (at >= 0) lane.splice(at, 1);
  }
}

/** Keeps entries for as long as the page lives. */
export function memoryStorage(entries: OutboxEntry[] = []): OutboxStorage {
  const kept = new Map(entries.map((entry) => [entry.cid, structuredClone(entry)]));
  return {
    all: () => Promise.resolve([...kept.values()].map((entry) => structuredClone(entry))),
    put: (entry) => Promise.resolve(void kept.set(entry.cid, structuredClone(entry))),
    remove: (cid) => Promise.resolve(void kept.delete(cid)),
  };
}

/** Keeps entries in IndexedDB under *name*; in memory where the browser has none. */
export function idbStorage(name: string): OutboxStorage {
  if (typeof indexedDB === "undefined") return memoryStorage();
  const opened = new Promise<IDBDatabase>((done, fail) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("outbox", { keyPath: "cid" });
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
  const fallback = memoryStorage();
  opened.catch(() => undefined);
  const run = async <T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const transaction = (await opened).transaction("outbox", mode, { durability: "strict" });
    const request = work(transaction.objectStore("outbox"));
    return new Promise((done, fail) => {
      transaction.oncomplete = () => done(request.result);
      transaction.onerror = transaction.onabort = () => fail(transaction.error);
    });
  };
  return {
    all: () => run<OutboxEntry[]>("readonly", (store) => store.getAll()).catch(() => fallback.all()),
    put: (entry) => run("readwrite", (store) => store.put(entry)).then(() => undefined, () => fallback.put(entry)),
    remove: (cid) => run("readwrite", (store) => store.delete(cid)).then(() => undefined, () => fallback.remove(cid)),
  };
}
