/** Tags of a conversation: type and Enter to add, click to remove. */

import { type KeyboardEvent, useState } from "react";
import { type ConversationView, key, newCid } from "../../kernel";
import { useDesk, useT, useValue } from "../hooks";
import { isComposing } from "../keys";
import { notify } from "../notices";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";

export function TagEditor({ view, onClose }: { view: ConversationView; onClose(): void }) {
  const t = useT();
  const desk = useDesk();
  const [text, setText] = useState("");
  const list = useValue<readonly string[]>(key.list) ?? [];
  const known = [...new Set(list.flatMap((id) => desk.store.conversation(id)?.tags ?? []))].filter((tag) => !view.tags.includes(tag));
  const change = (add: string[], remove: string[]) =>
    void desk.command({ t: "tag", conversation: view.id, cid: newCid(), add, remove }).catch((error: unknown) => notify(error instanceof Error ? error.message : String(error), { tone: "danger" }));
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || isComposing(event.nativeEvent)) return;
    const tag = text.trim();
    if (!tag) return onClose();
    change([tag], []);
    setText("");
  };
  const offered = known.filter((tag) => tag.toLowerCase().includes(text.toLowerCase())).slice(0, 12);
  return (
    <Dialog title={t("tags.title")} onClose={onClose} size="sm" testId="tags">
      <div className="input">
        <Icon name="plus" size="sm" />
        <input autoFocus value={text} maxLength={40} placeholder={t("tags.add")} aria-label={t("tags.add")} onChange={(event) => setText(event.target.value)} onKeyDown={press} data-testid="tag-input" />
      </div>
      {view.tags.length ? (
        <p className="tags">
          {view.tags.map((tag) => (
            <button key={tag} type="button" className="tag tag-btn" onClick={() => change([], [tag])} aria-label={t("tags.remove", { tag })}>
              {tag}
              <Icon name="x" />
            </button>
          ))}
        </p>
      ) : null}
      {offered.length ? (
        <p className="tags">
          {offered.map((tag) => (
            <button key={tag} type="button" className="tag tag-btn" onClick={() => change([tag], [])}>
              <Icon name="plus" />
              {tag}
            </button>
          ))}
        </p>
      ) : null}
    </Dialog>
  );
}
