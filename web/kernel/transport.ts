/** The connection to the hub: live over a socket, or by long poll, always from one cursor. */

import { ApiError, type Api, type PollAnswer, type Position } from "./api";
import { fit } from "./cursor";
import type { Env, Timer } from "./env";
import { type Frame, Link } from "./link";
import type { Command, Ephemeral, HubEvent, Receipt } from "./types";

const POLL_WAIT_S = 25;
const SOCKET_AGAIN_MS = 300_000;
const STABLE_MS = 10_000;
const TICK_MS = 5_000;
const WAKE_AGAIN_MS = 1_000;
const LATE_MS = 15_000;
const MAX_BUFFER = 500;

/** Random wait before the k-th try (from 0): full jitter in [0, min(30 s, 0.5 s · 2^k)]. */
export function backoffMs(k: number, random: () => number): number {
  return random() * Math.min(30_000, 500 * 2 ** Math.min(k, 16));
}

export interface ConnectionState {
  phase: "idle" | "connecting" | "live" | "polling" | "offline" | "stopped";
  /** Since when nothing can arrive; null while live or polling. */
  offlineSince: number | null;
  /** The close code that stopped it for good (4500 and above). */
  code?: number;
}

export interface ConnectionOptions {
  api: Api;
  env: Env;
  client: { name: string; version: string };
  token: () => string;
  /** Makes `token()` newer: before expiry (auth_soon) and after 4401. */
  refresh?: () => Promise<void>;
  cursor?: string | null;
  onEvents: (events: HubEvent[], cursor: string) => void;
  /** Drop everything, load the snapshot, return its cursor. */
  onReset: (why: string) => Promise<string>;
  onEphemeral?: (frame: Ephemeral) => void;
  onState?: (state: ConnectionState) => void;
}

/** Keeps a client at the head of its log. Events arrive in order, each once. */
export class Connection {
  state: ConnectionState = { phase: "idle", offlineSince: null };
  cursor: string | null;
  private readonly env: Env;
  private link: Link | null = null;
  private dialled: { link: Link; why: "first" | "wake" | "drain" | "gap" | "upgrade" } | null = null;
  private polling: AbortController | null = null;
  private loading: Promise<void> | null = null;
  private buffer: { from: Position; to: Position; events: HubEvent[] }[] = [];
  private attempt = 0;
  private failedOpens = 0;
  private gaps = 0;
  private drainAt = 0;
  private dialledAt = -Infinity;
  private tickAt = 0;
  private readonly timers = new Map<string, Timer>();
  private sleepless: (() => void) | null = null;

  constructor(private readonly options: ConnectionOptions) {
    this.env = options.env;
    this.cursor = options.cursor ?? null;
  }

  /** Connect and stay connected until `stop`. */
  start(): void {
    if (this.state.phase !== "idle" && this.state.phase !== "stopped") return;
    this.say("connecting");
    this.sleepless = this.env.onWake(() => this.wake());
    this.tick();
    void this.tryNow();
  }

  /** Hang up and stay silent. */
  stop(code?: number): void {
    this.sleepless?.();
    for (const timer of this.timers.values()) this.env.cancel(timer);
    this.timers.clear();
    this.drop();
    this.state = { phase: "stopped", offlineSince: this.env.now(), ...(code ? { code } : {}) };
    this.options.onState?.(this.state);
  }

  /** Try at once instead of waiting for the back-off ("Try now"). */
  wake(): void {
    if (this.state.phase === "stopped") return;
    const early = this.dialledAt + WAKE_AGAIN_MS - this.env.now();
    // The try under way may have begun before the network came back; one that opens ends the matter.
    if (early > 0) return this.set("wake", early, () => this.wake());
    this.attempt = 0;
    if (this.polling) this.dial("upgrade");
    else if (this.link || this.dialled) this.dial("wake");
    else void this.tryNow();
  }

  /** Run *command* on whatever transport there is. Raises `ApiError`, also when offline. */
  command(command: Command): Promise<Receipt> {
    const overSocket = this.link && !(command.t === "send" && command.conversation === "new");
    if (overSocket) return this.link!.request({ ...command });
    if (this.link || this.polling) return this.options.api.command(command);
    return Promise.reject(new ApiError({ code: "offline", retry: "same", text: "not connected" }));
  }

