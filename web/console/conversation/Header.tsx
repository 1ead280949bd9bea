/** Head of the conversation: who it is, whose it is, and what can be done with it. */

import { useEffect, useState } from "react";
import { type Agent, type ConversationView, key, newCid } from "../../kernel";
import { type Desk, deskKey } from "../desk";
import { useDesk, useLatest, useNow, useT, useTexts, useValue } from "../hooks";
import { DueChip, useDue } from "../inbox/DueChip";
import { displayName } from "../inbox/names";
import { waiting } from "../inbox/Row";
import { sameAgent } from "../inbox/views";
import { register } from "../keys";
import { notify } from "../notices";
import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { Menu, type MenuGroup } from "../parts/Menu";
import { Score } from "../parts/Score";
import { go, inboxRoute, openConversation } from "../route";
import { localTime } from "./localTime";
import { snoozeChoices, snoozeItems } from "./snooze";
import { TagEditor } from "./TagEditor";

const UNDO_MS = 8000;

export function Header({ view }: { view: ConversationView }) {
  const t = useT();
  const [menu, setMenu] = useState<"assign" | "snooze" | "tags" | null>(null);
  const act = useActs(view);
  useHeaderKeys(view, act, setMenu);
  return (
    <header className="head">
      <button type="button" className="ib back" aria-label={t("conversation.back")} title={t("conversation.back")} onClick={() => openConversation(null)}>
        <Icon name="left" size="lg" />
      </button>
      <div className="who grow">
        <h1 className="who-name">
          <span className="trunc">{displayName(view, t)}</span>
          {view.tags.map((tag) => (
            <span className="tag" key={tag}>{tag}</span>
          ))}
          {view.rating ? <Score score={view.rating.score} /> : null}
          <State view={view} />
        </h1>
        <p className="trunc"><About view={view} /></p>
      </div>
      <Viewers id={view.id} />
      <Assign view={view} act={act} isOpen={menu === "assign"} onOpenChange={(isOpen) => setMenu(isOpen ? "assign" : null)} />
      {view.state === "closed" ? null : view.state === "snoozed" ? (
        <button type="button" className="btn hide-s" onClick={act.wake} data-testid="wake">{t("conversation.wake")}</button>
      ) : (
        <Snooze act={act} isOpen={menu === "snooze"} onOpenChange={(isOpen) => setMenu(isOpen ? "snooze" : null)} />
      )}
      {view.state === "closed" ? (
        <button type="button" className="btn" onClick={act.reopen} data-testid="reopen" title={`${t("conversation.reopen")} (e)`}>
          <Icon name="undo" />
          <span className="hide-s">{t("conversation.reopen")}</span>
        </button>
      ) : (
        <button type="button" className="btn" onClick={act.close} data-testid="close" aria-label={t("conversation.close_label")} title={`${t("conversation.close_label")} (e)`}>
          <Icon name="check" />
          <span className="hide-s">{t("conversation.close")}</span>
        </button>
      )}
      <button type="button" className="ib info" aria-label={t("conversation.context")} title={t("conversation.context")}
        onClick={() => go(inboxRoute({ column: "context" }))} data-testid="show-context">
        <Icon name="info" />
      </button>
      {menu === "tags" ? <TagEditor view={view} onClose={() => setMenu(null)} /> : null}
    </header>
  );
}

function State({ view }: { view: ConversationView }) {
  const t = useT();
  const { format } = useTexts();
  const now = useNow(15_000);
  const due = useDue(view, now);
  if (view.state === "closed") return <span className="chip"><Icon name="check" />{t("state.closed")}</span>;
  if (view.state === "snoozed") {
    const until = view.snoozed_until ? format.dateTime(view.snoozed_until) : "";
    return <span className="chip is-warning"><Icon name="clock" />{t("state.snoozed", { until })}</span>;
  }
  if (due) return <DueChip due={due} className="chip" />;
  if (!view.waiting_since) return null;
  return <span className="chip is-warning"><Icon name="reply" />{waiting(view.waiting_since, now, t)}</span>;
}

