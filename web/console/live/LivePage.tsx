/** The live page: who is here, what is open, who waits, and what today brought so far. */

import { useEffect, useRef, useState } from "react";
import { key } from "../../kernel";
import { said } from "../actions/ActionDialog";
import { deskKey } from "../desk";
import { useDesk, useNow, useT, useTexts, useValue } from "../hooks";
import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { average, shown, spent, valueOf } from "../reports/numbers";
import { here } from "../reports/ranges";
import type { Live, LiveAgent } from "../reports/types";

const EVERY_MS = 10_000;
// Numbers that move more often than this cannot be read.
const PACE_MS = 1_000;

export default function LivePage() {
  const t = useT();
  const { say } = useTexts();
  const { live, failure } = useLive();
  return (
    <main className="page" id="main" data-testid="live">
      <header className="head">
        <h1>{t("page.live")}</h1>
        {live ? <span className="chip is-success" data-testid="live-online"><Icon name="users" />{t("live.online", { count: live.agents.filter(isHere).length })}</span> : null}
      </header>
      <div className="cols cols-one">
        <div tabIndex={0} role="region" aria-label={t("page.live")}>
          {failure ? <p className="strip is-danger page-strip page-strip-top" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p> : null}
          {live ? <Now live={live} /> : failure ? null : <p className="sr" role="status">{t("run.loading")}</p>}
        </div>
      </div>
    </main>
  );
}

/** What the hub says now: asked again when something happened, and from time to time. */
function useLive(): { live: Live | null; failure: string | null } {
  const desk = useDesk();
  const [live, setLive] = useState<Live | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const counts = useValue(deskKey.beat);
  const list = useValue(key.list);
  const presence = useValue(key.presence);
  const asked = useRef(0);
  const [round, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((count) => count + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    let isCurrent = true;
    const wait = Math.max(0, asked.current + PACE_MS - Date.now());
    const timer = setTimeout(() => {
      asked.current = Date.now();
      desk.api.call<Live>(`/api/v1/live?zone=${encodeURIComponent(here().zone)}`).then(
        (found) => isCurrent && (setLive(found), setFailure(null)),
        (error: unknown) => isCurrent && setFailure(said(error)),
      );
    }, wait);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [desk, counts, list, presence, round]);
  return { live, failure };
}

const isHere = (one: LiveAgent) => one.online && one.status === "online";

function Now({ live }: { live: Live }) {
  const t = useT();
  const { format } = useTexts();
  const score = average(live.today);
  return (
    <>
      <ul className="tiles">
        <Tile name="queue" value={format.number(live.queue.unassigned)} since={live.queue.unassigned_since} text="live.oldest" isAlarm={live.queue.unassigned > 0} />
        <Tile name="waiting" value={format.number(live.waiting.waiting)} since={live.waiting.waiting_since} text="live.longest" isAlarm={false} />
        <Tile name="open" value={format.number(live.open)} more={t("live.snoozed", { count: live.snoozed })} />
        <Tile name="today" value={format.number(live.today.opened)} more={t("live.closed", { count: live.today.closed })} />
        <Tile name="first_reply" value={shown("first_reply", live.today.first_reply_p50_s, format)} />
        {live.today.promised ? <Tile name="service" value={shown("service", valueOf("service", live.today), format)} /> : null}
        <Tile name="csat" value={shown("csat", valueOf("csat", live.today), format)} more={score === null ? "" : t("report.score", { score: format.number(score, { maximumFractionDigits: 1 }), count: live.today.ratings })} />
      </ul>
      <Agents agents={live.agents} />
      {live.inboxes.length > 1 ? <Inboxes live={live} /> : null}
    </>
  );
}

interface TileProps {
  name: string;
  value: string;
  more?: string;
  since?: string | null;
  text?: string;
  isAlarm?: boolean;
}

function Tile({ name, value, more, since, text, isAlarm }: TileProps) {
  const t = useT();
  return (
    <li className="tile" data-figure={name} data-alarm={isAlarm || undefined}>
      <h2 title={t(`live.${name}.what`)}>{t(`live.${name}`)}</h2>
      <p className="value">{value}</p>
      <p className="more">{since && text ? <Since since={since} text={text} /> : more}</p>
    </li>
  );
}

/** How long something lasts, moving on with the clock. */
function Since({ since, text }: { since: string; text?: string }) {
  const t = useT();
  const { format } = useTexts();
  const now = useNow(1_000);
  const value = spent(Math.max(0, (now - Date.parse(since)) / 1000), format);
  return <>{text ? t(text, { value }) : value}</>;
}

function Agents({ agents }: { agents: readonly LiveAgent[] }) {
  const t = useT();
  const rank = (one: LiveAgent) => (isHere(one) ? 0 : one.online ? 1 : one.open ? 2 : 3);
  const sorted = [...agents].sort((a, b) => rank(a) - rank(b) || b.open - a.open || a.name.localeCompare(b.name));
  return (
    <table className="tbl tbl-dense" data-testid="live-agents">
      <thead>
        <tr>
          <th scope="col">{t("report.agent")}</th>
          <th scope="col">{t("live.state")}</th>
          <th scope="col">{t("live.load")}</th>
          <th scope="col" className="r">{t("live.waiting")}</th>
          <th scope="col" className="r">{t("live.longest_head")}</th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((one) => (
          <tr key={one.agent} data-agent={one.agent}>
            <th scope="row"><span className="app-id"><Avatar name={one.name} id={one.agent} size="sm" />{one.name}</span></th>
            <td>{state(one, t)}</td>
            <td><Load one={one} /></td>
            <td className="r num">{one.waiting}</td>
            <td className="r num">{one.waiting_since ? <Since since={one.waiting_since} /> : "\u2013"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function state(one: LiveAgent, t: ReturnType<typeof useT>) {
  if (!one.online) return <span className="quiet">{t("live.off")}</span>;
  if (one.status === "away") return <span className="chip is-warning"><Icon name="moon" />{t("me.away")}</span>;
  return <span className="chip is-success"><Icon name="check" />{t("me.online")}</span>;
}

function Load({ one }: { one: LiveAgent }) {
  const t = useT();
  const share = Math.min(1, one.open / Math.max(1, one.capacity));
  return (
    <span className="load" aria-label={t("live.load_of", { open: one.open, capacity: one.capacity })} role="img">
      <span className="num">{`${one.open}/${one.capacity}`}</span>
      <span className="load-bar" data-full={share >= 1 || undefined}><i style={{ inlineSize: `${share * 100}%` }} /></span>
    </span>
  );
}

function Inboxes({ live }: { live: Live }) {
  const t = useT();
  return (
    <table className="tbl tbl-dense" data-testid="live-inboxes">
      <thead>
        <tr>
          <th scope="col">{t("report.inbox")}</th>
          <th scope="col" className="r">{t("live.open")}</th>
          <th scope="col" className="r">{t("live.queue")}</th>
          <th scope="col" className="r">{t("live.waiting")}</th>
          <th scope="col" className="r">{t("live.longest_head")}</th>
        </tr>
      </thead>
      <tbody>
        {live.inboxes.map((one) => (
          <tr key={one.inbox}>
            <th scope="row">{one.name}</th>
            <td className="r num">{one.open}</td>
            <td className="r num">{one.unassigned}</td>
            <td className="r num">{one.waiting}</td>
            <td className="r num">{one.waiting_since ? <Since since={one.waiting_since} /> : "\u2013"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
