/** One line of the timeline. */

import { memo, useState } from "react";
import { type Card, type ConversationView, type HubEvent, type Pending, filesOf, key } from "../../kernel";
import { useCardEnv } from "../cardEnv";
import { CardView } from "../../cards";
import type { Desk } from "../desk";
import { composerOnScreen } from "./composerHandle";
import { Attachments } from "../files/Attachments";
import { useT, useTexts, useValue } from "../hooks";
import { displayName } from "../inbox/names";
import { sameAgent } from "../inbox/views";
import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { EditButton, EditedMark } from "./EditParts";
import type { Line } from "./lines";
import { RunCard } from "./RunCard";
import { systemText } from "./systemText";

interface Props {
  line: Line;
  /** My last message or note, while it may be edited. */
  canEdit?: boolean;
  view: ConversationView;
  desk: Desk;
}

export const LineView = memo(function LineView({ line, canEdit = false, view, desk }: Props) {
  switch (line.type) {
    case "day":
      return <Day at={line.at} />;
    case "unread":
      return <Unread count={line.count} />;
    case "message":
      return line.event.by.startsWith("visitor:") ? (
        <Incoming event={line.event} isFirst={line.isFirst} view={view} />
      ) : (
        <Outgoing event={line.event} isFirst={line.isFirst} isLast={line.isLast} canEdit={canEdit} view={view} desk={desk} />
      );
    case "note":
      return <Note event={line.event} canEdit={canEdit} desk={desk} />;
    case "pending":
      return <PendingLine pending={line.pending} desk={desk} />;
    case "card":
      return <CardLine event={line.event} view={view} />;
    case "run":
      return <RunCard id={line.run} />;
    case "system":
      return <System events={line.events} desk={desk} />;
  }
});

function Day({ at }: { at: string }) {
  const t = useT();
  const { format } = useTexts();
  const days = format.daysFromNow(at);
  const name = days === 0 ? t("day.today") : days === -1 ? t("day.yesterday") : format.day(at, "long");
  return (
    <li className="day">
      <time dateTime={at}>{name}</time>
    </li>
  );
}

function Unread({ count }: { count: number }) {
  const t = useT();
  return (
    <li className="day new" data-testid="unread-mark">
      <span>{t("conversation.unread", { count })}</span>
    </li>
  );
}

function Incoming({ event, isFirst, view }: { event: HubEvent; isFirst: boolean; view: ConversationView }) {
  const t = useT();
  const { format } = useTexts();
  const name = String(event.data["name"] ?? "") || displayName(view, t);
  return (
    <li className={isFirst ? "msg" : "msg is-next"} data-seq={event.seq}>
      {isFirst ? <Avatar name={name} id={view.customer?.id ?? view.id} /> : <span />}
      <div>
        {isFirst ? (
          <p className="meta">
            <b>{name}</b>
            <time dateTime={event.at}>{format.time(event.at)}</time>
          </p>
        ) : (
          <span className="sr">{`${name} ${format.time(event.at)}`}</span>
        )}
        <Said event={event} />
      </div>
    </li>
  );
}

/** A message's text and its files; a photo may come without words. */
function Said({ event }: { event: HubEvent }) {
  const t = useT();
  const { format } = useTexts();
  if (event.data["erased"]) return <p className="bubble subtle">{t("conversation.erased")}</p>;
  const text = String(event.data["text"] ?? "");
  return (
    <>
      {text.trim() ? <p className="bubble" title={format.dateTime(event.at)}>{text}</p> : null}
      <EditedMark event={event} />
      <Attachments files={filesOf(event)} />
    </>
  );
}

interface OutgoingProps {
  event: HubEvent;
  isFirst: boolean;
  isLast: boolean;
  canEdit: boolean;
  view: ConversationView;
  desk: Desk;
}

function Outgoing({ event, isFirst, isLast, canEdit, view, desk }: OutgoingProps) {
  const t = useT();
  const { format } = useTexts();
  const delivered = useValue<number>(key.delivered(view.id)) ?? 0;
  const isMine = sameAgent(event.by, desk.myself);
  const name = isMine ? t("conversation.you") : String(event.data["name"] ?? "");
  const state = event.seq <= view.visitor_read_seq ? "seen" : event.seq <= delivered ? "delivered" : "stored";
  return (
    <li className={isFirst ? "msg out" : "msg out is-next"} data-seq={event.seq} data-state={state}>
      {isFirst || isLast || canEdit ? (
        <p className="meta">
          {isFirst ? <span>{name}</span> : null}
          {isFirst ? <time dateTime={event.at}>{format.time(event.at)}</time> : null}
          {isLast ? <Mark state={state} /> : null}
          {canEdit ? <EditButton onEdit={() => composerOnScreen.current?.edit("reply")} /> : null}
        </p>
      ) : (
        <span className="sr">{name}</span>
      )}
      <Said event={event} />
    </li>
  );
}

function Mark({ state }: { state: "stored" | "delivered" | "seen" }) {
  const t = useT();
  return (
    <span className={`mark is-${state}`}>
      <Icon name={state === "stored" ? "check" : "checks"} size="sm" />
      {t(`message.${state}`)}
    </span>
  );
}

