/** Settings that are not saved, tried: does the far side answer with them, and if not, why and what mends it. */

import { useState } from "react";
import { useDesk, useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { shortTime } from "../shortTime";
import { type Trial, at, faults } from "./asked";

/** A process starts, asks and ends within this. */
const TRIAL_MS = 30_000;

interface Props {
  instance: string;
  use: string;
  config(): Record<string, unknown>;
  isComplete: boolean;
}

export function TrySettings({ instance, use, config, isComplete }: Props) {
  const t = useT();
  const desk = useDesk();
  const [found, setFound] = useState<Trial | null>(null);
  const [isBusy, setBusy] = useState(false);
  const test = async () => {
    setBusy(true);
    setFound(null);
    try {
      const body = { use, config: config() };
      setFound(await desk.api.call<Trial>(at(instance, "/settings/check"), { method: "POST", body, timeoutMs: TRIAL_MS }));
    } catch (error) {
      setFound({ ok: false, code: "", text: faults(error).join(" "), fix: "", ms: 0, faults: [] });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <div className="deeds">
        <button type="button" className="btn" disabled={isBusy || !isComplete} aria-busy={isBusy} onClick={() => void test()} data-testid="try">
          {t(isBusy ? "adapters.trying" : "adapters.try")}
        </button>
        <span className="help">{t("adapters.try_help")}</span>
      </div>
      <div role="status">{found ? <Outcome found={found} /> : null}</div>
    </>
  );
}

function Outcome({ found }: { found: Trial }) {
  const t = useT();
  const { format, say } = useTexts();
  if (found.ok) {
    return (
      <p className="strip is-accent" data-testid="trial" data-ok="true">
        <Icon name="check" />
        <span>{t("adapters.tried", { time: shortTime(found.ms, t, format) })}</span>
      </p>
    );
  }
  const wrong = found.faults.length ? found.faults : [found];
  return (
    <>
      {wrong.map((one) => (
        <p key={one.code + one.text} className="strip is-danger" data-testid="trial" data-ok="false">
          <Icon name="warn" />
          <span>
            {say(one.text)} {one.code ? <span className="mono">{one.code}</span> : null}
            {one.fix ? <><br />{say(one.fix)}</> : null}
          </span>
        </p>
      ))}
    </>
  );
}
