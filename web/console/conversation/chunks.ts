/** A timeline's lines in pieces that stay what they are when lines come at either end. */

import { type Line, seqOf } from "./lines";

export interface Chunk {
  id: number;
  lines: readonly Line[];
}

const LINES = 40;

/** Cut *lines*; those that *before* knew stay in their pieces, and unchanged pieces stay the same objects. */
export function chunksOf(lines: readonly Line[], before: readonly Chunk[]): readonly Chunk[] {
  const places = new Map<string, number>();
  // A day's line goes up with its day's first message: it is no mark of place, and stands with what follows it.
  for (const chunk of before) for (const line of chunk.lines) if (seqOf(line)) places.set(line.key, chunk.id);
  const known = lines.findIndex((line) => places.has(line.key));
  let first = known < 0 ? lines.length : known;
  const top = known < 0 ? 0 : places.get(lines[known]!.key)!;
  while (known >= 0 && first > 0 && !seqOf(lines[first - 1]!)) first -= 1;
  const groups = new Map<number, Line[]>();
  let last = top;
  lines.forEach((line, at) => {
    // Older lines are counted upwards from the first known one, so that the next page moves none.
    let id = at < first ? top - Math.ceil((first - at) / LINES) : Math.max(last, places.get(line.key) ?? last);
    if (at >= first && !places.has(line.key) && (groups.get(id)?.length ?? 0) >= LINES) id += 1;
    last = id;
    const group = groups.get(id);
    if (group) group.push(line);
    else groups.set(id, [line]);
  });
  const olds = new Map(before.map((chunk) => [chunk.id, chunk]));
  return [...groups].map(([id, group]) => {
    const old = olds.get(id);
    const isSame = old?.lines.length === group.length && group.every((line, at) => line === old.lines[at]);
    return isSame ? old! : { id, lines: group };
  });
}

/** *lines* with the objects of *before* wherever they say the same: what did not change is not drawn again. */
export function kept(lines: readonly Line[], before: readonly Line[]): readonly Line[] {
  const olds = new Map(before.map((line) => [line.key, line]));
  return lines.map((line) => {
    const old = olds.get(line.key);
    return old && isSame(old, line) ? old : line;
  });
}

function isSame(one: Line, other: Line): boolean {
  const names = Object.keys(one) as (keyof Line)[];
  return names.length === Object.keys(other).length && names.every((name) => isEqual(one[name], other[name]));
}

function isEqual(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((item, at) => item === other[at]);
}
