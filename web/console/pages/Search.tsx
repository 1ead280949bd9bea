/** Search: one field, hits as they come, Enter goes to the message in its conversation. */

import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useDesk, useT, useTexts } from "../hooks";
import { displayName } from "../inbox/names";
import { isComposing } from "../keys";
import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { go } from "../route";
import { type Found, type MessageHit, openHit, useHits } from "../search/hits";
import { Snippet } from "../search/Snippet";
import { isUnread } from "../mentions";

/** What can be put before the words; the hub reads them in any language. */
const FILTERS = ["from:", "with:", "mentions:me", "tag:", "after:", "before:", "has:note"] as const;

export default function Search({ q }: { q: string }) {
  const t = useT();
  const desk = useDesk();
  const [text, setText] = useState(q);
  // The rail leads to the same page with other words.
  useEffect(() => setText((old) => (old === q ? old : q)), [q]);
  const found = useHits(text);
  const [at, setAt] = useState(0);
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const current = Math.min(at, Math.max(0, found.hits.length - 1));

  const put = (next: string) => {
    setText(next);
    setAt(0);
    go({ page: "search", q: next }, true);
  };
  const add = (filter: string) => {
    put(`${text}${text && !text.endsWith(" ") ? " " : ""}${filter}${filter.endsWith(":") ? "" : " "}`);
    field.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    const last = found.hits.length - 1;
    if (event.key === "ArrowDown") setAt(Math.min(last, current + 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, current - 1));
    else if (event.key === "Enter" && found.hits[current]) openHit(desk, found.hits[current]);
    else if (event.key === "Escape") history.back();
    else return;
    event.preventDefault();
  };
  return (
    <main className="page" id="main" data-testid="search">
      <header className="head"><h1>{t("page.search")}</h1></header>
      <div className="toolbar search-bar">
        <div className="input input-quiet search-field">
          <Icon name="search" size="sm" />
          <input ref={field} type="search" autoFocus value={text} placeholder={t("search.hint")} role="combobox" aria-label={t("search.label")} aria-expanded={found.hits.length > 0}
            aria-controls={id} aria-autocomplete="list" aria-activedescendant={found.hits.length ? `${id}-${current}` : undefined} data-testid="search-input"
            onChange={(event) => put(event.target.value)} onKeyDown={press} />
        </div>
        <div className="search-filters" role="group" aria-label={t("search.filters")}>
          {FILTERS.map((filter) => (
            <button key={filter} type="button" className="btn btn-sm" title={t(`search.filter_${filter.replace(/:.*/, "")}`)} onClick={() => add(filter)}>{filter}</button>
          ))}
        </div>
      </div>
      <p className="sr" role="status">{found.state === "done" ? t("search.count", { count: found.hits.length }) : ""}</p>
      <Results id={id} found={found} at={current} isCalled={text.includes("mentions:")} onPoint={setAt} />
    </main>
  );
}

function Results({ id, found, at, isCalled, onPoint }: { id: string; found: Found; at: number; isCalled: boolean; onPoint(at: number): void }) {
  const t = useT();
  const desk = useDesk();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    void list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  if (found.state === "failed") return <Blank icon="warn" title={found.error} />;
  if (found.state === "idle") return <Blank icon="search" title={t("search.begin")} hint={t("search.begin_hint")} />;
  if (found.state === "done" && !found.hits.length) return <Blank icon="search" title={t("list.nothing_found")} hint={t("search.nothing_hint")} />;
  return (
    <div className="search-results">
      {found.narrowed ? <p className="search-narrowed">{t("search.narrowed")}</p> : null}
      <div role="listbox" id={id} aria-label={t("search.results")} ref={list} aria-busy={found.state === "loading"} tabIndex={-1}>
        {found.hits.map((hit, index) => (
          <HitRow key={hit.seq} id={`${id}-${index}`} hit={hit} isOn={index === at} isCalled={isCalled} onPoint={() => onPoint(index)} onOpen={() => openHit(desk, hit)} />
        ))}
      </div>
      {found.more ? <button type="button" className="btn search-more" onClick={found.loadMore} data-testid="search-more">{t("search.more")}</button> : null}
    </div>
  );
}

interface RowProps {
  id: string;
  hit: MessageHit;
  isOn: boolean;
  /** Listed because it calls me: then it matters whether I have read it. */
  isCalled: boolean;
  onPoint(): void;
  onOpen(): void;
}

function HitRow({ id, hit, isOn, isCalled, onPoint, onOpen }: RowProps) {
  const t = useT();
  const desk = useDesk();
  const { format } = useTexts();
  const view = hit.conversation;
  const name = displayName(view, t);
  const isNew = isCalled && isUnread(desk, hit);
  return (
    <div id={id} role="option" aria-selected={isOn} className="search-hit" data-seq={hit.seq} onPointerMove={isOn ? undefined : onPoint} onClick={onOpen}>
      <Avatar name={name} id={view.customer?.id ?? view.id} />
      <div className="search-text">
        <p className="meta">
          <b>{name}</b>
          {isNew ? <span className="chip is-accent" data-testid="mention-new">{t("mentions.unread")}</span> : null}
          {view.state === "closed" ? <span className="tag">{t("customers.state_closed")}</span> : null}
          <time dateTime={hit.at} title={format.dateTime(hit.at)}>{format.relative(hit.at)}</time>
        </p>
        <p className="search-snippet">
          {hit.kind === "note" ? <Icon name="lock" size="sm" /> : null}
          <span className="search-by">{hit.name || name}: </span>
          <Snippet hit={hit} />
        </p>
      </div>
    </div>
  );
}

function Blank({ icon, title, hint }: { icon: "search" | "warn"; title: string; hint?: string }) {
  return (
    <div className="blank">
      <Icon name={icon} />
      <h2>{title}</h2>
      {hint ? <p>{hint}</p> : null}
    </div>
  );
}
