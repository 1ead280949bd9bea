/** One run in full: what is true, every step, every attempt with its answer, who decided what. */

import { useEffect, useState } from "react";
import type { Agent, Audit, RunAttempt, RunStep, RunView } from "../../kernel";
import { RunChip, Segments, segmentsOf } from "../conversation/RunCard";
import { Clock, Mark } from "../actions/RunDialog";
import { openRun } from "../actions/host";
import { said } from "../actions/ActionDialog";
import { useDesk, useRun, useT, useTexts } from "../hooks";
import { objectName } from "../inbox/Row";
import { Icon } from "../parts/Icon";
import { go, openConversation } from "../route";
import { shortTime } from "../shortTime";

const LOOK_MS = 3000;

export default function RunPage({ id }: { id: string }) {
  const t = useT();
  const { say } = useTexts();
  const live = useRun(id);
  const { run, failure } = useDetails(id, live);
  return (
    <main className="page" id="main" data-testid="run-detail" data-state={run?.state}>
      <header className="head">
        <button type="button" className="ib" aria-label={t("run.to_list")} title={t("run.to_list")} onClick={() => go({ page: "attention", tab: "recent" })}>
          <Icon name="left" size="lg" />
        </button>
        <h1>{run ? say(run.title) : t("run.loading")}</h1>
        {run ? <RunChip run={run} segments={segmentsOf(run)} /> : null}
        <span className="grow" />
        {run ? <Clock run={run} /> : null}
        {run && !run.object.startsWith("conversation:") ? <button type="button" className="btn btn-sm" onClick={() => go({ page: "compare", object: run.object, conversation: run.conversation })} data-testid="run-compare">{t("compare.menu")}</button> : null}
        {run?.conversation ? <button type="button" className="btn btn-sm" onClick={() => openConversation(run.conversation, "all")}>{t("attention.conversation")}</button> : null}
        {run?.choices.length ? <button type="button" className="btn btn-sm btn-primary" onClick={() => openRun(run.id)} data-testid="decide">{t("attention.decide")}</button> : null}
      </header>
      {failure && !run ? <p className="strip is-danger page-strip" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p> : null}
      {run ? <Body run={run} /> : null}
    </main>
  );
}

