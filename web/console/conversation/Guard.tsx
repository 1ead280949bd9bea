/** The soft lock on sending: another agent has answered since this text was begun. */

import { useEffect, useRef, useState } from "react";
import type { ConversationView, HubEvent } from "../../kernel";
import { useDesk, useT, useTexts, useTimeline } from "../hooks";
import { sameAgent } from "../inbox/views";
import { Icon } from "../parts/Icon";

export interface Collision {
  event: HubEvent | null;
  /** True when sending may go on; the first try after a collision only points at it. */
  passes(): boolean;
  isAsked: boolean;
}

export function useCollision(view: ConversationView, isWriting: boolean): Collision {
  const desk = useDesk();
  const { entries } = useTimeline(view.id);
  const begun = useRef<number | null>(null);
  const [passed, setPassed] = useState(0);
  const [isAsked, setAsked] = useState(false);
  const head = entries[entries.length - 1]?.seq ?? 0;
  if (!isWriting) begun.current = null;
  else begun.current ??= head;
  const since = Math.max(begun.current ?? Infinity, passed);
  const event =
    entries.map((entry) => entry.event).filter((one) => one.seq > since && one.kind === "message.posted" && one.by.startsWith("agent:") && !sameAgent(one.by, desk.myself)).pop() ?? null;
  useEffect(() => {
    if (!event) setAsked(false);
  }, [event]);
  const passes = () => {
    if (!event || isAsked) {
      setPassed(head);
      setAsked(false);
      return true;
    }
    setAsked(true);
    return false;
  };
  return { event, passes, isAsked };
}

export function Guard({ collision }: { collision: Collision }) {
  const t = useT();
  const { format } = useTexts();
  if (!collision.event) return null;
  const args = { name: collision.event.data["name"] ?? "", when: format.relative(collision.event.at) };
  return (
    <p className="strip is-warning guard" role="alert" data-testid="collision">
      <Icon name="warn" />
      <span className="grow">{t(collision.isAsked ? "composer.collision_again" : "composer.collision", args)}</span>
    </p>
  );
}
