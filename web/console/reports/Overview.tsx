/** The overview: the figures of the span beside those of the span before, and each day. */

import { useMemo } from "react";
import { useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { type FigureName, FIGURES, average, axis, change, rolling, shown, spent, timeAxis, valueOf } from "./numbers";
import { Plot, type Series } from "./Plot";
import type { Day, Figures, Overview as Report } from "./types";

export function Overview({ report }: { report: Report }) {
  const t = useT();
  const isEmpty = report.days.every((one) => !one.opened && !one.closed && !one.ratings && !one.backlog);
  if (isEmpty) {
    return (
      <div className="blank" data-testid="report-empty">
        <Icon name="chart" />
        <h2>{t("report.none")}</h2>
        <p>{t("report.none_hint")}</p>
      </div>
    );
  }
  return (
    <>
      <ul className="tiles">
        {FIGURES.map((name) => <Tile key={name} name={name} report={report} />)}
      </ul>
      <Plots days={report.days} />
      <Days days={report.days} hasService={report.figures.promised > 0} />
    </>
  );
}

function Tile({ name, report }: { name: FigureName; report: Report }) {
  const t = useT();
  const { format } = useTexts();
  if (name === "service" && !report.figures.promised && !report.before.promised) return null;
  const days = report.days;
  const now = name === "backlog" ? (days[days.length - 1]?.backlog ?? 0) : valueOf(name, report.figures);
  const before = name === "backlog" ? null : valueOf(name, report.before);
  return (
    <li className="tile" data-figure={name}>
      <h2 title={t(`report.${name}.what`)}>{t(`report.${name}`)}</h2>
      <p className="value">{shown(name, now, format)}</p>
      <p className="more">{more(name, report.figures, t, format)}</p>
      {before === null ? null : (
        <p className="more">
          <Change by={change(now, before)} />
          {t("report.before", { value: shown(name, before, format) })}
        </p>
      )}
    </li>
  );
}

/** What stands under a figure: how many it was measured at, and the slow end. */
function more(name: FigureName, one: Figures, t: ReturnType<typeof useT>, format: ReturnType<typeof useTexts>["format"]): string {
  if (name === "first_reply" && one.first_reply_p90_s !== null) return t("report.p90", { value: spent(one.first_reply_p90_s, format) });
  if (name === "resolution" && one.resolution_p90_s !== null) return t("report.p90", { value: spent(one.resolution_p90_s, format) });
  if (name === "service") return t("report.of", { part: format.number(one.kept), count: one.promised });
  const score = average(one);
  if (name === "csat" && score !== null) return t("report.score", { score: format.number(score, { maximumFractionDigits: 1 }), count: one.ratings });
  return "";
}

function Change({ by }: { by: number | null }) {
  const { format } = useTexts();
  if (by === null) return null;
  const text = format.number(by, { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" });
  return <span className="tag">{text}</span>;
}

function Plots({ days }: { days: readonly Day[] }) {
  const t = useT();
  const { format } = useTexts();
  const names = useMemo(() => days.map((one) => format.day(`${one.day}T12:00`)), [days, format]);
  const plots = useMemo(() => {
    const max = (values: readonly (number | null)[]) => Math.max(0, ...values.map((value) => value ?? 0));
    const opened = days.map((one) => one.opened);
    const closed = days.map((one) => one.closed);
    const backlog = days.map((one) => one.backlog);
    const reply = days.map((one) => one.first_reply_p50_s);
    const count = (value: number) => format.number(value);
    const line = (name: string, values: readonly (number | null)[], tone: Series["tone"] = "main"): Series => ({ name: t(`report.${name}`), values, tone });
    return [
      { name: "volume", ticks: axis(max([...opened, ...closed])), say: count, series: [{ ...line("opened", opened), isBars: true }, line("closed", closed, "quiet")] },
      { name: "backlog", ticks: axis(max(backlog)), say: count, series: [line("backlog", backlog)] },
      { name: "first_reply", ticks: timeAxis(max(reply)), say: (value: number) => spent(value, format), series: [line("first_reply", reply)] },
      { name: "csat_week", ticks: [0, 0.5, 1], say: (value: number) => shown("csat", value, format), series: [line("csat", rolling(days))] },
    ];
  }, [days, format, t]);
  return (
    <div className="plots">
      {plots.map(({ name, ...plot }) => <Plot key={name} title={t(`report.${name}`)} what={t(`report.${name}.what`)} days={names} {...plot} />)}
    </div>
  );
}

function Days({ days, hasService }: { days: readonly Day[]; hasService: boolean }) {
  const t = useT();
  const { format } = useTexts();
  const names = FIGURES.filter((name) => name !== "service" || hasService);
  return (
    <details className="every-day" data-testid="report-days">
      <summary>{t("report.table")}</summary>
      <div className="scroll" tabIndex={0} role="region" aria-label={t("report.table")}>
        <table className="tbl tbl-dense">
          <thead>
            <tr>
              <th scope="col">{t("report.day")}</th>
              {names.map((name) => <th key={name} scope="col" className="r" title={t(`report.${name}.what`)}>{t(`report.${name}`)}</th>)}
            </tr>
          </thead>
          <tbody>
            {[...days].reverse().map((one) => (
              <tr key={one.day}>
                <th scope="row">{format.day(`${one.day}T12:00`, "long")}</th>
                {names.map((name) => <td key={name} className="r num">{shown(name, name === "backlog" ? one.backlog : valueOf(name, one), format)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
