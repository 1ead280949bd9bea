/** Preact on the kernel's store: a component renders again only when its own key changed. */

import { useEffect, useLayoutEffect, useReducer, useState } from "preact/hooks";
import { type ConnectionState, type Store, key } from "../kernel";

const STRIP_AFTER_MS = 2_000;

/** Return the store's value under *name*, and follow it. */
export function useStored<T>(store: Store, name: string): T | undefined {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => store.subscribe(name, () => again(undefined)), [store, name]);
  return store.get<T>(name);
}

/** True when nothing has arrived for longer than a person would overlook. */
export function useIsOffline(store: Store): boolean {
  const state = useStored<ConnectionState>(store, key.connection);
  const since = state?.offlineSince ?? null;
  const [isOffline, setOffline] = useState(false);
  useEffect(() => {
    if (since === null) return setOffline(false);
    const left = Math.max(0, since + STRIP_AFTER_MS - Date.now());
    const timer = setTimeout(() => setOffline(true), left);
    return () => clearTimeout(timer);
  }, [since]);
  return isOffline;
}

/** Keep `--vvh` at the height that the on-screen keyboard leaves. */
export function useViewport(element: HTMLElement | null): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (!element || !viewport) return undefined;
    const fit = () => {
      element.style.setProperty("--vvh", `${Math.round(viewport.height)}px`);
      element.style.setProperty("--vvt", `${Math.round(viewport.offsetTop)}px`);
    };
    fit();
    viewport.addEventListener("resize", fit);
    viewport.addEventListener("scroll", fit);
    return () => {
      viewport.removeEventListener("resize", fit);
      viewport.removeEventListener("scroll", fit);
    };
  }, [element]);
}
