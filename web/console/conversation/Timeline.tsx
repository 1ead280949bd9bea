/** The timeline: keeps its place when things arrive, and knows what was really read. */

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { ConversationView, Pending, Timeline as Entries } from "../../kernel";
import { useDesk, useLatest, useNow, usePending, useT, useTimeline } from "../hooks";
import { Icon } from "../parts/Icon";
import { ChunkView, nearWatch } from "./ChunkView";
import { type Chunk, chunksOf, kept } from "./chunks";
import { LineView } from "./LineView";
import { type Line, linesOf, seqOf } from "./lines";
import { isYoung, lastOwn } from "./ownLast";
import { useReading } from "./useReading";
import { useSought } from "./useSought";

/** Nearer to the end than this counts as being at the end. */
const NEAR_PX = 80;
const AT_TOP_PX = 2000;
/** How many pieces are drawn above the former top before it is known where they stand. */
const AT_ONCE = 3;
const NOTHING: ReadonlySet<number> = new Set();

export function Timeline({ view }: { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const timeline = useTimeline(view.id);
  const pending = usePending(view.id);
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLOListElement>(null);
  // The mark stays where it was when the conversation was opened, whatever is read meanwhile.
  const [readTo] = useState(view.unread ? view.read_seq : Infinity);
  const { lines, chunks, waiting } = useLines(timeline, pending, readTo);
  const own = useOwn(timeline, desk.myself);
  const [watch] = useState(() => nearWatch(box));
  // What comes in at the top is drawn at once only while somebody looks there, and no more than is seen.
  const top = useRef(0);
  const drawFrom = (box.current?.scrollTop ?? 0) < AT_TOP_PX ? top.current - AT_ONCE : Infinity;
  useEffect(() => void (top.current = chunks[0]?.id ?? 0), [chunks]);
  const { atEnd, fresh, toEnd, onScroll } = useAnchor(box, inner, lines.length, timeline);
  useReading(view, box);

  useSought(view.id, box);

  const older = useOlder(view.id, timeline.more, box);
  const scrolled = () => {
    onScroll();
    older();
  };
  useEffect(() => {
    // At the top, or without a scroll bar, nothing ever scrolls there.
    const view = box.current;
    if (timeline.isLoaded && timeline.more && view && (view.scrollTop <= 0 || view.scrollHeight <= view.clientHeight)) older();
  });

  return (
    <div className="timeline-wrap">
      <div className="timeline" role="log" aria-label={t("conversation.messages")} tabIndex={0} ref={box} onScroll={scrolled} data-testid="timeline">
        <ol ref={inner}>
          {timeline.isLoaded ? null : <Skeleton />}
          {timeline.isLoaded && timeline.more ? <li className="older"><Icon name="spin" size="sm" spin /></li> : null}
          {chunks.map((chunk, at) => (
            <ChunkView key={chunk.id} chunk={chunk} view={view} desk={desk} own={ownIn(chunk, own)} watch={watch} startsNear={chunk.id >= drawFrom || at >= chunks.length - 2 || isUnread(chunk)} />
          ))}
          {waiting.map((line) => (
            <LineView key={line.key} line={line} canEdit={false} view={view} desk={desk} />
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

/** My last message and my last note, while they may be edited. */
function useOwn(timeline: Entries, myself: string): ReadonlySet<number> {
  const now = useNow(30_000);
  const own = (["reply", "note"] as const).map((mode) => lastOwn(timeline, myself, mode));
  const seqs = own.flatMap((event) => (event && isYoung(event, now) ? [event.seq] : [])).join();
  return useMemo(() => new Set(seqs ? seqs.split(",").map(Number) : []), [seqs]);
}

/** *own* where it concerns *chunk*: the other pieces need not be drawn again for it. */
function ownIn(chunk: Chunk, own: ReadonlySet<number>): ReadonlySet<number> {
  return chunk.lines.some((line) => own.has(seqOf(line))) ? own : NOTHING;
}

/** The lines in pieces, and those of messages that the hub does not have yet. */
function useLines(timeline: Entries, pending: readonly Pending[], readTo: number) {
  const before = useRef<{ lines: readonly Line[]; chunks: readonly Chunk[] }>({ lines: [], chunks: [] });
  return useMemo(() => {
    const lines = kept(linesOf(timeline, pending, readTo), before.current.lines);
    const chunks = chunksOf(lines.filter((line) => line.type !== "pending"), before.current.chunks);
    before.current = { lines, chunks };
    return { lines, chunks, waiting: lines.filter((line) => line.type === "pending") };
  }, [timeline, pending, readTo]);
}

const isUnread = (chunk: Chunk): boolean => chunk.lines.some((line) => line.type === "unread");

/** Where the timeline stands: at its end it follows, elsewhere it holds still and counts. */
function useAnchor(
  box: { readonly current: HTMLDivElement | null },
  inner: { readonly current: HTMLOListElement | null },
  count: number,
  timeline: Entries,
) {
  const { isLoaded, entries } = timeline;
  const last = entries[entries.length - 1]?.seq ?? 0;
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
  return { atEnd, fresh: isBehind ? entries.length - countUpTo(timeline, seen) : 0, toEnd, onScroll };
}

function countUpTo({ entries }: Entries, seq: number): number {
  let count = entries.length;
  while (count > 0 && entries[count - 1]!.seq > seq) count -= 1;
  return count;
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
      .catch(() => undefined)
      .then(() =>
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            view.scrollTop = view.scrollHeight - before;
            busy.current = false;
          }),
        ),
      );
  };
}

function Skeleton() {
  return (
    <li className="skeleton-messages" aria-hidden="true">
      <i /><i /><i />
    </li>
  );
}
