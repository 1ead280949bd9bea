/** Cards in the log, as the customer sees them: the shared renderer in the widget's words. */

import type { JSX } from "preact";
import { CardView, type CardEnv } from "../cards";
import { type Card, type CardAction, type CardText, type CardValue, type Entry, cardOf } from "../kernel";
import { Icon, isIcon } from "./icons";
import { isOrder, orderNumber, useTalk } from "./talk";
import { type Words, useWords } from "./texts";

/** A card's text in plain words, for rows that show one line of it. */
export function cardWords(text: CardText | null | undefined, words: Words): string {
  return cardEnv(words, () => undefined).text(text);
}

export function CardLine({ entry }: { entry: Entry }): JSX.Element {
  const talk = useTalk();
  const words = useWords();
  const card = cardOf(entry.event);
  const kind = isOrder(card) ? "order" : card.id.startsWith("run:") ? "return" : "other";
  const say = (name: string) => talk.say(words.t(name, { order: orderNumber(card) }));
  return (
    <div class={`dh-line is-${kind}`} data-testid={kind === "return" ? "return-card" : "order-card"} data-rev={card.rev ?? 0}>
      <CardView card={forCustomer(card)} env={cardEnv(words, (action, shown) => act(action, shown, say))} />
      {kind === "order" ? (
        <div class="dh-btns">
          <button type="button" class="dh-btn" data-testid="start-return" onClick={() => say("say.return_order")}>
            {words.t("card.start_return")}
          </button>
        </div>
      ) : null}
    </div>
  );
}

/** Buttons that run actions are for agents: the customer asks in a message instead. */
function forCustomer(card: Card): Card {
  const actions = (card.actions ?? []).filter((action) => action.do.open || action.do.copy);
  return { ...card, actions };
}

function act(action: CardAction, _card: Card, say: (name: string) => void): void {
  if (action.do.copy !== undefined) void navigator.clipboard?.writeText(action.do.copy);
  else if (action.do.invoke) say("say.return_order");
}

function cardEnv(words: Words, onAct: CardEnv["act"]): CardEnv {
  const { t, format } = words;
  const text = (value: CardText | null | undefined): string => {
    if (value === null || value === undefined) return "";
    if (typeof value === "string") return value;
    const args = Object.fromEntries(Object.entries(value.args ?? {}).map(([name, arg]) => [name, show(arg as CardValue)]));
    return words.card(value.t, args);
  };
  const show = (value: CardValue): string => {
    if (value === null || value === undefined) return "\u2014";
    if (typeof value === "number") return format.number(value);
    if (typeof value !== "object") return String(value);
    if (value.time !== undefined && (!value.style || value.style === "relative")) return moment(value.time, words);
    return format.value(value) ?? value.copy ?? value.masked ?? text(value.text ?? (value.t ? { t: value.t, args: value.args ?? {} } : ""));
  };
  return {
    place: "customer",
    text,
    value: show,
    label: (name, args) => t(name === "card.unknown" ? "card.newer" : name === "card.copy" ? "card.copy" : name, { what: "", ...args }).trim(),
    icon: (name) => <Icon name={isIcon(name) ? name : "circle"} size="s" />,
    act: onAct,
  };
}

/** A customer wants the clock time of today's steps and the date of the others. */
function moment(at: string, { format }: Words): string {
  return format.daysFromNow(at) === 0 ? format.time(at) : format.dateTime(at);
}
