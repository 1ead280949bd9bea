/** The list of conversations: views, filter, rows that hold still, selection. */

import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { ViewCounts } from "./views";
import { deskKey } from "../desk";
import { useDesk, useLatest, useNow, useSettings, useT, useValue } from "../hooks";
import { register } from "../keys";
import { Icon } from "../parts/Icon";
import { type InboxRoute, go, inboxRoute, openConversation } from "../route";
import { change } from "../settings";
import { BulkBar } from "./BulkBar";
import { Filter, Filters, Sorting, Views } from "./ListHead";
import { Row } from "./Row";
import { SavedViews } from "./SavedViews";
import { useRows } from "./useRows";

const ROW_PX = { comfortable: 72, compact: 40 };
const OVERSCAN = 6;

export function List({ route, onPalette }: { route: InboxRoute; onPalette(): void }) {
  const t = useT();
  const { density } = useSettings();
  const counts = useValue<ViewCounts>(deskKey.counts);
  const [isPointed, setPointed] = useState(false);
  const [isScrolled, setScrolled] = useState(false);
  const rows = useRows(route, isPointed || isScrolled);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const filter = useRef<HTMLInputElement>(null);
  useEffect(() => setSelected(new Set()), [route.view]);
  useListKeys(rows.ids, route, filter, setSelected);

  return (
    <section className="list" aria-label={t("list.label")}>
      <header className="head">
        <Views route={route} counts={counts} />
      </header>
      <div className="list-tools">
        <Filter route={route} field={filter} />
        <Filters route={route} />
        <SavedViews route={route} />
        <button type="button" className="ib" aria-label={t("list.density")} title={t("list.density")}
          onClick={() => change({ density: density === "compact" ? "comfortable" : "compact" })}>
          <Icon name="rows" />
        </button>
      </div>
      <div className="list-sort">
        <span>{summary(t, route, counts, rows.ids.length)}</span>
        <Sorting route={route} />
      </div>
      <Scroller rows={rows} route={route} height={ROW_PX[density]} selected={selected} onSelect={setSelected}
        onPoint={setPointed} onScrolled={setScrolled} />
      {selected.size ? (
        <BulkBar ids={[...selected]} onDone={() => setSelected(new Set())} />
      ) : (
        <footer className="list-foot">
          <kbd>J</kbd><kbd>K</kbd><span>{t("list.foot_move")}</span>
          <kbd>X</kbd><span>{t("list.foot_select")}</span>
          <button type="button" className="foot-keys" onClick={onPalette}>
            <kbd>{/Mac/.test(navigator.platform) ? "\u2318K" : "Ctrl K"}</kbd><span>{t("list.foot_all")}</span>
          </button>
        </footer>
      )}
    </section>
  );
}

function summary(t: ReturnType<typeof useT>, route: InboxRoute, counts: ViewCounts | undefined, shown: number): string {
  if (route.q || route.only || route.tag) return t("list.found", { count: shown });
  if (route.view === "mine" && counts) return t("list.mine_sum", { open: counts.mine, waiting: counts.waiting });
  return t("list.sum", { count: route.view === "closed" ? Math.max(shown, counts?.closed ?? 0) : shown });
}

interface ScrollerProps {
  rows: ReturnType<typeof useRows>;
  route: InboxRoute;
  height: number;
  selected: ReadonlySet<string>;
  onSelect(next: ReadonlySet<string>): void;
  onPoint(isOver: boolean): void;
  onScrolled(isScrolled: boolean): void;
}

