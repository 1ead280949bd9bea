/** The list of colleagues over a note. */

import { useEffect, useRef } from "react";
import type { Agent } from "../../kernel";
import { useIsOnline, useT } from "../hooks";
import { Avatar } from "../parts/Avatar";

interface Props {
  id: string;
  people: readonly Agent[];
  at: number;
  onPick(at: number): void;
  onPoint(at: number): void;
}

export function MentionMenu({ id, people, at, onPick, onPoint }: Props) {
  const t = useT();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // Newer browsers give a promise, which an effect must not return.
    void list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <div className="canned is-people" data-testid="mention-menu">
      <ul role="listbox" id={id} aria-label={t("mentions.menu")} ref={list}>
        {people.map((one, index) => (
          <li key={one.id} id={`${id}-${index}`} role="option" aria-selected={index === at} className="opt"
            onPointerMove={() => (index === at ? undefined : onPoint(index))}
            onMouseDown={(event) => (event.preventDefault(), onPick(index))}>
            <Person agent={one} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Person({ agent }: { agent: Agent }) {
  const isOnline = useIsOnline(agent.id);
  return (
    <>
      <Avatar name={agent.name} id={agent.id} online={isOnline} />
      <span className="trunc grow">{agent.name}</span>
    </>
  );
}
