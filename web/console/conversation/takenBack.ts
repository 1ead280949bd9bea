/** What a macro changed, the other way round. */

import type { ConversationView, Macro } from "../../kernel";

type Step = { t: "reopen" } | { t: "tag"; add: string[]; remove: string[] } | { t: "assign"; agent: string | null };

/** What restores *view* after *macro*; a message stays said. */
export function takenBack(view: ConversationView, macro: Macro): (Step & { conversation: string })[] {
  const fresh = macro.tags.filter((tag) => !view.tags.includes(tag));
  const steps: Step[] = [];
  if (macro.close && view.state !== "closed") steps.push({ t: "reopen" });
  if (fresh.length) steps.push({ t: "tag", add: [], remove: fresh });
  if (macro.assign) steps.push({ t: "assign", agent: view.assignee?.id ?? null });
  return steps.map((step) => ({ ...step, conversation: view.id }));
}
