/** One row: who, what was said last, one line of the systems; unread and waiting are two facts. */

import { type MouseEvent, memo } from "react";
import type { ConversationView } from "../../kernel";
import { useConversation, useDesk, useDraftMark, useIsOnline, usePanels, useT, useTexts, useTimeline, useTyping, type Translate } from "../hooks";
import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { openConversation } from "../route";
import { DueChip, useDue } from "./DueChip";
import { displayName } from "./names";
import { sameAgent, spokenAt } from "./views";

interface Props {
  id: string;
  top: number;
  place: number;
  of: number;
  now: number;
  isOpen: boolean;
  isSelected: boolean;
  isSelecting: boolean;
  onToggle(id: string): void;
}

export const Row = memo(function Row({ id, top, place, of, now, isOpen, isSelected, isSelecting, onToggle }: Props) {
  const t = useT();
  const { format, say } = useTexts();
  const view = useConversation(id);
  const online = useIsOnline(view?.visitor);
  // Panels that were opened since know more than the snapshot did.
  const lines = usePanels(id).map((panel) => panel.summary).filter(Boolean).join(" \u00b7 ");
  const shown = useLastObject(id);
  if (!view) return null;
  const name = displayName(view, t);
  const at = spokenAt(view);
  const click = (event: MouseEvent) => (event.metaKey || event.ctrlKey || event.shiftKey ? onToggle(id) : openConversation(id));
  return (
    <li
      className={["row", view.unread ? "unread" : "", isSelected ? "is-picked" : ""].filter(Boolean).join(" ")}
      role="option"
      aria-selected={isOpen}
      aria-setsize={of}
      aria-posinset={place + 1}
      tabIndex={isOpen || (place === 0 && !isOpen) ? 0 : -1}
      style={{ top }}
      data-conversation={id}
      onClick={click}
      onKeyDown={(event) => (event.key === "Enter" && event.target === event.currentTarget ? openConversation(id) : undefined)}
    >
      {view.unread ? <i className="un" /> : null}
      {view.unread ? <span className="sr">{t("list.unread")}</span> : null}
      <span className={isSelecting ? "pick is-shown" : "pick"} title={t("list.pick", { name })} onClick={(event) => (event.stopPropagation(), onToggle(id))}>
        <span className={isSelected ? "check on" : "check"}><Icon name="check" /></span>
        <Avatar name={view.customer || view.name ? name : ""} id={view.customer?.id ?? id} online={online} />
      </span>
      {isSelected ? <span className="sr">{t("list.picked")}</span> : null}
      <div className="trunc">
        <div className="l l1">
          <span className="name trunc">{name}</span>
          {view.tags.slice(0, 1).map((tag) => (
            <span className="tag" key={tag}>{tag}</span>
          ))}
          <span className="grow" />
          <time dateTime={at} title={format.dateTime(at)}>{shortTime(format, at)}</time>
        </div>
        <div className="l l2">
          <LastLine view={view} />
        </div>
        <div className="l l3">
          <span className="trunc">{say(view.summary || lines) || order(view, shown, t)}</span>
          <Mark view={view} now={now} />
        </div>
      </div>
    </li>
  );
});

function LastLine({ view }: { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const { last } = view;
  if (!last) return <span className="trunc grow">{t("list.no_message")}</span>;
  const isMine = sameAgent(last.by, desk.myself);
  const text = last.text.replace(/\s+/g, " ");
  if (last.kind === "note") return <span className="trunc grow">{t("list.note", { text })}</span>;
  if (isMine) return <span className="trunc grow">{t("list.you", { text })}</span>;
  return <span className="trunc grow">{text}</span>;
}

/** The one most useful mark: who replies now, my draft, or how long the customer waits. */
function Mark({ view, now }: { view: ConversationView; now: number }) {
  const t = useT();
  const due = useDue(view, now);
  const typing = useTyping(view.id);
  const draft = useDraftMark(view.id);
  const replying = typing.find((mark) => mark.by.startsWith("agent:"));
  if (replying) return <span className="wait"><Icon name="pen" />{t("list.replying", { name: replying.name })}</span>;
  if (draft) {
    return <span className="wait t-accent trunc wait-draft"><Icon name="pen" /><span className="trunc">{t("list.draft", { text: draft })}</span></span>;
  }
  if (typing.length) return <span className="wait"><Icon name="pen" />{t("list.typing")}</span>;
  if (view.state === "snoozed") return <span className="wait"><Icon name="clock" />{t("list.snoozed")}</span>;
  if (due) return <DueChip due={due} className="wait" />;
  if (!view.waiting_since || view.state === "closed") return null;
  return <span className="wait"><Icon name="reply" />{waiting(view.waiting_since, now, t)}</span>;
}

/** "waiting 3 min", in the unit that fits. */
export function waiting(since: string, now: number, t: Translate): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(since)) / 60_000));
  if (minutes < 1) return t("list.waiting_now");
  if (minutes < 60) return t("list.waiting_min", { count: minutes });
  if (minutes < 1440) return t("list.waiting_h", { count: Math.floor(minutes / 60) });
  return t("list.waiting_d", { count: Math.floor(minutes / 1440) });
}

/** Until the systems have said more: the order this is about, or nothing. */
function order(view: ConversationView, shown: string | undefined, t: Translate): string {
  const object = view.links[0] ?? shown;
  return object ? t("list.linked", { object: objectName(object) }) : "";
}

/** The object of the newest card in the timeline, where that has been loaded. */
function useLastObject(id: string): string | undefined {
  const { entries } = useTimeline(id);
  for (let at = entries.length - 1; at >= 0; at--) {
    const { event } = entries[at]!;
    if (event.kind !== "card.shown") continue;
    const signal = event.data["signal"] as { object?: string } | null | undefined;
    if (signal?.object) return signal.object;
  }
  return undefined;
}

/** `orders:1042` as people say it: #1042. */
export function objectName(object: string): string {
  return `#${object.slice(object.indexOf(":") + 1)}`;
}

function shortTime(format: ReturnType<typeof useTexts>["format"], at: string): string {
  return format.daysFromNow(at) === 0 ? format.time(at) : format.day(at);
}
