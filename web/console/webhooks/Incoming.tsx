/** What business systems reported, whichever adapter took it; given up ones can be tried again. */

import { useState } from "react";
import { at, faults, useAsked } from "../adapters/asked";
import { Failure } from "../adapters/parts";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { go } from "../route";
import type { Arrived } from "./asked";

const EVERY_MS = 3000;
const STATES = ["dead", "pending", "done", "stale"] as const;
const TONE = { pending: " is-accent", done: " is-success", stale: "", dead: " is-danger" };

export function Incoming() {
  const t = useT();
  const { format, say } = useTexts();
  const desk = useDesk();
  const [state, setState] = useState<Arrived["state"] | "">("");
  const { value, failure, again } = useAsked<{ signals: Arrived[] }>(`/api/v1/webhooks${state ? `?state=${state}` : ""}`, EVERY_MS);
  const dead = value?.signals.filter((one) => one.state === "dead") ?? [];
  const replay = async (some: readonly Arrived[]) => {
    try {
      for (const one of some) await desk.api.call(at(one.instance, "/events/replay"), { method: "POST", body: { id: one.id } });
    } catch (error) {
      notify(faults(error)[0] ?? "", { tone: "danger" });
    }
    await again();
  };
  return (
    <div className="cols cols-one">
      <div tabIndex={0} role="region" aria-label={t("webhooks.in")}>
        <div className="toolbar hook-tools">
          <select className="input hook-pick" aria-label={t("webhooks.state")} value={state} onChange={(event) => setState(event.target.value as Arrived["state"] | "")} data-testid="arrived-state">
            <option value="">{t("webhooks.any")}</option>
            {STATES.map((one) => <option key={one} value={one}>{t(`adapters.event_${one}`)}</option>)}
          </select>
          {dead.length ? <button type="button" className="btn" onClick={() => void replay(dead)} data-testid="replay-dead"><Icon name="refresh" />{t("webhooks.replay_failed", { count: dead.length })}</button> : null}
        </div>
        <Failure text={failure} />
        {value && !value.signals.length ? <p className="muted page-strip">{t("adapters.no_events")}</p> : null}
        {value?.signals.length ? (
          <table className="tbl tbl-dense hook-table" data-testid="arrived">
            <thead>
              <tr>
                <th scope="col">{t("webhooks.event")}</th>
                <th scope="col">{t("adapters.state")}</th>
                <th scope="col">{t("webhooks.when")}</th>
                <th scope="col">{t("adapters.adapter")}</th>
                <th scope="col"><span className="sr">{t("webhooks.replay")}</span></th>
              </tr>
            </thead>
            <tbody>
              {value.signals.map((one) => (
                <tr key={`${one.instance} ${one.id}`} data-signal={one.id} data-state={one.state}>
                  <td><span className="mono">{one.kind || t("webhooks.forgotten")}</span><small>{one.object}</small></td>
                  <td>
                    <span className={`chip${TONE[one.state]}`}>{t(`adapters.event_${one.state}`)}</span>
                    {one.error ? <small>{say(one.error)}</small> : null}
                  </td>
                  <td><time dateTime={one.received_at}>{format.dateTime(one.received_at)}</time>{one.attempts ? <small>{t("adapters.attempts", { count: one.attempts })}</small> : null}</td>
                  <td><button type="button" className="row-name" onClick={() => go({ page: "adapters", instance: one.instance, section: "events" })}>{one.instance}</button></td>
                  <td className="r">{one.state === "dead" ? <button type="button" className="btn btn-sm" onClick={() => void replay([one])}>{t("webhooks.replay")}</button> : null}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : null}
      </div>
    </div>
  );
}
