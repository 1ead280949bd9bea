/** The composer: reply or note, drafts that nothing touches, saved replies, IME-safe sending. */

import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { type ConversationView, type HubFile, filesIn, hasFiles, key, newCid } from "../../kernel";
import { ActionsMenu } from "../actions/ActionsMenu";
import { useDesk, useLatest, usePanels, useT, useTexts } from "../hooks";
import { AttachButton } from "../files/AttachButton";
import { Tray } from "../files/Tray";
import { useUploads } from "../files/useUploads";
import { displayName } from "../inbox/names";
import { isComposing, register } from "../keys";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { CannedMenu, variableName } from "./CannedMenu";
import { type CannedHit, cannedText, fillIn, findCanned, missingIn, slashAt, variablesOf } from "./canned";
import { composerOnScreen } from "./composerHandle";
import { Guard, useCollision } from "./Guard";

type Mode = "reply" | "note";

export function Composer({ view }: { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const { language } = useTexts();
  const [mode, setMode] = useState<Mode>("reply");
  const [text, setText] = useState(() => desk.drafts.get(view.id, "reply"));
  const [caret, setCaret] = useState(0);
  const [closedSlash, setClosedSlash] = useState(-1);
  const [at, setAt] = useState(0);
  const [saved, setSaved] = useState(text !== "");
  const area = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const { uploads, items } = useUploads(view.id);
  const [isHeld, setHeld] = useState(false);
  const [isTarget, setTarget] = useState(false);
  const withFiles = mode === "reply" && items.length > 0;
  const isStuck = withFiles && items.some((one) => one.state === "failed");

  const variables = variablesOf(view, desk.me.name, usePanels(view.id));
  const languages = [view.customer?.language, view.language, language];
  const missing = mode === "reply" ? missingIn(text, variables) : [];
  const slash = mode === "reply" ? slashAt(text, caret) : null;
  const hits = slash && slash.from !== closedSlash ? findCanned(desk.canned(), slash.query) : null;
  const collision = useCollision(view, mode === "reply" && text !== "");

  const write = (next: string, select?: number) => {
    setText(next);
    setSaved(false);
    desk.setDraft(view.id, mode, next);
    if (mode === "reply") desk.client.typing(view.id, next !== "");
    if (select !== undefined) {
      setCaret(select);
      requestAnimationFrame(() => area.current?.setSelectionRange(select, select));
    }
  };
  const choose = (next: Mode) => {
    setMode(next);
    setText(desk.drafts.get(view.id, next));
    requestAnimationFrame(() => area.current?.focus());
  };
  const pick = (hit: CannedHit) => {
    if (!slash) return;
    const filled = fillIn(cannedText(hit.reply, languages), variables);
    write(text.slice(0, slash.from) + filled + text.slice(caret), slash.from + filled.length);
    setAt(0);
    area.current?.focus();
  };
  const insert = (piece: string) => {
    const field = area.current;
    const place = field && document.activeElement === field ? field.selectionStart : text.length;
    const gap = text && place === text.length && !/\s$/.test(text) ? " " : "";
    write(text.slice(0, place) + gap + piece + text.slice(place), place + gap.length + piece.length);
    field?.focus();
  };
  const send = () => {
    const body = mode === "reply" ? fillIn(text, variables).trim() : text.trim();
    if ((!body && !withFiles) || isHeld) return;
    if (missing.length) return area.current?.focus();
    if (mode === "reply" && !collision.passes()) return;
    if (mode === "note") desk.client.queue({ t: "note", conversation: view.id, cid: newCid(), text: body });
    else if (withFiles) return void sendFiles(body);
    else void post(body, []);
    clear();
  };
  const clear = () => {
    setText("");
    setSaved(false);
    desk.setDraft(view.id, mode, "");
    desk.client.typing(view.id, false);
  };
  // The message waits for its files: the hub takes it only when they are stored.
  const sendFiles = async (body: string) => {
    setHeld(true);
    const files = await uploads.settled();
    setHeld(false);
    if (!files) return;
    uploads.sent(files);
    void post(body, files);
    clear();
  };
  const take = (files: File[]) => {
    if (mode === "note") return notify(t("file.no_notes"));
    uploads.add(files);
    area.current?.focus();
  };
  const post = async (body: string, files: readonly HubFile[]) => {
    if (view.state === "closed") {
      const reopened = await desk.command({ t: "reopen", conversation: view.id, cid: newCid() }).then(() => true, (error: unknown) => (notify(String(error), { tone: "danger" }), false));
      if (!reopened) return desk.setDraft(view.id, "reply", body);
    }
    for (const file of files) desk.store.set(key.file(file.id), file);
    desk.client.post(view.id, body, files.length ? { files: files.map((file) => file.id) } : {});
  };

  useEffect(() => {
    if (!text || saved) return;
    const timer = setTimeout(() => setSaved(true), 900);
    return () => clearTimeout(timer);
  }, [text, saved]);
  useGrowing(area, text);

  const latest = useLatest({ insert, choose });
  useEffect(() => {
    const handle = {
      insert: (piece: string) => latest.current.insert(piece),
      focus: (next: Mode = "reply") => latest.current.choose(next),
    };
    composerOnScreen.current = handle;
    const stop = register([
      { id: "reply", keys: "r", name: "keys.reply", group: "write", run: () => handle.focus("reply") },
      { id: "note", keys: "n", name: "keys.note", group: "write", run: () => handle.focus("note") },
      { id: "open-reply", keys: "Enter", name: "keys.write", group: "write", keyOnly: true, run: (event) => (isControl(event) ? false : void handle.focus("reply")) },
    ]);
    return () => {
      stop();
      if (composerOnScreen.current === handle) composerOnScreen.current = null;
    };
  }, [latest]);

  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (isComposing(event.nativeEvent)) return;
    if (hits && hits.length && steer(event, hits)) return event.preventDefault();
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      if (hits) setClosedSlash(slash!.from);
      else event.currentTarget.blur();
    } else if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    }
  };
  const steer = (event: KeyboardEvent, shown: readonly CannedHit[]): boolean => {
    if (event.key === "ArrowDown") setAt((at + 1) % shown.length);
    else if (event.key === "ArrowUp") setAt((at + shown.length - 1) % shown.length);
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") pick(shown[Math.min(at, shown.length - 1)]!);
    else return false;
    return true;
  };
  const name = displayName(view, t);
  return (
    <section
      className={`composer${mode === "note" ? " is-note" : ""}${isTarget ? " is-target" : ""}`} aria-label={t(`composer.${mode}`)} data-mode={mode}
      onDragOver={(event) => {
        if (!hasFiles(event.dataTransfer)) return;
        event.preventDefault();
        setTarget(true);
      }}
      onDragLeave={() => setTarget(false)}
      onDrop={(event) => {
        setTarget(false);
        if (!hasFiles(event.dataTransfer)) return;
        event.preventDefault();
        take(filesIn(event.dataTransfer));
      }}
    >
      {isTarget ? <div className="drop">{t("file.drop")}</div> : null}
      {hits ? <CannedMenu id={listId} hits={hits} at={Math.min(at, Math.max(0, hits.length - 1))} languages={languages} variables={variables} onPick={pick} onPoint={setAt} /> : null}
      <Guard collision={collision} />
      <div className="tabs" role="tablist" aria-label={t("composer.kind")}>
        {(["reply", "note"] as const).map((one) => (
          <button key={one} type="button" className="tab" role="tab" aria-selected={mode === one} tabIndex={mode === one ? 0 : -1} onClick={() => choose(one)} data-testid={`tab-${one}`}>
            {t(`composer.${one}`)} <kbd>{one === "reply" ? "R" : "N"}</kbd>
          </button>
        ))}
        {mode === "note" ? <span className="to t-warning"><Icon name="lock" size="sm" />{t("note.only_agents")}</span> : null}
      </div>
      {view.state === "closed" && mode === "reply" ? <p className="composer-state">{t("composer.closed")}</p> : null}
      <textarea
        ref={area} className="text" rows={2} value={text} readOnly={isHeld} data-testid="composer" maxLength={16000}
        aria-label={t(mode === "note" ? "composer.note_label" : "composer.reply_label", { name })}
        placeholder={t(mode === "note" ? "composer.note_hint" : "composer.hint", { name })}
        aria-controls={hits ? listId : undefined} aria-autocomplete="list"
        aria-activedescendant={hits?.length ? `${listId}-${Math.min(at, hits.length - 1)}` : undefined}
        onChange={(event) => {
          setCaret(event.target.selectionStart);
          setAt(0);
          setClosedSlash(-1);
          write(event.target.value);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={press}
        onPaste={(event) => {
          // A table copied from a sheet brings a picture of itself along: its text is meant.
          const files = event.clipboardData.types.includes("text/plain") ? [] : filesIn(event.clipboardData);
          if (!files.length) return;
          event.preventDefault();
          take(files);
        }}
        onBlur={() => desk.drafts.flush()}
      />
      {mode === "reply" ? <Tray uploads={uploads} items={items} /> : null}
      {missing.length ? (
        <p className="composer-missing" role="alert" data-testid="missing">
          {missing.map((one) => (
            <span key={one} className="var is-missing">{t("canned.missing", { name: variableName(t, one) })}</span>
          ))}
        </p>
      ) : null}
      <div className="bar">
        {mode === "reply" ? (
          <button type="button" className="ib" aria-label={t("canned.button")} title={t("canned.button")} onClick={() => insert(text && !/\s$/.test(text) ? " /" : "/")}>
            <Icon name="slash" />
          </button>
        ) : null}
        {mode === "reply" ? <AttachButton uploads={uploads} /> : null}
        <ActionsMenu conversation={view.id} />
        <span className="saved" role="status">{isHeld ? t("file.held") : isStuck ? t("file.stuck") : text && saved ? <><Icon name="check" size="sm" />{t("composer.saved")}</> : null}</span>
        <button type="button" className="btn btn-primary" onClick={send} aria-disabled={(!text.trim() && !withFiles) || missing.length > 0 || isStuck || isHeld} data-testid="send">
          {t(mode === "note" ? "composer.add_note" : view.state === "closed" ? "composer.reopen_send" : "composer.send")} <kbd className="hide-s">Enter</kbd>
        </button>
      </div>
    </section>
  );
}

/** Enter on a button or a link is theirs. */
function isControl(event: globalThis.KeyboardEvent): boolean {
  return event.target instanceof HTMLElement && event.target.closest("button,a,summary,[role=option],[role=menuitem]") !== null;
}

function useGrowing(area: { readonly current: HTMLTextAreaElement | null }, text: string): void {
  useLayoutEffect(() => {
    const field = area.current;
    if (!field) return;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 220)}px`;
  }, [area, text]);
}