/** The run with everything the hub keeps about it; asked again when the stream says it moved. */
function useDetails(id: string, live: RunView | undefined) {
  const desk = useDesk();
  const [run, setRun] = useState<RunView | undefined>(live);
  const [failure, setFailure] = useState<string | null>(null);
  const isMoving = !run || ["running", "compensating"].includes(run.state);
  const moved = `${live?.state ?? ""} ${live?.steps.map((step) => step.state).join()}`;
  useEffect(() => {
    let isCurrent = true;
    const look = () =>
      desk.api.call<RunView>(`/api/v1/runs/${id}`).then(
        (found) => isCurrent && (setFailure(null), setRun(found)),
        (error: unknown) => isCurrent && setFailure(said(error)),
      );
    void look();
    const timer = isMoving ? setInterval(() => void look(), LOOK_MS) : undefined;
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, [desk, id, isMoving, moved]);
  return { run, failure };
}

function Body({ run }: { run: RunView }) {
  const t = useT();
  const { say } = useTexts();
  return (
    <div className="cols run-cols">
      <div className="run-main" tabIndex={0} role="region" aria-label={t("run.steps")}>
        <p className="truth" data-testid="run-sentence">{say(run.sentence)}</p>
        <Segments segments={segmentsOf(run)} />
        <ol className="run-steps">
          {run.steps.map((step, at) => (
            <Step key={step.id} step={step} number={at + 1} />
          ))}
        </ol>
      </div>
      <aside className="inspect" aria-label={t("run.facts")}>
        <Facts run={run} />
        <Trail entries={useTrail(run)} />
      </aside>
    </div>
  );
}

function Step({ step, number }: { step: RunStep; number: number }) {
  const t = useT();
  const { format, say } = useTexts();
  const spent = step.attempts.reduce((sum, one) => sum + one.ms, 0);
  return (
    <li className="run-step" data-step={step.id} data-state={step.state}>
      <header>
        <Mark step={step} number={number} />
        <h2>{say(step.system)}</h2>
        <span className="trunc">{say(step.result || step.title)}</span>
        <span className="grow" />
        <span className="subtle num">{[t(`step.${step.state}`), spent ? shortTime(spent, t, format) : ""].filter(Boolean).join(" \u00b7 ")}</span>
      </header>
      {step.attempts.length ? <Attempts attempts={step.attempts} label={t("run.attempts_of", { n: number, system: say(step.system) })} /> : <p className="subtle run-none">{t("run.no_attempt")}</p>}
    </li>
  );
}

function Attempts({ attempts, label }: { attempts: readonly RunAttempt[]; label: string }) {
  const t = useT();
  const { format, say } = useTexts();
  return (
    <div className="tbl-scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="tbl tbl-tight">
        <colgroup><col className="c-at" /><col className="c-call" /><col /><col className="c-req" /><col className="c-ms" /></colgroup>
        <thead className="sr">
          <tr>
            <th scope="col">{t("run.at")}</th>
            <th scope="col">{t("run.call")}</th>
            <th scope="col">{t("run.answer")}</th>
            <th scope="col">{t("run.request")}</th>
            <th scope="col" className="r">{t("run.took")}</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((one, at) => (
            <tr key={at} data-ok={one.ok}>
              <td className="num"><time dateTime={one.at} title={format.dateTime(one.at)}>{format.time(one.at)}</time></td>
              <td>{one.what ? t(`attempt.${one.what}`) : t("attempt.do")}</td>
              <td className={one.ok ? "wrap" : "wrap t-danger"}>
                <span className="ans"><Icon name={one.ok ? "check" : "warn"} size="sm" />{[one.ok ? "" : one.code, say(one.text)].filter(Boolean).join(" \u00b7 ") || t("run.accepted")}</span>
              </td>
              <td className="mono">{one.key ?? ""}</td>
              <td className="r num">{shortTime(one.ms, t, format)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Facts({ run }: { run: RunView }) {
  const t = useT();
  const { format } = useTexts();
  const name = useDesk().store.conversation(run.conversation)?.name;
  return (
    <section>
      <h2>{t("run.facts")}</h2>
      <dl className="facts">
        <div><dt>{t("run.about")}</dt><dd>{objectName(run.object)}</dd></div>
        {name ? <div><dt>{t("context.customer")}</dt><dd>{name}</dd></div> : null}
        {run.amount ? <div><dt>{t("run.amount")}</dt><dd className="num">{format.money(run.amount.money, run.amount.currency)}</dd></div> : null}
        <div><dt>{t("run.who")}</dt><dd>{run.started_by.name}</dd></div>
        {run.approved_by ? <div><dt>{t("run.approved_by")}</dt><dd>{run.approved_by.name}</dd></div> : null}
        <div><dt>{t("attention.since")}</dt><dd><time dateTime={run.started_at}>{format.dateTime(run.started_at)}</time></dd></div>
        {run.ended_at ? <div><dt>{t("run.ended")}</dt><dd><time dateTime={run.ended_at}>{format.dateTime(run.ended_at)}</time></dd></div> : null}
        {run.digest ? <div><dt>{t("run.digest")}</dt><dd className="mono trunc" title={run.digest}>{run.digest.replace("sha256:", "").slice(0, 16)}</dd></div> : null}
        <div><dt>{t("run.id")}</dt><dd className="mono trunc" title={run.id}>{run.id}</dd></div>
      </dl>
    </section>
  );
}

/** The audit rows of this run, for those who may read them. */
function useTrail(run: RunView): readonly Audit[] {
  const desk = useDesk();
  const [rows, setRows] = useState<readonly Audit[]>([]);
  const agents = desk.agents();
  useEffect(() => {
    if (!desk.mayApprove) return;
    let isCurrent = true;
    const query = new URLSearchParams({ object: run.object });
    desk.api.call<{ rows: AuditRow[] }>(`/api/v1/audit?${query}`).then(
      (found) => isCurrent && setRows(found.rows.filter((row) => !row.data["run"] || row.data["run"] === run.id).map((row) => told(row, agents)).reverse()),
      () => undefined,
    );
    return () => void (isCurrent = false);
  }, [desk, run.object, run.id, run.state]); // eslint-disable-line
  return rows;
}

interface AuditRow {
  at: string;
  actor: string;
  what: string;
  data: Record<string, unknown>;
}

function told(row: AuditRow, agents: readonly Agent[]): Audit {
  const name = agents.find((one) => row.actor.endsWith(one.id))?.name ?? row.actor.replace(/^\w+:/, "");
  const reason = row.data["reason"];
  return { at: row.at, by: row.actor, name, what: row.what, ...(reason ? { reason: String(reason) } : {}) };
}

function Trail({ entries }: { entries: readonly Audit[] }) {
  const t = useT();
  const { format } = useTexts();
  if (!entries.length) return null;
  return (
    <section>
      <h2>{t("run.audit")}</h2>
      <ol className="trail" data-testid="audit">
        {entries.map((one, at) => (
          <li key={at}>
            <time className="subtle num" dateTime={one.at} title={format.dateTime(one.at)}>{format.time(one.at)}</time>
            <span>
              <b>{one.name || one.by}</b> {auditText(one.what, t)}
              {one.reason ? <small className="subtle">{one.reason}</small> : null}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What a row of the trail says; a kind that is not in the catalogue keeps its name. */
function auditText(what: string, t: ReturnType<typeof useT>): string {
  const name = `audit.${what.replace(/^action\./, "")}`;
  const text = t(name);
  return text === name ? what : text;
}
