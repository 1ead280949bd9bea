/** Macros: several steps with one choice; what can be taken back is offered for a moment. */

import { type ConversationView, type Macro, newCid } from "../../kernel";
import { type Desk, deskKey } from "../desk";
import type { Translate } from "../hooks";
import { notify } from "../notices";
import { cannedText, fillIn, missingIn, variablesOf } from "./canned";
import { takenBack } from "./takenBack";

const UNDO_MS = 8000;

/** What a macro would do here: its message filled in, and why it cannot be done. */
export interface Ready {
  macro: Macro;
  title: string;
  text: string;
  /** Variables without a value: the message would have holes. */
  missing: string[];
}

export function macrosFor(desk: Desk, view: ConversationView, language: string): Ready[] {
  const macros = desk.store.get<readonly Macro[]>(deskKey.macros) ?? [];
  const variables = variablesOf(view, desk.me.name, desk.store.panels(view.id));
  return macros.map((macro) => {
    const say = cannedText({ id: macro.id, shortcut: "", title: "", text: macro.say }, [view.customer?.language, view.language, language]);
    const title = cannedText({ id: macro.id, shortcut: "", title: "", text: macro.title }, [language]);
    return { macro, title, text: fillIn(say, variables), missing: missingIn(say, variables) };
  });
}

/** Do every step of *ready*, and offer to take back what is not said to the customer. */
export async function runMacro(desk: Desk, view: ConversationView, ready: Ready, t: Translate): Promise<void> {
  const { macro, text, title } = ready;
  const path = `/api/v1/conversations/${view.id}/macro`;
  try {
    await desk.api.call(path, { method: "POST", cid: newCid(), body: { macro: macro.id, text: macro.say && Object.keys(macro.say).length ? text : "" } });
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), { tone: "danger" });
    return;
  }
  const back = takenBack(view, macro);
  notify(t("macro.done", { title }), back.length ? { ms: UNDO_MS, action: { label: t("bulk.undo"), run: () => void undo(desk, back) } } : { ms: UNDO_MS });
}

async function undo(desk: Desk, steps: ReturnType<typeof takenBack>): Promise<void> {
  try {
    for (const step of steps) await desk.command({ ...step, cid: newCid() });
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), { tone: "danger" });
  }
}
