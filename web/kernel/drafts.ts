/** Texts not sent yet: on this device at every key, on the hub shortly after the last one. */

import type { Env, Timer } from "./env";

export type DraftMode = "reply" | "note";

export interface DraftOptions {
  env: Pick<Env, "after" | "cancel">;
  /** Usually localStorage; null where the page may not store. */
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
  prefix: string;
  /** Saves on the hub; without it drafts stay on the device. */
  save?: (conversation: string, mode: DraftMode, text: string) => Promise<void>;
  delayMs?: number;
}

/** Drafts by conversation and mode; no event ever touches one. */
export class Drafts {
  private readonly timers = new Map<string, Timer>();
  private readonly unsaved = new Map<string, () => void>();
  private readonly memory = new Map<string, string>();

  constructor(private readonly options: DraftOptions) {}

  get(conversation: string, mode: DraftMode = "reply"): string {
    const name = this.name(conversation, mode);
    return this.memory.get(name) ?? this.read(name) ?? "";
  }

  /** Keep *text*; an empty one deletes the draft. */
  set(conversation: string, text: string, mode: DraftMode = "reply"): void {
    const name = this.name(conversation, mode);
    this.memory.set(name, text);
    this.write(name, text);
    if (!this.options.save) return;
    this.cancel(name);
    const save = () => {
      this.cancel(name);
      // The device has the text; the hub gets it with the next key at the latest.
      void this.options.save!(conversation, mode, text).catch(() => undefined);
    };
    this.unsaved.set(name, save);
    this.timers.set(name, this.options.env.after(this.options.delayMs ?? 800, save));
  }

  /** Take a draft that the hub knows, unless this device has a newer one. */
  adopt(conversation: string, mode: DraftMode, text: string): void {
    const name = this.name(conversation, mode);
    if (!this.unsaved.has(name) && !this.get(conversation, mode)) this.memory.set(name, text);
  }

  /** Save everything that waits: the page is about to go. */
  flush(): void {
    for (const save of [...this.unsaved.values()]) save();
  }

  private name(conversation: string, mode: DraftMode): string {
    return `${this.options.prefix}:draft:${mode}:${conversation}`;
  }

  private cancel(name: string): void {
    const timer = this.timers.get(name);
    if (timer !== undefined) this.options.env.cancel(timer);
    this.timers.delete(name);
    this.unsaved.delete(name);
  }

  private read(name: string): string | null {
    try {
      return this.options.storage?.getItem(name) ?? null;
    } catch {
      return null;
    }
  }

  private write(name: string, text: string): void {
    try {
      if (text) this.options.storage?.setItem(name, text);
      else this.options.storage?.removeItem(name);
    } catch {
      // The store is full or forbidden: the draft lives as long as the page.
    }
  }
}
