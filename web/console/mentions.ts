/** Notes that call me by name: noticed when they come, listed until they are read. */

import { type HubEvent } from "../kernel";
import { callsMe } from "./calls";
import type { Desk } from "./desk";
import { useDesk, useValue, type Translate } from "./hooks";
import { notify } from "./notices";
import { type MessageHit, askFor, openHit } from "./search/hits";

const KEY = "desk:mentions";
const KEPT = 50;
const NOTICE_MS = 12_000;
/** What the search page is asked for. */
export const MENTIONS_OF_ME = "mentions:me ";

/** Load who called me lately; a hub whose search is away leaves the list as it is. */
export async function loadMentions(desk: Desk): Promise<void> {
  try {
    keep(desk, (await askFor(desk, MENTIONS_OF_ME, KEPT, null)).hits);
  } catch {
    // The next start asks again; new ones come over the stream.
  }
}

/** Keep and announce the notes of *events* that call me; true when there was one. */
export function hearMentions(desk: Desk, events: readonly HubEvent[], t: Translate | null): boolean {
  const fresh = events.filter((event) => callsMe(event, desk.me)).map((event) => hitOf(desk, event)).filter((hit) => hit !== null);
  if (!fresh.length) return false;
  const before = mentions(desk);
  keep(desk, fresh);
  // An edit of a note that called me before is no new call.
  for (const hit of fresh) if (t && !before.some((one) => one.seq === hit.seq)) notify(t("mentions.new", { name: hit.name }), { ms: NOTICE_MS, action: { label: t("mentions.open"), run: () => openHit(desk, hit) } });
  return true;
}

function hitOf(desk: Desk, event: HubEvent): MessageHit | null {
  const conversation = desk.store.conversation(event.conversation ?? "");
  if (!conversation) return null;
  return { seq: Number(event.data["of"] ?? event.seq), at: event.at, by: event.by, name: String(event.data["name"] ?? ""), kind: "note", parts: [[String(event.data["text"] ?? ""), false]], conversation };
}

/** Add *hits*, newest first: what the search finds may be older than what the stream told meanwhile. */
function keep(desk: Desk, hits: readonly MessageHit[]): void {
  const others = mentions(desk).filter((one) => !hits.some((hit) => hit.seq === one.seq));
  desk.store.set(KEY, [...hits, ...others].sort((one, other) => other.seq - one.seq).slice(0, KEPT));
}

function mentions(desk: Desk): readonly MessageHit[] {
  return desk.store.get<readonly MessageHit[]>(KEY) ?? [];
}

/** Not read yet: my mark in its conversation lies before it. */
export function isUnread(desk: Desk, hit: MessageHit): boolean {
  return hit.seq > (desk.store.conversation(hit.conversation.id)?.read_seq ?? hit.conversation.read_seq);
}

/** How many notes that call me I have not read yet. */
export function useUnreadMentions(): number {
  const desk = useDesk();
  const all = useValue<readonly MessageHit[]>(KEY) ?? [];
  useValue("desk:counts");
  return all.filter((hit) => isUnread(desk, hit)).length;
}
