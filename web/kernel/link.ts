/** One socket from dial to close: greeting, answers to requests, heartbeat, silence. */

import { ApiError } from "./api";
import type { Env, SocketLike, Timer } from "./env";
import type { Failure, Receipt } from "./types";

export const WELCOME_MS = 5_000;
export const SILENCE_MS = 40_000;
const ANSWER_MS = 15_000;
const IN_FLIGHT = 32;

export type Frame = { t: string } & Record<string, unknown>;

export interface LinkEvents {
  welcome(link: Link, frame: Frame): void;
  frame(link: Link, frame: Frame): void;
  /** Called once; *late* means that no welcome came in time. */
  closed(link: Link, code: number, late: boolean): void;
}

interface Waiting {
  frame: Frame;
  done: (receipt: Receipt) => void;
  fail: (error: ApiError) => void;
  timer?: Timer;
}

/** A dialled socket. It never reconnects: `Connection` does. */
export class Link {
  isWelcome = false;
  private readonly socket: SocketLike | null;
  private readonly sent = new Map<string, Waiting>();
  private readonly held: Waiting[] = [];
  private isClosed = false;
  private counter = 0;
  private heardAt: number;
  private watch: Timer;

  constructor(
    private readonly env: Env,
    url: string,
    hello: Frame,
    private readonly events: LinkEvents,
  ) {
    this.heardAt = env.now();
    this.watch = env.after(WELCOME_MS, () => this.end(4408, true));
    this.socket = this.open(url, hello);
  }

  /** Ask for something that is answered by a `result` frame. Raises `ApiError`. */
  request(frame: Frame): Promise<Receipt> {
    return new Promise((done, fail) => {
      const waiting: Waiting = { frame, done, fail };
      if (this.isClosed) fail(lost());
      else if (this.sent.size >= IN_FLIGHT) this.held.push(waiting);
      else this.put(waiting);
    });
  }

  /** Send a frame that nobody answers (typing, ack, pong). */
  cast(frame: Frame): void {
    if (this.isClosed || this.socket?.readyState !== 1) return;
    this.socket.send(JSON.stringify(frame));
  }

  /** Hang up; `closed` is not called. */
  close(): void {
    this.finish();
  }

  private open(url: string, hello: Frame): SocketLike | null {
    try {
      const socket = this.env.socket(url);
      socket.onopen = () => this.cast(hello);
      socket.onmessage = (event: { data: unknown }) => this.hear(String(event.data));
      socket.onclose = (event: { code?: number }) => this.end(event.code ?? 1006, false);
      socket.onerror = () => undefined;
      return socket;
    } catch {
      // A policy of the page can forbid the socket with an exception: the same as a failed open.
      this.env.after(0, () => this.end(1006, false));
      return null;
    }
  }

  private hear(text: string): void {
    this.heardAt = this.env.now();
    let frame: Frame;
    try {
      frame = JSON.parse(text) as Frame;
    } catch {
      return;
    }
    if (frame.t === "ping") this.cast({ t: "pong", k: frame["k"] });
    else if (frame.t === "result") this.settle(frame);
    else if (frame.t === "welcome") this.greet(frame);
    else this.events.frame(this, frame);
  }

  private greet(frame: Frame): void {
    this.isWelcome = true;
    this.env.cancel(this.watch);
    this.listen();
    this.events.welcome(this, frame);
  }

  private listen(): void {
    const left = this.heardAt + SILENCE_MS - this.env.now();
    if (left <= 0) this.end(4408, false);
    else this.watch = this.env.after(left, () => this.listen());
  }

  private put(waiting: Waiting): void {
    const id = `r${++this.counter}`;
    waiting.timer = this.env.after(ANSWER_MS, () => {
      this.sent.delete(id);
      waiting.fail(new ApiError({ code: "no_answer", retry: "same", text: "no answer in time" }));
      this.next();
    });
    this.sent.set(id, waiting);
    this.cast({ ...waiting.frame, id });
  }

  private settle(frame: Frame): void {
    const waiting = this.sent.get(String(frame["id"]));
    if (!waiting) return;
    this.sent.delete(String(frame["id"]));
    this.env.cancel(waiting.timer);
    if (frame["ok"]) waiting.done(frame as unknown as Receipt);
    else {
      const failure = frame["error"] as Failure;
      // 400 stands for "the hub answered"; the frame carries no HTTP status.
      waiting.fail(new ApiError(failure, 400, failure as unknown as Record<string, unknown>));
    }
    this.next();
  }

  private next(): void {
    const waiting = this.held.shift();
    if (waiting) this.put(waiting);
  }

  private end(code: number, late: boolean): void {
    if (this.isClosed) return;
    this.finish();
    this.events.closed(this, code, late);
  }

  private finish(): void {
    this.isClosed = true;
    this.env.cancel(this.watch);
    const socket = this.socket;
    if (socket) {
      // A dead socket may stay in CLOSING for minutes: nobody listens to it any more.
      socket.onopen = socket.onmessage = socket.onclose = null;
      try {
        socket.close(1000);
      } catch {
        // It was never open.
      }
    }
    for (const waiting of [...this.sent.values(), ...this.held]) {
      this.env.cancel(waiting.timer);
      waiting.fail(lost());
    }
    this.sent.clear();
    this.held.length = 0;
  }
}

function lost(): ApiError {
  return new ApiError({ code: "connection_lost", retry: "same", text: "the connection was lost" });
}