function About({ view }: { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const now = useNow(30_000);
  const { language } = useTexts();
  const inbox = desk.inboxes.find((one) => one.id === view.inbox)?.name ?? view.inbox;
  const spoken = view.customer?.language ?? view.language;
  const there = localTime(spoken, now, language);
  const parts = [inbox, spoken ? languageName(spoken, language) : "", there ? t("conversation.there", { time: there }) : ""];
  return (
    <>
      {parts.filter(Boolean).map((part, at) => (
        <span key={part} className="trunc">{at ? <i>{"\u00b7"} </i> : null}{part}</span>
      ))}
    </>
  );
}

export function languageName(tag: string, reader: string): string {
  try {
    return new Intl.DisplayNames([reader], { type: "language", languageDisplay: "standard" }).of(tag.split("-")[0]!) ?? tag;
  } catch {
    return tag;
  }
}

/** Other agents who look at the same conversation. */
function Viewers({ id }: { id: string }) {
  const t = useT();
  const desk = useDesk();
  const names = useValue<ReadonlyMap<string, string>>(key.viewing(id));
  const others = [...(names ?? [])].filter(([agent]) => !sameAgent(agent, desk.myself));
  if (!others.length) return null;
  const label = t("conversation.also_here", { names: others.map(([, name]) => name).join(", ") });
  return (
    <span className="viewers hide-s" title={label} data-testid="viewers">
      <span className="sr">{label}</span>
      {others.slice(0, 3).map(([agent, name]) => (
        <Avatar key={agent} name={name} id={agent} size="sm" />
      ))}
    </span>
  );
}

interface MenuProps {
  act: Acts;
  isOpen: boolean;
  onOpenChange(isOpen: boolean): void;
}

function Assign({ view, act, isOpen, onOpenChange }: MenuProps & { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const agents = useValue<readonly Agent[]>(deskKey.agents) ?? [];
  const seats = useValue<ReadonlyMap<string, string>>(key.presence);
  const isHere = (id: string) => seats?.has(id) || seats?.has(`agent:${id}`);
  const isMine = sameAgent(view.assignee?.id, desk.myself);
  const people = agents
    .filter((one) => !sameAgent(one.id, desk.myself))
    .map((one) => ({ id: one.id, label: one.name, hint: !isHere(one.id) ? t("assign.offline") : one.load === undefined ? "" : t("assign.load", { count: one.load }), isOn: sameAgent(view.assignee?.id, one.id) }));
  const groups: MenuGroup[] = [
    { items: [{ id: desk.me.id, label: t("assign.me"), keys: "M", isOn: isMine }, { id: "", label: t("assign.nobody"), isOn: !view.assignee }] },
    { title: t("assign.others"), items: people },
  ];
  const name = view.assignee ? (isMine ? t("assign.you") : view.assignee.name) : t("assign.none");
  return (
    <Menu label={t("assign.label", { name })} className="btn hide-s" groups={groups.filter((group) => group.items.length)} isOpen={isOpen} onOpenChange={onOpenChange}
      onPick={(id) => act.assign(id || null)} testId="assign">
      {view.assignee ? <Avatar name={isMine ? desk.me.name : view.assignee.name} id={view.assignee.id ?? ""} size="sm" /> : <Icon name="users" />}
      {name}
      <Icon name="down" size="sm" />
    </Menu>
  );
}

function Snooze({ act, isOpen, onOpenChange }: MenuProps) {
  const t = useT();
  const { format } = useTexts();
  // The items keep their names while the clock moves on: a focused one must not vanish.
  const pick = (name: string) => {
    const choice = snoozeChoices(new Date()).find((one) => one.name === name);
    if (choice) act.snooze(choice.until.toISOString());
  };
  const items = snoozeItems(t, format);
  return (
    <Menu label={`${t("conversation.snooze")} (h)`} className="ib hide-s" groups={[{ title: t("conversation.snooze"), items }]} isOpen={isOpen}
      onOpenChange={onOpenChange} onPick={pick} testId="snooze">
      <Icon name="clock" />
    </Menu>
  );
}

interface Acts {
  assign(agent: string | null): void;
  close(): void;
  reopen(): void;
  wake(): void;
  snooze(until: string): void;
}

function useActs(view: ConversationView): Acts {
  const desk = useDesk();
  const t = useT();
  const conversation = view.id;
  const told = (work: Promise<void>) => void work.catch((error: unknown) => notify(error instanceof Error ? error.message : String(error), { tone: "danger" }));
  const undo = (text: string) => {
    const action = { label: t("bulk.undo"), run: () => told(desk.command({ t: "reopen", conversation, cid: newCid() })) };
    notify(text, { action, ms: UNDO_MS });
  };
  return {
    assign: (agent) => told(desk.command({ t: "assign", conversation, cid: newCid(), agent })),
    close: () => told(desk.command({ t: "close", conversation, cid: newCid() }).then(() => undo(t("bulk.closed", { count: 1 })))),
    reopen: () => told(desk.command({ t: "reopen", conversation, cid: newCid() })),
    wake: () => told(desk.command({ t: "wake", conversation, cid: newCid() })),
    snooze: (until) => told(desk.command({ t: "snooze", conversation, cid: newCid(), until })),
  };
}

function useHeaderKeys(view: ConversationView, act: Acts, open: (menu: "assign" | "snooze" | "tags") => void): void {
  const desk: Desk = useDesk();
  const latest = useLatest({ view, act });
  useEffect(
    () =>
      register([
        { id: "close", keys: "e", name: "keys.close", group: "conversation", run: () => (latest.current.view.state === "closed" ? latest.current.act.reopen() : latest.current.act.close()) },
        { id: "assign", keys: "a", name: "keys.assign", group: "conversation", run: () => open("assign") },
        { id: "take", keys: "m", name: "keys.take", group: "conversation", run: () => latest.current.act.assign(desk.me.id) },
        { id: "snooze", keys: "h", name: "keys.snooze", group: "conversation", run: () => open("snooze") },
        { id: "tag", keys: "t", name: "keys.tag", group: "conversation", run: () => open("tags") },
      ]),
    [desk, latest, open],
  );
}
