/** Step one: what the order already says is filled in; the agent only corrects. */

import { Fragment, type ReactNode } from "react";
import { useSay, useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { objectName } from "../inbox/Row";
import { type ActionForm, type Before, type Filled, type FormField, type FormLine, checkMoney, isMoney, totalOf } from "./types";

interface BodyProps {
  form: ActionForm;
  filled: Filled;
  wrong: Record<string, string>;
  onChange(next: Filled): void;
}

export function FormBody({ form, filled, wrong, onChange }: BodyProps) {
  const t = useT();
  const say = useSay();
  const fields = Object.entries(form.schema.properties ?? {});
  const put = (line: string, quantity: number) => onChange({ ...filled, lines: { ...filled.lines, [line]: quantity } });
  return (
    <>
      {form.lines.length ? (
        <ul className="items">
          {form.lines.map((line) => (
            <Line key={line.line} line={line} quantity={filled.lines[line.line] ?? 0} onChange={(quantity) => put(line.line, quantity)} />
          ))}
        </ul>
      ) : null}
      {wrong["lines"] ? <p className="help t-danger" id="f-lines" role="alert" tabIndex={-1}>{say(t(wrong["lines"]))}</p> : null}
      <History history={form.history ?? []} />
      <div className="grid2">
        {fields.map(([name, field], at) => (
          <Fragment key={name}>
            <Field name={name} field={field} value={filled.fields[name] ?? ""} error={wrong[name]}
              required={form.schema.required?.includes(name) ?? false}
              onChange={(value) => onChange({ ...filled, fields: { ...filled.fields, [name]: value } })} />
            {at === 0 ? <Total form={form} filled={filled} /> : null}
          </Fragment>
        ))}
        {fields.length ? null : <Total form={form} filled={filled} />}
      </div>
    </>
  );
}

function Line({ line, quantity, onChange }: { line: FormLine; quantity: number; onChange(quantity: number): void }) {
  const t = useT();
  const { format, say } = useTexts();
  const isOff = line.blocked !== null || line.returnable < 1;
  const choices = Array.from({ length: Math.min(line.returnable, 99) }, (_, at) => at + 1);
  const id = `line-${line.line}`;
  return (
    <li className={isOff ? "off" : undefined} data-line={line.line}>
      <input type="checkbox" className="box" id={id} checked={quantity > 0} disabled={isOff} aria-describedby={`${id}-d`}
        onChange={(event) => onChange(event.target.checked ? 1 : 0)} />
      <span className="pic"><Icon name="box" /></span>
      <label htmlFor={id}>
        {line.title}
        <small id={`${id}-d`}>{[line.sku, say(line.blocked) || t("form.returnable", { count: line.returnable })].filter(Boolean).join(" \u00b7 ")}</small>
      </label>
      {isOff || choices.length < 2 ? (
        <span className="subtle num">{isOff ? "" : `\u00d7 ${line.returnable}`}</span>
      ) : (
        <select className="control control-sm" aria-label={t("form.quantity", { title: line.title })} value={Math.max(1, quantity)} onChange={(event) => onChange(Number(event.target.value))}>
          {choices.map((one) => (
            <option key={one} value={one}>{one}</option>
          ))}
        </select>
      )}
      <span className="num">{format.money(line.unit_price.money, line.unit_price.currency)}</span>
    </li>
  );
}

/** What they were given before: a goodwill refund is decided beside it. */
function History({ history }: { history: readonly Before[] }) {
  const t = useT();
  const { format, say } = useTexts();
  if (!history.length) return null;
  return (
    <details className="before" data-testid="form-history">
      <summary>{t("form.before", { count: history.length })}</summary>
      <ul>
        {history.slice(0, 5).map((one, at) => (
          <li key={at}>
            <span>{say(one.text)}</span>
            <span className="subtle">{format.day(one.at)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

interface FieldProps {
  name: string;
  field: FormField;
  value: string;
  error: string | undefined;
  required: boolean;
  onChange(value: string): void;
}

function Field({ name, field, value, error, required, onChange }: FieldProps) {
  const t = useT();
  const say = useSay();
  const id = `f-${name}`;
  const options = field.oneOf ?? field.enum?.map((one) => ({ const: one, title: one }));
  const isLong = field["x-ui"]?.widget === "textarea" || field.format === "textarea" || name === "message" || (field.maxLength ?? 0) > 200;
  const common = {
    id,
    value,
    required,
    className: "control",
    "aria-invalid": error ? ("true" as const) : undefined,
    "aria-describedby": error || field.description ? `${id}-h` : undefined,
    "data-testid": `field-${name}`,
  };
  let control: ReactNode;
  if (options) {
    control = (
      <select {...common} onChange={(event) => onChange(event.target.value)}>
        {value && !required ? null : <option value="" disabled={required}>{t("form.choose")}</option>}
        {options.map((one) => (
          <option key={one.const} value={one.const}>{say(one.title)}</option>
        ))}
      </select>
    );
  } else if (isLong) {
    control = <textarea {...common} rows={2} maxLength={field.maxLength ?? 2000} onChange={(event) => onChange(event.target.value)} />;
  } else if (isMoney(field)) {
    control = (
      <span className="control control-money">
        <span className="subtle">{field.currency}</span>
        <input {...common} className="num" type="text" inputMode="decimal" autoComplete="off" maxLength={20} onChange={(event) => onChange(event.target.value)} />
      </span>
    );
  } else if (field.type === "boolean") {
    control = <input {...common} className="box" type="checkbox" checked={value === "true"} onChange={(event) => onChange(String(event.target.checked))} />;
  } else if (field.type === "integer" || field.type === "number") {
    control = <input {...common} type="number" step={field.type === "integer" ? 1 : "any"} min={field.minimum} max={field.maximum} onChange={(event) => onChange(event.target.value)} />;
  } else {
    control = <input {...common} type="text" maxLength={field.maxLength ?? 500} onChange={(event) => onChange(event.target.value)} />;
  }
  return (
    <div className={options || isMoney(field) || (field.type ?? "string") !== "string" ? "field" : "field span2"}>
      <label htmlFor={id}>{say(field.title ?? name)}</label>
      {control}
      {error || field.description ? <p className={error ? "help t-danger" : "help"} id={`${id}-h`}>{error ? say(t(error)) : say(field.description)}</p> : null}
    </div>
  );
}

/** What the chosen lines add up to; the hub works out the real amount in the preview. */
function Total({ form, filled }: { form: ActionForm; filled: Filled }) {
  const t = useT();
  const { format } = useTexts();
  const total = totalOf(form, filled);
  if (!form.lines.length || !form.max) return null;
  return (
    <div className="field">
      <span className="label">{t("form.refund")}</span>
      <output className="control control-read num">{total ? format.money(total.money, total.currency) : "\u2014"}</output>
      <p className="help">{t("form.at_most", { amount: format.money(form.max.money, form.max.currency) })}</p>
    </div>
  );
}

/** The first thing wrong with each field, as the form itself can tell. */
export function checkFilled(form: ActionForm, filled: Filled): Record<string, string> {
  const wrong: Record<string, string> = {};
  const required = form.schema.required ?? [];
  for (const name of required) {
    if (name in (form.schema.properties ?? {}) && !filled.fields[name]?.trim()) wrong[name] = "card.error.required";
  }
  for (const [name, field] of Object.entries(form.schema.properties ?? {})) {
    const value = filled.fields[name] ?? "";
    const found = isMoney(field) && value.trim() ? checkMoney(value, field) : undefined;
    if (found) wrong[name] = found;
  }
  if (form.lines.length && !totalOf(form, filled)) wrong["lines"] = "form.no_line";
  return wrong;
}

interface FootProps {
  form: ActionForm | null;
  busy: boolean;
  onCancel(): void;
  onPreview(): void;
}

export function FormFoot({ form, busy, onCancel, onPreview }: FootProps) {
  const t = useT();
  return (
    <>
      <span className="note-l">
        {form?.lines.length ? <><Icon name="check" size="sm" />{t("form.filled", { object: objectName(form.object) })}</> : null}
      </span>
      <button type="button" className="btn" onClick={onCancel} data-testid="cancel">{t("dialog.cancel")}</button>
      <button type="button" className="btn btn-primary" onClick={onPreview} aria-disabled={busy || !form} data-testid="preview">
        {busy ? <Icon name="spin" size="sm" spin /> : null}
        {t(busy ? "form.checking" : "form.preview")} <kbd>Enter</kbd>
      </button>
    </>
  );
}
