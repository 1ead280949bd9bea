/** What is out of order: how bad, whom it affects, and what mends it. */

import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import type { IconName } from "../parts/icons";
import { go, openConversation } from "../route";
import { type Repair, at, faults } from "./asked";
import { Blank } from "./parts";

const LOOK: Record<Repair["severity"], { tone: string; icon: IconName }> = {
  critical: { tone: " is-danger", icon: "x" },
  warning: { tone: " is-warning", icon: "warn" },
  notice: { tone: "", icon: "info" },
};

export function Repairs({ repairs, onChanged }: { repairs: readonly Repair[] | null; onChanged(): void }) {
  const t = useT();
  if (!repairs) return <p className="sr" role="status">{t("run.loading")}</p>;
  if (!repairs.length) return <Blank title={t("adapters.all_well")} text={t("adapters.all_well_text")} />;
  return (
    <ul className="repairs" data-testid="repairs">
      {repairs.map((one) => <Row key={one.id} one={one} onChanged={onChanged} />)}
    </ul>
  );
}

function Row({ one, onChanged }: { one: Repair; onChanged(): void }) {
  const t = useT();
  const { format, say } = useTexts();
  const desk = useDesk();
  const look = LOOK[one.severity];
  const restart = async () => {
    try {
      await desk.api.call(at(one.instance, "/restart"), { method: "POST", body: {} });
    } catch (error) {
      notify(faults(error)[0] ?? "", { tone: "danger" });
    }
    onChanged();
  };
  return (
    <li className="card" data-repair={one.id} data-severity={one.severity}>
      <div className="top">
        <span className={`chip${look.tone}`}><Icon name={look.icon} />{t(`adapters.severity_${one.severity}`)}</span>
        <h2 className="grow">{say(one.what)}</h2>
        <span className="asof">{t("adapters.since", { time: format.dateTime(one.since) })}</span>
      </div>
      <dl>
        <dt>{t("adapters.affects")}</dt>
        <dd>{say(one.who)}</dd>
        <dt>{t("adapters.fix")}</dt>
        <dd>{say(one.fix)}{one.code ? <span className="subtle mono">{` ${one.code}`}</span> : null}</dd>
      </dl>
      {one.instance ? (
        <div className="deeds">
          {one.remedy === "restart" ? <button type="button" className="btn btn-sm" onClick={() => void restart()}>{t("adapters.reconnect")}</button> : null}
          {one.remedy === "settings" ? <Open one={one} section="settings" /> : null}
          {one.remedy === "events" ? <Open one={one} section="events" /> : null}
          <Open one={one} section="logs" />
        </div>
      ) : null}
      {one.remedy === "mail" ? <Mail one={one} onChanged={onChanged} /> : null}
    </li>
  );
}

function Mail({ one, onChanged }: { one: Repair; onChanged(): void }) {
  const t = useT();
  const desk = useDesk();
  const path = `/api/v1/mails/${encodeURIComponent(one.id.slice("mail:".length))}`;
  const call = async (how: () => Promise<void>) => {
    try {
      await how();
    } catch (error) {
      notify(faults(error)[0] ?? "", { tone: "danger" });
    }
    onChanged();
  };
  return (
    <div className="deeds">
      <button type="button" className="btn btn-sm" onClick={() => openConversation(one.conversation, "all")}>{t("mail.open")}</button>
      <button type="button" className="btn btn-sm" data-testid="mail-again" onClick={() => void call(() => desk.api.call(`${path}/retry`, { method: "POST", body: {} }))}>{t("mail.again")}</button>
      <button type="button" className="btn btn-sm" onClick={() => void call(() => desk.api.call(path, { method: "DELETE" }))}>{t("mail.forget")}</button>
    </div>
  );
}

function Open({ one, section }: { one: Repair; section: "settings" | "events" | "logs" }) {
  const t = useT();
  return (
    <button type="button" className="btn btn-sm" onClick={() => go({ page: "adapters", instance: one.instance, section })}>
      {t(`adapters.open_${section}`)}
    </button>
  );
}
