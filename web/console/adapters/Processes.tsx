/** The same adapter in each process of the hub; above them stands what they did together. */

import { useT, useTexts } from "../hooks";
import { shortTime } from "../shortTime";
import type { InProcess } from "./asked";
import { Spark, StateChip, perMinute } from "./parts";

export function Processes({ found }: { found: readonly InProcess[] }) {
  const t = useT();
  const { format, say } = useTexts();
  const time = (ms: number) => (ms ? shortTime(ms, t, format) : t("adapters.none"));
  return (
    <section aria-label={t("adapters.processes")}>
      <div className="sec-h"><h3>{t("adapters.processes")}</h3><span className="asof num">{format.number(found.length)}</span></div>
      <ul className="arrived" data-testid="processes">
        {found.map((one) => (
          <li key={one.name} data-process={one.name} data-gone={one.gone}>
            <span className="grow trunc">
              <b className="mono trunc block">{one.name}</b>
              <small className="subtle block">
                {[
                  one.here ? t("adapters.process_here") : one.gone ? t("adapters.process_gone", { time: format.dateTime(one.at) }) : "",
                  t("adapters.process_calls", { calls: format.number(one.calls), errors: format.number(one.errors), time: time(one.p95_ms) }),
                  one.breaker === "closed" ? "" : t("adapters.process_breaker", { state: t(`adapters.breaker_${one.breaker}`) }),
                ].filter(Boolean).join(" \u00b7 ")}
              </small>
              {one.text && !one.gone ? <small className="block">{say(one.text)}</small> : null}
              <Spark values={perMinute(one.samples, (each) => each.calls)} label={t("adapters.process_plot", { name: one.name, count: format.number(one.calls) })} />
            </span>
            {one.gone ? <span className="chip">{t("adapters.process_ended")}</span> : <StateChip state={one.state} />}
          </li>
        ))}
      </ul>
    </section>
  );
}
