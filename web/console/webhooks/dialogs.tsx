/** Making, changing and removing an endpoint, and its secret, which is shown once. */

import { type FormEvent, useState } from "react";
import { ApiError } from "../../kernel";
import { faults } from "../adapters/asked";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { ALL, HOME, type Subscription, at } from "./asked";

interface EndpointProps {
  one?: Subscription | undefined;
  kinds: readonly string[];
  onDone(id: string, secret: string, name: string): void;
  onClose(): void;
}

export function EndpointDialog({ one, kinds, onDone, onClose }: EndpointProps) {
  const t = useT();
  const { say } = useTexts();
  const desk = useDesk();
  const [name, setName] = useState(one?.name ?? "");
  const [url, setUrl] = useState(one?.url ?? "https://");
  const [wanted, setWanted] = useState<readonly string[]>(one?.kinds ?? [ALL]);
  const [wrong, setWrong] = useState<string[]>([]);
  const [isBusy, setBusy] = useState(false);
  const isAll = wanted.includes(ALL);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const body = { name, url, kinds: wanted };
    try {
      if (one) {
        await desk.api.call(at(one.id), { method: "PATCH", body });
        onDone(one.id, "", name);
      } else {
        const made = await desk.api.call<{ subscription: Subscription; secret: string }>(HOME, { method: "POST", body });
        onDone(made.subscription.id, made.secret, name);
      }
    } catch (error) {
      setWrong(said(error));
      setBusy(false);
    }
  };
  const foot = (
    <>
      <button type="button" className="btn" onClick={onClose}>{t("dialog.cancel")}</button>
      <button type="submit" form="endpoint-form" className="btn btn-primary" disabled={isBusy || !wanted.length} data-testid="endpoint-save">{t(one ? "webhooks.save" : "webhooks.create")}</button>
    </>
  );
  return (
    <Dialog title={t(one ? "webhooks.edit" : "webhooks.new")} foot={foot} onClose={onClose} testId="endpoint-dialog">
      <form id="endpoint-form" className="settings" onSubmit={(event) => void save(event)}>
        {wrong.map((text) => <p key={text} className="strip is-danger" role="alert"><Icon name="warn" /><span>{say(text)}</span></p>)}
        <div className="field">
          <label className="label" htmlFor="endpoint-name">{t("webhooks.name")}</label>
          <div className="input"><input id="endpoint-name" value={name} maxLength={200} required onChange={(event) => setName(event.target.value)} /></div>
        </div>
        <div className="field">
          <label className="label" htmlFor="endpoint-url">{t("webhooks.url")}</label>
          <div className="input"><input id="endpoint-url" value={url} type="url" maxLength={2000} required aria-describedby="endpoint-url-help" onChange={(event) => setUrl(event.target.value)} /></div>
          <p className="help" id="endpoint-url-help">{t("webhooks.url_help")}</p>
        </div>
        <fieldset className="hook-kinds">
          <legend className="label">{t("webhooks.events")}</legend>
          <label><input type="checkbox" checked={isAll} onChange={() => setWanted(isAll ? [] : [ALL])} />{t("webhooks.every")}</label>
          {isAll ? null : kinds.map((kind) => (
            <label key={kind} className="mono">
              <input type="checkbox" checked={wanted.includes(kind)} onChange={() => setWanted(wanted.includes(kind) ? wanted.filter((each) => each !== kind) : [...wanted, kind])} />
              {kind}
            </label>
          ))}
        </fieldset>
      </form>
    </Dialog>
  );
}

/** What the hub says of the fields; their labels stand beside. */
function said(error: unknown): string[] {
  const told = error instanceof ApiError ? (error.body["errors"] as { text: string }[] | undefined) : undefined;
  return told?.length ? told.map((each) => each.text) : faults(error);
}

export function SecretDialog({ name, secret, onClose }: { name: string; secret: string; onClose(): void }) {
  const t = useT();
  const copy = () => navigator.clipboard.writeText(secret).then(() => notify(t("webhooks.copied")), () => notify(t("webhooks.not_copied"), { tone: "danger" }));
  const foot = (
    <>
      <button type="button" className="btn" onClick={() => void copy()}>{t("webhooks.copy")}</button>
      <button type="button" className="btn btn-primary" onClick={onClose} data-testid="secret-kept">{t("webhooks.kept")}</button>
    </>
  );
  return (
    <Dialog title={t("webhooks.secret", { name })} foot={foot} onClose={onClose} testId="secret-dialog" size="sm">
      <div className="settings">
        <p>{t("webhooks.secret_text")}</p>
        <pre className="code hook-secret" tabIndex={0} aria-label={t("webhooks.secret_label")} data-testid="secret">{secret}</pre>
      </div>
    </Dialog>
  );
}

export function RemoveDialog({ one, onDone, onClose }: { one: Subscription; onDone(): void; onClose(): void }) {
  const t = useT();
  const desk = useDesk();
  const remove = async () => {
    try {
      await desk.api.call(at(one.id), { method: "DELETE" });
      onDone();
    } catch (error) {
      notify(faults(error)[0] ?? "", { tone: "danger" });
    }
  };
  const foot = (
    <>
      <button type="button" className="btn" onClick={onClose}>{t("dialog.cancel")}</button>
      <button type="button" className="btn btn-danger" onClick={() => void remove()} data-testid="endpoint-remove">{t("webhooks.remove")}</button>
    </>
  );
  return (
    <Dialog title={t("webhooks.remove_name", { name: one.name })} foot={foot} onClose={onClose} size="sm" testId="remove-dialog">
      <p>{t("webhooks.remove_text")}</p>
    </Dialog>
  );
}
