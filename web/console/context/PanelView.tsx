/** One panel: name, freshness, refresh; every state is drawn here and never by the adapter. */

import { type ReactNode, useId, useState } from "react";
import { CardView } from "../../cards";
import type { ConversationView, Panel } from "../../kernel";
import { useCardEnv } from "../cardEnv";
import { useDesk, useNow, useSay, useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";

const CARDS_AT_FIRST = 2;

export function PanelView({ panel, view, number }: { panel: Panel; view: ConversationView; number: number }) {
  const t = useT();
  const say = useSay();
  const title = say(panel.title);
  const desk = useDesk();
  const id = useId();
  const [isOpen, setOpen] = useState(true);
  const isStale = panel.state === "stale" || (panel.state !== "ok" && panel.state !== "empty" && panel.cards.length > 0);
  const cards = forAgents(panel).length;
  const count = cards > 1 ? String(cards) : "";
  return (
    <section className={isStale ? "panel is-stale" : "panel"} aria-labelledby={`${id}-h`} data-instance={panel.instance} data-state={panel.state}>
      <header>
        <h3 id={`${id}-h`}>
          <button type="button" aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)} title={number < 10 ? `${title} (${number})` : title}>
            <Icon name="right" size="sm" />
            <span className="trunc">{title}</span>
            {count ? <small>{count}</small> : null}
            {!isOpen && panel.summary ? <small className="trunc">{say(panel.summary)}</small> : null}
          </button>
        </h3>
        <Freshness panel={panel} />
        {panel.state === "auth" ? null : (
          <button type="button" className="ib ib-sm" aria-label={t("panel.refresh", { title })} title={t("panel.refresh", { title })}
            onClick={() => void desk.fetchPanels(view.id, true)} data-testid="panel-refresh">
            <Icon name="refresh" size="sm" />
          </button>
        )}
      </header>
      <div className="panel-body" id={id} hidden={!isOpen}>
        <Problem panel={panel} isStale={isStale} onRetry={() => void desk.fetchPanels(view.id, true)} />
        <Cards panel={panel} view={view} />
      </div>
    </section>
  );
}

/** At the end of the head: how old this is, or why it cannot be newer. */
function Freshness({ panel }: { panel: Panel }) {
  const t = useT();
  const { format } = useTexts();
  useNow(30_000);
  const title = panel.at ? format.dateTime(panel.at) : undefined;
  switch (panel.state) {
    case "auth":
      return <span className="asof t-danger asof-end"><Icon name="key" size="xs" />{t("panel.auth")}</span>;
    case "stale":
      return <span className="asof t-warning" title={title}><Icon name="clock" size="xs" />{panel.at ? t("panel.stale", { time: format.time(panel.at) }) : t("panel.old")}</span>;
    case "late":
      return <span className="asof t-warning"><Icon name="clock" size="xs" />{t("panel.late")}</span>;
    case "failed":
      return <span className="asof t-danger"><Icon name="warn" size="xs" />{t("panel.failed")}</span>;
    case "busy":
      return <span className="asof t-warning"><Icon name="clock" size="xs" />{t("panel.busy")}</span>;
    default:
      return panel.at ? <time className="asof" dateTime={panel.at} title={title}>{format.relative(panel.at)}</time> : null;
  }
}

function Problem({ panel, isStale, onRetry }: { panel: Panel; isStale: boolean; onRetry(): void }) {
  const t = useT();
  const say = useSay();
  if (panel.state === "ok") return null;
  if (panel.state === "empty") return <p className="panel-note">{say(panel.summary) || t("panel.empty")}</p>;
  const text = say(panel.error?.text) || t(`panel.${panel.state}_text`, { title: say(panel.title) });
  if (isStale) return <p className="strip is-warning"><Icon name="warn" /><span>{text}</span></p>;
  const fix = say(panel.error?.fix);
  return (
    <>
      <p className="panel-note">{[text, fix].filter(Boolean).join(" ")}</p>
      {panel.error?.code && panel.state === "failed" ? <p className="panel-code mono">{panel.error.code}</p> : null}
      {panel.state === "auth" ? null : (
        <div className="acts"><button type="button" className="btn btn-sm" onClick={onRetry}>{t("panel.retry")}</button></div>
      )}
    </>
  );
}

/** What is made for the customer alone would only repeat what agents see anyway. */
function forAgents(panel: Panel): Panel["cards"] {
  return panel.cards.filter((card) => card.audience !== "customer");
}

function Cards({ panel, view }: { panel: Panel; view: ConversationView }): ReactNode {
  const t = useT();
  const env = useCardEnv(view, "panel", panel.instance);
  const [all, setAll] = useState(false);
  const cards = forAgents(panel);
  const shown = all || cards.length <= CARDS_AT_FIRST ? cards : cards.slice(0, CARDS_AT_FIRST);
  return (
    <>
      {shown.map((card) => (
        <CardView key={card.id} card={card} env={env} />
      ))}
      {shown.length < cards.length ? <button type="button" className="link show-all" onClick={() => setAll(true)}>{t("card.show_all", { n: cards.length })}</button> : null}
    </>
  );
}
