/** One order in every system, side by side: what cannot all be true is marked, with the step that mends it. */

import { useCallback, useEffect, useState } from "react";
import type { Money } from "../../kernel";
import { said } from "../actions/ActionDialog";
import { openObject } from "../actions/host";
import { useDesk, useT, useTexts } from "../hooks";
import { objectName } from "../inbox/Row";
import { Icon } from "../parts/Icon";
import { openConversation } from "../route";

interface Facts {
  status?: string | null;
  paid?: Money | null;
  refunded?: Money | null;
  credited?: Money | null;
  returned?: number | null;
  cases?: string[];
}
export interface Reconciled {
  object: string;
  systems: { instance: string; system: string; state: string; error: string; facts: Facts }[];
  disagreements: { text: string; systems: string[]; mend: { type: string; object: string } | null }[];
}
const ROWS = ["status", "paid", "refunded", "credited", "returned", "cases"] as const;
type Row = (typeof ROWS)[number];

export default function Compare({ object, conversation }: { object: string; conversation: string }) {
  const t = useT();
  const { say } = useTexts();
  const desk = useDesk();
  const [found, setFound] = useState<Reconciled | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const look = useCallback(async () => {
    try {
      const query = new URLSearchParams({ conversation });
      setFound(await desk.api.call<Reconciled>(`/api/v1/orders/${encodeURIComponent(object)}/reconcile?${query}`));
      setFailure(null);
    } catch (error) {
      setFailure(said(error));
    }
  }, [desk, object, conversation]);
  useEffect(() => void look(), [look]);
  return (
    <main className="page" id="main" data-testid="compare">
      <header className="head">
        <button type="button" className="ib" aria-label={t("compare.back")} title={t("compare.back")} onClick={() => openConversation(conversation, "all")}>
          <Icon name="left" size="lg" />
        </button>
        <h1 className="trunc">{t("compare.title", { object: objectName(object) })}</h1>
        <span className="grow" />
        <button type="button" className="btn btn-sm" onClick={() => void look()} data-testid="compare-again"><Icon name="refresh" size="sm" />{t("compare.again")}</button>
      </header>
      <div className="cols cols-one">
        <div className="run-main" tabIndex={0} role="region" aria-label={t("page.compare")}>
          {failure ? <p className="strip is-danger" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p> : null}
          {found ? <Verdict found={found} conversation={conversation} /> : null}
          {found ? <Table found={found} /> : failure ? null : <p className="sr" role="status">{t("run.loading")}</p>}
        </div>
      </div>
    </main>
  );
}

function Verdict({ found, conversation }: { found: Reconciled; conversation: string }) {
  const t = useT();
  const { say } = useTexts();
  if (!found.disagreements.length) {
    const asked = found.systems.filter((one) => one.state === "ok").length;
    return <p className="truth" data-testid="compare-verdict"><Icon name="check" size="lg" /> {t("compare.agree", { count: asked })}</p>;
  }
  return (
    <ul className="verdicts" data-testid="compare-verdict">
      {found.disagreements.map((one) => (
        <li key={one.text} className="strip is-warning">
          <Icon name="warn" />
          <span className="grow">{say(one.text)}</span>
          {one.mend ? (
            <button type="button" className="btn btn-sm" onClick={() => openObject(conversation, one.mend!.type, one.mend!.object)} data-testid="mend">{t("compare.mend")}</button>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function Table({ found }: { found: Reconciled }) {
  const t = useT();
  const { say } = useTexts();
  const rows = ROWS.filter((row) => found.systems.some((one) => isTold(one.facts[row])));
  return (
    <div className="tbl-scroll tbl-framed" tabIndex={0} role="region" aria-label={t("compare.table")}>
      <table className="tbl compare">
        <thead>
          <tr>
            <th scope="col">{t("compare.what")}</th>
            {found.systems.map((one) => (
              <th key={one.instance} scope="col">{say(one.system)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              <th scope="row">{t(`compare.${row}`)}</th>
              {found.systems.map((one) => (
                <Cell key={one.instance} row={row} facts={one.facts} state={one.state} isOdd={isOdd(found, row, one.instance)} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ row, facts, state, isOdd: odd }: { row: Row; facts: Facts; state: string; isOdd: boolean }) {
  const t = useT();
  const { format, say } = useTexts();
  const value = facts[row];
  if (!isTold(value)) return <td className="subtle">{state === "ok" || row !== "status" ? "\u2014" : t("compare.silent")}</td>;
  const text = typeof value === "object" && "money" in value ? format.money(value.money, value.currency)
    : Array.isArray(value) ? value.join(", ") : typeof value === "number" ? format.number(value) : say(capital(String(value))); // prettier-ignore
  return (
    <td className={odd ? "num is-odd" : "num"} data-odd={odd || undefined}>
      {odd ? <><Icon name="warn" size="sm" /><span className="sr">{t("compare.odd")}</span> </> : null}
      {text}
    </td>
  );
}

function isTold(value: Facts[Row]): value is NonNullable<Facts[Row]> {
  return value !== null && value !== undefined && !(Array.isArray(value) && !value.length);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** True where *row* of *instance* is among what systems disagree about: their values differ. */
export function isOdd(found: Reconciled, row: Row, instance: string): boolean {
  if (row === "cases") return false;
  const involved = found.disagreements.filter((one) => one.systems.includes(instance));
  return involved.some((one) => {
    const values = found.systems.filter((other) => one.systems.includes(other.instance) && isTold(other.facts[row])).map((other) => JSON.stringify(other.facts[row]));
    return isTold(found.systems.find((other) => other.instance === instance)?.facts[row]) && new Set(values).size > 1;
  });
}
