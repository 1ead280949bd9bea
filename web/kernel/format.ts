/** Money, numbers and times in the reader's language; the only place that calls Intl for them. */

import type { CardValueObject } from "./types";

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** Formats for one language and zone (the browser's own by default). */
export class Formatter {
  private readonly made = new Map<string, unknown>();

  constructor(
    readonly language: string,
    readonly timeZone?: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** ¥399.00: *amount* is a decimal string and never passes through arithmetic. */
  money(amount: string, currency: string): string {
    const options: Intl.NumberFormatOptions = { style: "currency", currency, currencyDisplay: "narrowSymbol" };
    const format = this.keep(`money ${currency}`, () => new Intl.NumberFormat(this.language, options));
    return format.format(amount as unknown as number);
  }

  number(value: number, options: Intl.NumberFormatOptions = {}): string {
    const name = `number ${JSON.stringify(options)}`;
    return this.keep(name, () => new Intl.NumberFormat(this.language, options)).format(value);
  }

  /** 09:41, always with 24 hours. */
  time(at: string | number): string {
    return this.date(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  }

  /** 18 Nov, 09:12 — the year only where it is another one. */
  dateTime(at: string | number): string {
    return `${this.day(at, "short")}${this.language.startsWith("zh") ? " " : ", "}${this.time(at)}`;
  }

  /** A calendar day; *length* long adds the weekday. */
  day(at: string | number, length: "short" | "long" = "short"): string {
    const isThisYear = new Date(at).getFullYear() === new Date(this.now()).getFullYear();
    const year: Intl.DateTimeFormatOptions = isThisYear ? {} : { year: "numeric" };
    if (length === "short") return this.date(at, { day: "numeric", month: "short", ...year });
    return this.date(at, { weekday: "long", day: "numeric", month: "long", ...year });
  }

  /** 0 today, −1 yesterday, 1 tomorrow, in the reader's zone. */
  daysFromNow(at: string | number): number {
    const start = (time: string | number) => Date.parse(this.iso(time));
    return Math.round((start(at) - start(this.now())) / 86_400_000);
  }

  /** "2 minutes ago", "tomorrow"; under a minute the language's word for now. */
  relative(at: string | number): string {
    const seconds = (new Date(at).getTime() - this.now()) / 1000;
    const format = this.keep("relative", () => new Intl.RelativeTimeFormat(this.language, { numeric: "auto" }));
    const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
    return unit ? format.format(Math.round(seconds / unit[1]), unit[0]) : format.format(0, "second");
  }

  duration(seconds: number): string {
    const [unit, size] = seconds >= 3600 ? ["hour", 3600] : seconds >= 60 ? ["minute", 60] : ["second", 1];
    return this.number(Math.round(seconds / Number(size)), { style: "unit", unit: String(unit) });
  }

  /** A typed value of a card as text; undefined for those that are more than text. */
  value(value: CardValueObject): string | undefined {
    if (value.money !== undefined) return this.money(value.money, value.currency ?? "");
    if (value.time !== undefined) return this.styled(value.time, value.style);
    if (value.seconds !== undefined) return this.duration(value.seconds);
    if (value.number === undefined) return undefined;
    if (value.style === "percent") return this.number(value.number, { style: "percent", maximumFractionDigits: 1 });
    return this.number(value.number, value.unit ? { style: "unit", unit: value.unit } : {});
  }

  private styled(at: string, style: CardValueObject["style"]): string {
    if (style === "date") return this.day(at);
    if (style === "time") return this.time(at);
    if (style === "datetime") return this.dateTime(at);
    return this.relative(at);
  }

  private iso(at: string | number): string {
    const options: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit" };
    const zone = this.timeZone === undefined ? {} : { timeZone: this.timeZone };
    return this.keep("iso", () => new Intl.DateTimeFormat("en-CA", { ...options, ...zone })).format(new Date(at));
  }

  private date(at: string | number, options: Intl.DateTimeFormatOptions): string {
    const zone = this.timeZone === undefined ? {} : { timeZone: this.timeZone };
    // en-US puts the month first; everybody else who reads English does not.
    const language = this.language === "en" ? "en-GB" : this.language;
    const name = `date ${JSON.stringify(options)}`;
    return this.keep(name, () => new Intl.DateTimeFormat(language, { ...options, ...zone })).format(new Date(at));
  }

  /** Intl objects cost a millisecond each to make. */
  private keep<T>(name: string, make: () => T): T {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name) as T;
  }
}
