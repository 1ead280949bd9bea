/** The widget's texts and formats in the language of its reader. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { Formatter, I18n, type Catalogue, pickLanguage } from "../kernel";
import en from "../locales/widget.en.json";
import zh from "../locales/widget.zh-CN.json";

const CATALOGUES: Record<string, Catalogue> = { en, "zh-CN": zh };

/** What a language is called by those who read it. */
export const LANGUAGES: Record<string, string> = { en: "English", "zh-CN": "\u4e2d\u6587" };

export interface Words {
  i18n: I18n;
  format: Formatter;
  t(key: string, args?: Record<string, unknown>): string;
  /** A text of an adapter's card; without its catalogue the key itself, in plain words. */
  card(key: string, args?: Record<string, unknown>): string;
}

/** Words in the first language of *wanted* that the widget has. */
export function wordsFor(wanted: readonly (string | null | undefined)[], cards: Catalogue = {}): Words {
  const language = pickLanguage(wanted, Object.keys(CATALOGUES));
  const i18n = new I18n(language, CATALOGUES[language]!, en);
  const adapters = new I18n(language, cards);
  return {
    i18n,
    format: new Formatter(language),
    t: (key, args) => i18n.t(key, args),
    card: (key, args) => (adapters.has(key) ? adapters.t(key, args) : plain(key)),
  };
}

/** `orders.status.in_transit` as `In transit`. */
function plain(key: string): string {
  const word = key.slice(key.lastIndexOf(".") + 1).replace(/_/g, " ");
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** A monogram: Latin initials, or the Chinese family name. */
export function initials(name: string): string {
  const clean = name.trim();
  if (/^[\u3400-\u9fff]/.test(clean)) return clean[0]!;
  const parts = clean.split(/\s+/).filter(Boolean);
  return ((parts[0]?.[0] ?? "") + (parts.length > 1 ? parts[parts.length - 1]![0]! : "")).toUpperCase();
}

export const WordsContext = createContext<Words>(wordsFor(["en"]));
export const useWords = (): Words => useContext(WordsContext);
