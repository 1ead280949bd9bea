/** The twelve block types. A type from the future shows the card's fallback line. */

import { useState } from "cards-jsx";
import type { Card, CardBlock, CardItem, CardMoment } from "../kernel/types";
import { Action, Actions } from "./Action";
import type { CardEnv, Drawn } from "./env";
import { CardForm } from "./Form";
import { Badge, Tag, toneClass, Value } from "./values";

const ITEMS_AT_FIRST = 4;

interface Props<B> {
  block: B;
  card: Card;
  env: CardEnv;
}
type Of<K extends CardBlock["type"]> = Extract<CardBlock, { type: K }>;

export function Block({ block, card, env }: Props<CardBlock>): Drawn {
  switch (block.type) {
    case "text":
      return <p className={block.muted ? "muted" : undefined}>{marked(env.text(block.text))}</p>;
    case "notice":
      return <Notice block={block} card={card} env={env} />;
    case "fields":
      return <Fields block={block} card={card} env={env} />;
    case "badges":
      return (
        <p className="tags">
          {block.badges.map((badge, at) => (
            <Tag key={at} badge={badge} env={env} />
          ))}
        </p>
      );
    case "metrics":
      return <Metrics block={block} card={card} env={env} />;
    case "list":
      return <List block={block} card={card} env={env} />;
    case "table":
      return <Table block={block} card={card} env={env} />;
    case "timeline":
      return <Timeline block={block} card={card} env={env} />;
    case "image":
      return <img className="card-image" src={block.image.src} alt={env.text(block.image.alt)} loading="lazy" />;
    case "form":
      return <CardForm block={block} card={card} env={env} />;
    case "actions":
      return <Actions actions={block.actions} card={card} env={env} />;
    case "section":
      return (
        <details className="card-section" open={env.place === "panel" ? block.open === true : block.open !== false}>
          <summary>{env.text(block.title)}</summary>
          <div className="card-section-body">
            {block.blocks.map((inner, at) => (
              <Block key={at} block={inner} card={card} env={env} />
            ))}
          </div>
        </details>
      );
    default:
      return <p className="muted">{card.fallback || env.label("card.unknown")}</p>;
  }
}

/** Return *text* with `**bold**` and `` `code` `` drawn; nothing else is markup. */
function marked(text: string): Drawn {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part, at) => {
    if (part.startsWith("**") && part.length > 4) return <b key={at}>{part.slice(2, -2)}</b>;
    if (part.startsWith("`") && part.length > 2) return <code key={at}>{part.slice(1, -1)}</code>;
    return part;
  });
}

function Notice({ block, card, env }: Props<Of<"notice">>): Drawn {
  const tone = block.tone ?? "info";
  const icon = tone === "success" ? "check" : tone === "info" || tone === "neutral" ? "info" : "warn";
  return (
    <div className={`strip ${toneClass(tone)}`} role={tone === "danger" ? "alert" : "note"}>
      {env.icon(icon, "sm")}
      <span className="grow">{env.text(block.text)}</span>
      {block.action ? <Action action={block.action} card={card} env={env} /> : null}
    </div>
  );
}

