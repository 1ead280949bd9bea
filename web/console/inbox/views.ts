/** Which conversation stands in which view, in which order. */

import type { ConversationView, InboxView } from "../../kernel";
import type { Only, Sort } from "../route";
import { dueAt } from "./due";

export interface ViewCounts {
  mine: number;
  queue: number;
  team: number;
  all: number;
  snoozed: number;
  closed: number;
  waiting: number;
  unread: number;
}

/** Compare agents' ids with and without their `agent:` prefix. */
export function sameAgent(one: string | undefined, other: string): boolean {
  return one !== undefined && bare(one) === bare(other);
}

const bare = (id: string): string => (id.startsWith("agent:") ? id.slice("agent:".length) : id);

/** True where *view* shows *one* to the agent *me*. */
export function memberOf(one: ConversationView, view: string, me: string): boolean {
  switch (view) {
    case "mine":
      return one.state === "open" && sameAgent(one.assignee?.id, me);
    case "queue":
      return one.state === "open" && !one.assignee;
    case "team":
      return one.state === "open" && one.assignee !== null && !sameAgent(one.assignee.id, me);
    case "snoozed":
      return one.state === "snoozed";
    case "closed":
      return one.state === "closed";
    default:
      return one.state !== "closed";
  }
}

export function memberships(all: readonly ConversationView[], me: string): ViewCounts {
  const counts: ViewCounts = { mine: 0, queue: 0, team: 0, all: 0, snoozed: 0, closed: 0, waiting: 0, unread: 0 };
  // Ten thousand are counted twenty times a second: one look at each.
  for (const one of all) {
    if (one.state !== "closed") counts.all += 1;
    if (one.state !== "open") {
      counts[one.state] += 1;
    } else if (!one.assignee) {
      counts.queue += 1;
    } else if (!sameAgent(one.assignee.id, me)) {
      counts.team += 1;
    } else {
      counts.mine += 1;
      if (one.waiting_since) counts.waiting += 1;
      if (one.unread > 0) counts.unread += 1;
    }
  }
  return counts;
}

export function sameCounts(one: ViewCounts, other: ViewCounts): boolean {
  return (Object.keys(one) as (keyof ViewCounts)[]).every((name) => one[name] === other[name]);
}

/** The tags that any of *all* has, sorted. */
export function tagsOf(all: readonly ConversationView[]): string[] {
  const found = new Set<string>();
  for (const one of all) for (const tag of one.tags) found.add(tag);
  return [...found].sort();
}

/** True where the words of *q* are all found in what the row shows. */
export function matches(one: ConversationView, q: string): boolean {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const text = [one.name, one.customer?.name, one.customer?.email, one.last?.text, one.summary, ...one.tags, ...one.links]
    .filter(Boolean).join("\n").toLowerCase(); // prettier-ignore
  return words.every((word) => text.includes(word));
}

/** True where *one* passes the filters beside the words; *drafts* are the conversations with a draft of mine. */
export function passes(one: ConversationView, only: Only | null, tag: string, drafts: ReadonlyMap<string, string>): boolean {
  if (tag && !one.tags.includes(tag)) return false;
  if (only === "waiting") return one.waiting_since !== null && one.state !== "closed";
  if (only === "unread") return one.unread > 0;
  return only === "draft" ? drafts.has(one.id) : true;
}

/** When somebody last said something; marks of reading must not move a row. */
export function spokenAt(one: ConversationView): string {
  return one.last?.at ?? one.opened_at;
}

/** Order for the list: newest first, who has waited longest, or whose answer is due first. */
export function sortViews(all: readonly ConversationView[], sort: Sort, inboxes: readonly InboxView[] = []): ConversationView[] {
  const newest = (a: ConversationView, b: ConversationView) => (spokenAt(a) < spokenAt(b) ? 1 : spokenAt(a) > spokenAt(b) ? -1 : 0);
  if (sort === "newest") return [...all].sort(newest);
  if (sort === "due") {
    const due = new Map(all.map((one) => [one.id, dueAt(one, inboxes) ?? Infinity]));
    return [...all].sort((a, b) => (due.get(a.id) === due.get(b.id) ? newest(a, b) : due.get(a.id)! - due.get(b.id)!));
  }
  const far = "9999";
  return [...all].sort((a, b) => {
    const one = a.waiting_since ?? far;
    const other = b.waiting_since ?? far;
    return one < other ? -1 : one > other ? 1 : newest(a, b);
  });
}