function Note({ event, canEdit, desk }: { event: HubEvent; canEdit: boolean; desk: Desk }) {
  const t = useT();
  const { format } = useTexts();
  const name = sameAgent(event.by, desk.myself) ? t("conversation.you") : String(event.data["name"] ?? "");
  return (
    <li className="inset note" aria-label={t("note.label")} data-seq={event.seq} data-testid="note">
      <p className="meta">
        <b>{name}</b>
        <span className="lock">
          <Icon name="lock" />
          {t("note.only_agents")}
        </span>
        <time dateTime={event.at}>{format.time(event.at)}</time>
        {canEdit ? <EditButton onEdit={() => composerOnScreen.current?.edit("note")} /> : null}
      </p>
      <p className="note-text">{mentions(String(event.data["text"] ?? ""), desk)}</p>
      <EditedMark event={event} />
    </li>
  );
}

/** Agents' names after @ (or ＠) are set apart. */
function mentions(text: string, desk: Desk) {
  const names = desk.agents().map((one) => one.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!names.length) return text;
  const parts = text.split(new RegExp(`([@\uff20](?:${names.join("|")}))`));
  return parts.map((part, at) => (at % 2 ? <span key={at} className="mention">{part}</span> : part));
}

function PendingLine({ pending, desk }: { pending: Pending; desk: Desk }) {
  const t = useT();
  const { format } = useTexts();
  const isFailed = pending.state === "failed";
  const state = isFailed ? "failed" : pending.state === "stored" ? "stored" : "sending";
  return (
    <li className={`${pending.note ? "inset note" : "msg out"}${isFailed ? " is-failed" : " is-sending"}`} data-state={state} data-testid="pending">
      <p className="meta">
        <span>{t("conversation.you")}</span>
        <time dateTime={pending.at}>{format.time(pending.at)}</time>
        <span className={isFailed ? "mark t-danger" : "mark"}>
          <Icon name={isFailed ? "warn" : state === "stored" ? "check" : "spin"} size="sm" spin={state === "sending"} />
          {t(isFailed ? "message.failed" : state === "stored" ? "message.stored" : "message.sending")}
        </span>
      </p>
      {pending.text.trim() ? <p className={pending.note ? "note-text" : "bubble"}>{pending.text}</p> : null}
      <Attachments files={pending.files ?? []} />
      {isFailed ? (
        <p className="retry">
          {pending.error ? <span className="t-danger">{failureText(t, pending.error)}</span> : null}
          <button type="button" className="link" onClick={() => desk.client.retry(pending.cid)} data-testid="retry">{t("message.retry")}</button>
          <button type="button" className="link" onClick={() => void navigator.clipboard?.writeText(pending.text)}>{t("message.copy")}</button>
          <button type="button" className="link" onClick={() => discard(desk, pending)}>{t("message.discard")}</button>
        </p>
      ) : null}
    </li>
  );
}

function failureText(t: ReturnType<typeof useT>, code: string): string {
  const named = t(`error.${code}`);
  return named === `error.${code}` ? t("error.other", { code }) : named;
}

/** A refused message goes back to the reply box when that is empty; its text is never lost. */
function discard(desk: Desk, pending: Pending): void {
  void desk.client.outbox.discard(pending.cid);
  desk.store.dropPending(pending.conversation, pending.cid);
  const mode = pending.note ? "note" : "reply";
  if (desk.drafts.get(pending.conversation, mode)) return;
  desk.setDraft(pending.conversation, mode, pending.text);
  composerOnScreen.current?.focus(mode);
}

function CardLine({ event, view }: { event: HubEvent; view: ConversationView }) {
  const t = useT();
  const env = useCardEnv(view, "timeline", String(event.data["source"] ?? ""));
  const card = event.data["card"] as Card;
  const audience = card.audience ?? "agent";
  return (
    <li className="inset" data-seq={event.seq} data-testid="card" data-rev={card.rev ?? 0}>
      <CardView card={card} env={env} />
      {audience === "agent" ? null : (
        <p className="seen-by">
          <Icon name="users" size="xs" />
          {t(audience === "both" ? "card.seen_by_both" : "card.seen_by_customer")}
        </p>
      )}
    </li>
  );
}

const COLLAPSE_FROM = 3;

/** System lines; three and more in a row fold into one. */
function System({ events, desk }: { events: HubEvent[]; desk: Desk }) {
  const t = useT();
  const [isOpen, setOpen] = useState(false);
  const folded = events.length >= COLLAPSE_FROM && !isOpen;
  const shown = folded ? events.slice(-1) : events;
  return (
    <li className="events" data-seq={events[events.length - 1]!.seq}>
      {events.length >= COLLAPSE_FROM ? (
        <p className="event">
          <Icon name="rows" />
          <button type="button" className="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {t(isOpen ? "system.fold" : "system.more", { count: events.length - 1 })}
          </button>
        </p>
      ) : null}
      {shown.map((event) => (
        <SystemLine key={event.seq} event={event} desk={desk} />
      ))}
    </li>
  );
}

function SystemLine({ event, desk }: { event: HubEvent; desk: Desk }) {
  const t = useT();
  const { format } = useTexts();
  const { icon, text } = systemText(event, desk.myself, t, format);
  return (
    <p className="event" data-kind={event.kind}>
      <Icon name={icon} />
      <span>{text}</span>
      <time className="event-time" dateTime={event.at}>{format.time(event.at)}</time>
    </p>
  );
}
