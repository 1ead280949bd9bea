/** One card: heading, blocks in order, actions with the reason beside a disabled one. */

import type { Card } from "../kernel/types";
import { Actions } from "./Action";
import { Block } from "./Block";
import type { CardEnv, Drawn } from "./env";
import { Badge } from "./values";

const NEWEST_VERSION = 1;

export function CardView({ card, env }: { card: Card; env: CardEnv }): Drawn {
  const flat = env.place === "panel";
  // Below a panel's own heading, or next to the conversation's.
  const Heading = flat ? "h4" : "h2";
  const readable = (card.v ?? 1) <= NEWEST_VERSION;
  const body = readable ? (
    <>
      {card.blocks.map((block, at) => (
        <Block key={at} block={block} card={card} env={env} />
      ))}
      {card.actions?.length ? <Actions actions={card.actions} card={card} env={env} /> : null}
    </>
  ) : (
    <p className="muted">{card.fallback || env.label("card.unknown")}</p>
  );
  return (
    <article className={flat ? "order" : "card"} aria-label={name(card, env)} data-card={card.id}>
      <header className={flat ? "order-top" : "card-head"}>
        {flat ? null : env.icon(card.icon ?? "box")}
        <Heading className="trunc">
          {card.href ? (
            <a href={card.href} target="_blank" rel="noopener noreferrer">
              {env.text(card.title)}
            </a>
          ) : (
            env.text(card.title)
          )}
        </Heading>
        {card.badge && !(flat && card.subtitle) ? <Badge badge={card.badge} env={env} /> : null}
        {card.subtitle ? <span className="card-sub trunc">{env.text(card.subtitle)}</span> : null}
        {card.badge && flat && card.subtitle ? <Badge badge={card.badge} env={env} /> : null}
        {flat || !card.as_of ? null : (
          <span className="asof">
            <time dateTime={card.as_of} title={env.value({ time: card.as_of, style: "datetime" })}>
              {env.value({ time: card.as_of, style: "relative" })}
            </time>
          </span>
        )}
      </header>
      {flat ? body : <div className="card-body">{body}</div>}
    </article>
  );
}

function name(card: Card, env: CardEnv): string {
  const badge = card.badge ? `, ${env.text(card.badge.text)}` : "";
  return env.text(card.title) + badge;
}
