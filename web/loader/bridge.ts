/** What the loader and the chat bundle know about each other. */

/** What is kept on this device, per inbox, after the first interaction. */
export interface Saved {
  token: string;
  /** The shop's number of an identified customer; null for an anonymous visitor. */
  who: string | null;
  /** True once there is a conversation: only then unread is asked for. */
  talks: boolean;
  lang?: string;
  theme?: Theme;
}

export type Theme = "light" | "dark" | "auto";

/** The chat bundle, once it runs. */
export interface App {
  open(text?: string): void;
  close(): void;
  identify(): void;
  language(tag: string): void;
  theme(theme: Theme): void;
}

/** The loader's side: the launcher, the host page's settings, the visitor's session. */
export interface Bridge {
  base: string;
  inbox: string;
  root: ShadowRoot;
  frame: HTMLElement;
  mount: HTMLElement;
  launcher: HTMLButtonElement;
  lang: string | undefined;
  identity: string | null;
  /** The order that the page is about, as the shop said with `track`. */
  order?: { number: string; text?: string };
  /** The visitor's token, in memory until `keep`. */
  saved: Saved | null;
  /** Store the session on this device. */
  keep(change?: Partial<Saved>): void;
  /** Begin or continue the visitor's session on the hub. */
  visit(): Promise<Record<string, unknown>>;
  badge(unread: number, label: string): void;
  emit(event: string, detail?: unknown): void;
  attach(app: App): void;
}

export type HostCall = ((...args: unknown[]) => void) & { q?: IArguments[]; bridge?: Bridge };
