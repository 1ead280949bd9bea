/** Small forms in the JSON Schema subset. The check here is a courtesy; the server decides. */

import { useId, useState } from "cards-jsx";
import type { Card, CardBlock, CardText } from "../kernel/types";
import type { CardEnv, Drawn } from "./env";

interface Field {
  type?: string;
  title?: CardText;
  description?: CardText;
  enum?: string[];
  oneOf?: { const: string; title: CardText }[];
  default?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  readOnly?: boolean;
  "x-ui"?: { widget?: string; visible_if?: { field: string; equals: unknown }; help?: CardText };
}
interface Schema {
  properties?: Record<string, Field>;
  required?: string[];
}
type Values = Record<string, unknown>;
type InputType = "text" | "number" | "password" | "date" | "email" | "url" | "tel";
type FormBlock = Extract<CardBlock, { type: "form" }>;

export function CardForm({ block, card, env }: { block: FormBlock; card: Card; env: CardEnv }): Drawn {
  const schema = block.schema as Schema;
  const base = useId();
  const [values, setValues] = useState<Values>(() => ({ ...defaults(schema), ...block.values }));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const submit = (event: { preventDefault(): void }) => {
    event.preventDefault();
    const found = checkForm(schema, values);
    setErrors(found);
    const first = Object.keys(found)[0];
    if (first === undefined) env.act(block.submit, card, values);
    else document.getElementById(base + first)?.focus();
  };
  return (
    <form className="card-form" noValidate onSubmit={submit}>
      {Object.entries(schema.properties ?? {}).map(([name, field]) =>
        isVisible(field, values) ? (
          <FormField
            key={name}
            id={base + name}
            field={field}
            label={env.text(field.title ?? name)}
            value={values[name]}
            error={errors[name] ? env.label(`card.error.${errors[name]}`) : undefined}
            required={schema.required?.includes(name) ?? false}
            env={env}
            change={(value) => setValues({ ...values, [name]: value })}
          />
        ) : null,
      )}
      <button className="btn btn-primary btn-sm" type="submit">
        {env.text(block.submit.label)}
      </button>
    </form>
  );
}

interface FieldProps {
  id: string;
  field: Field;
  label: string;
  value: unknown;
  error: string | undefined;
  required: boolean;
  env: CardEnv;
  change(value: unknown): void;
}

function FormField({ id, field, label, value, error, required, env, change }: FieldProps): Drawn {
  const help = field.description ?? field["x-ui"]?.help;
  const described = [error ? `${id}-e` : "", help ? `${id}-h` : ""].filter(Boolean).join(" ");
  const common = {
    id,
    required,
    "aria-invalid": error ? ("true" as const) : undefined,
    "aria-describedby": described || undefined,
  };
  const text = value === undefined || value === null ? "" : String(value);
  const typed = (event: { currentTarget: { value: string } }) => change(event.currentTarget.value);
  const options = field.oneOf ?? field.enum?.map((item) => ({ const: item, title: item }));
  const widget = field["x-ui"]?.widget;
  let control: Drawn;
  if (options) {
    control = (
      <select {...common} className="control" value={text} onChange={typed}>
        <option value="">{env.label("card.choose")}</option>
        {options.map((option) => (
          <option key={option.const} value={option.const}>
            {env.text(option.title)}
          </option>
        ))}
      </select>
    );
  } else if (field.type === "boolean") {
    control = (
      <input {...common} type="checkbox" checked={value === true} onChange={(event) => change(event.currentTarget.checked)} />
    );
  } else if (widget === "textarea") {
    control = <textarea {...common} className="control" value={text} onInput={typed} onChange={typed} />;
  } else {
    // React and Preact type `type` differently; both take it from a spread.
    const kind: object = { type: inputType(field) };
    control = (
      <input
        {...common}
        {...kind}
        className="control"
        inputMode={widget === "money" ? "decimal" : undefined}
        readOnly={field.readOnly}
        value={text}
        onInput={typed}
        onChange={typed}
      />
    );
  }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {control}
      {help ? (
        <small className="help" id={`${id}-h`}>
          {env.text(help)}
        </small>
      ) : null}
      {error ? (
        <small className="help t-danger" id={`${id}-e`}>
          {error}
        </small>
      ) : null}
    </div>
  );
}

function inputType(field: Field): InputType {
  if (field.type === "integer" || field.type === "number") return "number";
  if (field["x-ui"]?.widget === "secret") return "password";
  const formats: Record<string, InputType> = { date: "date", email: "email", uri: "url", phone: "tel" };
  return formats[field.format ?? ""] ?? "text";
}

function defaults(schema: Schema): Values {
  const fields = Object.entries(schema.properties ?? {});
  return Object.fromEntries(fields.map(([name, field]) => [name, field.default]));
}

function isVisible(field: Field, values: Values): boolean {
  const rule = field["x-ui"]?.visible_if;
  return !rule || values[rule.field] === rule.equals;
}

/** Return the first broken rule of each field that breaks one: `required`, `min`, `pattern` … */
export function checkForm(schema: Schema, values: Values): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (!isVisible(field, values)) continue;
    const wrong = checkField(field, values[name], schema.required?.includes(name) ?? false);
    if (wrong) errors[name] = wrong;
  }
  return errors;
}

function checkField(field: Field, value: unknown, required: boolean): string | null {
  if (value === undefined || value === null || value === "") return required ? "required" : null;
  if (field.type === "number" || field.type === "integer") {
    const number = Number(value);
    if (Number.isNaN(number)) return "number";
    if (field.minimum !== undefined && number < field.minimum) return "min";
    if (field.maximum !== undefined && number > field.maximum) return "max";
  }
  if (typeof value === "string") {
    if (field.maxLength !== undefined && value.length > field.maxLength) return "max_length";
    if (field.minLength !== undefined && value.length < field.minLength) return "min_length";
    if (field.pattern && !new RegExp(field.pattern, "u").test(value)) return "pattern";
  }
  return null;
}
