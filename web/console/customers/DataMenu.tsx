/** What can be done with a customer's data as a whole: merge, export, erase. */

import { type FormEvent, useEffect, useState } from "react";
import type { Customer } from "../../kernel";
import { said } from "../actions/ActionDialog";
import type { Desk } from "../desk";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Avatar } from "../parts/Avatar";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { Menu, type MenuChoice } from "../parts/Menu";

const ASK_MS = 250;
/** A long history takes a while to be read, or to be blanked. */
const PATIENCE_MS = 120_000;

interface Props {
  customer: Customer;
  /** Read the page anew: something else is true of this customer now. */
  onChange(): void;
}

export function DataMenu({ customer, onChange }: Props) {
  const t = useT();
  const desk = useDesk();
  const { say } = useTexts();
  const [dialog, setDialog] = useState<"merge" | "erase" | null>(null);
  if (!desk.mayApprove) return null;
  const items: MenuChoice[] = [
    { id: "merge", label: t("data.merge"), icon: "users" },
    { id: "export", label: t("data.export"), icon: "ext" },
    ...(desk.me.role === "admin" ? [{ id: "erase", label: t("data.erase"), icon: "warn" as const }] : []),
  ];
  const pick = (id: string) => {
    if (id === "merge" || id === "erase") return setDialog(id);
    save(desk, customer).catch((error: unknown) => notify(say(said(error)), { tone: "danger" }));
  };
  const done = () => {
    setDialog(null);
    onChange();
  };
  return (
    <>
      <Menu label={t("data.label")} className="ib" testId="data-menu" groups={[{ items }]} onPick={pick}>
        <Icon name="more" />
      </Menu>
      {dialog === "merge" ? <Merge customer={customer} onClose={() => setDialog(null)} onDone={done} /> : null}
      {dialog === "erase" ? <Erase customer={customer} onClose={() => setDialog(null)} onDone={done} /> : null}
    </>
  );
}

/** Let the browser keep everything the hub knows, as one file. */
async function save(desk: Desk, customer: Customer): Promise<void> {
  const found = await desk.api.call<unknown>(`/api/v1/customers/${encodeURIComponent(customer.id)}/export`, { method: "POST", timeoutMs: PATIENCE_MS });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(found, null, 1)], { type: "application/json" }));
  link.download = `${customer.id}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

interface DialogProps {
  customer: Customer;
  onClose(): void;
  onDone(): void;
}

function Erase({ customer, onClose, onDone }: DialogProps) {
  const t = useT();
  const desk = useDesk();
  const [typed, setTyped] = useState("");
  const { busy, failure, attempt } = useAttempt(onDone);
  const wanted = customer.name || customer.id;
  const erase = (event: FormEvent) => {
    event.preventDefault();
    if (!typed.trim() || busy) return;
    attempt(() => desk.api.call(`/api/v1/customers/${encodeURIComponent(customer.id)}/erase`, { method: "POST", body: { confirm: typed.trim() }, timeoutMs: PATIENCE_MS }));
  };
  return (
    <Dialog title={t("data.erase_title", { name: wanted })} onClose={onClose} size="sm" testId="erase-dialog"
      foot={
        <>
          <button type="button" className="btn" onClick={onClose}>{t("dialog.cancel")}</button>
          <button type="submit" form="erase-customer" className="btn btn-danger" aria-disabled={busy || !typed.trim()} data-testid="erase-now">
            {busy ? <Icon name="spin" size="sm" spin /> : null}
            {t("data.erase_now")}
          </button>
        </>
      }>
      <form id="erase-customer" onSubmit={erase}>
        <Failure text={failure} />
        <p>{t("data.erase_what")}</p>
        <p className="subtle">{t("data.erase_stays")}</p>
        <div className="field">
          <label htmlFor="erase-confirm">{t("data.erase_type", { name: wanted })}</label>
          <input id="erase-confirm" className="control" autoFocus autoComplete="off" required maxLength={200} value={typed} onChange={(event) => setTyped(event.target.value)} data-testid="erase-confirm" />
        </div>
      </form>
    </Dialog>
  );
}

function Merge({ customer, onClose, onDone }: DialogProps) {
  const t = useT();
  const desk = useDesk();
  const [text, setText] = useState("");
  const [other, setOther] = useState<Customer | null>(null);
  const found = useCustomers(text).filter((one) => one.id !== customer.id);
  const { busy, failure, attempt } = useAttempt(onDone);
  const merge = () => {
    if (!other || busy) return;
    attempt(() => desk.api.call(`/api/v1/customers/${encodeURIComponent(customer.id)}/merge`, { method: "POST", body: { gone: other.id } }));
  };
  return (
    <Dialog title={t("data.merge_title", { name: customer.name || customer.id })} onClose={onClose} size="sm" testId="merge-dialog"
      foot={
        <>
          <button type="button" className="btn" onClick={onClose}>{t("dialog.cancel")}</button>
          <button type="button" className="btn btn-primary" aria-disabled={busy || !other} onClick={merge} data-testid="merge-now">
            {busy ? <Icon name="spin" size="sm" spin /> : null}
            {t("data.merge_now")}
          </button>
        </>
      }>
      <Failure text={failure} />
      <p>{t("data.merge_what")}</p>
      <div className="input">
        <Icon name="search" size="sm" />
        <input type="search" autoFocus value={text} maxLength={200} placeholder={t("data.merge_find")} aria-label={t("data.merge_find")} onChange={(event) => setText(event.target.value)} data-testid="merge-find" />
      </div>
      {found.length ? (
        <ul className="profile-list" aria-label={t("data.merge_find")}>
          {found.map((one) => (
            <li key={one.id}>
              <button type="button" aria-pressed={one.id === other?.id} onClick={() => setOther(one)} data-customer={one.id}>
                <Avatar name={one.name || one.id} id={one.id} />
                <span className="trunc grow">{one.name || one.id}</span>
                <small className="subtle trunc">{one.email ?? one.phone ?? ""}</small>
                {one.id === other?.id ? <Icon name="check" /> : null}
              </button>
            </li>
          ))}
        </ul>
      ) : text.trim() ? <p className="subtle" role="status">{t("list.nothing_found")}</p> : null}
      {other ? <p className="strip is-accent" role="status"><Icon name="info" /><span>{t("data.merge_stays", { name: customer.name || customer.id, other: other.name || other.id })}</span></p> : null}
    </Dialog>
  );
}

function useCustomers(text: string): readonly Customer[] {
  const desk = useDesk();
  const [found, setFound] = useState<readonly Customer[]>([]);
  const words = text.trim();
  useEffect(() => {
    if (!words) return setFound([]);
    let isCurrent = true;
    const timer = setTimeout(() => {
      desk.api.call<{ customers: Customer[] }>(`/api/v1/customers?${new URLSearchParams({ q: words })}`).then(
        ({ customers }) => isCurrent && setFound(customers),
        () => isCurrent && setFound([]),
      );
    }, ASK_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [desk, words]);
  return found;
}

/** One call at a time; what was wrong stays on screen until the next try. */
function useAttempt(onDone: () => void) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const attempt = (call: () => Promise<unknown>) => {
    setBusy(true);
    setFailure(null);
    call().then(onDone, (error: unknown) => {
      setFailure(said(error));
      setBusy(false);
    });
  };
  return { busy, failure, attempt };
}

function Failure({ text }: { text: string | null }) {
  const { say } = useTexts();
  if (!text) return null;
  return <p className="strip is-danger" role="alert"><Icon name="warn" /><span>{say(text)}</span></p>;
}
