/** What we call the person at the other end. */

import type { ConversationView } from "../../kernel";

type Translate = (name: string, args?: Record<string, unknown>) => string;

/** The customer's name, the name they gave, or "Visitor 8f2a". */
export function displayName(view: ConversationView, t: Translate): string {
  const known = view.customer?.name || view.name;
  if (known) return known;
  const id = (view.visitor ?? view.id).replace(/^.*[:_]/, "");
  return t("visitor.unnamed", { id: id.slice(-4) });
}
