/** Files on their way to the hub: progress, cancel, retry; large photos are made smaller first. */

import { type FileAnswer, type FileLinks, type HubFile, hubFile } from "./files";

export const FILES_MAX = 10;
export const FILE_BYTES = 10 * 1024 * 1024;
/** Photos above this many pixels along an edge are made smaller before they travel. */
const EDGE_MAX = 2048;
const SHRINK_FROM_BYTES = 1024 * 1024;
const QUALITY = 0.85;
const PREVIEW_EDGE = 128;
const AT_ONCE = 2;
const SHRINKS = new Set(["image/jpeg", "image/png", "image/webp"]);

export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  readonly state: "waiting" | "sending" | "done" | "failed";
  /** 0 to 1. */
  readonly progress: number;
  /** The code of why it failed, and whether trying again can help. */
  readonly error?: string;
  readonly canRetry?: boolean;
  readonly preview?: ImageBitmap;
  readonly file?: HubFile;
}

/** Sends one body; the browser's own request tells how far it is. */
export type Carrier = (
  path: string,
  body: Blob,
  onProgress: (part: number) => void,
  signal: AbortSignal,
) => Promise<{ status: number; body: Record<string, unknown> }>;

export interface UploadsOptions {
  carry: Carrier;
  links: FileLinks;
  /** Removes what was uploaded and is not wanted any more. */
  remove: (file: string) => void;
  /** Makes a photo smaller; the original where it cannot. */
  shrink?: (file: File) => Promise<{ body: Blob; preview?: ImageBitmap }>;
}

const NONE: readonly Upload[] = [];

/** The files of one composer. */
export class Uploads {
  private list: readonly Upload[] = NONE;
  private readonly originals = new Map<string, File>();
  private readonly aborts = new Map<string, AbortController>();
  private readonly listeners = new Set<() => void>();
  private running = 0;
  private count = 0;

  constructor(private readonly options: UploadsOptions) {}

  readonly items = (): readonly Upload[] => this.list;

  readonly subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  /** Begin to send *files*; those over the limits are listed with why they are not. */
  add(files: Iterable<File>): void {
    for (const file of files) {
      const key = `u${++this.count}`;
      const known = this.list.filter((one) => one.state !== "failed").length;
      const error = known >= FILES_MAX ? "too_many_files" : file.size === 0 ? "file_empty" : undefined;
      const name = file.name || "image.png";
      this.originals.set(key, file);
      this.list = [...this.list, { key, name, size: file.size, progress: 0, state: error ? "failed" : "waiting", ...(error ? { error } : {}) }];
    }
    this.tell();
    this.pump();
  }

  /** Stop and forget one; what the hub has of it is removed. */
  remove(key: string): void {
    const one = this.list.find((upload) => upload.key === key);
    this.aborts.get(key)?.abort();
    if (one?.file) this.options.remove(one.file.id);
    this.forget([key]);
  }

  retry(key: string): void {
    this.change(key, { state: "waiting", progress: 0 });
    this.pump();
  }

  /** Wait until nothing is on its way; the files, or null when one failed. */
  async settled(): Promise<readonly HubFile[] | null> {
    while (this.list.some((one) => one.state === "waiting" || one.state === "sending")) {
      await new Promise<void>((resolve) => {
        const stop = this.subscribe(() => (stop(), resolve()));
      });
    }
    if (this.list.some((one) => one.state === "failed")) return null;
    return this.list.map((one) => one.file!);
  }

  /** Forget what is part of a message now. */
  sent(files: readonly HubFile[]): void {
    const ids = new Set(files.map((file) => file.id));
    this.forget(this.list.filter((one) => one.file && ids.has(one.file.id)).map((one) => one.key));
  }

  private pump(): void {
    for (const one of this.list) {
      if (this.running >= AT_ONCE) return;
      if (one.state === "waiting") void this.run(one.key);
    }
  }

  private async run(key: string): Promise<void> {
    this.running++;
    const abort = new AbortController();
    this.aborts.set(key, abort);
    this.change(key, { state: "sending" });
    try {
      await this.send(key, this.originals.get(key)!, abort.signal);
    } catch {
      this.fail(key, "unreachable", true);
    } finally {
      this.running--;
      this.aborts.delete(key);
      this.pump();
    }
  }

