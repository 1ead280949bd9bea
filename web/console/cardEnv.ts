/** What cards get from the console: texts, formats, icons, and the five verbs. */

import { createElement, useMemo } from "react";
import { type CardAction, type CardText, type CardValue, type ConversationView, fill } from "../kernel";
import type { CardEnv, CardPlace } from "../cards";
import { openAction } from "./actions/host";
import { composerOnScreen } from "./conversation/composerHandle";
import { type Desk, deskKey } from "./desk";
import { useDesk, useT, useTexts, useValue } from "./hooks";
import { Icon, iconNamed } from "./parts/Icon";
import type { Texts } from "./texts";

type AdapterTexts = Record<string, string>;

/** The card environment of *view*; *instance* is the adapter whose card it is. */
export function useCardEnv(view: ConversationView, place: CardPlace, instance: string): CardEnv {
  const desk = useDesk();
  const t = useT();
  const texts = useTexts();
  const catalogue = useValue<AdapterTexts>(deskKey.texts);
  return useMemo(() => {
    const text = (value: CardText | null | undefined) => cardText(value, catalogue ?? {}, texts, instance);
    return {
      place,
      text,
      value: (value) => cardValue(value, catalogue ?? {}, texts, instance),
      label: t,
      icon: (name, size) => createElement(Icon, { name: iconNamed(name, "circle"), ...(size ? { size } : {}) }),
      act: (action, _card, values) => act(desk, view, instance, action, text, values),
    };
  }, [desk, view, place, instance, t, texts, catalogue]);
}

/** A card's text in the reader's language; an unknown key shows its last words, never the key. */
export function cardText(value: CardText | null | undefined, catalogue: AdapterTexts, texts: Texts, instance: string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  const found = catalogue[value.t] ?? catalogue[`${instance}.${value.t}`];
  const args = Object.fromEntries(
    Object.entries(value.args ?? {}).map(([name, arg]) => [name, cardValue(arg as CardValue, catalogue, texts, instance)]),
  );
  return fill(found ?? lastWords(value.t), args);
}

export function cardValue(value: CardValue, catalogue: AdapterTexts, texts: Texts, instance: string): string {
  if (value === null || value === undefined) return "\u2014";
  if (typeof value === "number") return texts.format.number(value);
  if (typeof value === "boolean") return texts.i18n.t(value ? "card.yes" : "card.no");
  if (typeof value === "string") return value;
  const made = texts.format.value(value);
  if (made !== undefined) return made;
  if (value.copy !== undefined) return value.copy;
  if (value.masked !== undefined) return value.masked;
  if (value.t !== undefined) return cardText({ t: value.t, args: value.args ?? {} }, catalogue, texts, instance);
  return value.text === undefined ? (value.link ?? "") : cardText(value.text, catalogue, texts, instance);
}

function lastWords(key: string): string {
  const words = key.slice(key.lastIndexOf(".") + 1).replace(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function act(
  desk: Desk,
  view: ConversationView,
  instance: string,
  action: CardAction,
  text: (value: CardText) => string,
  values?: Record<string, unknown>,
): void {
  const { do: verb } = action;
  if (verb.invoke) openAction({ conversation: view.id, type: verb.invoke, args: { ...verb.args, ...values }, source: instance });
  else if (verb.insert !== undefined) composerOnScreen.current?.insert(text(verb.insert));
  else if (verb.copy !== undefined) void navigator.clipboard?.writeText(verb.copy);
  // The panel asks its system again; what the card points to comes with the answer.
  else if (verb.load !== undefined) void desk.fetchPanels(view.id, true);
  else if (verb.open) window.open(verb.open, "_blank", "noopener,noreferrer");
}
