/** The part for files: a bundle of its own, fetched when a conversation is on screen. */

import { useEffect, useState } from "preact/hooks";
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
