/** The entrances for customers, and what an admin decides of each while the hub runs. */

import { useEffect, useState } from "react";
import type { PrechatForm } from "../../kernel";
import { useDesk, useT } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { PrechatDialog } from "./PrechatDialog";

interface InboxRow {
  id: string;
  name: string;
  origins: string[];
  languages: string[];
  asks_rating: boolean;
  prechat: PrechatForm | null;
}

export default function InboxesPage() {
  const t = useT();
  const desk = useDesk();
  const [rows, setRows] = useState<readonly InboxRow[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [edited, setEdited] = useState<InboxRow | null>(null);
  useEffect(() => {
    desk.api.call<{ inboxes: InboxRow[] }>("/api/v1/inboxes").then((found) => setRows(found.inboxes), (error: unknown) => setFailure(said(error)));
  }, [desk]);
  const change = async (row: InboxRow, asks: boolean) => {
    const show = (value: boolean) => setRows((all) => all && all.map((one) => (one.id === row.id ? { ...one, asks_rating: value } : one)));
    show(asks);
    try {
      await desk.api.call(`/api/v1/inboxes/${encodeURIComponent(row.id)}`, { method: "PATCH", body: { asks_rating: asks } });
    } catch (error) {
      show(!asks);
      notify(said(error), { tone: "danger" });
    }
  };
  return (
    <main className="page" id="main" data-testid="inboxes">
      <header className="head">
        <h1>{t("page.inboxes")}</h1>
      </header>
      <div className="cols cols-one">
        <div tabIndex={0} role="region" aria-label={t("page.inboxes")}>
          {failure ? <p className="strip is-danger" role="alert"><Icon name="warn" />{failure}</p> : null}
          {rows === null && !failure ? <p className="strip" role="status"><Icon name="spin" spin />{t("inboxes.loading")}</p> : null}
          {rows?.length === 0 ? <p className="strip">{t("inboxes.none")}</p> : null}
          {rows?.length ? (
            <table className="tbl inboxes">
              <thead>
                <tr><th scope="col">{t("inboxes.name")}</th><th scope="col">{t("inboxes.sites")}</th><th scope="col">{t("inboxes.languages")}</th><th scope="col">{t("inboxes.rating")}</th><th scope="col">{t("inboxes.prechat")}</th></tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.id} data-inbox={row.id}>
                    <th scope="row">{row.name} <small className="subtle">{row.id}</small></th>
                    <td>{row.origins.join(", ") || t("inboxes.any_site")}</td>
                    <td>{row.languages.join(", ")}</td>
                    <td>
                      <label className="switch">
                        <input type="checkbox" role="switch" checked={row.asks_rating} aria-label={t("inboxes.asks", { name: row.name })} onChange={(event) => void change(row, event.target.checked)} data-testid="asks-rating" />
                        <span>{t(row.asks_rating ? "inboxes.on" : "inboxes.off")}</span>
                      </label>
                    </td>
                    <td>
                      <button type="button" className="btn btn-sm" aria-label={t("inboxes.prechat_edit", { name: row.name })} onClick={() => setEdited(row)} data-testid="prechat-edit">
                        {row.prechat ? t("inboxes.prechat_asks", { count: Object.keys(row.prechat.properties).length }) : t("inboxes.prechat_none")}
                        <Icon name="pen" size="xs" />
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : null}
          <p className="help">{t("inboxes.help")}</p>
          <p className="help">{t("inboxes.prechat_help")}</p>
          {edited ? (
            <PrechatDialog inbox={edited} onClose={() => setEdited(null)}
              onSaved={(prechat) => setRows((all) => all && all.map((one) => (one.id === edited.id ? { ...one, prechat } : one)))} />
          ) : null}
        </div>
      </div>
    </main>
  );
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
