/** Saved replies: finding them, filling them in, and knowing what is missing. */

import type { Card, CannedReply, ConversationView, Panel } from "../../kernel";
import { type Found, find } from "./pinyin";

export interface CannedHit {
  reply: CannedReply;
  found: Found;
}

/** Where a search for saved replies begins in *text* before *caret*, and what is looked for.

`/` and the full-width `／` open it at the start of a word; `、` is normal punctuation in Chinese
and opens it as the very first character only. */
export function slashAt(text: string, caret: number): { from: number; query: string } | null {
  const before = text.slice(0, caret);
  const match = /(?:^|\s)([/\uff0f][^\s/\uff0f]*)$/.exec(before) ?? /^(\u3001[^\s]*)$/.exec(before);
  if (!match) return null;
  const typed = match[1]!;
  return { from: before.length - typed.length, query: typed.slice(1) };
}

/** The text of *reply* in the customer's language, else in the reader's, else in any. */
export function cannedText(reply: CannedReply, languages: readonly (string | null | undefined)[]): string {
  for (const language of languages) {
    if (!language) continue;
    const near = Object.keys(reply.text).find((tag) => tag === language || tag.split("-")[0] === language.split("-")[0]);
    if (near) return reply.text[near]!;
  }
  return Object.values(reply.text)[0] ?? "";
}

/** *replies* that fit *query* in shortcut, title, text or pinyin, best first. */
export function findCanned(replies: readonly CannedReply[], query: string): CannedHit[] {
  const hits: CannedHit[] = [];
  for (const reply of replies) {
    const found = best([
      rank(find(reply.shortcut, query), -1),
      find(reply.title, query),
      ...Object.values(reply.text).map((text) => rank(find(text, query), 6)),
    ]);
    if (found) hits.push({ reply, found });
  }
  return hits.sort((a, b) => a.found.rank - b.found.rank || (a.reply.title < b.reply.title ? -1 : 1));
}

function rank(found: Found | null, by: number): Found | null {
  return found && { ...found, rank: found.rank + by };
}

function best(all: readonly (Found | null)[]): Found | null {
  return all.reduce((one, other) => (!one || (other && other.rank < one.rank) ? other : one), null);
}

export type Variables = Record<string, string | undefined>;

/** What `{{…}}` can stand for in a reply to *view*. */
export function variablesOf(view: ConversationView, agent: string, panels: readonly Panel[]): Variables {
  const order = view.links.find((link) => link.startsWith("orders:"));
  return {
    "customer.name": view.customer?.name || view.name || undefined,
    "customer.email": view.customer?.email,
    "agent.name": agent,
    "order.number": order?.slice("orders:".length),
    "tracking.number": trackingOf(panels),
  };
}

/** The first parcel number that a panel offers for copying. */
function trackingOf(panels: readonly Panel[]): string | undefined {
  for (const card of panels.flatMap((panel) => panel.cards)) {
    for (const field of fieldsOf(card)) {
      const { label, value } = field;
      const name = typeof label === "string" ? label : label.t;
      if (/track|parcel|waybill|shipment/i.test(name) && value && typeof value === "object" && value.copy) return value.copy;
    }
  }
  return undefined;
}

function fieldsOf(card: Card) {
  const flat = card.blocks.flatMap((block) => (block.type === "section" ? block.blocks : [block]));
  return flat.flatMap((block) => (block.type === "fields" ? block.fields : []));
}

const HOLE = /\{\{\s*([\w.]+)\s*(?:\|([^}]*))?\}\}/g;

/** *text* with every variable that has a value or a fallback filled in. */
export function fillIn(text: string, variables: Variables): string {
  return text.replace(HOLE, (whole, name: string, fallback: string | undefined) => variables[name] ?? fallback?.trim() ?? whole);
}

/** Names of the variables in *text* that nothing can fill. */
export function missingIn(text: string, variables: Variables): string[] {
  const names = [...fillIn(text, variables).matchAll(HOLE)].map((match) => match[1]!);
  return [...new Set(names)];
}
