/** Marks messages as read only when somebody can have read them: focused, on screen, 0.8 s. */

import { useEffect } from "react";
import type { ConversationView } from "../../kernel";
import { useDesk, useLatest } from "../hooks";

const LOOK_MS = 800;

export function useReading(view: ConversationView, box: { readonly current: HTMLDivElement | null }): void {
  const desk = useDesk();
  const latest = useLatest(view);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let seen = 0;
    const look = () => {
      const now = document.hasFocus() && !document.hidden ? lastInSight(box.current) : 0;
      if (now === seen) return;
      seen = now;
      clearTimeout(timer);
      if (now <= latest.current.read_seq) return;
      timer = setTimeout(() => {
        if (document.hasFocus() && lastInSight(box.current) >= now) desk.client.read(latest.current.id, now);
        seen = 0;
      }, LOOK_MS);
    };
    // One cheap look a moment after anything that can change the answer, and once a second.
    const often = setInterval(look, 1000);
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    look();
    return () => {
      clearInterval(often);
      clearTimeout(timer);
      removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [desk, box, latest]);
}

/** The event number of the last line whose end is in sight. */
function lastInSight(view: HTMLDivElement | null): number {
  if (!view) return 0;
  const bottom = view.getBoundingClientRect().bottom + 4;
  const lines = view.querySelectorAll<HTMLElement>("[data-seq]");
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at]!;
    if (line.getBoundingClientRect().bottom <= bottom) return Number(line.dataset["seq"]);
  }
  return 0;
}
