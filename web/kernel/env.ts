/** Everything the kernel takes from its surroundings, so that tests can hand in their own. */

export interface SocketLike {
  readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

export type Timer = unknown;

export interface Env {
  socket(url: string): SocketLike;
  fetch: (input: string, init?: RequestInit) => Promise<Response>;
  now(): number;
  /** In [0, 1). */
  random(): number;
  after(ms: number, call: () => void): Timer;
  cancel(timer: Timer): void;
  /** Calls back when the page wakes up or the network comes or goes; gives the unsubscriber. */
  onWake(call: () => void): () => void;
}

/** The browser's own surroundings. */
export function browserEnv(): Env {
  return {
    socket: (url) => new WebSocket(url) as unknown as SocketLike,
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, call) => setTimeout(call, ms),
    cancel: (timer) => clearTimeout(timer as number),
    onWake(call) {
      const seen = () => document.visibilityState === "visible" && call();
      document.addEventListener("visibilitychange", seen);
      // "offline" is a hint as well: dialling anew finds out at once instead of after 40 s.
      for (const name of ["online", "offline"]) addEventListener(name, call);
      return () => {
        document.removeEventListener("visibilitychange", seen);
        for (const name of ["online", "offline"]) removeEventListener(name, call);
      };
    },
  };
}
