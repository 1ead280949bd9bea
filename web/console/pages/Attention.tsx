/** Actions across systems as lists: what needs a person, what waits, what ran. */

import { useEffect, useState } from "react";
import type { ApprovalRequest, RunView } from "../../kernel";
import { said } from "../actions/ActionDialog";
import { openRun } from "../actions/host";
import { Approvals } from "../approvals/Approvals";
import { RunChip, segmentsOf } from "../conversation/RunCard";
import { deskKey } from "../desk";
import { useDesk, useNow, useT, useTexts, useValue } from "../hooks";
import { objectName } from "../inbox/Row";
import { Icon } from "../parts/Icon";
import { type Tab, TABS, go, openConversation } from "../route";

const EVERY_MS = 10_000;

export default function AttentionPage({ tab }: { tab: Tab }) {
  const t = useT();
  const runs = useValue<readonly RunView[]>(deskKey.runs) ?? [];
  const approvals = useValue<readonly ApprovalRequest[]>(deskKey.approvals);
  const count = (one: Tab) => (one === "attention" ? runs.length : one === "approvals" ? (approvals?.length ?? 0) : 0);
  // A hub without approvals has no tab for them.
  const tabs = TABS.filter((one) => one !== "approvals" || approvals !== undefined);
  return (
    <main className="page" id="main" data-testid="attention" data-tab={tab}>
      <header className="head">
        <h1>{t("page.actions")}</h1>
        <nav className="tabs" aria-label={t("run.lists")}>
          {tabs.map((one) => (
            <button key={one} type="button" className="tab" aria-current={one === tab ? "page" : undefined} onClick={() => go({ page: "attention", tab: one })} data-testid={`runs-${one}`}>
              {t(`runs.${one}`)}
              {count(one) ? <span className="count">{count(one)}</span> : null}
            </button>
          ))}
        </nav>
      </header>
      <div className="cols cols-one">
        <div tabIndex={0} role="region" aria-label={t(`runs.${tab}`)}>
          {tab === "attention" ? <NeedsYou runs={runs} /> : tab === "approvals" ? <Approvals /> : <Listed key={tab} tab={tab} />}
        </div>
      </div>
    </main>
  );
}

function NeedsYou({ runs }: { runs: readonly RunView[] }) {
  const desk = useDesk();
  useEffect(() => void desk.loadRuns(), [desk]);
  const sorted = [...runs].sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
  return sorted.length ? <Table runs={sorted} /> : <Empty tab="attention" />;
}

/** Runs that the stream does not keep for us: asked for, and again from time to time. */
function Listed({ tab }: { tab: "waiting" | "recent" }) {
  const t = useT();
  const { say } = useTexts();
  const desk = useDesk();
  const [runs, setRuns] = useState<readonly RunView[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const look = () =>
      desk.api.call<{ runs: RunView[] }>(`/api/v1/runs${tab === "waiting" ? "?state=waiting" : ""}`).then(
        (found) => isCurrent && (setRuns(found.runs), setFailure(null)),
        (error: unknown) => isCurrent && setFailure(said(error)),
      );
    void look();
    const timer = setInterval(() => void look(), EVERY_MS);
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, [desk, tab]);
  if (failure && !runs) return <p className="strip is-danger page-strip page-strip-top" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p>;
  if (!runs) return <p className="sr" role="status">{t("run.loading")}</p>;
  return runs.length ? <Table runs={runs} /> : <Empty tab={tab} />;
}

export function Empty({ tab }: { tab: Tab }) {
  const t = useT();
  return (
    <div className="blank">
      <Icon name="check" />
      <h2>{t(tab === "attention" ? "attention.none" : `runs.none_${tab}`)}</h2>
      <p>{t(tab === "attention" ? "attention.none_hint" : `runs.none_${tab}_hint`)}</p>
    </div>
  );
}

export function Table({ runs }: { runs: readonly RunView[] }) {
  const t = useT();
  const desk = useDesk();
  const { format, say } = useTexts();
  useNow(30_000);
  return (
    <table className="tbl">
      <thead>
        <tr>
          <th scope="col">{t("attention.run")}</th>
          <th scope="col">{t("attention.what")}</th>
          <th scope="col">{t("attention.since")}</th>
          <th scope="col"><span className="sr">{t("attention.decide")}</span></th>
        </tr>
      </thead>
      <tbody>
        {runs.map((one) => (
          <tr key={one.id} data-run={one.id} data-state={one.state}>
            <td>
              <button type="button" className="row-name strong" onClick={() => go({ page: "run", run: one.id })}>{say(one.title)}</button>
              <small>{[desk.store.conversation(one.conversation)?.name, objectName(one.object), amountOf(one, format)].filter(Boolean).join(" \u00b7 ")}</small>
            </td>
            <td className="wrap">
              {one.state === "attention" ? null : <RunChip run={one} segments={segmentsOf(one)} />}
              <span className="sentence">{say(one.sentence)}</span>
            </td>
            <td><time dateTime={one.started_at} title={format.dateTime(one.started_at)}>{format.relative(one.started_at)}</time><small>{one.started_by.name}</small></td>
            <td className="r">
              <span className="acts">
                <button type="button" className="btn btn-sm" onClick={() => openConversation(one.conversation, "all")}>{t("attention.conversation")}</button>
                {one.state === "attention" ? (
                  <button type="button" className="btn btn-sm btn-primary" onClick={() => openRun(one.id)} data-testid="decide">{t("attention.decide")}</button>
                ) : (
                  <button type="button" className="btn btn-sm" onClick={() => go({ page: "run", run: one.id })} data-testid="run-details">{t("run.details")}</button>
                )}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function amountOf(run: RunView, format: ReturnType<typeof useTexts>["format"]): string {
  return run.amount ? format.money(run.amount.money, run.amount.currency) : "";
}
