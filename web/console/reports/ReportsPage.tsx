/** Reports: how much came, how long it took, how it was found; the same as a table and a file. */

import { useState } from "react";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { REPORTS, type ReportName, type ReportsRoute, go } from "../route";
import { Overview } from "./Overview";
import { RangePicker } from "./RangePicker";
import { here, rangeOf } from "./ranges";
import { Agents, Inboxes, Means, Ratings, Tags } from "./Tables";
import type { AgentsReport, InboxesReport, Overview as OverviewReport, RatingsReport, TagsReport } from "./types";
import { save, useReport } from "./useReport";

export default function ReportsPage({ route }: { route: ReportsRoute }) {
  const t = useT();
  const { zone, today } = here();
  const range = rangeOf(route.range, today);
  const query = new URLSearchParams({ from: range.from, to: range.to, zone, ...(route.inbox ? { inbox: route.inbox } : {}) });
  const to = (part: Partial<ReportsRoute>) => go({ ...route, ...part });
  return (
    <main className="page" id="main" data-testid="reports" data-report={route.report}>
      <header className="head">
        <h1>{t("page.reports")}</h1>
        <nav className="tabs" aria-label={t("report.lists")}>
          {REPORTS.map((one) => (
            <button key={one} type="button" className="tab" aria-current={one === route.report ? "page" : undefined} onClick={() => to({ report: one })} data-testid={`report-${one}`}>
              {t(`report.tab_${one}`)}
            </button>
          ))}
        </nav>
      </header>
      <div className="cols cols-one">
        <div tabIndex={0} role="region" aria-label={t(`report.tab_${route.report}`)}>
          <div className="toolbar report-tools">
            <RangePicker range={range} today={today} onPick={(text) => to({ range: text })} />
            <InboxPicker inbox={route.inbox} onPick={(inbox) => to({ inbox })} />
            <Save report={route.report} query={query.toString()} />
            <span className="sum">{t("report.zone", { zone })}</span>
          </div>
          <Body key={route.report} report={route.report} query={query.toString()} />
          {route.report === "ratings" ? null : <Means />}
        </div>
      </div>
    </main>
  );
}

function Body({ report, query }: { report: ReportName; query: string }) {
  const t = useT();
  const { say } = useTexts();
  const { found, path, failure, isLoading } = useReport<OverviewReport | AgentsReport | InboxesReport | RatingsReport | TagsReport>(`/api/v1/reports/${report}?${query}`);
  if (failure) return <p className="strip is-danger page-strip" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p>;
  if (!found) return <p className="sr" role="status">{t("run.loading")}</p>;
  return (
    <div className="report" aria-busy={isLoading} data-testid="report-body" data-path={path}>
      {report === "overview" ? <Overview report={found as OverviewReport} /> : null}
      {report === "agents" ? <Agents report={found as AgentsReport} /> : null}
      {report === "inboxes" ? <Inboxes report={found as InboxesReport} /> : null}
      {report === "tags" ? <Tags report={found as TagsReport} /> : null}
      {report === "ratings" ? <Ratings report={found as RatingsReport} /> : null}
    </div>
  );
}

function InboxPicker({ inbox, onPick }: { inbox: string; onPick(inbox: string): void }) {
  const t = useT();
  const desk = useDesk();
  if (desk.inboxes.length < 2) return null;
  return (
    <select className="input pick" aria-label={t("report.inbox")} value={inbox} onChange={(event) => onPick(event.target.value)} data-testid="report-inbox">
      <option value="">{t("report.inbox_all")}</option>
      {desk.inboxes.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
    </select>
  );
}

function Save({ report, query }: { report: ReportName; query: string }) {
  const t = useT();
  const desk = useDesk();
  const [isBusy, setBusy] = useState(false);
  const click = () => {
    setBusy(true);
    save(desk, `/api/v1/reports/${report}/csv?${query}`)
      .catch((error: unknown) => notify(error instanceof Error ? error.message : String(error), { tone: "danger" }))
      .finally(() => setBusy(false));
  };
  return (
    <button type="button" className="btn" disabled={isBusy} onClick={click} data-testid="report-csv">
      <Icon name="down2" />
      {t("report.csv")}
    </button>
  );
}
