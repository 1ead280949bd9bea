/** The form before a conversation: its schema, what is wrong with it, and how it looks. */

import { useEffect, useMemo, useState } from "react";
import { CardForm, type CardEnv } from "../../cards";
import { ApiError, type Card, type CardBlock, type PrechatForm, type Titled } from "../../kernel";
import { useDesk, useSay, useT } from "../hooks";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { EXAMPLE } from "./prechatExample";

const CHECK_AFTER_MS = 400;

interface Inbox {
  id: string;
  name: string;
  languages: readonly string[];
  prechat: PrechatForm | null;
}

interface Fault {
  path: string;
  text: string;
}

type Looked = { form: PrechatForm | null; faults: readonly Fault[] };

export function PrechatDialog({ inbox, onSaved, onClose }: { inbox: Inbox; onSaved(form: PrechatForm | null): void; onClose(): void }) {
  const t = useT();
  const desk = useDesk();
  const say = useSay();
  const [source, setSource] = useState(() => JSON.stringify(inbox.prechat ?? EXAMPLE, null, 2));
  const [looked, setLooked] = useState<Looked>({ form: inbox.prechat, faults: [] });
  const [isBusy, setBusy] = useState(false);
  const put = (form: unknown, save: boolean) => desk.api.call(`/api/v1/inboxes/${encodeURIComponent(inbox.id)}/prechat`, { method: "PUT", body: { form, save } });
  useEffect(() => {
    const wrong = notJson(source);
    if (wrong) return setLooked((before) => ({ ...before, faults: [{ path: "", text: t("prechat.not_json", wrong) }] }));
    let isOld = false;
    const form = JSON.parse(source) as PrechatForm;
    const look = () =>
      put(form, false).then(
        () => isOld || setLooked({ form, faults: [] }),
        (error: unknown) => isOld || setLooked((before) => ({ ...before, faults: faultsOf(error) })),
      );
    const timer = setTimeout(() => void look(), CHECK_AFTER_MS);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [source]);
  const save = async (form: PrechatForm | null) => {
    setBusy(true);
    try {
      await put(form, true);
      onSaved(form);
      onClose();
    } catch (error) {
      setLooked((before) => ({ ...before, faults: faultsOf(error) }));
      setBusy(false);
    }
  };
  const isWrong = looked.faults.length > 0;
  return (
    <Dialog
      title={t("prechat.title", { name: inbox.name })}
      sub={t(inbox.prechat ? "prechat.sub" : "prechat.example")}
      onClose={onClose}
      testId="prechat-dialog"
      foot={
        <>
          {inbox.prechat ? <button type="button" className="btn" disabled={isBusy} onClick={() => void save(null)} data-testid="prechat-off">{t("prechat.off")}</button> : null}
          <button type="button" className="btn btn-primary" disabled={isBusy || isWrong} onClick={() => void save(JSON.parse(source) as PrechatForm)} data-testid="prechat-save">{t("prechat.save")}</button>
        </>
      }
    >
      <div className="prechat-edit">
        <div className="field">
          <label htmlFor="prechat-source">{t("prechat.source")}</label>
          <textarea id="prechat-source" className="control mono" dir="ltr" rows={20} spellCheck={false} value={source} aria-invalid={isWrong} aria-describedby="prechat-faults" onChange={(event) => setSource(event.target.value)} data-testid="prechat-source" />
          <div id="prechat-faults" role="status" data-testid="prechat-faults">
            {isWrong ? (
              <ul className="prechat-faults">
                {looked.faults.map((one) => <li key={one.path + one.text}><Icon name="warn" size="xs" /><span>{one.path ? <code>{one.path}</code> : null} {say(one.text)}</span></li>)}
              </ul>
            ) : null}
          </div>
        </div>
        <Preview form={looked.form} languages={inbox.languages} />
      </div>
    </Dialog>
  );
}

/** The fields as customers read them; the last form that was right stays while another is written. */
function Preview({ form, languages }: { form: PrechatForm | null; languages: readonly string[] }) {
  const t = useT();
  const offered = useMemo(() => [...new Set([...languages, ...(form ? languagesOf(form) : [])])], [form, languages]);
  const [language, setLanguage] = useState(offered[0] ?? "en");
  const env: CardEnv = { place: "customer", text: (text) => (typeof text === "string" ? text : ""), value: String, label: t, icon: () => null, act: () => undefined };
  return (
    <section className="prechat-preview" aria-label={t("prechat.preview")} data-testid="prechat-preview">
      <div className="field">
        <label htmlFor="prechat-language">{t("prechat.preview")}</label>
        <select id="prechat-language" className="control" value={language} onChange={(event) => setLanguage(event.target.value)} data-testid="prechat-language">
          {offered.map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
      </div>
      {form ? (
        <div lang={language} dir={language.startsWith("ar") ? "rtl" : "ltr"} className="prechat-drawn">
          {form.title ? <h3>{titled(form, language)}</h3> : null}
          <CardForm key={JSON.stringify(form) + language} block={block(form, language, t("prechat.go"))} card={{} as Card} env={env} />
        </div>
      ) : null}
    </section>
  );
}

function block(form: PrechatForm, language: string, go: string): Extract<CardBlock, { type: "form" }> {
  const properties = Object.fromEntries(
    Object.entries(form.properties).map(([name, one]) => [
      name,
      { ...one, title: titled(one, language) + (form.required?.includes(name) ? " *" : ""), oneOf: one.oneOf?.map((choice) => ({ const: choice.const, title: titled(choice, language) })) },
    ]),
  );
  return { type: "form", schema: { properties, required: form.required ?? [] }, submit: { id: "go", label: go, do: {} } };
}

function titled(one: Titled, language: string): string {
  return one["x-title"]?.[language] ?? one.title ?? "";
}

function languagesOf(form: PrechatForm): string[] {
  const all = [form, ...Object.values(form.properties)];
  return all.flatMap((one) => Object.keys(one["x-title"] ?? {}));
}

/** Where *source* stops being JSON, or null. */
function notJson(source: string): { line: number; column: number } | null {
  try {
    JSON.parse(source);
    return null;
  } catch (error) {
    const said = String(error);
    const place = /line (\d+) column (\d+)/.exec(said);
    if (place) return { line: Number(place[1]), column: Number(place[2]) };
    const position = /position (\d+)/.exec(said)?.[1];
    const before = source.slice(0, position === undefined ? source.length : Number(position)).split("\n");
    return { line: before.length, column: before[before.length - 1]!.length + 1 };
  }
}

function faultsOf(error: unknown): readonly Fault[] {
  const told = error instanceof ApiError ? (error.body["errors"] as Fault[] | undefined) : undefined;
  return told?.length ? told : [{ path: "", text: error instanceof Error ? error.message : String(error) }];
}
