/** A clock that tests turn, and a hub with one log: sockets, long poll and REST over it. */

import type { Env, SocketLike, Timer } from "../env";
import type { Frame } from "../link";
import type { HubEvent } from "../types";

/** Time stands still until `pass`; promises settle between two timers. */
export class FakeClock {
  ms = Date.parse("2026-11-23T09:00:00Z");
  private timers: { at: number; call: () => void; id: number }[] = [];
  private ids = 0;

  after(ms: number, call: () => void): Timer {
    this.timers.push({ at: this.ms + ms, call, id: ++this.ids });
    return this.ids;
  }

  cancel(id: Timer): void {
    this.timers = this.timers.filter((timer) => timer.id !== id);
  }

  async pass(ms: number): Promise<void> {
    const end = this.ms + ms;
    await settle();
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!next) break;
      this.ms = Math.max(this.ms, next.at);
      this.cancel(next.id);
      next.call();
      await settle();
    }
    this.ms = end;
    await settle();
  }
}

/** Let everything run that waits only for promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
}

class FakeSocket implements SocketLike {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  position = -1;
  /** A dead line: says it is open, carries nothing. */
  isDead = false;

  constructor(private readonly hub: FakeHub) {}

  send(data: string): void {
    if (!this.isDead) queueMicrotask(() => this.hub.hear(this, JSON.parse(data) as Frame));
  }

  close(): void {
    this.readyState = 3;
    this.hub.sockets.delete(this);
  }

  tell(frame: Frame): void {
    if (this.isDead || this.readyState !== 1) return;
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(frame) } as never));
  }

  drop(code = 1006): void {
    this.readyState = 3;
    this.hub.sockets.delete(this);
    queueMicrotask(() => this.onclose?.({ code } as never));
  }
}

export class FakeHub {
  log: HubEvent[] = [];
  epoch = "e";
  sockets = new Set<FakeSocket>();
  dials = 0;
  hellos: Frame[] = [];
  commands: Frame[] = [];
  polls: string[] = [];
  requests: { path: string; init: RequestInit }[] = [];
  /** What the network does: everything works, sockets are refused or mute, or nothing answers. */
  network: "up" | "no-sockets" | "mute-sockets" | "down" = "up";
  /** Called for each command before it is stored; a failure is answered instead. */
  refuse: (frame: Frame) => { code: string; retry: string; after_ms?: number } | "silence" | null = () => null;
  private stored = new Map<string, number>();
  private waking: (() => void)[] = [];

  constructor(readonly clock: FakeClock) {}

  env(random: () => number = () => 0.5): Env {
    return {
      socket: () => this.dial(),
      fetch: (input, init) => this.fetch(input, init ?? {}),
      now: () => this.clock.ms,
      random,
      after: (ms, call) => this.clock.after(ms, call),
      cancel: (timer) => this.clock.cancel(timer),
      onWake: (call) => {
        this.waking.push(call);
        return () => undefined;
      },
    };
  }

  get cursor(): string {
    return `${this.epoch}:${this.log.length}`;
  }

  wake(): void {
    for (const call of this.waking) call();
  }

  post(text: string, by = "agent:a_1", cid = `x${this.log.length}`): HubEvent {
    return this.append("message.posted", by, { kind: "text", text, name: "Li Wei", cid });
  }

  append(kind: string, by: string, data: Record<string, unknown>): HubEvent {
    const at = new Date(this.clock.ms).toISOString();
    const event = { seq: this.log.length + 1, at, kind, conversation: "c_1", by, data };
    this.log.push(event);
    for (const socket of this.sockets) this.push(socket);
    return event;
  }

  hear(socket: FakeSocket, frame: Frame): void {
    if (frame.t === "hello") return this.greet(socket, frame);
    if (frame.t === "send" || frame.t === "note") return this.command(socket, frame);
    this.commands.push(frame);
    if (frame["id"]) socket.tell({ t: "result", id: frame["id"], ok: true, seq: 0, dup: false });
  }

  private dial(): FakeSocket {
    this.dials += 1;
    const socket = new FakeSocket(this);
    const isRefused = this.network === "no-sockets" || this.network === "down";
    queueMicrotask(() => {
      if (isRefused) return socket.drop();
      socket.readyState = 1;
      this.sockets.add(socket);
      socket.onopen?.({} as never);
    });
    return socket;
  }

  private greet(socket: FakeSocket, frame: Frame): void {
    this.hellos.push(frame);
    if (this.network === "mute-sockets") return;
    const [epoch, seq] = String(frame["cursor"]).split(":");
    const isKnown = epoch === this.epoch && Number(seq) <= this.log.length;
    socket.position = isKnown ? Number(seq) : this.log.length;
    socket.tell({ t: "welcome", v: 1, cursor: this.cursor, mode: isKnown ? "resumed" : "snapshot" });
    if (!isKnown) socket.tell({ t: "reset", cursor: this.cursor, why: "epoch" });
    this.push(socket);
  }

  private push(socket: FakeSocket): void {
    if (socket.position < 0 || socket.position >= this.log.length) return;
    const events = this.log.slice(socket.position);
    socket.tell({ t: "events", from: `${this.epoch}:${socket.position}`, to: this.cursor, events });
    socket.position = this.log.length;
  }

  private command(socket: FakeSocket, frame: Frame): void {
    this.commands.push(frame);
    const refusal = this.refuse(frame);
    if (refusal === "silence") return;
    if (refusal) return socket.tell({ t: "result", id: frame["id"], ok: false, error: { text: "", ...refusal } });
    const receipt = this.store(String(frame["cid"]), (frame["body"] as { text: string }).text);
    socket.tell({ t: "result", id: frame["id"], ok: true, ...receipt });
  }

  private store(cid: string, text: string): { seq: number; dup: boolean; conversation: string } {
    const known = this.stored.get(cid);
    if (known !== undefined) return { seq: known, dup: true, conversation: "c_1" };
    const { seq } = this.post(text, "visitor:v_1", cid);
    this.stored.set(cid, seq);
    return { seq, dup: false, conversation: "c_1" };
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    this.requests.push({ path, init });
    if (this.network === "down") throw new TypeError("failed to fetch");
    if (path.includes("/events?")) return this.poll(path, init.signal!);
    const headers = init.headers as Record<string, string>;
    const body = JSON.parse(String(init.body ?? "{}")) as { text?: string; body?: { text: string } };
    const receipt = this.store(headers["idempotency-key"]!, body.text ?? body.body!.text);
    return Response.json({ ...receipt, event: this.log[receipt.seq - 1] });
  }

  private async poll(path: string, signal: AbortSignal): Promise<Response> {
    const query = new URLSearchParams(path.split("?")[1]);
    const cursor = query.get("cursor")!;
    this.polls.push(cursor);
    const from = Number(cursor.split(":")[1]);
    const end = this.clock.ms + Number(query.get("wait")) * 1000;
    while (this.log.length <= from && this.clock.ms < end && !signal.aborted) {
      await new Promise<void>((done) => this.clock.after(100, done));
      if (this.network === "down") throw new TypeError("failed to fetch");
    }
    if (signal.aborted) throw new DOMException("aborted", "AbortError");
    const events = this.log.slice(from);
    return Response.json({ from: cursor, to: this.cursor, events, cursor: this.cursor });
  }
}

/** A die that falls the same way every time. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  const out: T[] = [];
  while (left.length) out.push(...left.splice(Math.floor(random() * left.length), 1));
  return out;
}