/** Draws the rows that are in sight, and a few around them. */
function Scroller({ rows, route, height, selected, onSelect, onPoint, onScrolled }: ScrollerProps) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ from: 0, to: 24 });
  const now = useNow(20_000);
  const { ids } = rows;

  const measure = useLatest(() => {
    const view = box.current;
    if (!view) return;
    const from = Math.max(0, Math.floor(view.scrollTop / height) - OVERSCAN);
    const to = Math.ceil((view.scrollTop + view.clientHeight) / height) + OVERSCAN;
    setRange((old) => (old.from === from && old.to === to ? old : { from, to }));
    onScrolled(view.scrollTop > 8);
    if (to >= ids.length - 4) rows.loadMore();
  });
  useLayoutEffect(() => {
    measure.current();
    const watcher = new ResizeObserver(() => measure.current());
    watcher.observe(box.current!);
    return () => watcher.disconnect();
  }, [measure, height, ids.length]);

  // Keep the open row in sight when the keyboard moves it.
  useEffect(() => {
    const at = route.conversation ? ids.indexOf(route.conversation) : -1;
    const view = box.current;
    if (at < 0 || !view) return;
    if (at * height < view.scrollTop) view.scrollTop = at * height;
    const bottom = (at + 1) * height + 16;
    if (bottom > view.scrollTop + view.clientHeight) view.scrollTop = bottom - view.clientHeight;
  }, [route.conversation]); // eslint-disable-line

  // The rows draw again only when their own conversation changes: what they are given must not.
  const pick = useLatest((id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect(next);
  });
  const toggle = useCallback((id: string) => pick.current(id), [pick]);
  const release = () => {
    rows.release();
    if (box.current) box.current.scrollTop = 0;
  };
  const shown = ids.slice(range.from, range.to);
  return (
    <div className="rows" ref={box} onScroll={() => measure.current()} onPointerEnter={() => onPoint(true)} onPointerLeave={() => onPoint(false)}>
      {rows.fresh ? (
        <button type="button" className="newpill" onClick={release} data-testid="list-fresh">
          <Icon name="up" size="xs" />
          {t("list.fresh", { count: rows.fresh })}
        </button>
      ) : null}
      {rows.isLoading ? <Skeleton /> : null}
      {!rows.isLoading && !ids.length ? <Empty route={route} /> : null}
      <Ul label={t(`view.${route.view}`)} height={ids.length * height} hidden={!ids.length}>
        {shown.map((id, at) => (
          <Row key={id} id={id} top={(range.from + at) * height} place={range.from + at} of={ids.length} now={now}
            isOpen={id === route.conversation} isSelected={selected.has(id)} isSelecting={selected.size > 0} onToggle={toggle} />
        ))}
      </Ul>
    </div>
  );
}

function Ul({ label, height, hidden, children }: { label: string; height: number; hidden: boolean; children: ReactNode }) {
  const move = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  };
  return (
    <ul role="listbox" aria-label={label} className="rows-in" style={{ height }} hidden={hidden} onKeyDown={move}>
      {children}
    </ul>
  );
}

let step: (by: number) => void = () => undefined;

function Skeleton() {
  return (
    <ul className="skeleton" aria-hidden="true">
      {[0, 1, 2, 3, 4, 5].map((at) => (
        <li key={at}><i /><span><b /><b /></span></li>
      ))}
    </ul>
  );
}

function Empty({ route }: { route: InboxRoute }) {
  const t = useT();
  const isFiltered = route.q !== "" || route.only !== null || route.tag !== "";
  return (
    <div className="blank">
      <Icon name={isFiltered ? "search" : "check"} />
      <h2>{isFiltered ? t("list.nothing_found") : t(`list.empty_${route.view}`)}</h2>
      {isFiltered ? (
        <button type="button" className="link" onClick={() => go(inboxRoute({ q: "", only: null, tag: "" }), true)}>
          {t("list.clear_filter")}
        </button>
      ) : (
        <p>{t(`list.empty_${route.view}_hint`)}</p>
      )}
    </div>
  );
}

function useListKeys(
  ids: readonly string[],
  route: InboxRoute,
  filter: { current: HTMLInputElement | null },
  setSelected: (change: (old: ReadonlySet<string>) => ReadonlySet<string>) => void,
): void {
  const desk = useDesk();
  const latest = useLatest({ ids, route });
  useEffect(() => {
    step = (by) => {
      const { ids, route } = latest.current;
      const at = route.conversation ? ids.indexOf(route.conversation) : by > 0 ? -1 : ids.length;
      const next = ids[Math.max(0, Math.min(ids.length - 1, at + by))];
      if (next) openConversation(next);
    };
    const toggle = () => {
      const id = latest.current.route.conversation;
      if (!id) return false;
      setSelected((old) => {
        const next = new Set(old);
        if (!next.delete(id)) next.add(id);
        return next;
      });
    };
    return register([
      { id: "next", keys: "j", name: "keys.next", group: "list", run: () => step(1) },
      { id: "previous", keys: "k", name: "keys.previous", group: "list", run: () => step(-1) },
      { id: "select", keys: "x", name: "keys.select", group: "list", keyOnly: true, run: toggle },
      { id: "filter", keys: "f", name: "keys.filter", group: "list", run: () => filter.current?.select() },
      {
        id: "unread", keys: "u", name: "keys.unread", group: "list",
        run: () => {
          const id = latest.current.route.conversation;
          if (!id) return false;
          void desk.command({ t: "unread", conversation: id, cid: crypto.randomUUID() }).catch(() => undefined);
          openConversation(null);
        },
      },
      {
        id: "up", keys: "Escape", name: "keys.up", group: "list", keyOnly: true,
        run: () => {
          if (document.querySelector('[role="dialog"],.popover')) return false;
          const { route } = latest.current;
          if (route.column === "context" && matchMedia("(max-width: 1180px)").matches) history.back();
          else if (route.conversation) openConversation(null);
          else if (route.q || route.only || route.tag) go(inboxRoute({ q: "", only: null, tag: "" }), true);
          else return false;
        },
      },
    ]);
  }, [desk, latest, filter, setSelected]);
}
