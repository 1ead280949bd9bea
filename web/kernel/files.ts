/** Files of messages: what an event says of them, and the addresses under which they are read. */

import type { Api } from "./api";
import type { HubEvent } from "./types";

/** A file as an event names it; sizes in pixels are known before anything is loaded. */
export interface HubFile {
  id: string;
  name: string;
  media: string;
  bytes: number;
  width?: number;
  height?: number;
  thumb?: { width: number; height: number };
}

/** Where one reader finds a file, until `until`. */
export interface FileAddress {
  url: string;
  image: string | null;
  thumb: string | null;
  until: number;
}

/** What the hub answers about a file. */
export interface FileAnswer {
  file: string;
  name: string;
  media: string;
  bytes: number;
  width: number | null;
  height: number | null;
  thumb: { width: number; height: number } | null;
  url: string;
  image_url: string | null;
  thumb_url: string | null;
  until: string;
}

const COLLECT_MS = 20;
const ASK_MAX = 50;
/** An address that ends this soon is not given out any more. */
const SPARE_MS = 30_000;

/** The files of a message; none for every other event. */
export function filesOf(event: HubEvent): readonly HubFile[] {
  const files = event.data["files"];
  return Array.isArray(files) ? (files as HubFile[]) : [];
}

/** What a list says of a message: its text, or the names of its files. */
export function excerptOf(event: HubEvent): string {
  const text = String(event.data["text"] ?? "");
  return text.trim() ? text : filesOf(event).map((file) => file.name).join(", ");
}

/** True where the file is a picture that can be shown. */
export function isPicture(file: HubFile): boolean {
  return Boolean(file.thumb);
}

/** Return what the hub said of an upload as an event would say it. */
export function hubFile(answer: FileAnswer): HubFile {
  const { file: id, name, media, bytes, width, height, thumb } = answer;
  return { id, name, media, bytes, ...(width && height && thumb ? { width, height, thumb } : {}) };
}

/** `1.4 MB`, `312 kB`: in the reader's language. */
export function sizeText(bytes: number, language: string): string {
  const [value, unit] = bytes >= 1024 ** 2 ? [bytes / 1024 ** 2, "megabyte"] : [bytes / 1024, "kilobyte"];
  const digits = unit === "megabyte" ? 1 : 0;
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language, style).format(Math.max(value, digits ? 0.1 : 1));
}

/** Addresses of files, asked for together and kept until they end. */
export class FileLinks {
  private readonly known = new Map<string, FileAddress>();
  private waiting = new Map<string, ((address: FileAddress | null) => void)[]>();

  constructor(
    private readonly api: Pick<Api, "base" | "call">,
    private readonly now: () => number = Date.now,
  ) {}

  /** Return where to read *id*, or null when it is gone or not for this reader. */
  find(id: string): Promise<FileAddress | null> {
    const known = this.known.get(id);
    if (known && known.until - this.now() > SPARE_MS) return Promise.resolve(known);
    return new Promise((resolve) => {
      const others = this.waiting.get(id);
      if (others) return void others.push(resolve);
      if (!this.waiting.size) setTimeout(() => void this.ask(), COLLECT_MS);
      this.waiting.set(id, [resolve]);
    });
  }

  /** Take note of an address that came with an upload. */
  keep(answer: FileAnswer): FileAddress {
    const at = (path: string | null) => (path === null ? null : this.api.base + path);
    const address = { url: at(answer.url)!, image: at(answer.image_url), thumb: at(answer.thumb_url), until: Date.parse(answer.until) };
    this.known.set(answer.file, address);
    return address;
  }

  /** Do not use the address of *id* any more: it did not work. */
  forget(id: string): void {
    this.known.delete(id);
  }

  private async ask(): Promise<void> {
    const all = [...this.waiting];
    this.waiting = new Map();
    for (let at = 0; at < all.length; at += ASK_MAX) await this.askSome(all.slice(at, at + ASK_MAX));
  }

  private async askSome(some: [string, ((address: FileAddress | null) => void)[]][]): Promise<void> {
    const ids = some.map(([id]) => id);
    const found = await this.fetch(ids);
    // One that is gone must not hide the others.
    if (!found && ids.length > 1) {
      for (const one of some) await this.askSome([one]);
      return;
    }
    for (const [id, tell] of some) {
      const answer = found?.find((one) => one.file === id);
      const address = answer ? this.keep(answer) : null;
      for (const call of tell) call(address);
    }
  }

  private async fetch(files: string[]): Promise<FileAnswer[] | null> {
    try {
      const body = { files };
      return (await this.api.call<{ files: FileAnswer[] }>("/api/v1/files/links", { method: "POST", body })).files;
    } catch {
      return null;
    }
  }
}
