/** What is seen of an edit: the strip over the composer, and the mark on what was edited. */

import { useState } from "react";
import type { Edited, HubEvent } from "../../kernel";
import { useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import type { Editing } from "./editing";
import type { Mode } from "./ownLast";

export function EditStrip({ editing, mode }: { editing: Editing; mode: Mode }) {
  const t = useT();
  if (!editing.draft) return null;
  return (
    <p className={editing.isStale ? "strip is-warning" : "strip"} role="status" data-testid="editing">
      <Icon name={editing.isStale ? "warn" : "pen"} />
      <span className="grow">{t(editing.isStale ? "edit.conflict" : `edit.${mode}`)}</span>
      <button type="button" className="link" onClick={editing.stop} data-testid="edit-cancel">
        {t("edit.cancel")} <kbd className="hide-s">Esc</kbd>
      </button>
    </p>
  );
}

/** "Edited", and on request what it said before. */
export function EditedMark({ event }: { event: HubEvent }) {
  const t = useT();
  const { format } = useTexts();
  const [isOpen, setOpen] = useState(false);
  const edited = event.data["edited"] as Edited | undefined;
  if (!edited || event.data["erased"]) return null;
  return (
    <>
      <button type="button" className="link edited" aria-expanded={isOpen} title={t("edit.when", { time: format.dateTime(edited.at) })} onClick={() => setOpen(!isOpen)} data-testid="edited">
        {t("edit.mark")}
      </button>
      {isOpen ? (
        <ol className="was" aria-label={t("edit.before")}>
          {edited.was.map((text, at) => (
            <li key={at}>{text}</li>
          ))}
        </ol>
      ) : null}
    </>
  );
}

/** Edits my last one; seen while its line is pointed at or has the focus. */
export function EditButton({ onEdit }: { onEdit(): void }) {
  const t = useT();
  return (
    <button type="button" className="ib ib-sm edit-own" aria-label={t("edit.button")} title={t("edit.button")} onClick={onEdit} data-testid="edit-own">
      <Icon name="pen" size="sm" />
    </button>
  );
}
