/** Parts that are bundles of their own, fetched when they are wanted. */

import { type JSX, createElement } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Client } from "../kernel";
import type { Bridge } from "../loader/bridge";
import type { FilesPart, Surroundings } from "./files";
import { useTalk } from "./talk";
import { useWords } from "./texts";

// One session at a time; another one has files of its own.
let owner: Client | null = null;
let coming: Promise<FilesPart>;

async function fetchPart(around: Surroundings): Promise<FilesPart> {
  const module = (await import(`${around.bridge.base}/w/v1/files.js`)) as typeof import("./files");
  return module.begin(around);
}

/** Return the part for files, null until it is here. */
export function useFiles(): FilesPart | null {
  const { client, bridge } = useTalk();
  const { language } = useWords().i18n;
  const [part, setPart] = useState<FilesPart | null>(null);
  useEffect(() => {
    if (owner !== client) coming = fetchPart({ client, bridge });
    owner = client;
    // Without it the chat goes on, and asks again for the next conversation.
    coming.then(
      (found) => {
        found.speak(language);
        setPart(found);
      },
      () => (owner = null),
    );
  }, [client, language]);
  return part;
}

/** What a part is told beside what is its own. */
export interface Around {
  client: Client;
  bridge: Bridge;
  language: string;
}

/** A part that draws itself into its place. When it cannot be fetched, only it is missing. */
export function Part({ name, ...about }: { name: "rate" | "push" | "away" | "prechat"; [more: string]: unknown }): JSX.Element {
  const { client, bridge } = useTalk();
  const { i18n: { language }, t } = useWords();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const part = import(`${bridge.base}/w/v1/${name}.js`) as Promise<{ ask(place: HTMLElement | null, around: object): void }>;
    part.then((found) => found.ask(place.current, { client, bridge, language, ...about }), () => {
      // Nobody gets past the form: that it is missing is said.
      if (name === "prechat") place.current!.textContent = t("error.start");
    });
  }, [name, language, ...Object.values(about)]);
  return createElement("div", { ref: place });
}
