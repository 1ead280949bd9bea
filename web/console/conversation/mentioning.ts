/** Calling a colleague in a note: where a name begins, and whom the letters may mean. */

import type { Agent } from "../../kernel";
import { sameAgent } from "../inbox/views";
import { find } from "./pinyin";

const SHOWN = 8;
const NAME_CHARS = 30;

/** Where a name begins in *text* before *caret*, and its letters so far.

`@` and the full-width `＠` open it after a space, a bracket or Chinese text, but not inside an
address. A name may hold one space. */
export function atSign(text: string, caret: number): { from: number; query: string } | null {
  const match = /(?:^|[^\w.@\uff20-])([@\uff20]([^\s@\uff20]*(?: [^\s@\uff20]*)?))$/.exec(text.slice(0, caret));
  if (!match || match[2]!.length > NAME_CHARS) return null;
  return { from: caret - match[1]!.length, query: match[2]! };
}

/** Colleagues whom *query* may mean, best first; none once a name stands there whole. */
export function findPeople(agents: readonly Agent[], query: string, myself: string): Agent[] {
  const wanted = query.normalize("NFKC");
  const others = agents.filter((one) => !sameAgent(one.id, myself));
  const isWhole = others.some((one) => wanted.toLowerCase().startsWith(`${one.name.toLowerCase()} `));
  if (isWhole) return [];
  const hits = others.flatMap((agent) => {
    const found = find(agent.name, wanted);
    return found ? [{ agent, rank: found.rank }] : [];
  });
  return hits.sort((a, b) => a.rank - b.rank || (a.agent.name < b.agent.name ? -1 : 1)).slice(0, SHOWN).map((one) => one.agent);
}
