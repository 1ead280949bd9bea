/** The widget's frame: panel or peek, focus in and out, language and appearance. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Catalogue, type Client, type ConversationView, Drafts, type HubEvent, type Timeline, browserEnv, key, sideOf } from "../kernel";
import type { Bridge } from "../loader/bridge";
import { Conversation } from "./conversation";
import { Home } from "./home";
import { useStored, useViewport } from "./hooks";
import { Peek } from "./peek";
import { ABOUT, type About } from "./session";
import { type Talk, TalkContext, useAbout, useTalk, useTalkId } from "./talk";
import { WordsContext, learn, useWords, wordsFor } from "./texts";

export interface Commands {
  open(text?: string): void;
  close(): void;
  language(tag: string): void;
}

interface Props {
  bridge: Bridge;
  client: Client;
  isOpenAtFirst: boolean;
  onReady: (commands: Commands) => void;
}

export function WidgetApp({ bridge, client, isOpenAtFirst, onReady }: Props): JSX.Element {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const [view, setView] = useState<"home" | "chat">("home");
  const [language, setLanguage] = useState(bridge.lang);
  const [cards, setCards] = useState<Catalogue>({});
  const [, setTheme] = useState(bridge.frame.dataset["theme"]);
  const words = useMemo(() => wordsFor(language, cards), [language, cards]);
  const speak = (tag: string) => void learn(bridge.base, tag).then(() => setLanguage(tag));
  useEffect(() => {
    const url = `/api/v1/texts?lang=${words.i18n.language}`;
    // Without the adapters' words cards still say what they can.
    void client.api.call<{ texts: Catalogue }>(url).then((answer) => setCards(answer.texts), () => undefined);
  }, [words.i18n.language]);
  const drafts = useMemo(() => new Drafts({ env: browserEnv(), storage: storage(), prefix: `deskhub:${bridge.inbox}` }), []);
  const talk: Talk = {
    client,
    bridge,
    drafts,
    say(text) {
      // Behind the form the text waits in the field.
      if (idOf(client) === "new" && client.store.get<About>(ABOUT)?.settings.prechat) return open(text);
      client.post(idOf(client), text, { language: words.i18n.language });
      setView("chat");
    },
    show: setView,
    close: () => close(),
    setLanguage(tag) {
      speak(tag);
      bridge.keep({ lang: tag });
    },
    setTheme(theme) {
      bridge.frame.dataset["theme"] = theme;
      setTheme(theme);
      bridge.keep({ theme });
    },
  };
  const open = (text?: string) => {
    setOpen(true);
    bridge.keep();
    bridge.emit("open");
    if (text === undefined) return;
    setView("chat");
    if (!text) return;
    // A field that is not on screen yet begins with its draft; one that is hears of it.
    drafts.set(idOf(client), text);
    setTimeout(() => bridge.mount.dispatchEvent(new CustomEvent("deskhub-insert", { detail: text })));
  };
  const close = () => {
    setOpen(false);
    bridge.emit("close");
    bridge.launcher.focus();
  };
  useEffect(() => onReady({ open, close, language: speak }), []);
  useEffect(() => {
    if (isOpenAtFirst) bridge.keep();
  }, []);
  useLayoutEffect(() => {
    bridge.frame.lang = words.i18n.language;
    bridge.frame.dir = words.i18n.language === "ar" ? "rtl" : "ltr";
    bridge.launcher.ariaExpanded = String(isOpen);
    // While the launcher still said "Open chat" the conversation could be read on.
    if (isOpen && idOf(client) !== "new" && client.store.conversation(idOf(client))?.unread) setView("chat");
  }, [isOpen, words]);
  return (
    <WordsContext.Provider value={words}>
      <TalkContext.Provider value={talk}>
        {isOpen ? <Panel view={view} /> : <Waiting onOpen={() => (setView("chat"), open())} />}
        <Badge isOpen={isOpen} />
      </TalkContext.Provider>
    </WordsContext.Provider>
  );
}

function Panel({ view }: { view: "home" | "chat" }): JSX.Element {
  const talk = useTalk();
  const about = useAbout();
  const { t, i18n } = useWords();
  const panel = useRef<HTMLElement>(null);
  const [element, setElement] = useState<HTMLElement | null>(null);
  useViewport(element);
  useEffect(() => {
    setElement(panel.current);
    // On a phone the field would open the keyboard over what is to be read first.
    const isTouch = matchMedia("(pointer: coarse)").matches;
    const field = isTouch ? null : panel.current!.querySelector("textarea");
    (field ?? panel.current!).focus({ preventScroll: true });
  }, [view, talk.client]);
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      talk.close();
    }
    // The shop's own shortcuts do not listen to what is typed here.
    if (!event.metaKey && !event.ctrlKey) event.stopPropagation();
  };
  const name = about?.settings.name ?? "";
  return (
    <section ref={panel} class="dh-panel" role="dialog" lang={i18n.language} aria-label={t("panel.label", { inbox: name }).trim()} tabIndex={-1} data-testid="deskhub-panel" onKeyDown={keys}>
      {view === "home" ? <Home /> : <Conversation />}
    </section>
  );
}

/** What to show over the launcher: the newest unread message of an agent, once. */
function Waiting({ onOpen }: { onOpen: () => void }): JSX.Element | null {
  const { client } = useTalk();
  const id = useTalkId();
  const view = useStored<ConversationView>(client.store, key.conversation(id));
  const timeline = useStored<Timeline>(client.store, key.timeline(id));
  const [dismissed, setDismissed] = useState(0);
  const event = view?.unread ? newest(timeline) : undefined;
  if (!event || event.seq <= dismissed || event.seq <= (view?.read_seq ?? 0)) return null;
  return <Peek event={event} onOpen={onOpen} onDismiss={() => setDismissed(event.seq)} />;
}

function newest(timeline: Timeline | undefined): HubEvent | undefined {
  const theirs = (timeline?.entries ?? []).map((entry) => entry.event).filter((event) => isForReading(event));
  return theirs.reduce<HubEvent | undefined>((last, event) => (!last || event.seq > last.seq ? event : last), undefined);
}

function isForReading(event: HubEvent): boolean {
  return (event.kind === "message.posted" && sideOf(event.by) === "agent") || event.kind === "card.shown";
}

/** Keeps the launcher's count and its label true. */
function Badge({ isOpen }: { isOpen: boolean }): null {
  const { client, bridge } = useTalk();
  const { t } = useWords();
  const unread = useStored<ConversationView>(client.store, key.conversation(useTalkId()))?.unread ?? 0;
  useEffect(() => {
    const count = isOpen ? 0 : unread;
    const label = isOpen ? "chat.close" : count ? "launcher.open_new" : "launcher.open";
    bridge.badge(count, t(label, { count }));
    bridge.emit("unread", unread);
  }, [isOpen, unread, t]);
  return null;
}

function idOf(client: Client): string {
  return client.store.get<string>("talk") ?? "new";
}

function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

