/** Parts that are bundles of their own: files, fetched with a conversation, and the rating. */

import { type JSX, createElement } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Client } from "../kernel";
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

/** The question how it was: asked once for the closing at event *unrated*. */
export function Rating({ id, unrated }: { id: string; unrated: number }): JSX.Element {
  const { client, bridge } = useTalk();
  const { language } = useWords().i18n;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Without it nobody is asked; that is all that is lost.
    const part = import(`${bridge.base}/w/v1/rate.js`) as Promise<typeof import("./rate")>;
    part.then((found) => found.ask(place.current, { client, bridge, id, unrated, language }), () => undefined);
  }, [id, unrated, language]);
  return createElement("div", { ref: place });
}
