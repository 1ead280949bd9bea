/** The head of the list: views with counts, filter, order. */

import { type RefObject, useEffect, useState } from "react";
import { deskKey } from "../desk";
import { useDesk, useT, useValue } from "../hooks";
import { isComposing } from "../keys";
import { Icon } from "../parts/Icon";
import { Menu } from "../parts/Menu";
import { type InboxRoute, ONLY, type Only, SORTS, type View, go, inboxRoute } from "../route";
import type { ViewCounts } from "./views";

const FIRST = ["mine", "queue", "team", "all"] as const;
const MORE = ["snoozed", "closed"] as const;
const TAGS_SHOWN = 20;

export function Views({ route, counts }: { route: InboxRoute; counts: ViewCounts | undefined }) {
  const t = useT();
  const isMore = (MORE as readonly string[]).includes(route.view);
  const shown: readonly View[] = isMore ? [...FIRST.slice(0, 3), route.view] : FIRST;
  const open = (view: View) => go(inboxRoute({ view, q: "" }));
  const items = [...(isMore ? (["all"] as const) : []), ...MORE].map((view) => ({
    id: view,
    label: t(`view.${view}`),
    hint: counts && counts[view] ? String(counts[view]) : "",
    isOn: route.view === view,
  }));
  return (
    <>
      <nav className="tabs" aria-label={t("list.views")}>
        {shown.map((view) => (
          <button key={view} type="button" className="tab" aria-current={route.view === view ? "page" : undefined}
            onClick={() => open(view)} data-testid={`view-${view}`}>
            {t(`view.${view}`)}
            {counts && view !== "team" && view !== "all" && counts[view] ? <span className="count">{counts[view]}</span> : null}
          </button>
        ))}
      </nav>
      <Menu label={t("list.more_views")} className="ib self-center" groups={[{ items }]} onPick={(id) => open(id as View)} testId="more-views">
        <Icon name="more" />
      </Menu>
    </>
  );
}

export function Filter({ route, field }: { route: InboxRoute; field: RefObject<HTMLInputElement | null> }) {
  const t = useT();
  const [text, setText] = useState(route.q);
  const [composing, setComposing] = useState(false);
  useEffect(() => setText(route.q), [route.q]);
  const put = (q: string) => go(inboxRoute({ q }), true);
  return (
    <div className="input input-quiet">
      <Icon name="search" size="sm" />
      <input
        ref={field}
        type="search"
        placeholder={t("list.filter")}
        aria-label={t("list.filter")}
        value={text}
        data-testid="list-filter"
        onChange={(event) => {
          setText(event.target.value);
          if (!composing) put(event.target.value);
        }}
        onCompositionStart={() => setComposing(true)}
        onCompositionEnd={(event) => {
          setComposing(false);
          put(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (isComposing(event.nativeEvent)) return;
          if (event.key === "Escape") {
            event.stopPropagation();
            put("");
            event.currentTarget.blur();
          }
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
      {text ? null : <kbd>F</kbd>}
    </div>
  );
}

/** What else narrows the list: who waits, what is unread, one tag. The address holds it. */
export function Filters({ route }: { route: InboxRoute }) {
  const t = useT();
  const known = useValue<readonly string[]>(deskKey.tags) ?? [];
  const tags = [...new Set([...known, ...(route.tag ? [route.tag] : [])])].sort().slice(0, TAGS_SHOWN);
  const isOn = route.only !== null || route.tag !== "";
  const groups = [
    { title: t("filter.only"), items: [{ id: "all", label: t("filter.all"), isOn: !isOn }, ...ONLY.map((one) => ({ id: `f:${one}`, label: t(`filter.${one}`), isOn: route.only === one }))] },
    { title: t("tags.title"), items: tags.map((tag) => ({ id: `tag:${tag}`, label: tag, isOn: route.tag === tag })) },
  ];
  const pick = (id: string) => {
    if (id === "all") return go(inboxRoute({ only: null, tag: "" }), true);
    const [kind, name] = [id.slice(0, id.indexOf(":")), id.slice(id.indexOf(":") + 1)];
    if (kind === "f") go(inboxRoute({ only: route.only === name ? null : (name as Only) }), true);
    else go(inboxRoute({ tag: route.tag === name ? "" : name }), true);
  };
  const chosen = [route.only ? t(`filter.${route.only}`) : "", route.tag].filter(Boolean).join(", ");
  return (
    <Menu label={isOn ? t("filter.on", { filters: chosen }) : t("filter.label")} className={isOn ? "ib is-on" : "ib"} groups={groups.filter((group) => group.items.length)} onPick={pick} testId="filters">
      <Icon name="filter" />
    </Menu>
  );
}

export function Sorting({ route }: { route: InboxRoute }) {
  const t = useT();
  const desk = useDesk();
  const sorts = SORTS.filter((sort) => sort !== "due" || desk.inboxes.some((one) => one.sla));
  const items = sorts.map((sort) => ({ id: sort, label: t(`sort.${sort}`), isOn: route.sort === sort }));
  return (
    <Menu label={t("sort.label", { sort: t(`sort.${route.sort}`) })} className="sorting" groups={[{ items }]}
      onPick={(id) => go(inboxRoute({ sort: id as InboxRoute["sort"] }), true)}>
      {t(`sort.${route.sort}`)}
      <Icon name="down" size="xs" />
    </Menu>
  );
}
