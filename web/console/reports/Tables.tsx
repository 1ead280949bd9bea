/** Reports as tables: by agent, inbox and tag, and what customers said. */

import { useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { Score } from "../parts/Score";
import { openConversation } from "../route";
import { FIGURES, type FigureName, average, shown, valueOf } from "./numbers";
import type { AgentsReport, Figures, InboxesReport, RatingsReport, TagsReport } from "./types";

export function Agents({ report }: { report: AgentsReport }) {
  const rows = report.rows.map((one) => ({ key: one.agent, name: one.name, figures: one }));
  return <Compared rows={rows} head="report.agent" names={["closed", "first_reply", "resolution", "csat"]} withReplies />;
}

export function Inboxes({ report }: { report: InboxesReport }) {
  const rows = report.rows.map((one) => ({ key: one.inbox, name: one.name, figures: one }));
  return <Compared rows={rows} head="report.inbox" names={["opened", "closed", "first_reply", "resolution", "service", "csat"]} />;
}

export function Tags({ report }: { report: TagsReport }) {
  const t = useT();
  const rows = report.rows.map((one) => ({ key: one.tag, name: one.tag, figures: one }));
  return (
    <>
      <p className="report-note">{t("report.tags.what")}</p>
      <Compared rows={rows} head="report.tag" names={["opened", "closed", "first_reply", "resolution", "service", "csat"]} />
    </>
  );
}

interface Row {
  key: string;
  name: string;
  figures: Figures;
}

interface ComparedProps {
  rows: readonly Row[];
  head: string;
  names: readonly Exclude<FigureName, "backlog">[];
  withReplies?: boolean;
}

function Compared({ rows, head, names, withReplies }: ComparedProps) {
  const t = useT();
  const { format } = useTexts();
  if (!rows.length) return <Nothing />;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t("report.rows")}>
      <table className="tbl tbl-dense" data-testid="report-table">
        <thead>
          <tr>
            <th scope="col">{t(head)}</th>
            {withReplies ? <th scope="col" className="r" title={t("report.replies.what")}>{t("report.replies")}</th> : null}
            {names.map((name) => <th key={name} scope="col" className="r" title={t(`report.${name}.what`)}>{t(`report.${name}`)}</th>)}
            <th scope="col" className="r" title={t("report.ratings.what")}>{t("report.ratings")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, name, figures }) => (
            <tr key={key} data-row={key}>
              <th scope="row">{name}</th>
              {withReplies ? <td className="r num">{format.number(figures.replies)}</td> : null}
              {names.map((one) => <td key={one} className="r num">{shown(one, valueOf(one, figures), format)}</td>)}
              <td className="r num">{rated(figures, format)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function rated(figures: Figures, format: ReturnType<typeof useTexts>["format"]): string {
  const score = average(figures);
  return score === null ? "\u2013" : `${format.number(score, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} (${format.number(figures.ratings)})`;
}

export function Ratings({ report }: { report: RatingsReport }) {
  const t = useT();
  const { format } = useTexts();
  if (!report.rows.length) return <Nothing />;
  return (
    <table className="tbl" data-testid="report-ratings">
      <thead>
        <tr>
          <th scope="col">{t("report.rating")}</th>
          <th scope="col">{t("report.said")}</th>
          <th scope="col">{t("report.when")}</th>
          <th scope="col"><span className="sr">{t("attention.conversation")}</span></th>
        </tr>
      </thead>
      <tbody>
        {report.rows.map((one) => (
          <tr key={`${one.conversation} ${one.at}`} data-score={one.score}>
            <td><Score score={one.score} /></td>
            <td className="wrap">{one.comment ? <span dir="auto">{one.comment}</span> : <span className="quiet">{t("report.no_words")}</span>}<small>{[one.customer || t("conversation.customer"), one.agent, report.inboxes[one.inbox]].filter(Boolean).join(" \u00b7 ")}</small></td>
            <td><time dateTime={one.at}>{format.dateTime(one.at)}</time></td>
            <td className="r"><button type="button" className="btn btn-sm" onClick={() => openConversation(one.conversation, "closed")}>{t("attention.conversation")}</button></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What each figure means, in words that stay on the page. */
export function Means() {
  const t = useT();
  return (
    <details className="means" data-testid="report-means">
      <summary>{t("report.means")}</summary>
      <dl>
        {[...FIGURES, "replies", "ratings"].map((name) => (
          <div key={name}>
            <dt>{t(`report.${name}`)}</dt>
            <dd>{t(`report.${name}.what`)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Nothing() {
  const t = useT();
  return (
    <div className="blank" data-testid="report-empty">
      <Icon name="chart" />
      <h2>{t("report.none")}</h2>
      <p>{t("report.none_hint")}</p>
    </div>
  );
}
