/** Connection, store and outbox put together: what both user interfaces talk to. */

import { Api, type ApiError } from "./api";
import { type Env, browserEnv } from "./env";
import type { HubFile } from "./files";
import { newCid } from "./ids";
import { Outbox, type OutboxEntry, type OutboxStorage, memoryStorage } from "./outbox";
import { type Viewer } from "./reduce";
import { type Scheduler, Store, key } from "./store";
import { Connection, type ConnectionState } from "./transport";
import type { Command, HubEvent, PostBody, Receipt } from "./types";

const TYPING_MS = 3_000;

export interface ClientOptions {
  /** The hub's address without a trailing slash. */
  base: string;
  viewer: Viewer;
  client: { name: string; version: string };
  token: () => string;
  refresh?: () => Promise<void>;
  /** Load the snapshot into *store* (after `store.clear()`) and return its cursor. */
  load: (client: Client, why: string) => Promise<string>;
  storage?: OutboxStorage;
  env?: Env;
  schedule?: Scheduler;
  /** Everything the store has taken in, in order; for sounds and for marks of reading. */
  onEvents?: (events: readonly HubEvent[]) => void;
  /** A queued command was refused for good, and will not be repeated. */
  onFailure?: (command: Command, error: ApiError) => void;
}

/** One signed-in client of the hub. */
export class Client {
  readonly api: Api;
  readonly store: Store;
  readonly connection: Connection;
  readonly outbox: Outbox;
  private readonly env: Env;
  private readonly typed = new Map<string, number>();
  private readonly reads = new Map<string, number>();
  private readonly homes = new Map<string, string>();

  constructor(private readonly options: ClientOptions) {
    const env = (this.env = options.env ?? browserEnv());
    this.api = new Api(options.base, env, options.token, options.refresh);
    this.store = new Store(options.viewer, options.schedule, env.now);
    this.outbox = new Outbox({
      storage: options.storage ?? memoryStorage(),
      env,
      deliver: (command) => this.connection.command(command),
      onState: (entry, state, receipt) => this.sending(entry, state, receipt),
    });
    this.connection = new Connection({
      api: this.api,
      env,
      client: options.client,
      token: options.token,
      ...(options.refresh ? { refresh: options.refresh } : {}),
      onEvents: (events) => this.take(events),
      onReset: (why) => options.load(this, why),
      onEphemeral: (frame) => this.store.applyEphemeral(frame),
      onState: (state) => this.turn(state),
    });
    this.store.set(key.connection, this.connection.state);
  }

  /** Bring back unsent messages, then connect. */
  async start(): Promise<void> {
    await this.outbox.restore();
    this.connection.start();
  }

  stop(): void {
    this.outbox.pause();
    this.connection.stop();
  }

  get state(): ConnectionState {
    return this.store.get<ConnectionState>(key.connection)!;
  }

  /** Post *text*: shown at once, stored on this device, sent when it can be. Gives its cid. */
  post(conversation: string, text: string, more: Partial<PostBody> & { language?: string } = {}): string {
    const cid = newCid(this.env.now());
    const { language, ...rest } = more;
    const body: PostBody = { kind: "text", text, ...rest };
    this.typing(conversation, false);
    void this.outbox.add(conversation, {
      t: "send",
      conversation,
      cid,
      body,
      ...(language && conversation === "new" ? { language } : {}),
    });
    return cid;
  }

  /** Queue a command that is shown at once (note, tag, assign, …). Gives its cid. */
  queue(command: Command): string {
    const cid = command.cid ?? newCid(this.env.now());
    void this.outbox.add(command.conversation, { ...command, cid });
    return cid;
  }

  /** Run *command* now and wait for the hub. Raises `ApiError`, also when offline. */
  command(command: Command): Promise<Receipt> {
    return this.connection.command({ cid: newCid(this.env.now()), ...command });
  }

  /** Send a failed message again; it cannot be stored twice. */
  retry(cid: string): void {
    void this.outbox.retry(cid);
    this.connection.wake();
  }

  /** Tell the other side that somebody types here; at most once per 3 s. */
  typing(conversation: string, on: boolean): void {
    const now = this.env.now();
    const before = this.typed.get(conversation) ?? -Infinity;
    if (conversation === "new" || (on ? now - before < TYPING_MS : before === -Infinity)) return;
    if (on) this.typed.set(conversation, now);
    else this.typed.delete(conversation);
    this.connection.cast({ t: "typing", conversation, on });
  }

  /** Mark as read up to *seq*; only forward, and once. */
  read(conversation: string, seq: number): void {
    const known = this.store.conversation(conversation)?.read_seq ?? 0;
    if (seq <= Math.max(known, this.reads.get(conversation) ?? 0)) return;
    this.reads.set(conversation, seq);
    // A lost mark is set again by the next one, and so is one taken back by "mark as unread".
    const forget = () => void this.reads.delete(conversation);
    this.command({ t: "read", conversation, seq }).then(forget, (error: ApiError) => {
      if (error.retry !== "never") forget();
    });
  }

  /** Say that messages for *from* ("new") now belong to *conversation*. */
  settle(from: string, conversation: string): void {
    this.homes.set(from, conversation);
    for (const entry of this.store.pending(from)) {
      this.store.dropPending(from, entry.cid);
      this.store.putPending({ ...entry, conversation });
    }
    void this.outbox.move(from, conversation);
  }

  private take(events: readonly HubEvent[]): void {
    this.store.apply(events);
    for (const event of events) {
      const cid = event.data["cid"];
      if (typeof cid === "string" && event.by === this.store.viewer.id) void this.outbox.confirm(cid);
    }
    this.options.onEvents?.(events);
  }

  private turn(state: ConnectionState): void {
    this.store.set(key.connection, state);
    if (state.phase === "live" || state.phase === "polling") this.outbox.open();
    else this.outbox.pause();
  }

  private sending(entry: OutboxEntry, state: "queued" | "sending" | "stored" | "failed", receipt?: Receipt): void {
    const { command } = entry;
    if (command.t !== "send" && command.t !== "note") return;
    const text = command.t === "send" ? command.body.text : command.text;
    if (receipt?.event) {
      this.store.apply([receipt.event]);
      return;
    }
    const home = this.homes.get(command.conversation) ?? receipt?.conversation ?? command.conversation;
    if (home !== command.conversation) this.store.dropPending(command.conversation, entry.cid);
    // The event may have come before the result; then nothing is pending any more.
    if (receipt && this.store.hasEvent(home, receipt.seq)) return this.store.dropPending(home, entry.cid);
    this.store.putPending({
      cid: entry.cid,
      conversation: home,
      text,
      files: (command as { body?: PostBody }).body?.files?.flatMap((id) => this.store.get<HubFile>(key.file(id)) ?? []),
      at: entry.at,
      state,
      ...(command.t === "note" ? { note: true } : {}),
      ...(receipt ? { seq: receipt.seq } : {}),
      ...(entry.error ? { error: entry.error } : {}),
    });
  }
}
