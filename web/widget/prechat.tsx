/** Entry of the bundle that asks before the first message: the inbox's form, judged by the hub. */

import { type JSX, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { I18n, type InboxSettings, type Pending, type PrechatField, type PrechatForm, key, pickLanguage } from "../kernel";
import ar from "../locales/prechat.ar.json";
import en from "../locales/prechat.en.json";
import zh from "../locales/prechat.zh-CN.json";
import type { Around } from "./lazy";
import css from "./prechat.css?text";

export interface Asked extends Around {
  settings: InboxSettings | undefined;
}

type T = (name: string) => string;
type Values = Record<string, string | boolean>;
type Faults = Record<string, string>;

const CATALOGUES = { en, "zh-CN": zh, ar } as const;
// What the hub's answer calls what is wrong; other codes are put in general words.
const KNOWN = new Set(["required", "ticked", "email", "too_short", "too_long", "choice"]);
const styled = new WeakSet<ShadowRoot>();

/** Draw the form into *place*; the composer comes when the hub has taken the answers. */
export function ask(place: HTMLElement | null, asked: Asked): void {
  if (!place) return;
  const { root } = asked.bridge;
  if (!styled.has(root)) {
    styled.add(root);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }
  render(<Asking asked={asked} />, place);
}

/** A form may be new since the page was loaded: then a message was refused, and it is fetched. */
function Asking({ asked }: { asked: Asked }): JSX.Element | null {
  const [form, setForm] = useState<PrechatForm | null>(asked.settings?.prechat ?? null);
  useEffect(() => {
    if (!form) void asked.client.api.call<{ form: PrechatForm | null }>("/api/v1/prechat").then((answer) => (answer.form ? setForm(answer.form) : go(asked)), () => undefined);
  }, []);
  return form ? <Form asked={asked} form={form} onForm={setForm} /> : null;
}

function Form({ asked, form, onForm }: { asked: Asked; form: PrechatForm; onForm(form: PrechatForm): void }): JSX.Element {
  const { client, bridge, language } = asked;
  const i18n = new I18n(language, CATALOGUES[language as keyof typeof CATALOGUES] ?? en, en);
  const t: T = (name) => i18n.t(name);
  const [values, setValues] = useState<Values>(() => remembered(asked));
  const [faults, setFaults] = useState<Faults>({});
  const [state, setState] = useState<"asking" | "sending" | "failed">("asking");
  const element = useRef<HTMLFormElement>(null);
  const fields = Object.entries(form.properties);
  useEffect(() => {
    // The panel has the focus while nothing in it can be written into.
    const isFree = bridge.root.activeElement === element.current!.closest(".dh-panel");
    if (isFree && !matchMedia("(pointer: coarse)").matches) field(0)?.focus();
  }, []);
  useEffect(() => {
    const first = fields.findIndex(([name]) => faults[name]);
    if (first >= 0) field(first)?.focus();
  }, [faults]);
  const field = (at: number) => element.current!.querySelectorAll<HTMLElement>("input, select, textarea")[at];

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    if (state === "sending") return;
    const missing = Object.fromEntries(fields.filter(([name]) => form.required?.includes(name) && !values[name]).map(([name, one]) => [name, one.type === "boolean" ? "ticked" : "required"]));
    setFaults(missing);
    if (Object.keys(missing).length) return;
    setState("sending");
    const answers = Object.fromEntries(fields.flatMap(([name]) => (values[name] === undefined ? [] : [[name, values[name]]])));
    try {
      await client.api.call("/api/v1/prechat", { method: "PUT", body: { answers } });
    } catch (error) {
      // The error is of the chat bundle's class and not of this one's.
      const body = (error as { body?: { errors?: { path: string; code: string }[] } }).body;
      const told = (body?.errors ?? []).map((one) => [one.path.replace("answers.", ""), KNOWN.has(one.code) ? one.code : "other"]);
      const isHere = told.length > 0 && told.every(([name]) => form.properties[name!]);
      setState(isHere ? "asking" : "failed");
      if (isHere) setFaults(Object.fromEntries(told));
      // Another form than the one on screen: the admin has changed it meanwhile.
      else if (told.length) void client.api.call<{ form: PrechatForm | null }>("/api/v1/prechat").then((answer) => answer.form && onForm(answer.form), () => undefined);
      return;
    }
    remember(asked, form, values);
    go(asked);
  }

  const change = (name: string, value: string | boolean) => {
    setValues({ ...values, [name]: value });
    if (faults[name]) setFaults({ ...faults, [name]: "" });
  };
  return (
    <form ref={element} class="dh-pre" noValidate onSubmit={(event) => void send(event)} aria-label={form.title ? titled(form, language) : t("title")} data-testid="deskhub-prechat">
      <h3>{form.title ? titled(form, language) : t("title")}</h3>
      {fields.map(([name, one]) => (
        <Field key={name} name={name} field={one} isRequired={form.required?.includes(name) ?? false} value={values[name]} fault={faults[name] ?? ""} language={language} t={t} onValue={(value) => change(name, value)} />
      ))}
      {state === "failed" ? <p class="bad" role="alert">{t("failed")}</p> : null}
      <button class="dh-btn p w" type="submit" aria-disabled={state === "sending"} data-testid="deskhub-prechat-go">{t("go")}</button>
    </form>
  );
}