  /** Send what may get lost (typing, open, ack); nothing happens without a socket. */
  cast(frame: Frame): void {
    this.link?.cast(frame);
  }

  // Trying and failing.

  private async tryNow(): Promise<void> {
    if (this.cursor === null && !(await this.reload("start"))) return;
    if (this.failedOpens >= 2 && (await this.probePoll())) return;
    if (this.state.phase !== "stopped" && !this.link && !this.dialled) this.dial("first");
  }

  private dial(why: "first" | "wake" | "drain" | "gap" | "upgrade"): void {
    if (this.state.phase === "stopped") return;
    this.dialled?.link.close();
    this.dialledAt = this.env.now();
    const { client, token } = this.options;
    const hello = { t: "hello", v: 1, token: token(), cursor: this.cursor, client };
    const url = this.options.api.base.replace(/^http/, "ws") + "/api/v1/stream";
    this.dialled = {
      why,
      link: new Link(this.env, url, hello, {
        welcome: (link, frame) => this.welcomed(link, frame),
        frame: (link, frame) => this.heard(link, frame),
        closed: (link, code, late) => this.closed(link, code, late),
      }),
    };
  }

  private welcomed(link: Link, frame: Frame): void {
    // The old socket served until now; hanging up earlier would leave a hole for typing and panels.
    this.link?.close();
    this.link = link;
    this.dialled = null;
    this.polling?.abort();
    this.polling = null;
    this.failedOpens = 0;
    this.set("stable", STABLE_MS, () => {
      this.attempt = 0;
      this.gaps = 0;
    });
    for (const timer of ["retry", "wake", "socket"]) this.unset(timer);
    this.unset("drain");
    if (frame["mode"] === "snapshot") void this.reload("snapshot").then((ok) => ok && this.say("live"));
    else this.say("live");
  }

  private closed(link: Link, code: number, late: boolean): void {
    const dialled = this.dialled?.link === link ? this.dialled : null;
    if (dialled) this.dialled = null;
    else if (this.link === link) this.link = null;
    else return;
    if (code >= 4500 && code < 5000) return this.stop(code);
    if (dialled && !link.isWelcome) this.failedOpens += late ? 2 : 1;
    if (dialled?.why === "upgrade" && this.polling) return;
    if (dialled?.why === "drain" && this.link) return this.renewLater(backoffMs(this.attempt++, this.env.random));
    if (dialled && this.link) {
      // Woken up, and the new socket does not open: the old one only looks alive.
      this.link.close();
      this.link = null;
    }
    if (this.dialled) return this.say("offline");
    this.lost(code);
  }

  private lost(code: number): void {
    this.say("offline");
    this.unset("stable");
    const window = this.drainAt - this.env.now();
    this.unset("drain");
    const planned = code === 1012 || code === 4400;
    const wait = planned && window > 0 ? window : backoffMs(this.attempt++, this.env.random);
    this.set("retry", wait, () => {
      if (code === 4401) void this.refreshed().finally(() => this.tryNow());
      else void this.tryNow();
    });
  }

  private async refreshed(): Promise<void> {
    try {
      await this.options.refresh?.();
    } catch (error) {
      if (error instanceof ApiError && error.retry === "never") this.stop(4501);
    }
  }

  // Frames.

  private heard(link: Link, frame: Frame): void {
    switch (frame.t) {
      case "events":
        return this.take(frame as unknown as { from: Position; to: Position; events: HubEvent[] });
      case "reset":
        return void this.reload(String(frame["why"])).then((ok) => ok && this.link === link && this.say("live"));
      case "ephemeral":
        return this.options.onEphemeral?.(frame as unknown as Ephemeral);
      case "auth_soon":
        return void this.refreshed().then(() =>
          link.request({ t: "auth", token: this.options.token() }).catch(() => undefined),
        );
      case "drain":
        return this.drain(frame["window_ms"] as [number, number]);
      default:
        return;
    }
  }

