/** Everything the palette can do, as one flat list in groups. */

import { type CannedReply } from "../../kernel";
import { type Offer, offerIcon, openOffer } from "../actions/host";
import { cannedText, fillIn, variablesOf } from "../conversation/canned";
import { macrosFor, runMacro } from "../conversation/macros";
import { mailTranscript } from "../conversation/transcript";
import { composerOnScreen } from "../conversation/composerHandle";
import { type Found, find } from "../conversation/pinyin";
import { type Desk, deskKey, leads, offersKey } from "../desk";
import type { Translate } from "../hooks";
import type { Say } from "../phrases";
import { displayName } from "../inbox/names";
import { allShortcuts } from "../keys";
import type { IconName } from "../parts/icons";
import { type MessageHit, openHit, textOf } from "../search/hits";
import { REPORTS, VIEWS, go, inboxRoute, openConversation, reports } from "../route";
import { toggleLanguage, toggleTheme } from "../settings";

export type Scope = "all" | "commands" | "objects" | "people" | "canned";

export interface CommandItem {
  id: string;
  group: "here" | "canned" | "conversations" | "messages" | "go" | "keys";
  icon: IconName;
  title: string;
  /** Other words it can be found by; not shown. */
  also?: string;
  detail?: string;
  end?: string;
  keys?: string;
  /** Why it cannot be run. */
  disabled?: string;
  run(): void;
}

export interface Hit extends CommandItem {
  found: Found;
}

const PREFIXES: Record<string, Scope> = { ">": "commands", "#": "objects", "@": "people", "\uff20": "people", "/": "canned", "\uff0f": "canned" };
const MAX_PER_GROUP = { here: 6, canned: 5, conversations: 6, messages: 5, go: 5, keys: 8 };

/** Split what was typed into where to look and what for. */
export function scopeOf(text: string): { scope: Scope; query: string } {
  const scope = PREFIXES[text[0] ?? ""];
  if (!scope) return { scope: "all", query: text.trim() };
  return { scope, query: text.slice(1).trim() };
}

/** What can be done now; *conversation* is the one on screen. */
export function commandItems(desk: Desk, t: Translate, say: Say, conversation: string | null, language: string, onHelp: () => void): CommandItem[] {
  return [
    ...(conversation ? here(desk, t, say, conversation) : []),
    ...(conversation ? mail(desk, t, conversation) : []),
    ...(conversation ? macros(desk, t, conversation, language) : []),
    ...(conversation ? saved(desk, conversation, language) : []),
    ...people(desk, t, conversation),
    ...places(desk, t, onHelp),
    ...keys(t),
  ];
}

function here(desk: Desk, t: Translate, say: Say, conversation: string): CommandItem[] {
  const offers = desk.store.get<readonly Offer[]>(offersKey(conversation)) ?? [];
  return offers.map((offer) => ({
    id: `offer:${offer.type} ${offer.object}`,
    group: "here",
    icon: offerIcon(offer.type),
    title: offer.running ? t("palette.open_run", { label: say(offer.label) }) : say(offer.label),
    also: `${offer.title} ${offer.label} ${t("palette.also_return")} ${offer.object}`,
    ...(offer.running ? { detail: t("action.running") } : {}),
    ...(offer === offers.find((one) => one.enabled) ? { keys: "Shift+R" } : {}),
    ...(offer.enabled || offer.running ? {} : { disabled: say(offer.reason) }),
    run: () => openOffer(conversation, offer),
  }));
}

function mail(desk: Desk, t: Translate, conversation: string): CommandItem[] {
  if (!desk.store.get<boolean>(deskKey.mail)) return [];
  const also = "transcript e-mail email copy \u5bf9\u8bdd\u8bb0\u5f55 \u90ae\u4ef6 youjian";
  return [{ id: "transcript", group: "here", icon: "arrow", title: t("transcript.mail"), also, run: () => void mailTranscript(desk, conversation, t) }];
}

function macros(desk: Desk, t: Translate, conversation: string, language: string): CommandItem[] {
  const view = desk.store.conversation(conversation);
  if (!view) return [];
  return macrosFor(desk, view, language).map((ready) => ({
    id: `macro:${ready.macro.id}`,
    group: "here",
    icon: "bolt",
    title: ready.title,
    also: Object.values(ready.macro.title).join(" "),
    detail: ready.text || ready.macro.tags.join(", "),
    ...(ready.missing.length ? { disabled: t("macro.missing", { names: ready.missing.join(", ") }) } : {}),
    run: () => void runMacro(desk, view, ready, t),
  }));
}

function saved(desk: Desk, conversation: string, language: string): CommandItem[] {
  const view = desk.store.conversation(conversation);
  if (!view) return [];
  const variables = variablesOf(view, desk.me.name, desk.store.panels(conversation));
  const textOf = (reply: CannedReply) => fillIn(cannedText(reply, [view.customer?.language, view.language, language]), variables);
  return desk.canned().map((reply) => ({
    id: `canned:${reply.id}`,
    group: "canned",
    icon: "slash",
    title: reply.title,
    also: `${reply.shortcut} ${Object.values(reply.text).join(" ")}`,
    detail: textOf(reply),
    end: `/${reply.shortcut}`,
    run: () => composerOnScreen.current?.insert(textOf(reply)),
  }));
}

