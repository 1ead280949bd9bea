/** The ids the list shows, in an order that stands still while somebody points at it. */

import { startTransition, useEffect, useMemo, useRef, useState } from "react";
import type { ConversationView } from "../../kernel";
import { deskKey } from "../desk";
import { useDesk, useValue } from "../hooks";
import type { InboxRoute } from "../route";
import { matches, memberOf, passes, sortViews } from "./views";

export interface Rows {
  ids: readonly string[];
  /** How many rows are waiting above, because the list is being held still. */
  fresh: number;
  /** Put the waiting rows where they belong. */
  release(): void;
  more: boolean;
  loadMore(): void;
  isLoading: boolean;
}

const EVERY_MS = 120;
const NO_DRAFTS: ReadonlyMap<string, string> = new Map();
const NOTHING = "nothing";
/** Sorting ten thousand rows takes a while: then new ones may take half a second to show. */
const MANY = 2000;
const SLOWER_MS = 500;

/** Rows of *route*'s view. While *isHeld*, rows may leave but none may enter or move. */
export function useRows(route: InboxRoute, isHeld: boolean): Rows {
  const desk = useDesk();
  const page = usePages(route);
  const marked = useValue<ReadonlyMap<string, string>>(route.only === "draft" ? deskKey.drafts : NOTHING);
  // A key that is typed into a draft must not sort the list again.
  const drafts = marked ?? NO_DRAFTS;
  const beat = useBeat();

  const wanted = useMemo(() => {
    const all = desk.store.list().map((id) => desk.store.conversation(id)!) as ConversationView[];
    const members = all.filter((one) => memberOf(one, route.view, desk.myself) && passes(one, route.only, route.tag, drafts) && (!route.q || matches(one, route.q)));
    const found = route.q ? page.ids.filter((id) => !members.some((one) => one.id === id)) : [];
    const extra = found.map((id) => desk.store.conversation(id)).filter((one) => one !== undefined && passes(one, route.only, route.tag, drafts)) as ConversationView[];
    return sortViews([...members, ...extra], route.sort, desk.inboxes).map((one) => one.id);
    // `beat` stands for the conversations themselves.
  }, [desk, beat, route.view, route.q, route.sort, route.only, route.tag, drafts, page.ids]); // eslint-disable-line

  const scope = `${route.view} ${route.sort} ${route.only ?? ""} ${route.tag} ${route.q}`;
  const kept = useRef<{ scope: string; ids: readonly string[] }>({ scope: "", ids: [] });
  const [, redraw] = useState(0);
  const isFixed = isHeld && kept.current.scope === scope && kept.current.ids.length > 0;
  if (!isFixed) kept.current = { scope, ids: wanted };
  else {
    const members = new Set(wanted);
    const left = kept.current.ids.filter((id) => members.has(id));
    if (left.length !== kept.current.ids.length) kept.current = { scope, ids: left };
  }
  const ids = kept.current.ids;
  const fresh = isFixed ? moved(ids, wanted) : 0;
  const release = () => {
    kept.current = { scope, ids: wanted };
    redraw((count) => count + 1);
  };
  return { ids, fresh, release, more: page.more, loadMore: page.load, isLoading: !beat };
}

/** How many of *wanted* are new or stand higher than they do in *shown*. */
function moved(shown: readonly string[], wanted: readonly string[]): number {
  const places = new Map(shown.map((id, at) => [id, at]));
  let best = Infinity;
  let count = 0;
  for (let at = wanted.length - 1; at >= 0; at--) {
    const place = places.get(wanted[at]!);
    if (place === undefined || place > best) count += 1;
    else best = place;
  }
  return count;
}

/** Pages that the snapshot does not carry: closed conversations, and everything a search finds. */
function usePages(route: InboxRoute) {
  const desk = useDesk();
  const [state, setState] = useState<{ ids: string[]; more: boolean }>({ ids: [], more: false });
  const isNeeded = route.view === "closed" || route.q.length > 1;
  const busy = useRef(false);

  useEffect(() => {
    setState({ ids: [], more: false });
    if (!isNeeded) return;
    let isCurrent = true;
    const timer = setTimeout(() => {
      desk.fetchView(route.view, route.q).then((page) => isCurrent && setState(page), () => undefined);
    }, route.q ? 250 : 0);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [desk, isNeeded, route.view, route.q]);

  const load = () => {
    const last = state.ids[state.ids.length - 1];
    if (!state.more || !last || busy.current) return;
    busy.current = true;
    desk
      .fetchView(route.view, route.q, last)
      .then((page) => setState((old) => ({ ids: [...old.ids, ...page.ids], more: page.more })), () => undefined)
      .finally(() => (busy.current = false));
  };
  return { ...state, load };
}

/** Moves on when conversations changed, but not at every event: sorting once per frame would be felt. */
function useBeat(): number {
  const { store } = useDesk();
  const [beat, setBeat] = useState(() => store.get<number>(deskKey.beat) ?? 0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    const take = () => {
      timer = undefined;
      last = Date.now();
      startTransition(() => setBeat(store.get<number>(deskKey.beat) ?? 0));
    };
    const told = () => {
      const every = store.list().length > MANY ? SLOWER_MS : EVERY_MS;
      timer ??= setTimeout(take, Math.max(0, every - (Date.now() - last)));
    };
    const stop = store.subscribe(deskKey.beat, told);
    told();
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [store]);
  return beat;
}
