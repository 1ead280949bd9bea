/** The widget's texts and formats in the language of its reader. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { Formatter, I18n, type Catalogue, pickLanguage } from "../kernel";
import en from "../locales/widget.en.json";

// English is always there; the others are fetched by those who read them.
const CATALOGUES: Record<string, Catalogue> = { en };

/** What a language is called by those who read it. */
export const LANGUAGES: Record<string, string> = { en: "English", "zh-CN": "\u4e2d\u6587", ar: "\u0627\u0644\u0639\u0631\u0628\u064a\u0629" };

export interface Words {
  i18n: I18n;
  format: Formatter;
  t(key: string, args?: Record<string, unknown>): string;
  /** A text of an adapter's card; without its catalogue the key itself, in plain words. */
  card(key: string, args?: Record<string, unknown>): string;
}

/** Fetch the words of the first language of *wanted* that there is; what cannot be had is English. */
export async function learn(base: string, ...wanted: (string | null | undefined)[]): Promise<void> {
  const language = pickLanguage([...wanted, ...around()], Object.keys(LANGUAGES));
  if (CATALOGUES[language]) return;
  try {
    CATALOGUES[language] = (await (await fetch(`${base}/w/v1/${language}.json`, { signal: AbortSignal.timeout(5_000) })).json()) as Catalogue;
  } catch {
    // The next one who asks tries again.
  }
}

/** The languages of the page and of its reader. */
function around(): readonly string[] {
  return [document.documentElement.lang, ...navigator.languages];
}

/** Words in *wanted*, or in the first language of the page and its reader that is here. */
export function wordsFor(wanted: string | undefined, cards: Catalogue = {}): Words {
  const language = pickLanguage([wanted, ...around()], Object.keys(CATALOGUES));
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

export const WordsContext = createContext<Words>(wordsFor("en"));
export const useWords = (): Words => useContext(WordsContext);
