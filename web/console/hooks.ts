/** React's side of the store, the settings, the address and the texts. */

import { createContext, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { type ConnectionState, type ConversationView, type Panel, type Pending, type RunView, type Timeline, type Typing, emptyTimeline, key } from "../kernel"; // prettier-ignore
import { type Desk, deskKey } from "./desk";
import { type Route, onRoute, route } from "./route";
import { type Settings, onSettings, settings } from "./settings";
import type { Texts } from "./texts";

export const DeskContext = createContext<Desk | null>(null);
export const TextsContext = createContext<Texts | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("used outside of the signed-in console");
  return desk;
}

export function useTexts(): Texts {
  const texts = useContext(TextsContext);
  if (!texts) throw new Error("used before the texts are loaded");
  return texts;
}

export type Translate = (name: string, args?: Record<string, unknown>) => string;

/** The function that gives a text of the console's own catalogue. */
export function useT(): Translate {
  const { i18n } = useTexts();
  return useCallback((name, args) => i18n.t(name, args), [i18n]);
}

/** The function that says what the hub said in English. */
export function useSay(): Texts["say"] {
  return useTexts().say;
}

export function useSettings(): Settings {
  return useSyncExternalStore(onSettings, settings);
}

export function useRoute(): Route {
  return useSyncExternalStore(onRoute, route);
}

/** One value of the store; the component draws again only when that value changes. */
export function useValue<T>(name: string): T | undefined {
  const { store } = useDesk();
  const subscribe = useCallback((tell: () => void) => store.subscribe(name, tell), [store, name]);
  return useSyncExternalStore(subscribe, () => store.get<T>(name));
}

export const useConversation = (id: string) => useValue<ConversationView>(key.conversation(id));
export const useTimeline = (id: string) => useValue<Timeline>(key.timeline(id)) ?? emptyTimeline;
export const useRun = (id: string) => useValue<RunView>(key.run(id));
export const useConnection = () => useValue<ConnectionState>(key.connection);

const NO_PENDING: readonly Pending[] = [];
const NO_PANELS: readonly Panel[] = [];
const NO_TYPING: readonly Typing[] = [];
export const usePending = (id: string) => useValue<readonly Pending[]>(key.pending(id)) ?? NO_PENDING;
export const usePanels = (id: string) => useValue<readonly Panel[]>(key.panels(id)) ?? NO_PANELS;
export const useDraftMark = (id: string) => useValue<string>(deskKey.draftOf(id));

/** True while *who* (`visitor:…`, `agent:…`) has a tab open. */
export function useIsOnline(who: string | undefined): boolean {
  const seats = useValue<ReadonlyMap<string, string>>(key.presence);
  if (!who || !seats) return false;
  return seats.has(who) || seats.has(`visitor:${who}`) || seats.has(`agent:${who}`);
}

/** Who types in *id*, without me; marks that nobody renews go away. */
export function useTyping(id: string): readonly Typing[] {
  const desk = useDesk();
  const marks = useValue<readonly Typing[]>(key.typing(id)) ?? NO_TYPING;
  useEffect(() => {
    if (!marks.length) return;
    const timer = setInterval(() => desk.store.expireTyping(id), 1000);
    return () => clearInterval(timer);
  }, [desk, id, marks.length]);
  return marks.length ? marks.filter((mark) => mark.by !== desk.myself) : marks;
}

/** The time, moving on every *everyMs*; all users of one pace tick together. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** The latest *value* for callbacks that must not change with it. */
export function useLatest<T>(value: T): { readonly current: T } {
  const kept = useRef(value);
  kept.current = value;
  return kept;
}

/** True while *query* holds. */
export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (tell: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", tell);
      return () => list.removeEventListener("change", tell);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}
