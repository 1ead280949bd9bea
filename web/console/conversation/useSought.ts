/** Goes to the message that the address names, once it is loaded, and sets it apart. */

import { useEffect } from "react";
import { useDesk, useRoute } from "../hooks";

const SHOWN_MS = 4000;
/** Frames to wait for the line to be drawn. */
const TRIES = 120;

function pieceWith(box: HTMLElement | null, seq: number): HTMLElement | undefined {
  const pieces = [...(box?.querySelectorAll<HTMLElement>(".chunk") ?? [])];
  return pieces.find((one) => Number(one.dataset["from"]) <= seq && seq <= Number(one.dataset["to"]));
}

export function useSought(id: string, box: { readonly current: HTMLDivElement | null }): void {
  const desk = useDesk();
  const route = useRoute();
  const seq = route.page === "inbox" && route.conversation === id ? route.at : null;
  useEffect(() => {
    if (!seq) return;
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (tries = TRIES) => {
      const line = box.current?.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
      if (!isCurrent) return;
      if (!line) {
        // Far from what is in sight only heights are drawn: go there, and it will be.
        void pieceWith(box.current, seq)?.scrollIntoView({ block: "center" });
        if (tries) requestAnimationFrame(() => show(tries - 1));
        return;
      }
      void line.scrollIntoView({ block: "center" });
      line.classList.add("is-sought");
      timer = setTimeout(() => line.classList.remove("is-sought"), SHOWN_MS);
    };
    // Two frames: the first draws the lines, the second has their heights.
    desk.reach(id, seq).then(() => requestAnimationFrame(() => requestAnimationFrame(() => show())), () => undefined);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [desk, id, seq, box]);
}
