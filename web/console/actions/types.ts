/** What the hub says about an action before it is planned. */

import type { Money, PlanView } from "../../kernel";

export interface FormLine {
  line: string;
  title: string;
  sku: string;
  quantity: number;
  returnable: number;
  unit_price: Money;
  blocked: string | null;
}

export interface FormField {
  type?: string;
  format?: string;
  title?: string;
  description?: string;
  enum?: string[];
  oneOf?: { const: string; title: string }[];
  default?: string;
  minLength?: number;
  maxLength?: number;
  /** The most, as a decimal string where the field is money. */
  maximum?: string | number;
  minimum?: string | number;
  currency?: string;
  "x-ui"?: { widget?: string };
}

/** An earlier action for the same customer, as the hub tells it. */
export interface Before {
  text: string;
  at: string;
  object?: string;
  run?: string | null;
}

export interface ActionForm {
  type: string;
  title: string;
  object: string;
  subtitle: string;
  lines: FormLine[];
  /** What was done for this customer before, newest first. */
  history?: Before[];
  schema: { properties?: Record<string, FormField>; required?: string[] };
  values: Record<string, unknown>;
  currency: string | null;
  max: Money | null;
}

/** What the agent has filled in. */
export interface Filled {
  lines: Record<string, number>;
  fields: Record<string, string>;
}

/** A plan, and the one it replaced when the world changed in between. */
export interface Planned {
  plan: PlanView;
  before: PlanView | null;
}

/** Return what the form starts with: the hub's values, or the only line there is to choose. */
export function startOf(form: ActionForm): Filled {
  const chosen = (form.values["lines"] as { line: string; quantity: number }[] | undefined) ?? [];
  const free = form.lines.filter((one) => !one.blocked && one.returnable > 0);
  const lines = chosen.length ? Object.fromEntries(chosen.map((one) => [one.line, one.quantity])) : free.length === 1 ? { [free[0]!.line]: 1 } : {};
  const fields: Record<string, string> = {};
  for (const [name, field] of Object.entries(form.schema.properties ?? {})) {
    const value = form.values[name] ?? field.default;
    if (value !== undefined && value !== null) fields[name] = String(value);
  }
  return { lines, fields };
}

/** True where *field* takes an amount of money. */
export function isMoney(field: FormField): boolean {
  return field.format === "money" || field["x-ui"]?.widget === "money";
}

/** What is wrong with an amount: a key of the catalogue, or nothing. */
export function checkMoney(value: string, field: FormField): string | undefined {
  const text = value.trim();
  if (!/^\d{1,12}([.,]\d{1,3})?$/.test(text)) return "form.money";
  const minor = toMinor(text.replace(",", "."), 3);
  if (minor === 0n) return "form.money";
  if (field.maximum !== undefined && minor > toMinor(String(field.maximum), 3)) return "form.too_much";
  return undefined;
}

/** The input as the hub wants it. */
export function inputOf(form: ActionForm, filled: Filled): Record<string, unknown> {
  const lines = Object.entries(filled.lines).filter(([, quantity]) => quantity > 0).map(([line, quantity]) => ({ line, quantity }));
  const schema = form.schema.properties ?? {};
  const fields = Object.fromEntries(
    Object.entries(filled.fields)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => [name, valueOf(schema[name], value)]),
  );
  return { object: form.object, ...(form.lines.length ? { lines } : {}), ...fields };
}

/** The sum of what is chosen, as a decimal string; money never passes through a float. */
export function totalOf(form: ActionForm, filled: Filled): Money | null {
  const chosen = form.lines.filter((one) => (filled.lines[one.line] ?? 0) > 0);
  if (!chosen.length) return null;
  const digits = Math.max(...chosen.map((one) => (one.unit_price.money.split(".")[1] ?? "").length));
  const scale = 10n ** BigInt(digits);
  const minor = chosen.reduce((sum, one) => sum + toMinor(one.unit_price.money, digits) * BigInt(filled.lines[one.line]!), 0n);
  const money = digits ? `${minor / scale}.${String(minor % scale).padStart(digits, "0")}` : String(minor);
  return { money, currency: chosen[0]!.unit_price.currency };
}

/** A field's text in the type that its schema names. */
function valueOf(field: FormField | undefined, text: string): unknown {
  if (!field) return text;
  if (isMoney(field)) return text.trim().replace(",", ".");
  if (field.type === "integer" || field.type === "number") return Number(text);
  if (field.type === "boolean") return text === "true";
  return text;
}

function toMinor(amount: string, digits: number): bigint {
  const [whole, part = ""] = amount.split(".");
  return BigInt(whole + part.padEnd(digits, "0"));
}