function Fields({ block, card, env }: Props<Of<"fields">>): Drawn {
  const wide = block.columns === 2;
  return (
    <dl className={wide ? "kv" : "facts"}>
      {block.fields.map((field, at) => (
        <div key={at}>
          <dt>{env.text(field.label)}</dt>
          <dd title={field.hint ? env.text(field.hint) : undefined}>
            <Value value={field.value} card={card} env={env} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Metrics({ block, card, env }: Props<Of<"metrics">>): Drawn {
  return (
    <dl className="metrics">
      {block.metrics.map((metric, at) => (
        <div key={at}>
          <dt>{env.text(metric.label)}</dt>
          <dd className={metric.tone ? `t-${metric.tone}` : undefined}>
            <Value value={metric.value} card={card} env={env} />
            {metric.series && metric.series.length > 1 ? <Sparkline series={metric.series} /> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Sparkline({ series }: { series: number[] }): Drawn {
  const low = Math.min(...series);
  const span = Math.max(...series) - low || 1;
  const at = (value: number, index: number) =>
    `${((index * 50) / (series.length - 1) + 1).toFixed(1)},${(14 - ((value - low) / span) * 12).toFixed(1)}`;
  return (
    <svg className="spark" viewBox="0 0 52 16" aria-hidden="true">
      <polyline points={series.map(at).join(" ")} />
    </svg>
  );
}

function List({ block, card, env }: Props<Of<"list">>): Drawn {
  const [all, setAll] = useState(false);
  const hidden = all ? 0 : Math.max(0, block.items.length - ITEMS_AT_FIRST);
  // One line over the limit is cheaper to show than a button that hides it.
  const shown = hidden > 1 ? block.items.slice(0, ITEMS_AT_FIRST) : block.items;
  const plain = block.items.every((item) => !item.subtitle && !item.image && !item.badge && !item.action);
  return (
    <>
      <ul className={plain ? "lines num" : "items-list"}>
        {shown.map((item, at) => (
          <ListItem key={item.id ?? at} item={item} card={card} env={env} />
        ))}
      </ul>
      {shown.length < block.items.length ? (
        <button type="button" className="link show-all" onClick={() => setAll(true)}>
          {env.label("card.show_all", { n: block.items.length })}
        </button>
      ) : null}
      {block.more ? <Action action={block.more} card={card} env={env} /> : null}
    </>
  );
}

function ListItem({ item, card, env }: { item: CardItem; card: Card; env: CardEnv }): Drawn {
  const valued = item.value !== undefined && item.value !== null;
  return (
    <li>
      {item.image ? (
        <img src={item.image.src} alt={env.text(item.image.alt)} width="32" height="32" loading="lazy" />
      ) : null}
      <span className="grow trunc">
        {env.text(item.title)}
        {item.subtitle ? <small className="trunc">{env.text(item.subtitle)}</small> : null}
      </span>
      {item.badge ? <Badge badge={item.badge} env={env} /> : null}
      {valued ? (
        <span className="item-value">
          <Value value={item.value} card={card} env={env} />
        </span>
      ) : null}
      {item.action ? <Action action={item.action} card={card} env={env} isCompact={env.place === "panel"} /> : null}
    </li>
  );
}

function Table({ block, card, env }: Props<Of<"table">>): Drawn {
  const side = (at: number) => (block.columns[at]?.align === "end" ? "r" : undefined);
  return (
    <>
      <div className="card-table" tabIndex={0} role="region" aria-label={env.text(block.caption) || env.text(card.title)}>
        <table>
          {block.caption ? <caption>{env.text(block.caption)}</caption> : null}
          <thead>
            <tr>
              {block.columns.map((column, at) => (
                <th key={at} scope="col" className={side(at)}>
                  {env.text(column.label)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, at) => (
              <tr key={at}>
                {row.map((cell, column) => (
                  <td key={column} className={side(column)}>
                    <Value value={cell} card={card} env={env} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {block.more ? <Action action={block.more} card={card} env={env} /> : null}
    </>
  );
}

const MOMENT_ICON = { done: "check", current: "right", todo: "circle", failed: "x", skipped: "circle" } as const;

function Timeline({ block, env }: Props<Of<"timeline">>): Drawn {
  const across = env.place === "timeline" && block.items.length <= 5;
  return (
    <ol className={across ? "track" : "moments"}>
      {block.items.map((item, at) => (
        <li key={at} className={item.state} aria-current={item.state === "current" ? "step" : undefined}>
          {across ? null : <span className="mark">{env.icon(MOMENT_ICON[item.state], "xs")}</span>}
          <b>{env.text(item.text)}</b>
          <MomentDetail item={item} env={env} />
          <span className="sr">{env.label(`card.state.${item.state}`)}</span>
        </li>
      ))}
    </ol>
  );
}

function MomentDetail({ item, env }: { item: CardMoment; env: CardEnv }): Drawn {
  const detail = item.detail ? env.text(item.detail) : "";
  if (!item.time) return <span className="when">{detail}</span>;
  return (
    <span className="when">
      {detail ? <span className="trunc">{detail}</span> : null}
      <time dateTime={item.time} title={env.value({ time: item.time, style: "datetime" })}>
        {env.value({ time: item.time, style: "relative" })}
      </time>
    </span>
  );
}
