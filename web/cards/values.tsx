/** Typed values: what is only read becomes text, what can be used becomes a control. */

import { useState } from "cards-jsx";
import type { Card, CardBadge, CardText, CardValue, CardValueObject, Tone } from "../kernel/types";
import type { CardEnv, Drawn } from "./env";

const TONE_ICON: Record<Tone, string> = {
  neutral: "circle", info: "arrow", success: "check", warning: "clock", danger: "warn",
};
const TONE_CLASS: Record<Tone, string> = {
  neutral: "", info: " is-accent", success: " is-success", warning: " is-warning", danger: " is-danger",
};

/** A state: icon and words, never colour alone. */
export function Badge({ badge, env }: { badge: CardBadge; env: CardEnv }): Drawn {
  const tone = badge.tone ?? "neutral";
  return (
    <span className={`chip${TONE_CLASS[tone]}`}>
      {env.icon(TONE_ICON[tone], "xs")}
      {env.text(badge.text)}
    </span>
  );
}

/** A fact: words alone. */
export function Tag({ badge, env }: { badge: CardBadge; env: CardEnv }): Drawn {
  return <span className={`tag${TONE_CLASS[badge.tone ?? "neutral"]}`}>{env.text(badge.text)}</span>;
}

/** Return the class that colours by *tone*. */
export function toneClass(tone: Tone | undefined): string {
  return TONE_CLASS[tone ?? "neutral"].trim();
}

export function Value({ value, card, env }: { value: CardValue; card: Card; env: CardEnv }): Drawn {
  if (value === null || value === undefined) return <span className="subtle">{"\u2014"}</span>;
  if (typeof value !== "object") return <bdi>{env.value(value)}</bdi>;
  if (value.copy !== undefined) return <Copy text={value.copy} env={env} />;
  if (value.masked !== undefined) return <Masked value={value} card={card} env={env} />;
  if (value.link !== undefined) return <Link value={value} env={env} />;
  if (value.time !== undefined) return <Time value={value} env={env} />;
  if (value.text !== undefined && value.tone) {
    return <Badge badge={{ text: value.text, tone: value.tone }} env={env} />;
  }
  const numeric = value.money !== undefined || value.number !== undefined || value.seconds !== undefined;
  return <bdi className={numeric ? "num" : undefined}>{env.value(value)}</bdi>;
}

function Time({ value, env }: { value: CardValueObject; env: CardEnv }): Drawn {
  return (
    <time dateTime={value.time} title={env.value({ time: value.time, style: "datetime" })}>
      {env.value(value)}
    </time>
  );
}

function Link({ value, env }: { value: CardValueObject; env: CardEnv }): Drawn {
  const text: CardText | undefined = value.text;
  return (
    <a className="link" href={value.link} target="_blank" rel="noopener noreferrer">
      {env.text(text) || value.link}
    </a>
  );
}

function Copy({ text, env }: { text: string; env: CardEnv }): Drawn {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    });
  };
  return (
    <button type="button" className="copy num" title={env.label("card.copy")} onClick={copy}>
      <bdi className="trunc">{text}</bdi>
      {copied ? (
        <span className="copy-hint" role="status">
          {env.label("card.copied")}
        </span>
      ) : null}
    </button>
  );
}

function Masked({ value, card, env }: { value: CardValueObject; card: Card; env: CardEnv }): Drawn {
  return (
    <span className="masked">
      <bdi className="num">{value.masked}</bdi>
      {env.reveal && value.reveal ? (
        <button type="button" className="link" onClick={() => env.reveal?.(value.reveal ?? "", card)}>
          {env.label("card.show")}
        </button>
      ) : null}
    </span>
  );
}
