/** Entry of the bundle for files: picker, tray, and the files of messages. Drawn into given places. */

import { render } from "preact";
import { type Client, type HubFile, FileLinks, I18n, Uploads, carrier, filesIn, hasFiles, key } from "../kernel";
import type { Bridge } from "../loader/bridge";
import ar from "../locales/files.ar.json";
import en from "../locales/files.en.json";
import zh from "../locales/files.zh-CN.json";
import css from "./files.css?text";
import { Attachments, Picker, Tray } from "./filesViews";

export interface Surroundings {
  client: Client;
  bridge: Bridge;
}

/** What the chat bundle knows of files. */
export interface FilesPart {
  speak(language: string): void;
  /** How many files wait to be sent. */
  count(): number;
  subscribe(tell: () => void): () => void;
  /** The ids of the files once all are stored; null when one is not, or when somebody waits already. */
  settled(): Promise<string[] | null>;
  /** Draw the button into *place*, what waits over the box around it, and take what is pasted there. */
  picker(place: HTMLElement | null): void;
  /** Draw the files of one message into *place*. */
  shown(place: HTMLElement | null, files: readonly HubFile[]): void;
}

/** Where the views find what they need. */
export interface FilesContext {
  uploads: Uploads;
  links: FileLinks;
  language: string;
  t(key: string, args?: Record<string, unknown>): string;
}

const CATALOGUES = { en, "zh-CN": zh, ar } as const;

export function begin({ client, bridge }: Surroundings): FilesPart {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  bridge.root.adoptedStyleSheets = [...bridge.root.adoptedStyleSheets, sheet];
  const links = new FileLinks(client.api);
  const token = () => bridge.saved?.token ?? null;
  const refresh = async () => void (await bridge.visit());
  const remove = (file: string) => void client.api.call(`/api/v1/files/${file}`, { method: "DELETE" }).catch(() => undefined);
  const uploads = new Uploads({ carry: carrier(bridge.base, token, refresh), links, remove });
  const around: FilesContext = { uploads, links, ...words("en") };
  const places = new Map<HTMLElement, () => void>();
  const draw = (place: HTMLElement, view: () => preact.JSX.Element) => {
    const again = () => render(view(), place);
    places.set(place, again);
    again();
  };
  let isHeld = false;
  uploads.subscribe(() => sweep(places));
  return {
    speak(language) {
      if (language === around.language) return;
      Object.assign(around, words(language));
      for (const again of sweep(places).values()) again();
    },
    count: () => uploads.items().length,
    subscribe: uploads.subscribe,
    async settled() {
      if (isHeld) return null;
      isHeld = true;
      const files = await uploads.settled();
      isHeld = false;
      if (!files) return null;
      uploads.sent(files);
      for (const file of files) client.store.set(key.file(file.id), file);
      return files.map((file) => file.id);
    },
    picker(place) {
      if (!place) return;
      draw(place, () => <Picker around={around} />);
      const box = place.parentElement!;
      const tray = document.createElement("div");
      box.before(tray);
      draw(tray, () => <Tray around={around} />);
      const take = (event: Event, data: DataTransfer | null) => {
        const files = data?.types.includes("text/plain") ? [] : filesIn(data);
        if (!files.length) return;
        event.preventDefault();
        uploads.add(files);
      };
      box.onpaste = (event) => take(event, event.clipboardData);
      box.ondragover = (event) => hasFiles(event.dataTransfer) && event.preventDefault();
      box.ondrop = (event) => take(event, event.dataTransfer);
    },
    shown: (place, files) => place && draw(place, () => <Attachments around={around} files={files} />),
  };
}

function words(language: string): Pick<FilesContext, "language" | "t"> {
  const i18n = new I18n(language, CATALOGUES[language as keyof typeof CATALOGUES] ?? en, en);
  return { language, t: (name, args) => i18n.t(name, args) };
}

/** Forget places that are not on the page any more. */
function sweep(places: Map<HTMLElement, () => void>): Map<HTMLElement, () => void> {
  for (const place of [...places.keys()]) {
    if (place.isConnected) continue;
    render(null, place);
    places.delete(place);
  }
  return places;
}
