/** What arrived from a business system, and what an adapter did not take; dead ones can be tried again. */

import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { at, faults, useAsked } from "./asked";
import { Failure } from "./parts";

interface Arrived {
  id: string;
  at: string;
  kind: string;
  object: string;
  state: "pending" | "done" | "stale" | "dead";
  attempts: number;
  error: string;
}

const EVERY_MS = 5000;
const TONE = { pending: " is-accent", done: " is-success", stale: "", dead: " is-danger" };

export function Events({ instance }: { instance: string }) {
  const t = useT();
  const { format, say } = useTexts();
  const desk = useDesk();
  const { value, failure, again } = useAsked<{ events: Arrived[] }>(at(instance, "/events"), EVERY_MS);
  const replay = async (id: string) => {
    try {
      await desk.api.call(at(instance, "/events/replay"), { method: "POST", body: { id } });
    } catch (error) {
      notify(faults(error)[0] ?? "", { tone: "danger" });
    }
    await again();
  };
  return (
    <section aria-label={t("adapters.events")}>
      <Failure text={failure} />
      {value && !value.events.length ? <p className="muted">{t("adapters.no_events")}</p> : null}
      <ul className="arrived" data-testid="events">
        {value?.events.map((one) => (
          <li key={one.id}>
            <span className="grow trunc">
              <b className="trunc block">{`${one.kind} ${one.object}`}</b>
              <small className="subtle block">{[format.dateTime(one.at), one.attempts ? t("adapters.attempts", { count: one.attempts }) : "", say(one.error)].filter(Boolean).join(" \u00b7 ")}</small>
            </span>
            <span className={`chip${TONE[one.state]}`}>{t(`adapters.event_${one.state}`)}</span>
            {one.state === "dead" ? <button type="button" className="btn btn-sm" onClick={() => void replay(one.id)}>{t("adapters.replay")}</button> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
