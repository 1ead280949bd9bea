/** Who is signed in here. The access token lives in memory, the refresh token in this browser. */

import { type Agent, Api, ApiError, browserEnv } from "../kernel";

export interface Tokens {
  access: string;
  refresh: string;
  expires_in: number;
  agent: Agent;
}
export interface SignInWays {
  password: boolean;
  sso: { instance: string; name: string }[];
}

const STORED = "deskhub:refresh";
// The hub revokes a session whose refresh token is used twice, so tabs take turns.
const LOCK = "deskhub-refresh";
const EARLY_MS = 60_000;

/** The session of this tab. */
export class Session {
  agent: Agent | null = null;
  private access = "";
  private refreshing: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly api: Api;

  constructor(private readonly onEnd: () => void) {
    this.api = new Api("", browserEnv(), () => this.access || null, () => this.renew());
  }

  token(): string {
    return this.access;
  }

  /** Take up the session that this browser has kept; false when there is none. */
  async resume(): Promise<boolean> {
    if (!stored()) return false;
    try {
      await this.renew();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) return false;
      throw error;
    }
  }

  async signIn(email: string, password: string): Promise<void> {
    const body = { email, password };
    this.take(await this.api.call<Tokens>("/api/v1/sessions", { method: "POST", body, anonymous: true }));
  }

  /** Trade the one-time code that single sign-on brought back. */
  async exchange(code: string): Promise<void> {
    const options = { method: "POST", body: { code }, anonymous: true };
    this.take(await this.api.call<Tokens>("/api/v1/sessions/exchange", options));
  }

  ways(): Promise<SignInWays> {
    return this.api.call<SignInWays>("/api/v1/sign-in", { anonymous: true });
  }

  /** Get a newer access token; one refresher at a time in the tab and in the browser. */
  renew(): Promise<void> {
    this.refreshing ??= locked(() => this.rotate()).finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  async signOut(): Promise<void> {
    await this.api.call("/api/v1/sessions/current", { method: "DELETE" }).catch(() => undefined);
    this.forget();
    this.onEnd();
  }

  private async rotate(): Promise<void> {
    const refresh = stored();
    if (!refresh) throw new ApiError({ code: "unauthenticated", retry: "never", text: "signed out" }, 401);
    try {
      const options = { method: "POST", body: { refresh }, anonymous: true };
      this.take(await this.api.call<Tokens>("/api/v1/sessions/refresh", options));
    } catch (error) {
      const refused = error instanceof ApiError && (error.status === 401 || error.status === 403);
      if (refused) {
        const was = this.agent;
        this.forget();
        if (was) this.onEnd();
      }
      throw error;
    }
  }

  private take(tokens: Tokens): void {
    this.access = tokens.access;
    this.agent = tokens.agent;
    try {
      localStorage.setItem(STORED, tokens.refresh);
    } catch {
      // Without storage the session ends with the tab.
    }
    clearTimeout(this.timer);
    const wait = Math.max(10_000, tokens.expires_in * 1000 - EARLY_MS);
    this.timer = setTimeout(() => void this.renew().catch(() => undefined), wait);
  }

  private forget(): void {
    clearTimeout(this.timer);
    this.access = "";
    this.agent = null;
    try {
      localStorage.removeItem(STORED);
    } catch {
      // Nothing was stored.
    }
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function locked<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request(LOCK, work) : work();
}