  private drain([low, high]: [number, number]): void {
    const wait = low + this.env.random() * (high - low);
    this.drainAt = this.env.now() + wait;
    this.renewLater(wait);
  }

  private renewLater(wait: number): void {
    this.set("drain", wait, () => this.dial("drain"));
  }

  private take(batch: { from: Position; to: Position; events: HubEvent[] }): void {
    if (this.loading || this.cursor === null) {
      if (this.buffer.push(batch) > MAX_BUFFER) this.buffer.shift();
      return;
    }
    const range = fit(this.cursor, batch.from, batch.to, batch.events);
    if (range.fits === "gap") return this.mend();
    if (range.fits === "old") return;
    this.cursor = range.cursor;
    this.options.onEvents(range.events, range.cursor);
    const last = range.events[range.events.length - 1];
    if (last) this.cast({ t: "ack", seq: last.seq });
  }

  private mend(): void {
    if (++this.gaps > 3) void this.reload("gap");
    else if (!this.dialled) this.dial("gap");
  }

  /** Load the snapshot once, however many ask; true when the cursor is good again. */
  private async reload(why: string): Promise<boolean> {
    this.loading ??= this.load(why).finally(() => (this.loading = null));
    try {
      await this.loading;
    } catch (error) {
      if (this.state.phase === "stopped") return false;
      if (error instanceof ApiError && error.status === 401) this.stop(4501);
      else {
        this.drop();
        this.lost(0);
      }
      return false;
    }
    const held = this.buffer.splice(0);
    for (const batch of held) this.take(batch);
    return true;
  }

  private async load(why: string): Promise<void> {
    this.cursor = await this.options.onReset(why);
    this.gaps = 0;
  }

  // Long poll.

  private async probePoll(): Promise<boolean> {
    const abort = new AbortController();
    this.polling = abort;
    if (!(await this.pollOnce(abort, 0))) {
      if (this.polling === abort) this.polling = null;
      return false;
    }
    this.attempt = 0;
    this.say("polling");
    // The opens may have failed with everything else, and sockets work again: one try tells.
    this.dial("upgrade");
    this.upgradeLater();
    void this.pollOn(abort);
    return true;
  }

  private async pollOn(abort: AbortController): Promise<void> {
    while (await this.pollOnce(abort, POLL_WAIT_S)) continue;
    if (this.polling !== abort) return;
    this.polling = null;
    this.unset("socket");
    this.lost(0);
  }

  private async pollOnce(abort: AbortController, waitS: number): Promise<boolean> {
    try {
      const answer: PollAnswer = await this.options.api.poll(this.cursor!, waitS, abort.signal);
      if (abort.signal.aborted) return false;
      if ("reset" in answer) return await this.reload(answer.reset);
      this.take({ from: answer.from ?? this.cursor!, to: answer.to ?? answer.cursor, events: answer.events });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.stop(4501);
      return false;
    }
  }

  private upgradeLater(): void {
    this.set("socket", SOCKET_AGAIN_MS, () => {
      this.dial("upgrade");
      this.upgradeLater();
    });
  }

  // Bookkeeping.

  private tick(): void {
    const expected = this.tickAt;
    const now = this.env.now();
    this.tickAt = now + TICK_MS;
    this.set("tick", TICK_MS, () => this.tick());
    // A timer that fires this late has slept with the machine: the socket is dead, whatever it says.
    if (expected && now - expected > LATE_MS) this.wake();
  }

  private drop(): void {
    this.polling?.abort();
    this.polling = null;
    this.link?.close();
    this.dialled?.link.close();
    this.link = null;
    this.dialled = null;
  }

  private say(phase: ConnectionState["phase"]): void {
    if (phase === this.state.phase) return;
    const isUp = phase === "live" || phase === "polling";
    this.state = { phase, offlineSince: isUp ? null : (this.state.offlineSince ?? this.env.now()) };
    this.options.onState?.(this.state);
  }

  private set(name: string, ms: number, call: () => void): void {
    this.unset(name);
    this.timers.set(name, this.env.after(ms, call));
  }

  private unset(name: string): void {
    const timer = this.timers.get(name);
    if (timer !== undefined) this.env.cancel(timer);
    this.timers.delete(name);
  }
}
