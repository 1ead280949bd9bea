/** One timeline over all conversations of a customer: what was said is counted, what happened is told. */

import { useState } from "react";
import { type Card, type HubEvent, type RunView, excerptOf, standing } from "../../kernel";
import { cardText } from "../cardEnv";
import { RunChip, segmentsOf } from "../conversation/RunCard";
import { systemText } from "../conversation/systemText";
import { deskKey } from "../desk";
import { useDesk, useT, useTexts, useValue } from "../hooks";
import { Icon } from "../parts/Icon";
import type { IconName } from "../parts/icons";
import { go, openConversation } from "../route";

export type Moment =
  | { kind: "said"; at: string; conversation: string; count: number; last: string }
  | { kind: "note" | "card" | "system"; at: string; conversation: string; event: HubEvent }
  | { kind: "run"; at: string; conversation: string; run: RunView };
type Shown = "all" | "run" | "card" | "said" | "note";
const FILTERS: readonly Shown[] = ["all", "run", "card", "said", "note"];
const SYSTEM = new Set(["conversation.opened", "conversation.closed", "conversation.reopened", "conversation.assigned", "customer.linked"]);

/** Merge *events* and *runs*, newest first; messages that follow each other are one moment. */
export function momentsOf(events: readonly HubEvent[], runs: readonly RunView[]): Moment[] {
  const moments: Moment[] = runs.map((run) => ({ kind: "run", at: run.started_at, conversation: run.conversation, run }));
  const open = new Map<string, Extract<Moment, { kind: "said" }>>();
  const cards = new Map<string, Moment>();
  for (const event of standing(events).sort((a, b) => a.seq - b.seq)) {
    const conversation = event.conversation ?? "";
    if (event.kind === "message.posted") {
      const last = excerptOf(event);
      const running = open.get(conversation);
      if (running) Object.assign(running, { at: event.at, count: running.count + 1, last });
      else {
        const said: Extract<Moment, { kind: "said" }> = { kind: "said", at: event.at, conversation, count: 1, last };
        open.set(conversation, said);
        moments.push(said);
      }
      continue;
    }
    const kind = event.kind === "note.posted" ? "note" : event.kind === "card.shown" ? "card" : SYSTEM.has(event.kind) ? "system" : null;
    if (!kind) continue;
    open.delete(conversation);
    const moment: Moment = { kind, at: event.at, conversation, event };
    if (kind !== "card") {
      moments.push(moment);
      continue;
    }
    // A card that was shown again stands once, as it is now.
    const id = `${conversation} ${(event.data["card"] as Card).id}`;
    const before = cards.get(id);
    if (before) Object.assign(before, moment);
    else moments.push(moment);
    cards.set(id, before ?? moment);
  }
  return moments.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

export function Merged({ events, runs, isCut }: { events: readonly HubEvent[]; runs: readonly RunView[]; isCut: boolean }) {
  const t = useT();
  const [only, setOnly] = useState<Shown>("all");
  const all = momentsOf(events, runs);
  const has = (kind: Shown) => kind === "all" || all.some((one) => one.kind === kind);
  const shown = all.filter((one) => only === "all" || one.kind === only);
  return (
    <section className="profile-block" aria-labelledby="profile-timeline" data-testid="profile-timeline">
      <h2 id="profile-timeline">{t("customers.timeline")}</h2>
      <div className="filters" role="group" aria-label={t("customers.show_only")}>
        {FILTERS.filter(has).map((one) => (
          <button key={one} type="button" className="btn btn-sm" aria-pressed={one === only} onClick={() => setOnly(one)}>{t(`customers.only_${one}`)}</button>
        ))}
      </div>
      <ol className="moments">
        {shown.map((one, at) => (
          <Line key={`${one.kind} ${one.at} ${at}`} moment={one} />
        ))}
      </ol>
      {isCut ? <p className="subtle">{t("customers.cut")}</p> : null}
    </section>
  );
}

function Line({ moment }: { moment: Moment }) {
  const t = useT();
  const { format, say } = useTexts();
  const open = () => (moment.kind === "run" ? go({ page: "run", run: moment.run.id }) : openConversation(moment.conversation, "all"));
  return (
    <li data-kind={moment.kind}>
      <time className="subtle num" dateTime={moment.at} title={format.dateTime(moment.at)}>{format.dateTime(moment.at)}</time>
      <Icon name={iconOf(moment)} size="sm" />
      <span className="moment-text">
        <What moment={moment} />
      </span>
      {moment.kind === "run" ? <RunChip run={moment.run} segments={segmentsOf(moment.run)} /> : <span />}
      <button type="button" className="link" onClick={open} aria-label={t("customers.open_moment", { what: moment.kind === "run" ? say(moment.run.title) : t(`customers.only_${moment.kind}`) })}>{t("run.open")}</button>
    </li>
  );
}

function What({ moment }: { moment: Moment }) {
  const t = useT();
  const desk = useDesk();
  const texts = useTexts();
  const catalogue = useValue<Record<string, string>>(deskKey.texts) ?? {};
  switch (moment.kind) {
    case "said":
      return <><b>{t("customers.messages", { count: moment.count })}</b> <span className="subtle">{moment.last}</span></>;
    case "run":
      return <><b>{texts.say(moment.run.title)}</b> <span className="subtle">{texts.say(moment.run.sentence)}</span></>;
    case "note":
      return <><b>{String(moment.event.data["name"] ?? "")}</b> {excerptOf(moment.event)}</>;
    case "card": {
      const card = moment.event.data["card"] as Card;
      const source = String(moment.event.data["source"] ?? "");
      const badge = card.badge ? cardText(card.badge.text, catalogue, texts, source) : "";
      return <><b>{cardText(card.title, catalogue, texts, source)}</b> <span className="subtle">{badge || texts.say(card.summary)}</span></>;
    }
    default:
      if (moment.event.kind === "conversation.opened") return <>{t("customers.opened")}</>;
      return <>{systemText(moment.event, desk.myself, t, texts.format).text}</>;
  }
}

function iconOf(moment: Moment): IconName {
  if (moment.kind === "said") return "reply";
  if (moment.kind === "run") return "undo";
  if (moment.kind === "note") return "lock";
  return moment.kind === "card" ? "box" : "info";
}