  private async send(key: string, original: File, signal: AbortSignal): Promise<void> {
    const { body, preview } = await (this.options.shrink ?? shrink)(original);
    if (preview) this.change(key, { preview });
    if (body.size > FILE_BYTES) return this.fail(key, "file_too_large", false);
    this.change(key, { size: body.size });
    const path = `/api/v1/files?name=${encodeURIComponent(original.name || "image.png")}`;
    const answer = await this.options.carry(path, body, (progress) => this.change(key, { progress }), signal);
    if (answer.status !== 201) {
      const canRetry = answer.body["retry"] === "later" || answer.status >= 500;
      return this.fail(key, String(answer.body["code"] ?? `http_${answer.status}`), canRetry);
    }
    const told = answer.body as unknown as FileAnswer;
    this.options.links.keep(told);
    // Removed while the last bytes went: the hub need not keep it for a day.
    if (signal.aborted) return this.options.remove(told.file);
    this.change(key, { state: "done", progress: 1, file: hubFile(told), size: told.bytes });
  }

  private fail(key: string, error: string, canRetry: boolean): void {
    this.change(key, { state: "failed", error, canRetry });
  }

  private change(key: string, change: Partial<Upload>): void {
    if (!this.list.some((one) => one.key === key)) return;
    this.list = this.list.map((one) => (one.key === key ? { ...one, ...change } : one));
    this.tell();
  }

  private forget(keys: readonly string[]): void {
    const gone = new Set(keys);
    this.list = this.list.filter((one) => !gone.has(one.key));
    for (const key of keys) this.originals.delete(key);
    this.tell();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** Carry bodies with the browser's own request, which alone tells how much went. */
export function carrier(base: string, token: () => string | null, refresh?: () => Promise<void>): Carrier {
  const once: Carrier = (path, body, onProgress, signal) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", base + path);
      const bearer = token();
      if (bearer) request.setRequestHeader("authorization", `Bearer ${bearer}`);
      request.setRequestHeader("content-type", "application/octet-stream");
      request.responseType = "json";
      request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
      request.onload = () => resolve({ status: request.status, body: (request.response as Record<string, unknown> | null) ?? {} });
      request.onerror = request.onabort = request.ontimeout = () => reject(new Error("unreachable"));
      signal.addEventListener("abort", () => request.abort());
      request.send(body);
    });
  return async (path, body, onProgress, signal) => {
    const answer = await once(path, body, onProgress, signal);
    if (answer.status !== 401 || !refresh) return answer;
    await refresh();
    return once(path, body, onProgress, signal);
  };
}

/** Return *file* as a smaller picture where it is a large one, and a preview of it. */
export async function shrink(file: File): Promise<{ body: Blob; preview?: ImageBitmap }> {
  if (!file.type.startsWith("image/")) return { body: file };
  try {
    const whole = await createImageBitmap(file);
    const { width, height } = whole;
    const scale = Math.min(1, EDGE_MAX / Math.max(width, height));
    const small = PREVIEW_EDGE / Math.min(width, height);
    const preview = await createImageBitmap(whole, { resizeWidth: Math.max(1, Math.round(width * small)), resizeHeight: Math.max(1, Math.round(height * small)), resizeQuality: "medium" });
    const isLarge = scale < 1 || file.size > SHRINK_FROM_BYTES;
    if (!isLarge || !SHRINKS.has(file.type)) return { body: file, preview };
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d")!.drawImage(whole, 0, 0, canvas.width, canvas.height);
    whole.close();
    const body = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/webp", QUALITY));
    return { body: body && body.size < file.size ? body : file, preview };
  } catch {
    // Not a picture that this browser can read: the hub says what it is.
    return { body: file };
  }
}

/** Files of a paste or a drop; text that was pasted is none. */
export function filesIn(data: DataTransfer | null): File[] {
  return data ? [...data.files] : [];
}

/** True where something is dragged that has files. */
export function hasFiles(data: DataTransfer | null): boolean {
  return data !== null && [...data.types].includes("Files");
}
