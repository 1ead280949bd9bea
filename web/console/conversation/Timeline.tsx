/** The timeline: keeps its place when things arrive, and knows what was really read. */

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { ConversationView } from "../../kernel";
import { useDesk, useLatest, usePending, useT, useTimeline } from "../hooks";
import { Icon } from "../parts/Icon";
import { LineView } from "./LineView";
import { linesOf } from "./lines";
import { useReading } from "./useReading";
import { useSought } from "./useSought";

/** Nearer to the end than this counts as being at the end. */
const NEAR_PX = 80;

export function Timeline({ view }: { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const timeline = useTimeline(view.id);
  const pending = usePending(view.id);
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLOListElement>(null);
  // The mark stays where it was when the conversation was opened, whatever is read meanwhile.
  const [readTo] = useState(view.unread ? view.read_seq : Infinity);
  const lines = useMemo(() => linesOf(timeline, pending, readTo), [timeline, pending, readTo]);
  const { atEnd, fresh, toEnd, onScroll } = useAnchor(box, inner, lines.length, timeline.isLoaded, lastSeq(timeline));
  useReading(view, box);

  useSought(view.id, box);

  const older = useOlder(view.id, timeline.more, box);
  const scrolled = () => {
    onScroll();
    older();
  };
  useEffect(() => {
    // Without a scroll bar nothing ever scrolls to the top.
    if (timeline.isLoaded && timeline.more && box.current && box.current.scrollHeight <= box.current.clientHeight) older();
  });

  return (
    <div className="timeline-wrap">
      <div className="timeline" role="log" aria-label={t("conversation.messages")} tabIndex={0} ref={box} onScroll={scrolled} data-testid="timeline">
        <ol ref={inner}>
          {timeline.isLoaded ? null : <Skeleton />}
          {timeline.isLoaded && timeline.more ? <li className="older"><Icon name="spin" size="sm" spin /></li> : null}
          {lines.map((line) => (
            <LineView key={line.key} line={line} view={view} desk={desk} />
          ))}
        </ol>
      </div>
      {atEnd ? null : (
        <button type="button" className="tonew" onClick={toEnd} data-testid="to-new">
          <Icon name="down2" size="sm" />
          {fresh ? t("conversation.fresh", { count: fresh }) : t("conversation.to_end")}
        </button>
      )}
    </div>
  );
}

function lastSeq(timeline: ReturnType<typeof useTimeline>): number {
  return timeline.entries[timeline.entries.length - 1]?.seq ?? 0;
}

/** Where the timeline stands: at its end it follows, elsewhere it holds still and counts. */
function useAnchor(
  box: { readonly current: HTMLDivElement | null },
  inner: { readonly current: HTMLOListElement | null },
  count: number,
  isLoaded: boolean,
  last: number,
) {
  const [atEnd, setAtEnd] = useState(true);
  const [seen, setSeen] = useState(0);
  const follow = useRef(true);
  const placed = useRef(false);

  const toEnd = useCallback(() => {
    const view = box.current;
    if (view) view.scrollTop = view.scrollHeight;
  }, [box]);

  // First sight: at the first unread message, else at the end.
  useLayoutEffect(() => {
    const view = box.current;
    if (!view || placed.current || !isLoaded || !count) return;
    placed.current = true;
    const mark = view.querySelector<HTMLElement>(".day.new");
    view.scrollTop = mark ? mark.offsetTop - 48 : view.scrollHeight;
    follow.current = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_PX;
    setAtEnd(follow.current);
  }, [box, count, isLoaded]);

  useLayoutEffect(() => {
    if (follow.current) toEnd();
  }, [count, last, toEnd]);

  // Cards grow after they are drawn; the end stays the end.
  useEffect(() => {
    const watcher = new ResizeObserver(() => follow.current && toEnd());
    if (inner.current) watcher.observe(inner.current);
    if (box.current) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, [box, inner, toEnd]);

  const latest = useLatest(last);
  const onScroll = useCallback(() => {
    const view = box.current;
    if (!view) return;
    const isNear = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_PX;
    follow.current = isNear;
    setAtEnd(isNear);
    if (isNear) setSeen(latest.current);
  }, [box, latest]);

  useEffect(() => {
    if (follow.current) setSeen(last);
  }, [last]);
  const isBehind = !atEnd && seen > 0 && last > seen;
  return { atEnd, fresh: isBehind ? Math.max(1, count - countUpTo(inner.current, seen)) : 0, toEnd, onScroll };
}

function countUpTo(list: HTMLOListElement | null, seq: number): number {
  if (!list) return 0;
  return [...list.children].filter((child) => Number((child as HTMLElement).dataset["seq"] ?? 0) <= seq).length;
}

/** Load older pages near the top, without moving what is on screen. */
function useOlder(id: string, more: boolean, box: { readonly current: HTMLDivElement | null }): () => void {
  const desk = useDesk();
  const busy = useRef(false);
  return () => {
    const view = box.current;
    if (!view || !more || busy.current || view.scrollTop > 400) return;
    busy.current = true;
    const before = view.scrollHeight - view.scrollTop;
    desk
      .fetchOlder(id)
      .then(() => requestAnimationFrame(() => requestAnimationFrame(() => (view.scrollTop = view.scrollHeight - before))))
      .catch(() => undefined)
      .finally(() => (busy.current = false));
  };
}

function Skeleton() {
  return (
    <li className="skeleton-messages" aria-hidden="true">
      <i /><i /><i />
    </li>
  );
}