interface FieldProps {
  name: string;
  field: PrechatField;
  isRequired: boolean;
  value: string | boolean | undefined;
  fault: string;
  language: string;
  t: T;
  onValue(value: string | boolean): void;
}

function Field({ name, field, isRequired, value, fault, language, t, onValue }: FieldProps): JSX.Element {
  const id = `dh-pre-${name}`;
  const common = { id, name, required: isRequired, "aria-invalid": fault !== "", "aria-describedby": fault ? `${id}-e` : undefined, "data-testid": `deskhub-prechat-${name}` } as const;
  const text = typeof value === "string" ? value : "";
  const typed = (event: { currentTarget: { value: string } }) => onValue(event.currentTarget.value);
  const label = titled(field, language);
  const wrong = fault ? <p class="bad" id={`${id}-e`}>{t(fault)}</p> : null;
  if (field.type === "boolean") {
    return (
      <div>
        <label class="tick"><input {...common} type="checkbox" checked={value === true} onChange={(event) => onValue(event.currentTarget.checked)} /><span>{label}</span></label>
        {wrong}
      </div>
    );
  }
  return (
    <div>
      <label for={id}>{label}{isRequired ? null : <small> ({t("optional")})</small>}</label>
      {field.oneOf ? (
        <select {...common} value={text} onChange={typed}>
          <option value="">{t("choose")}</option>
          {field.oneOf.map((one) => <option key={one.const} value={one.const}>{titled(one, language)}</option>)}
        </select>
      ) : field["x-ui"] ? (
        <textarea {...common} rows={3} dir="auto" maxLength={field.maxLength ?? 2000} value={text} onInput={typed} />
      ) : (
        <input {...common} {...kindOf(name, field)} dir="auto" maxLength={field.maxLength ?? 200} value={text} onInput={typed} />
      )}
      {wrong}
    </div>
  );
}

/** Browsers fill in what they know by itself; a name is asked for under this name mostly. */
function kindOf(name: string, field: PrechatField) {
  if (field.format === "email") return { type: "email", autocomplete: "email" } as const;
  return name === "name" ? ({ type: "text", autocomplete: "name" } as const) : ({ type: "text" } as const);
}

/** What something is called in the reader's language, else as its author called it first. */
function titled(one: { title?: string; "x-title"?: Record<string, string> }, language: string): string {
  const more = one["x-title"] ?? {};
  const found = more[language] ?? more[pickLanguage([language], Object.keys(more).filter((name) => name.split("-")[0] === language.split("-")[0]))];
  return found ?? one.title ?? "";
}

/** The composer is there from now on, and what was refused for want of the form is sent again. */
function go({ client, bridge }: Asked): void {
  const { store } = client;
  const about = store.get<{ settings: InboxSettings }>("about");
  if (about) store.set("about", { ...about, settings: { ...about.settings, prechat: null } });
  const refused = (store.get<readonly Pending[]>(key.pending("new")) ?? []).filter((one) => one.error === "prechat_needed");
  for (const one of refused) client.retry(one.cid);
  focusField(bridge.root);
}

/** The composer is drawn when the chat's bundle comes to it: within a second, or the reader clicks. */
function focusField(root: ShadowRoot, tries = 60): void {
  const field = root.querySelector<HTMLElement>("[data-testid=deskhub-input]");
  if (field) field.focus();
  else if (tries) setTimeout(() => focusField(root, tries - 1), 16);
}

const nameOf = ({ bridge }: Asked) => `deskhub:${bridge.inbox}:prechat`;

function remembered(asked: Asked): Values {
  try {
    return JSON.parse(localStorage.getItem(nameOf(asked)) ?? "{}") as Values;
  } catch {
    return {};
  }
}

/** Keep who they are for the next time; a tick is given anew each time. */
function remember(asked: Asked, form: PrechatForm, values: Values): void {
  const kept = Object.entries(values).filter(([name]) => form.properties[name]?.type === "string" && !form.properties[name]!["x-ui"]);
  try {
    localStorage.setItem(nameOf(asked), JSON.stringify(Object.fromEntries(kept)));
  } catch {
    // Without storage it is asked with empty fields.
  }
}
