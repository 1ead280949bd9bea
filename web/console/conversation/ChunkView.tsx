/** A piece of the timeline: its lines while it is near what is in sight, else only their height. */

import { memo, useEffect, useRef, useState } from "react";
import type { ConversationView } from "../../kernel";
import type { Desk } from "../desk";
import type { Chunk } from "./chunks";
import { LineView } from "./LineView";
import { seqOf } from "./lines";

/** Draw what is this near: a quick flick of the wheel meets lines. */
const NEAR_PX = 1500;
const LINE_PX = 56;

export type Watch = (node: Element, tell: (isNear: boolean, height: number) => void) => () => void;

interface Props {
  chunk: Chunk;
  view: ConversationView;
  desk: Desk;
  /** The numbers of those messages of mine that may still be edited. */
  own: ReadonlySet<number>;
  watch: Watch;
  /** Whether it is drawn before anybody knows where it stands. */
  startsNear: boolean;
}

export const ChunkView = memo(function ChunkView({ chunk, view, desk, own, watch, startsNear }: Props) {
  const place = useRef<HTMLLIElement>(null);
  const [isNear, setNear] = useState(startsNear);
  const height = useRef(chunk.lines.length * LINE_PX);
  useEffect(
    () =>
      watch(place.current!, (near, px) => {
        // Only lines that are drawn have a height of their own.
        if (!near && place.current?.childElementCount) height.current = px;
        setNear(near);
      }),
    [watch],
  );
  const seqs = chunk.lines.map(seqOf).filter((seq) => seq > 0);
  return (
    <li className="chunk" ref={place} data-from={Math.min(...seqs)} data-to={Math.max(...seqs)} style={isNear ? undefined : { height: height.current }}>
      {isNear ? (
        <ol>
          {chunk.lines.map((line) => (
            <LineView key={line.key} line={line} canEdit={own.has(seqOf(line))} view={view} desk={desk} />
          ))}
        </ol>
      ) : null}
    </li>
  );
});

/** Who watches which pieces are near, below *box*. */
export function nearWatch(box: { readonly current: Element | null }): Watch {
  const tells = new WeakMap<Element, (isNear: boolean, height: number) => void>();
  let observer: IntersectionObserver | null = null;
  return (node, tell) => {
    observer ??= new IntersectionObserver(
      (entries) => entries.forEach((one) => tells.get(one.target)?.(one.isIntersecting, one.boundingClientRect.height)),
      { root: box.current, rootMargin: `${NEAR_PX}px 0px` },
    );
    tells.set(node, tell);
    observer.observe(node);
    return () => observer?.unobserve(node);
  };
}
