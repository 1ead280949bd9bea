/** The command palette: one field, arrows and Enter, for everything the page can do. */

import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";
import { useDesk, useRoute, useT, useTexts } from "../hooks";
import { displayName } from "../inbox/names";
import { isComposing } from "../keys";
import { Icon } from "../parts/Icon";
import { Keys } from "../parts/Menu";
import { notify } from "../notices";
import { useHits } from "../search/hits";
import { type Hit, commandItems, messageItems, scopeOf, search } from "./commands";

export default function Palette({ onClose, onHelp }: { onClose(): void; onHelp(): void }) {
  const t = useT();
  const desk = useDesk();
  const route = useRoute();
  const { language, say } = useTexts();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const conversation = route.page === "inbox" ? route.conversation : null;
  const view = conversation ? desk.store.conversation(conversation) : undefined;
  const items = useMemo(() => commandItems(desk, t, say, conversation, language, onHelp), [desk, t, say, conversation, language, onHelp]);
  const { scope, query } = scopeOf(text);
  const said = useHits(scope === "all" ? query : "", 4, 2).hits;
  const hits = useMemo(() => [...search(items, scope, query), ...(scope === "all" ? messageItems(desk, t, said, query) : [])], [items, scope, query, desk, t, said]);
  const current = Math.min(at, Math.max(0, hits.length - 1));

  const run = (hit: Hit | undefined) => {
    if (!hit) return;
    if (hit.disabled !== undefined) return notify(hit.disabled, { tone: "danger" });
    onClose();
    // After the focus has gone back, so that what runs may take it.
    setTimeout(hit.run, 0);
  };
  const press = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "ArrowDown") setAt((current + 1) % Math.max(1, hits.length));
    else if (event.key === "ArrowUp") setAt((current + hits.length - 1) % Math.max(1, hits.length));
    else if (event.key === "Enter") run(hits[current]);
    else return;
    event.preventDefault();
  };
  return (
    <ModalOverlay className="scrim scrim-top" isOpen isDismissable onOpenChange={(isOpen) => (isOpen ? undefined : onClose())}>
      <Modal className="modal modal-palette">
        <Dialog className="dialog palette" aria-label={t("palette.label")} data-testid="palette">
          <div className="q">
            <Icon name="search" />
            <input autoFocus type="text" role="combobox" aria-expanded aria-controls={id} aria-autocomplete="list" aria-label={t("palette.label")}
              aria-activedescendant={hits.length ? `${id}-${current}` : undefined} placeholder={t("palette.hint")} value={text}
              onChange={(event) => (setText(event.target.value), setAt(0))} onKeyDown={press} data-testid="palette-input" />
            {view ? <span className="tag">{displayName(view, t)}</span> : null}
            <kbd>Esc</kbd>
          </div>
          <Results id={id} hits={hits} at={current} onPoint={setAt} onRun={run} />
          <footer className="keys">
            <span><kbd>{"\u2191"}</kbd><kbd>{"\u2193"}</kbd>{t("palette.move")}</span>
            <span><kbd>Enter</kbd>{t("palette.run")}</span>
            <span className="keys-end hide-s"><kbd>{">"}</kbd>{t("palette.commands")}</span>
            <span className="hide-s"><kbd>#</kbd>{t("palette.orders")}</span>
            <span className="hide-s"><kbd>@</kbd>{t("palette.people")}</span>
            <span className="hide-s"><kbd>/</kbd>{t("palette.canned")}</span>
          </footer>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ResultsProps {
  id: string;
  hits: readonly Hit[];
  at: number;
  onPoint(at: number): void;
  onRun(hit: Hit): void;
}

function Results({ id, hits, at, onPoint, onRun }: ResultsProps) {
  const t = useT();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Newer browsers give a promise, which an effect must not return.
    void list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <div className="results" role="listbox" id={id} aria-label={t("palette.label")} ref={list}>
      {hits.length ? null : <p className="canned-none">{t("palette.nothing")}</p>}
      {hits.map((hit, index) => (
        <div key={hit.id} role="presentation">
          {hits[index - 1]?.group === hit.group ? null : <p className="grp" role="presentation">{t(`palette.group_${hit.group}`)}</p>}
          <div id={`${id}-${index}`} role="option" className="opt" aria-selected={index === at} aria-disabled={hit.disabled !== undefined} data-command={hit.id}
            onPointerMove={() => (index === at ? undefined : onPoint(index))} onClick={() => onRun(hit)}>
            <Icon name={hit.icon} />
            <span className="opt-title">{marked(hit.title, hit.found.at)}</span>
            <span className="ctx trunc">{hit.disabled ?? hit.detail ?? ""}</span>
            <span className="end">
              {hit.end ? <kbd>{hit.end}</kbd> : null}
              {hit.keys ? <Keys keys={hit.keys.split("|")[0]!} /> : null}
            </span>
          </div>
        </div>
      ))}
    </div>
  );
}

function marked(text: string, [from, to]: [number, number]) {
  if (to <= from) return text;
  return (
    <>
      {text.slice(0, from)}
      <mark>{text.slice(from, to)}</mark>
      {text.slice(to)}
    </>
  );
}
