/** Correcting one's own last message or note: what is being typed, and what becomes of it. */

import { useState } from "react";
import { ApiError, type ConversationView, newCid } from "../../kernel";
import type { Desk } from "../desk";
import { useDesk, useT } from "../hooks";
import { notify } from "../notices";
import { type Mode, isYoung, lastOwn, versionOf } from "./ownLast";

/** An edit that is not saved: of which event, on which version of it, and the text so far. */
export interface Draft {
  seq: number;
  version: number;
  text: string;
}

export interface Editing {
  draft: Draft | null;
  /** It was edited in another window: saving again replaces that. */
  isStale: boolean;
  isBusy: boolean;
  /** Begin with my last one; false when there is none. */
  begin(): boolean;
  change(text: string): void;
  stop(): void;
  /** Save *text*; resolves to whether the edit is over. */
  save(text: string): Promise<boolean>;
}

export function useEditing(view: ConversationView, mode: Mode): Editing {
  const t = useT();
  const desk = useDesk();
  const [, redraw] = useState(0);
  const [isBusy, setBusy] = useState(false);
  const [isStale, setStale] = useState(false);
  const draft = kept(desk, view.id, mode);
  const set = (next: Draft | null) => {
    desk.edits.set(view.id, next ? JSON.stringify(next) : "", mode);
    redraw((count) => count + 1);
  };
  const begin = () => {
    const event = lastOwn(desk.store.timeline(view.id), desk.myself, mode);
    if (!event) return false;
    if (isYoung(event, Date.now())) set({ seq: event.seq, version: versionOf(event), text: String(event.data["text"] ?? "") });
    else notify(t("edit.too_late"));
    return true;
  };
  const stop = () => {
    setStale(false);
    set(null);
  };
  const save = async (text: string) => {
    if (!draft || isBusy) return false;
    setBusy(true);
    try {
      await desk.command({ t: "edit", conversation: view.id, cid: newCid(), seq: draft.seq, text, version: draft.version });
      stop();
      return true;
    } catch (error) {
      const code = error instanceof ApiError ? error.code : "";
      if (code === "edit_conflict") {
        const now = desk.store.timeline(view.id).entries.find((one) => one.seq === draft.seq)?.event;
        setStale(true);
        set({ ...draft, text, version: now ? versionOf(now) : draft.version });
      } else notify(code === "not_editable" ? t("edit.too_late") : t("edit.failed"), { tone: "danger" });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { draft, isStale, isBusy, begin, change: (text) => draft && set({ ...draft, text }), stop, save };
}

/** What was typed survives a reload: it is kept on this device beside the drafts. */
function kept(desk: Desk, conversation: string, mode: Mode): Draft | null {
  try {
    return JSON.parse(desk.edits.get(conversation, mode) || "null") as Draft | null;
  } catch {
    return null;
  }
}
