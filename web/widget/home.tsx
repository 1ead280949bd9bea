/** The first view: who is here, the conversation to go on with, the order, common questions. */

import type { ComponentChildren, JSX } from "preact";
import { type ConversationView, type Panel, key, sideOf } from "../kernel";
import { cardWords } from "./card";
import { useIsOffline, useStored } from "./hooks";
import { Icon, type IconName } from "./icons";
import { useAbout, useOrder, useTalk, useTalkId } from "./talk";
import { LANGUAGES, initials, useWords } from "./texts";

const TOPICS: readonly { id: "return" | "where" | "size"; icon: IconName; asksOrder: boolean }[] = [
  { id: "return", icon: "undo", asksOrder: true },
  { id: "where", icon: "truck", asksOrder: true },
  { id: "size", icon: "ruler", asksOrder: false },
];

export function Home(): JSX.Element {
  const talk = useTalk();
  const { t, i18n } = useWords();
  const about = useAbout();
  const offline = useIsOffline(talk.client.store);
  const name = about?.customer?.name ?? "";
  return (
    <div class="dh-home">
      <div class="top">
        <Team names={about?.settings.team.map((one) => one.name) ?? []} />
        <button class="dh-ib" type="button" aria-label={t("chat.close")} onClick={talk.close}>
          <Icon name="x" />
        </button>
      </div>
      {offline ? <p class="dh-ban" role="status" data-testid="deskhub-offline"><Icon name="wifi" /><span>{t("offline.first")}</span></p> : null}
      <div class="hello">
        <h1>
          {name ? t("home.greeting", { name: givenName(name, i18n.language) }) : t("home.greeting_nobody")}
          <br />
          {t("home.question")}
        </h1>
        <Presence />
      </div>
      <div class="dh-body">
        <button class="dh-btn p w" type="button" data-testid="deskhub-new" onClick={() => talk.show("chat")}>
          <Icon name="chat" />
          {t("home.new")}
        </button>
        <Continue />
        <Topics />
      </div>
      <Foot />
    </div>
  );
}

/** Chinese readers are addressed by the whole name; "Wang Fang" with its characters says Fang first. */
function givenName(name: string, language: string): string {
  const characters = /[\u3400-\u9fff]+/.exec(name)?.[0];
  const latin = name.replace(/[\u3400-\u9fff]+/g, "").trim().split(" ");
  if (characters && (language.startsWith("zh") || !latin[0])) return characters;
  return (characters ? latin[latin.length - 1] : latin[0]) ?? name;
}

function Team({ names }: { names: string[] }): JSX.Element {
  return (
    <span class="dh-stack" aria-hidden="true">
      {names.slice(0, 3).map((name, at) => (
        <span key={name} class={`dh-av ${at ? "n" : ""}`}>
          {initials(name)}
        </span>
      ))}
    </span>
  );
}

function Presence(): JSX.Element | null {
  const { t } = useWords();
  const about = useAbout();
  if (!about) return null;
  const team = about.settings.team.length;
  const isHere = !about.settings.away;
  const text = !isHere ? t("home.away") : team ? t("home.team", { count: team }) : about.settings.name;
  return <p class={`hint ${isHere ? "dh-live" : ""}`}>{text}</p>;
}

function Continue(): JSX.Element | null {
  const talk = useTalk();
  const words = useWords();
  const { t, format } = words;
  const id = useTalkId();
  const view = useStored<ConversationView>(talk.client.store, key.conversation(id));
  const panels = useStored<readonly Panel[]>(talk.client.store, key.panels(id));
  const order = useOrder();
  if (!view?.last && !order) return null;
  const name = view?.assignee?.name;
  return (
    <div class="dh-card" data-panels={panels?.length}>
      {view?.last ? (
        <Row testid="deskhub-continue" onClick={() => talk.show("chat")} lead={<span class="dh-av" aria-hidden="true">{name ? initials(name) : <Icon name="chat" />}</span>}>
          <span class="g">
            <b>{name ? t("home.continue", { name }) : t("home.continue_team")}</b>
            <span class="dh-elip sm dim">{lastLine(view, t)}</span>
          </span>
          {view.unread ? <span class="dh-new">{view.unread}</span> : <time class="sm dim num">{when(view.last.at, format)}</time>}
        </Row>
      ) : null}
      {order ? (
        <Row testid="deskhub-order-row" onClick={() => talk.say(t("say.where_order", { order: order.number }))} lead={<Thumb src={order.picture} />}>
          <span class="g">
            <b>{t("home.order", { order: order.number })}</b>
            <span class="dh-elip sm dim">{order.card ? cardWords(order.card.badge?.text, words) : order.text}</span>
          </span>
          <Icon name="right" size="s" />
        </Row>
      ) : null}
    </div>
  );
}

function lastLine(view: ConversationView, t: (key: string, args?: Record<string, unknown>) => string): string {
  const { by, text } = view.last!;
  return sideOf(by) === "visitor" ? t("home.you", { text }) : text;
}

function when(at: string, format: { daysFromNow(at: string): number; time(at: string): string; day(at: string): string }): string {
  return format.daysFromNow(at) === 0 ? format.time(at) : format.day(at);
}

export function Thumb({ src }: { src: string | undefined }): JSX.Element {
  return (
    <span class="dh-thumb s" aria-hidden="true">
      {src ? <img src={src} alt="" loading="lazy" /> : <Icon name="box" />}
    </span>
  );
}

function Row(props: { onClick: () => void; lead: ComponentChildren; children: ComponentChildren; testid: string }): JSX.Element {
  return (
    <button type="button" class="dh-rowlink" data-testid={props.testid} onClick={props.onClick}>
      {props.lead}
      {props.children}
    </button>
  );
}

function Topics(): JSX.Element {
  const talk = useTalk();
  const { t } = useWords();
  const order = useOrder();
  const ask = (topic: (typeof TOPICS)[number]) => {
    const number = topic.asksOrder ? order?.number : undefined;
    if (number) talk.say(t(`say.${topic.id}_order`, { order: number }));
    else talk.say(t(topic.id === "where" ? "topic.where" : `say.${topic.id}`));
  };
  return (
    <nav class="dh-card" aria-label={t("home.topics")}>
      {TOPICS.map((topic) => (
        <Row key={topic.id} testid={`deskhub-topic-${topic.id}`} onClick={() => ask(topic)} lead={<Icon name={topic.icon} />}>
          <span class="g">{t(`topic.${topic.id}`)}</span>
          <Icon name="right" size="s" />
        </Row>
      ))}
    </nav>
  );
}

function Foot(): JSX.Element {
  const talk = useTalk();
  const about = useAbout();
  const { i18n } = useWords();
  const other = Object.keys(LANGUAGES).find((tag) => tag !== i18n.language)!;
  return (
    <div class="dh-foot">
      <span>{about?.settings.name ?? ""}</span>
      <button type="button" lang={other} data-testid="deskhub-language" onClick={() => talk.setLanguage(other)}>
        <Icon name="globe" size="s" />
        {LANGUAGES[other]}
      </button>
    </div>
  );
}
