/** What an agent chose for this browser: theme, density, language, sound. */

import { pickLanguage } from "../kernel";

export type Theme = "auto" | "light" | "dark";
export type Density = "comfortable" | "compact";
export const LANGUAGES = ["en", "zh-CN"] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Settings {
  theme: Theme;
  density: Density;
  language: Language;
  sound: boolean;
  shortcuts: boolean;
}

const STORED = "deskhub:settings";
const listeners = new Set<() => void>();
let current: Settings = read();

function read(): Settings {
  const language = pickLanguage(navigator.languages, LANGUAGES) as Language;
  const defaults: Settings = { theme: "auto", density: "comfortable", language, sound: true, shortcuts: true };
  try {
    const kept = JSON.parse(localStorage.getItem(STORED) ?? "{}") as Partial<Settings>;
    return { ...defaults, ...kept };
  } catch {
    return defaults;
  }
}

export function settings(): Settings {
  return current;
}

/** Change some of the settings, keep them, and draw them. */
export function change(part: Partial<Settings>): void {
  current = { ...current, ...part };
  try {
    localStorage.setItem(STORED, JSON.stringify(current));
  } catch {
    // A browser that forbids storage keeps the choice for as long as the page lives.
  }
  applySettings();
  for (const tell of listeners) tell();
}

export function onSettings(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** Put theme, density and language on the document. */
export function applySettings(): void {
  const root = document.documentElement;
  root.lang = current.language;
  root.dataset["density"] = current.density;
  if (current.theme === "auto") delete root.dataset["theme"];
  else root.dataset["theme"] = current.theme;
}

/** True where the page is dark now, by choice or by the system. */
export function isDark(): boolean {
  if (current.theme !== "auto") return current.theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

export function toggleTheme(): void {
  change({ theme: isDark() ? "light" : "dark" });
}

export function toggleLanguage(): void {
  change({ language: current.language === "en" ? "zh-CN" : "en" });
}
