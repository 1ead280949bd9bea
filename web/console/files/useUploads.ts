/** The files of a conversation's composer; they stay when another conversation is looked at. */

import { useSyncExternalStore } from "react";
import { type Upload, Uploads, carrier } from "../../kernel";
import type { Desk } from "../desk";
import { useDesk } from "../hooks";

const kept = new WeakMap<Desk, Map<string, Uploads>>();

/** Return the uploads of *conversation*, and follow them. */
export function useUploads(conversation: string): { uploads: Uploads; items: readonly Upload[] } {
  const uploads = uploadsOf(useDesk(), conversation);
  return { uploads, items: useSyncExternalStore(uploads.subscribe, uploads.items) };
}

function uploadsOf(desk: Desk, conversation: string): Uploads {
  const all = kept.get(desk) ?? new Map<string, Uploads>();
  kept.set(desk, all);
  const known = all.get(conversation);
  if (known) return known;
  const { session, files } = desk;
  const made = new Uploads({
    carry: carrier(location.origin, () => session.token(), () => session.renew()),
    links: files,
    // The hub forgets by itself what no message uses.
    remove: (file) => void desk.api.call(`/api/v1/files/${file}`, { method: "DELETE" }).catch(() => undefined),
  });
  all.set(conversation, made);
  return made;
}
