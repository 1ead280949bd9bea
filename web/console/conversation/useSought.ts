/** Goes to the message that the address names, once it is loaded, and sets it apart. */

import { useEffect } from "react";
import { useDesk, useRoute } from "../hooks";

const SHOWN_MS = 4000;

export function useSought(id: string, box: { readonly current: HTMLDivElement | null }): void {
  const desk = useDesk();
  const route = useRoute();
  const seq = route.page === "inbox" && route.conversation === id ? route.at : null;
  useEffect(() => {
    if (!seq) return;
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      const line = box.current?.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
      if (!isCurrent || !line) return;
      void line.scrollIntoView({ block: "center" });
      line.classList.add("is-sought");
      timer = setTimeout(() => line.classList.remove("is-sought"), SHOWN_MS);
    };
    // Two frames: the first draws the lines, the second has their heights.
    desk.reach(id, seq).then(() => requestAnimationFrame(() => requestAnimationFrame(show)), () => undefined);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [desk, id, seq, box]);
}
