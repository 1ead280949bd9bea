/** The conversation: header, strip when offline, log with live region, composer. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type ConnectionState, type ConversationView, type HubEvent, type Pending, type Timeline, type Typing, key, sideOf } from "../kernel";
import { Composer } from "./composer";
import { useIsOffline, useStored } from "./hooks";
import { Icon } from "./icons";
import { Part } from "./lazy";
import { Lines, TypingLine } from "./log";
import { Menu } from "./menu";
import { useAbout, useTalk, useTalkId } from "./talk";
import { initials, useWords } from "./texts";
import { linesOf } from "./turns";

const NEAR_END_PX = 80;

export function Conversation(): JSX.Element {
  const { client } = useTalk();
  const id = useTalkId();
  const view = useStored<ConversationView>(client.store, key.conversation(id));
  const offline = useIsOffline(client.store);
  const { t } = useWords();
  const about = useAbout();
  // Where nobody answers now, a message is left; the conversation is the same.
  const isLeft = about?.settings.away && !(view?.last && sideOf(view.last.by) === "agent");
  const isAnswered = useStored<Timeline>(client.store, key.timeline(id))?.entries.some(({ event }) => event.kind === "message.posted" && sideOf(event.by) === "agent");
  const pending = useStored<readonly Pending[]>(client.store, key.pending(id));
  // It is asked for when the hub refuses a message for want of it, too.
  const asks = id === "new" && (about?.settings.prechat || pending?.some((one) => one.error === "prechat_needed"));
  const part = asks ? "prechat" : view?.state === "closed" ? about?.settings.rating !== false && "rate" : isLeft ? "away" : isAnswered && "push";
  return (
    <>
      <Head view={view} isOffline={offline} />
      {offline ? (
        <div class="dh-ban" role="status" data-testid="deskhub-offline">
          <Icon name="wifi" />
          <span>{t("offline.strip")}</span>
        </div>
      ) : null}
      <Log id={id} view={view} isOffline={offline} />
      {part ? <Part key={part} name={part} id={id} unrated={view?.unrated ?? 0} settings={about?.settings} /> : null}
      {asks ? null : <Composer id={id} isClosed={view?.state === "closed"} />}
    </>
  );
}

function Head({ view, isOffline }: { view: ConversationView | undefined; isOffline: boolean }): JSX.Element {
  const talk = useTalk();
  const about = useAbout();
  const { t, format } = useWords();
  const presence = useStored<ReadonlyMap<string, string>>(talk.client.store, key.presence);
  const inbox = about?.settings.name ?? t("chat.team");
  const name = view?.assignee?.name ?? inbox;
  const isHere = !isOffline && [...(presence?.keys() ?? [])].some((who) => who.startsWith("agent:"));
  const ended = view?.state === "closed" ? t("chat.ended", { time: format.time(view.last_at) }) : null;
  const line = isOffline ? t("chat.reconnecting") : (ended ?? (view?.assignee ? inbox : ""));
  return (
    <div class="dh-head has-back">
      <button class="dh-ib" type="button" data-testid="deskhub-back" aria-label={t("chat.back")} onClick={() => talk.show("home")}>
        <Icon name="back" />
      </button>
      <span class="dh-av" aria-hidden="true">
        {initials(name)}
        {isHere ? <i class="on" /> : null}
      </span>
      <div class="grow">
        <h2>{name}</h2>
        {line ? <p>{line}</p> : null}
      </div>
      <Menu />
      <button class="dh-ib" type="button" data-testid="deskhub-close" aria-label={t("chat.close")} onClick={talk.close}>
        <Icon name="x" />
      </button>
    </div>
  );
}

function Log({ id, view, isOffline }: { id: string; view: ConversationView | undefined; isOffline: boolean }): JSX.Element {
  const { client } = useTalk();
  const { store } = client;
  const words = useWords();
  const timeline = useStored<Timeline>(store, key.timeline(id)) ?? store.timeline(id);
  const pending = useStored<readonly Pending[]>(store, key.pending(id)) ?? [];
  const delivered = useStored<number>(store, key.delivered(id)) ?? 0;
  const typing = useTyping(id);
  const connection = useStored<ConnectionState>(store, key.connection);
  const isOnline = connection?.phase === "live" || connection?.phase === "polling";
  const seen = view?.agent_read_seq ?? 0;
  const lines = linesOf(timeline, pending, { seen, delivered, isOnline: isOnline || !isOffline }, words);
  const { log, isAtEnd, toEnd } = useScroll(lines, pending.length);
  useReading(id, timeline);
  const name = view?.assignee?.name ?? words.t("chat.team");
  const isEmpty = timeline.isLoaded && !lines.length;
  return (
    <div class="dh-logbox">
      <div ref={log} class="dh-body dh-log" role="log" aria-live="polite" aria-label={words.t("chat.log", { name })} tabIndex={0} data-testid="deskhub-log">
        {timeline.more && id !== "new" ? <Older id={id} timeline={timeline} /> : null}
        {isEmpty ? <p class="dh-welcome">{words.t("chat.welcome")}</p> : null}
        <Lines lines={lines} isOffline={!isOnline} />
        {typing[0] ? <TypingLine name={typing[0].name} /> : null}
      </div>
      {isAtEnd ? null : (
        <button type="button" class="dh-jump" onClick={toEnd} aria-label={words.t("peek.label")}>
          <Icon name="min" size="s" />
        </button>
      )}
    </div>
  );
}

/** Older messages come on request, so that opening stays cheap. */
function Older({ id, timeline }: { id: string; timeline: Timeline }): JSX.Element {
  const { client } = useTalk();
  const { t } = useWords();
  const [isBusy, setBusy] = useState(false);
  const load = async () => {
    setBusy(true);
    const before = timeline.entries[0]?.seq ?? 0;
    const url = `/api/v1/conversations/${encodeURIComponent(id)}/messages?before=${before}&limit=100`;
    try {
      const page = await client.api.call<{ events: HubEvent[]; more: boolean }>(url);
      client.store.putEvents(id, page.events, page.more);
    } catch {
      // The button stays: the reader can ask again.
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" class="dh-btn q older" disabled={isBusy} onClick={() => void load()}>
      {t("chat.older")}
    </button>
  );
}

function useTyping(id: string): readonly Typing[] {
  const { store } = useTalk().client;
  const typing = useStored<readonly Typing[]>(store, key.typing(id)) ?? [];
  const theirs = typing.filter((mark) => !mark.by.startsWith("visitor:"));
  useEffect(() => {
    if (!theirs.length) return undefined;
    const timer = setInterval(() => store.expireTyping(id), 1_000);
    return () => clearInterval(timer);
  }, [theirs.length, id]);
  return theirs;
}

/** Stay at the end while the reader is there; otherwise leave the place alone. */
function useScroll(lines: unknown, sent: number) {
  const log = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const follows = useRef(true);
  const before = useRef(sent);
  const toEnd = () => {
    const element = log.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  useEffect(() => {
    const element = log.current!;
    const look = () => {
      follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
      setAtEnd(follows.current);
    };
    element.addEventListener("scroll", look, { passive: true });
    // The keyboard of a phone makes the log smaller: the last line stays in sight.
    const sizes = new ResizeObserver(() => follows.current && toEnd());
    sizes.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      sizes.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    if (follows.current || sent > before.current) toEnd();
    before.current = sent;
  }, [lines, sent]);
  return { log, isAtEnd, toEnd };
}

/** What is on screen in a focused window has been read. */
function useReading(id: string, timeline: Timeline): void {
  const { client } = useTalk();
  const newest = timeline.entries.reduce((seq, entry) => Math.max(seq, entry.event.seq), 0);
  useEffect(() => {
    if (id === "new" || !newest) return undefined;
    const mark = () => {
      const view = client.store.conversation(id);
      if (document.hasFocus() && view?.unread) client.read(id, newest);
    };
    mark();
    addEventListener("focus", mark);
    return () => removeEventListener("focus", mark);
  }, [id, newest]);
}
