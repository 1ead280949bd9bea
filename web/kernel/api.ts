/** REST calls: one wrapper that turns problem documents into typed errors. */

import type { Command, Failure, HubEvent, Receipt } from "./types";
import type { Env } from "./env";

/** A call that did not work; `retry` says whether trying again can help. */
export class ApiError extends Error {
  readonly code: string;
  readonly retry: Failure["retry"];
  readonly status: number;
  readonly afterMs: number | undefined;
  /** The problem document, or the `error` of a result frame, as it came. */
  readonly body: Record<string, unknown>;

  constructor(failure: Failure, status = 0, body: Record<string, unknown> = {}) {
    super(failure.text || failure.code);
    this.name = "ApiError";
    this.code = failure.code;
    this.retry = failure.retry;
    this.afterMs = failure.after_ms;
    this.status = status;
    this.body = body;
  }

  /** True where the hub was not reached at all, as opposed to having refused. */
  get isOffline(): boolean {
    return this.status === 0;
  }
}

export interface CallOptions {
  method?: string;
  body?: unknown;
  cid?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Without the bearer token: sign-in, and the visitor's own session. */
  anonymous?: boolean;
}

/** Long poll answer: either events, or the order to start over. */
export type PollAnswer =
  | { from: Position; to: Position; events: HubEvent[]; cursor: string }
  | { reset: string; cursor: string };

export type Position = number | string;

/** The hub's REST interface, for one bearer. */
export class Api {
  constructor(
    readonly base: string,
    private readonly env: Pick<Env, "fetch" | "after" | "cancel">,
    private readonly token: () => string | null = () => null,
    /** Makes `token()` newer after a 401; without it a 401 is final. */
    private readonly refresh?: () => Promise<void>,
  ) {}

  /** Return the parsed answer (undefined for 204). Raises `ApiError`. */
  async call<T>(path: string, options: CallOptions = {}): Promise<T> {
    try {
      return await this.once<T>(path, options);
    } catch (error) {
      const expired = error instanceof ApiError && error.status === 401;
      if (!expired || !this.refresh || options.anonymous) throw error;
      await this.refresh();
      return this.once<T>(path, options);
    }
  }

  /** Send *command* over REST; the stream's twin of the same name. */
  async command(command: Command): Promise<Receipt> {
    const { path, body } = restOf(command);
    const cid = command.cid;
    return this.call<Receipt>(path, { method: "POST", body, ...(cid ? { cid } : {}) });
  }

  /** One long poll from *cursor*; returns at once with *waitS* 0. */
  poll(cursor: string, waitS: number, signal: AbortSignal): Promise<PollAnswer> {
    const query = `cursor=${encodeURIComponent(cursor)}&wait=${waitS}`;
    return this.call(`/api/v1/events?${query}`, { signal, timeoutMs: waitS * 1000 + 10_000 });
  }

  private async once<T>(path: string, options: CallOptions): Promise<T> {
    const headers: Record<string, string> = { accept: "application/json" };
    const token = options.anonymous ? null : this.token();
    if (token) headers["authorization"] = `Bearer ${token}`;
    if (options.cid) headers["idempotency-key"] = options.cid;
    const init: RequestInit = { method: options.method ?? "GET", headers, credentials: "omit" };
    if (options.body !== undefined) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(options.body);
    }
    const response = await this.reach(path, init, options);
    if (response.status === 204) return undefined as T;
    const body: unknown = await response.json().catch(() => ({}));
    if (!response.ok) throw problem(response, body as Record<string, unknown>);
    return body as T;
  }

  private async reach(path: string, init: RequestInit, options: CallOptions): Promise<Response> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    const timer = this.env.after(options.timeoutMs ?? 15_000, stop);
    options.signal?.addEventListener("abort", stop);
    try {
      return await this.env.fetch(this.base + path, { ...init, signal: abort.signal });
    } catch (error) {
      const text = String(error);
      throw new ApiError({ code: "unreachable", retry: "same", text });
    } finally {
      this.env.cancel(timer);
      options.signal?.removeEventListener("abort", stop);
    }
  }
}

function problem(response: Response, body: Record<string, unknown>): ApiError {
  const wait = Number(response.headers.get("retry-after")) * 1000;
  const afterMs = (body["after_ms"] as number | undefined) ?? (wait > 0 ? wait : undefined);
  const failure: Failure = {
    code: String(body["code"] ?? `http_${response.status}`),
    retry: (body["retry"] as Failure["retry"]) ?? (response.status >= 500 ? "later" : "never"),
    text: String(body["detail"] ?? body["title"] ?? response.statusText),
    ...(afterMs === undefined ? {} : { after_ms: afterMs }),
  };
  return new ApiError(failure, response.status, body);
}

/** Where *command* goes when there is no socket. */
export function restOf(command: Command): { path: string; body: Record<string, unknown> } {
  const root = "/api/v1/conversations";
  const at = `${root}/${encodeURIComponent(command.conversation)}`;
  switch (command.t) {
    case "send":
      if (command.conversation !== "new") return { path: `${at}/messages`, body: { ...command.body } };
      return {
        path: root,
        body: { body: command.body, ...(command.language ? { language: command.language } : {}) },
      };
    case "note":
      return { path: `${at}/notes`, body: { text: command.text } };
    case "edit":
      return { path: `${at}/edit`, body: { seq: command.seq, text: command.text, version: command.version } };
    case "assign":
      return { path: `${at}/assign`, body: { agent: command.agent } };
    case "snooze":
      return { path: `${at}/snooze`, body: { until: command.until } };
    case "tag":
      return { path: `${at}/tags`, body: { add: command.add, remove: command.remove } };
    case "read":
      return { path: `${at}/read`, body: { seq: command.seq } };
    default:
      return { path: `${at}/${command.t}`, body: {} };
  }
}
