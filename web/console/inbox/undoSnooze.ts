/** Taking a snooze back, also of what was not open before. */

import { type Command, type ConversationView, newCid } from "../../kernel";

/** What puts a conversation back to where it was before it was snoozed. */
export function asBefore(view: ConversationView | undefined, id: string): Command {
  if (view?.state === "snoozed" && view.snoozed_until) return { t: "snooze", conversation: id, cid: newCid(), until: view.snoozed_until };
  return { t: view?.state === "closed" ? "close" : "wake", conversation: id, cid: newCid() };
}
