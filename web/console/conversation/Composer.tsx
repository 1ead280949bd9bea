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
import { EditStrip } from "./EditParts";
import { useEditing } from "./editing";
import { Guard, useCollision } from "./Guard";
import { MentionMenu } from "./MentionMenu";
import { atSign, findPeople } from "./mentioning";
import type { Mode } from "./ownLast";

export function Composer({ view }: { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const { language } = useTexts();
  const [mode, setMode] = useState<Mode>("reply");
  const editing = useEditing(view, mode);
  const [draft, setText] = useState(() => desk.drafts.get(view.id, "reply"));
  const text = editing.draft?.text ?? draft;
  const [caret, setCaret] = useState(0);
  const [closedSlash, setClosedSlash] = useState(-1);
  const [at, setAt] = useState(0);
  const [saved, setSaved] = useState(draft !== "");
  const area = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const { uploads, items } = useUploads(view.id);
  const [isHeld, setHeld] = useState(false);
  const [isTarget, setTarget] = useState(false);
  const isEditing = editing.draft !== null;
  const withFiles = mode === "reply" && !isEditing && items.length > 0;
  const isStuck = withFiles && items.some((one) => one.state === "failed");

  const variables = variablesOf(view, desk.me.name, usePanels(view.id));
  const languages = [view.customer?.language, view.language, language];
  const missing = mode === "reply" ? missingIn(text, variables) : [];
  const slash = mode === "reply" ? slashAt(text, caret) : null;
  const hits = slash && slash.from !== closedSlash ? findCanned(desk.canned(), slash.query) : null;
  const sign = mode === "note" ? atSign(text, caret) : null;
  const people = sign && sign.from !== closedSlash ? findPeople(desk.agents(), sign.query, desk.myself) : [];
  const shown = hits?.length || people.length;
  const chosen = Math.min(at, Math.max(0, shown - 1));
  const collision = useCollision(view, mode === "reply" && draft !== "" && !isEditing);

  const write = (next: string, select?: number) => {
    if (isEditing) editing.change(next);
    else {
      setText(next);
      setSaved(false);
      desk.setDraft(view.id, mode, next);
      if (mode === "reply") desk.client.typing(view.id, next !== "");
    }
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
  const call = (index: number) => {
    const name = `@${people[index]!.name} `;
    write(text.slice(0, sign!.from) + name + text.slice(caret), sign!.from + name.length);
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
    if (isEditing) return void editing.save(body);
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

  const began = useLatest(editing);
  const edit = (which: Mode) => {
    if (which !== mode) choose(which);
    // In the other tab it is another text: the next drawing knows which.
    requestAnimationFrame(() => {
      began.current.begin();
      area.current?.focus();
    });
  };
  useEffect(() => {
    if (!draft || saved) return;
    const timer = setTimeout(() => setSaved(true), 900);
    return () => clearTimeout(timer);
  }, [draft, saved]);
  useGrowing(area, text);

  const latest = useLatest({ insert, choose, edit });
  useEffect(() => {
    const handle = {
      insert: (piece: string) => latest.current.insert(piece),
      edit: (which: Mode) => latest.current.edit(which),
      focus: (next: Mode = "reply") => latest.current.choose(next),
    };
    composerOnScreen.current = handle;
    const stop = register([
      { id: "reply", keys: "r", name: "keys.reply", group: "write", run: () => handle.focus("reply") },
      { id: "note", keys: "n", name: "keys.note", group: "write", run: () => handle.focus("note") },
      { id: "edit-last", keys: "ArrowUp", name: "keys.edit_last", group: "write", keyOnly: true, run: () => false },
      { id: "open-reply", keys: "Enter", name: "keys.write", group: "write", keyOnly: true, run: (event) => (isControl(event) ? false : void handle.focus("reply")) },
    ]);
    return () => {
      stop();
      if (composerOnScreen.current === handle) composerOnScreen.current = null;
    };
  }, [latest]);

  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (isComposing(event.nativeEvent)) return;
    if (shown && steer(event)) return event.preventDefault();
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      if (hits) setClosedSlash(slash!.from);
      else if (people.length) setClosedSlash(sign!.from);
      else if (isEditing) editing.stop();
      else event.currentTarget.blur();
    } else if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && !text && !event.shiftKey && !event.altKey && editing.begin()) event.preventDefault();
  };
  const steer = (event: KeyboardEvent): boolean => {
    if (event.key === "ArrowDown") setAt((chosen + 1) % shown);
    else if (event.key === "ArrowUp") setAt((chosen + shown - 1) % shown);
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") hits ? pick(hits[chosen]!) : call(chosen);
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
      {hits ? <CannedMenu id={listId} hits={hits} at={chosen} languages={languages} variables={variables} onPick={pick} onPoint={setAt} /> : null}
      {people.length ? <MentionMenu id={listId} people={people} at={chosen} onPick={call} onPoint={setAt} /> : null}
      <Guard collision={collision} />
      <EditStrip editing={editing} mode={mode} />
      <div className="tabs" role="tablist" aria-label={t("composer.kind")}>
        {(["reply", "note"] as const).map((one) => (
          <button key={one} type="button" className="tab" role="tab" aria-selected={mode === one} tabIndex={mode === one ? 0 : -1} onClick={() => choose(one)} data-testid={`tab-${one}`}>
            {t(`composer.${one}`)} <kbd>{one === "reply" ? "R" : "N"}</kbd>
          </button>
        ))}
        {mode === "note" ? <span className="to t-warning"><Icon name="lock" size="sm" />{t("note.only_agents")}</span> : null}
      </div>
      {view.state === "closed" && mode === "reply" && !isEditing ? <p className="composer-state">{t("composer.closed")}</p> : null}
      <textarea
        ref={area} className="text" rows={2} value={text} readOnly={isHeld || editing.isBusy} data-testid="composer" maxLength={16000}
        aria-label={isEditing ? t(`edit.${mode}`) : t(mode === "note" ? "composer.note_label" : "composer.reply_label", { name })}
        placeholder={t(mode === "note" ? "composer.note_hint" : "composer.hint", { name })}
        aria-controls={hits || shown ? listId : undefined} aria-autocomplete="list"
        aria-activedescendant={shown ? `${listId}-${chosen}` : undefined}
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
      {mode === "reply" && !isEditing ? <Tray uploads={uploads} items={items} /> : null}
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
        {mode === "reply" && !isEditing ? <AttachButton uploads={uploads} /> : null}
        <ActionsMenu conversation={view.id} />
        <span className="saved" role="status">{isHeld ? t("file.held") : isStuck ? t("file.stuck") : draft && saved && !isEditing ? <><Icon name="check" size="sm" />{t("composer.saved")}</> : null}</span>
        <button type="button" className="btn btn-primary" onClick={send} aria-disabled={(!text.trim() && !withFiles) || missing.length > 0 || isStuck || isHeld} data-testid="send">
          {isEditing ? t("edit.save") : t(mode === "note" ? "composer.add_note" : view.state === "closed" ? "composer.reopen_send" : "composer.send")} <kbd className="hide-s">Enter</kbd>
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
