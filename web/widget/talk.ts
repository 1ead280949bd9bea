/** What the widget's views do: one object made per session and language. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Card, type Client, Drafts, type Panel, cardOf, key } from "../kernel";
import type { Bridge, Theme } from "../loader/bridge";
import { ABOUT, type About, TALK } from "./session";
import { useStored } from "./hooks";

export interface Talk {
  client: Client;
  bridge: Bridge;
  drafts: Drafts;
  /** Post *text* as the visitor and show the conversation. */
  say(text: string): void;
  show(view: "home" | "chat"): void;
  close(): void;
  setLanguage(tag: string): void;
  setTheme(theme: Theme): void;
}

export const TalkContext = createContext<Talk>(null as unknown as Talk);
export const useTalk = (): Talk => useContext(TalkContext);

/** The id of the conversation, `new` before there is one. */
export function useTalkId(): string {
  return useStored<string>(useTalk().client.store, TALK) ?? "new";
}

export function useAbout(): About | undefined {
  return useStored<About>(useTalk().client.store, ABOUT);
}

/** The order that quick questions are about. */
export interface OrderHint {
  number: string;
  text?: string;
  picture?: string | undefined;
  card?: Card;
}

/** The customer's newest order: of the conversation, of the adapters, of the shop's page. */
export function useOrder(): OrderHint | undefined {
  const { client, bridge } = useTalk();
  const { store } = client;
  const id = useTalkId();
  const panels = useStored<readonly Panel[]>(store, key.panels(id)) ?? [];
  useStored(store, key.timeline(id));
  const shown = store.timeline(id).entries.filter((entry) => entry.event.kind === "card.shown");
  const cards = [...shown.reverse().map((entry) => cardOf(entry.event)), ...panels.flatMap((panel) => panel.cards)];
  const card = cards.find((one) => isOrder(one));
  return card ? { number: orderNumber(card), picture: pictureOf(card), card } : bridge.order;
}

/** Orders are named `<instance>.order:<number>`. */
export function isOrder(card: Card): boolean {
  return /(^|[.:])order:/.test(card.id);
}

/** `#1042` for a card about order 1042. */
export function orderNumber(card: Card): string {
  return `#${card.id.slice(card.id.lastIndexOf(":") + 1).replace(/^#/, "")}`;
}

/** The product pictures of an order, or none. */
function pictureOf(card: Card): string | undefined {
  for (const block of card.blocks) {
    const inner = block.type === "section" ? block.blocks : [block];
    for (const one of inner) {
      const item = one.type === "list" ? one.items.find((row) => row.image) : undefined;
      if (item?.image) return item.image.src;
    }
  }
  return undefined;
}
