/** An adapter's settings as its manifest declares them; secrets only say where they stand. */

import { useId, useState } from "react";
import { useT } from "../hooks";
import { Icon } from "../parts/Icon";
import { TrySettings } from "./TrySettings";
import type { Setting, Settings } from "./asked";

type Values = Record<string, string>;

interface Props {
  form: Settings;
  submit: string;
  onChange(config: Record<string, unknown>): void;
}

export function SettingsForm({ form, submit, onChange }: Props) {
  const t = useT();
  const [values, setValues] = useState<Values>({});
  const shown = (one: Setting) => values[one.name] ?? written(one, one.value);
  // A secret that is left empty is not taken out: it stays what it is.
  const isKept = (one: Setting) => one.secret && !shown(one) && one.value !== null;
  const changed = form.settings.filter((one) => shown(one) !== written(one, one.value) && !isKept(one));
  const missing = form.settings.filter((one) => one.required && !shown(one) && !isKept(one));
  const config = () => Object.fromEntries(changed.map((one) => [one.name, read(one, shown(one))]));
  return (
    <form
      className="settings"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(config());
      }}
    >
      {form.settings.map((one) => (
        <Field key={one.name} one={one} value={shown(one)} onValue={(value) => setValues({ ...values, [one.name]: value })} />
      ))}
      <div className="deeds">
        <button type="submit" className="btn btn-primary" disabled={missing.length > 0 || (!changed.length && submit === t("adapters.review"))} data-testid="settings-submit">
          {submit}
        </button>
      </div>
      <TrySettings key={JSON.stringify(values)} instance={form.instance} use={form.use} config={config} isComplete={!missing.length} />
      {missing.length ? <p className="help">{t("adapters.missing", { names: missing.map((one) => one.name).join(", ") })}</p> : null}
    </form>
  );
}

function Field({ one, value, onValue }: { one: Setting; value: string; onValue(value: string): void }) {
  const t = useT();
  const id = useId();
  const help = `${id}-help`;
  const common = { id, "aria-describedby": help, "data-setting": one.name, required: one.required };
  const choices = one.kind === "switch" ? ["true", "false"] : one.choices;
  return (
    <div className="field">
      <label htmlFor={id}>{one.name}</label>
      {choices.length ? (
        <select className="control" {...common} value={value} onChange={(event) => onValue(event.target.value)}>
          <option value="">{one.default === null ? t("adapters.none") : t("adapters.default", { value: String(one.default) })}</option>
          {choices.map((choice) => <option key={choice} value={choice}>{choice}</option>)}
        </select>
      ) : (
        <div className="input">
          {one.secret ? <Icon name="lock" size="sm" /> : null}
          <input {...common} value={value} autoComplete="off" spellCheck={false} inputMode={one.kind === "number" ? "decimal" : undefined}
            placeholder={one.secret ? "store:NAME" : one.default === null || one.default === undefined ? "" : String(one.default)}
            onChange={(event) => onValue(event.target.value)} />
        </div>
      )}
      <p className="help" id={help}>{`${one.text}${one.secret ? ` ${t("adapters.secret_help")}` : ""}${one.secret && one.value !== null ? ` ${t("adapters.secret_kept")}` : ""}`}</p>
    </div>
  );
}

/** A value as it is typed; a secret as the place where it stands. */
function written(one: Setting, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (one.secret && typeof value === "object") {
    const [kind, target] = Object.entries(value)[0] ?? ["", ""];
    return `${kind}:${String(target)}`;
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What was typed as the setting's kind of value; what is none stays a text, which the hub refuses with a sentence. */
function read(one: Setting, typed: string): unknown {
  if (!typed) return null;
  if (one.secret) {
    const at = typed.indexOf(":");
    return at > 0 ? { [typed.slice(0, at)]: typed.slice(at + 1) } : { store: typed };
  }
  if (one.kind === "switch") return typed === "true";
  if (one.kind === "number" && !Number.isNaN(Number(typed))) return Number(typed);
  if (one.kind === "list" || one.kind === "other") {
    try {
      return JSON.parse(typed);
    } catch {
      return typed;
    }
  }
  return typed;
}
