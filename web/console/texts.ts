/** The catalogues of the console and of the adapters, for the language of the reader. */

import { type Catalogue, Formatter, I18n } from "../kernel";
import en from "../locales/en.json";
import { type Say, phrasebook } from "./phrases";
import type { Language } from "./settings";

export interface Texts {
  language: Language;
  i18n: I18n;
  format: Formatter;
  /** What the hub said in English, in the reader's language where it is known. */
  say: Say;
}

const sayings = new Map<Language, Say>();
const loaded = new Map<Language, Catalogue>([["en", en as Catalogue]]);

/** Load what *language* needs; English is always there, the others come on demand. */
export async function loadTexts(language: Language): Promise<Texts> {
  if (language === "zh-CN" && !loaded.has(language)) {
    const [own, hub] = await Promise.all([import("../locales/zh-CN.json"), import("../locales/hub.zh-CN.json")]);
    loaded.set(language, own.default as Catalogue);
    sayings.set(language, phrasebook(hub.default));
  }
  const catalogue = loaded.get(language) ?? {};
  const i18n = new I18n(language, catalogue, en as Catalogue);
  return { language, i18n, format: new Formatter(language), say: sayings.get(language) ?? ((text) => text ?? "") };
}
