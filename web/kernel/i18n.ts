/** Texts: flat catalogues with placeholders, plural forms chosen by CLDR category. */

export type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Catalogue = Readonly<Record<string, Message>>;

/** Texts of one language; a missing one falls back to *fallback* and then to its key. */
export class I18n {
  private readonly plural: Intl.PluralRules;

  constructor(
    readonly language: string,
    private readonly catalogue: Catalogue,
    private readonly fallback: Catalogue = {},
  ) {
    this.plural = new Intl.PluralRules(language);
  }

  /** Return the text of *name*; `count` chooses the plural form and fills `{count}`. */
  t(name: string, args: Record<string, unknown> = {}): string {
    const message = this.catalogue[name] ?? this.fallback[name];
    if (message === undefined) return name;
    return fill(typeof message === "string" ? message : this.form(message, args["count"]), args);
  }

  has(name: string): boolean {
    return name in this.catalogue || name in this.fallback;
  }

  private form(message: Exclude<Message, string>, count: unknown): string {
    const category = this.plural.select(Number(count ?? 0));
    return message[category] ?? message.other ?? "";
  }
}

/** *text* with its `{placeholders}` filled; unknown ones stay to be seen. */
export function fill(text: string, args: Record<string, unknown>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in args ? String(args[name]) : whole));
}

/** The first of *wanted* that *offered* has, by exact tag, then by language. */
export function pickLanguage(wanted: readonly (string | null | undefined)[], offered: readonly string[]): string {
  for (const tag of wanted) {
    if (!tag) continue;
    const exact = offered.find((one) => one.toLowerCase() === tag.toLowerCase());
    const base = tag.toLowerCase().split("-")[0];
    const near = exact ?? offered.find((one) => one.toLowerCase().split("-")[0] === base);
    if (near) return near;
  }
  return offered[0] ?? "en";
}