function people(desk: Desk, t: Translate, open: string | null): CommandItem[] {
  const views = desk.store.list().map((id) => desk.store.conversation(id)).filter((one) => one !== undefined && one.id !== open);
  return views.slice(0, 2000).map((one) => ({
    id: `conversation:${one!.id}`,
    group: "conversations",
    icon: "inbox",
    title: displayName(one!, t),
    also: `${one!.links.map((link) => `#${link.slice(link.indexOf(":") + 1)}`).join(" ")} ${one!.customer?.email ?? ""} ${one!.last?.text ?? ""}`,
    detail: one!.summary || one!.last?.text || "",
    run: () => openConversation(one!.id, one!.state === "closed" ? "closed" : "all"),
  }));
}

function places(desk: Desk, t: Translate, onHelp: () => void): CommandItem[] {
  const views: CommandItem[] = VIEWS.map((view) => ({
    id: `view:${view}`, group: "go", icon: "inbox", title: t("palette.go_view", { view: t(`view.${view}`) }),
    run: () => go(inboxRoute({ view, conversation: null, column: "list", q: "" })),
  })); // prettier-ignore
  const pages: CommandItem[] = [
    { id: "attention", group: "go", icon: "warn", title: t("page.attention"), run: () => go({ page: "attention", tab: "attention" }) },
    { id: "customers", group: "go", icon: "users", title: t("page.customers"), keys: "g c", run: () => go({ page: "customers", customer: null, q: "" }) },
    { id: "theme", group: "go", icon: "moon", title: t("theme.toggle"), run: toggleTheme },
    { id: "language", group: "go", icon: "globe", title: t("palette.language"), also: "language english chinese \u4e2d\u6587 yuyan", run: toggleLanguage },
    { id: "help", group: "go", icon: "info", title: t("keys.help"), keys: "?", run: onHelp },
    { id: "sign-out", group: "go", icon: "arrow", title: t("me.sign_out"), run: () => void desk.session.signOut() },
  ];
  if (leads(desk.me)) {
    const lists: CommandItem[] = REPORTS.map((report) => ({
      id: `report:${report}`, group: "go", icon: "chart", title: t("palette.go_report", { report: t(`report.tab_${report}`) }), also: "csat baobiao \u62a5\u8868",
      run: () => go(reports({ report })),
    })); // prettier-ignore
    pages.splice(1, 0, { id: "live", group: "go", icon: "pulse", title: t("page.live"), keys: "g l", run: () => go({ page: "live" }) }, ...lists, { id: "adapters", group: "go", icon: "plug", title: t("page.adapters"), run: () => go({ page: "adapters", instance: null }) });
  }
  return [...views, ...pages];
}

function keys(t: Translate): CommandItem[] {
  const known = allShortcuts().filter((one) => !one.keyOnly && !["help", "go-attention", "go-inbox", "go-adapters", "go-customers", "go-live", "go-reports", "return"].includes(one.id));
  return known.map((one) => ({
    id: `key:${one.id}`, group: "keys", icon: "bolt", title: t(one.name), keys: one.keys,
    run: () => void one.run(new KeyboardEvent("keydown")),
  })); // prettier-ignore
}

/** *items* that fit, best first within their groups; without a query the useful ones. */
export function search(items: readonly CommandItem[], scope: Scope, query: string): Hit[] {
  const inScope = items.filter((one) => isIn(one, scope));
  const hits: Hit[] = [];
  for (const item of inScope) {
    const found = find(item.title, query) ?? (query ? later(find(item.also ?? "", query)) : null);
    if (found) hits.push({ ...item, found });
  }
  const order: CommandItem["group"][] = ["here", "keys", "canned", "conversations", "messages", "go"];
  if (query) order.splice(1, 1);
  if (query) order.push("keys");
  return order.flatMap((group) => {
    const limit = scope === "all" && !query && group === "conversations" ? 4 : MAX_PER_GROUP[group];
    return hits.filter((one) => one.group === group).sort((a, b) => a.found.rank - b.found.rank).slice(0, limit);
  });
}

/** Messages and notes that the hub found, and the way to all of them. */
export function messageItems(desk: Desk, t: Translate, hits: readonly MessageHit[], query: string): Hit[] {
  if (!query) return [];
  const found: Hit[] = hits.map((hit) => {
    const before = hit.parts.findIndex(([, isFound]) => isFound);
    const from = hit.parts.slice(0, Math.max(0, before)).reduce((sum, [text]) => sum + text.length, 0);
    return {
      id: `message:${hit.seq}`, group: "messages", icon: hit.kind === "note" ? "lock" : "search", title: textOf(hit), detail: displayName(hit.conversation, t),
      found: { rank: 0, at: [from, from + (hit.parts[before]?.[0].length ?? 0)] }, run: () => openHit(desk, hit),
    }; // prettier-ignore
  });
  const all: Hit = { id: "search-all", group: "messages", icon: "search", title: t("palette.search_all", { words: query }), found: { rank: 0, at: [0, 0] }, run: () => go({ page: "search", q: query }) };
  return [...found, all];
}

/** A match outside of the title counts less, and marks nothing in it. */
function later(found: Found | null): Found | null {
  return found && { rank: found.rank + 10, at: [0, 0] };
}

function isIn(item: CommandItem, scope: Scope): boolean {
  if (scope === "all") return true;
  if (scope === "canned") return item.group === "canned";
  if (scope === "people" || scope === "objects") return item.group === "conversations" || (scope === "objects" && item.group === "here");
  return item.group === "here" || item.group === "go" || item.group === "keys";
}
