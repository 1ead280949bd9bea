/** Whether a note calls somebody by name. */

import type { HubEvent } from "../kernel";
import { sameAgent } from "./inbox/views";

/** True where *event* is a colleague's note, or an edit of one, with @ and my name, in either width. */
export function callsMe(event: HubEvent, me: { id: string; name: string }): boolean {
  if ((event.kind !== "note.posted" && event.kind !== "note.edited") || sameAgent(event.by, me.id)) return false;
  const text = String(event.data["text"] ?? "").normalize("NFKC").toLowerCase();
  return text.includes(`@${me.name.normalize("NFKC").toLowerCase()}`);
}
