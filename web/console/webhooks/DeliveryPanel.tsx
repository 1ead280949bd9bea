/** One delivery: what was sent, and at each attempt what came back. */

import { faults, useAsked } from "../adapters/asked";
import { Failure } from "../adapters/parts";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { openConversation } from "../route";
import { shortTime } from "../shortTime";
import { type Attempt, type DeliveryPage, LOOK, at } from "./asked";

const EVERY_MS = 3000;

export function DeliveryPanel({ subscription, id, isOn, onChanged }: { subscription: string; id: string; isOn: boolean; onChanged(): void }) {
  const t = useT();
  const desk = useDesk();
  const path = at(subscription, `/deliveries/${encodeURIComponent(id)}`);
  const { value, failure, again } = useAsked<DeliveryPage>(path, EVERY_MS);
  const replay = async () => {
    try {
      await desk.api.call(`${path}/replay`, { method: "POST", body: {} });
    } catch (error) {
      notify(faults(error)[0] ?? "", { tone: "danger" });
    }
    await again();
    onChanged();
  };
  const of = value?.conversation;
  return (
    <aside className="inspect hook" aria-label={t("webhooks.delivery")} data-testid="delivery">
      <Failure text={failure} />
      {value ? (
        <>
          <header>
            <div className="app-id">
              <h2 className="strong trunc grow mono">{value.kind}</h2>
              <span className={`chip${LOOK[value.state].tone}`}><Icon name={LOOK[value.state].icon} />{t(`webhooks.${value.state}`)}</span>
            </div>
            <p className="help mono">{value.id}</p>
            <div className="deeds">
              {value.state === "waiting" ? null : <button type="button" className="btn btn-sm" disabled={!isOn} onClick={() => void replay()} data-testid="delivery-replay"><Icon name="refresh" />{t("webhooks.replay")}</button>}
              {of ? <button type="button" className="btn btn-sm" onClick={() => openConversation(of, "all")}>{t("attention.conversation")}</button> : null}
            </div>
          </header>
          <section aria-label={t("webhooks.request")}>
            <h3>{t("webhooks.request")}</h3>
            <p className="mono hook-line">{`POST ${value.url}`}</p>
            {value.tried[0] ? <Headers of={value.tried[0].request} label={t("webhooks.request_headers")} /> : null}
            <pre className="code" tabIndex={0} aria-label={t("webhooks.body")} data-testid="delivery-body">{pretty(value.body)}</pre>
            <p className="help">{t("webhooks.recipe")}</p>
          </section>
          <section aria-label={t("webhooks.attempts")}>
            <h3>{t("webhooks.attempts")}</h3>
            {value.tried.length ? value.tried.map((one) => <Tried key={one.n} one={one} isLast={one === value.tried[0]} />) : <p className="muted">{t("webhooks.not_yet")}</p>}
          </section>
        </>
      ) : null}
    </aside>
  );
}

function Tried({ one, isLast }: { one: Attempt; isLast: boolean }) {
  const t = useT();
  const { format } = useTexts();
  const said = one.error ? t(`webhooks.error_${one.error}`) : t("webhooks.done");
  return (
    <details className="tried" open={isLast} data-attempt={one.n}>
      <summary>
        <Icon name={one.error ? "x" : "check"} />
        <span className="grow">{[t("webhooks.attempt", { number: one.n }), one.status, said].filter(Boolean).join(" \u00b7 ")}</span>
        <span className="subtle">{shortTime(one.ms, t, format)}</span>
      </summary>
      <p className="help"><time dateTime={one.at}>{format.dateTime(one.at)}</time></p>
      {one.status === null ? null : <Headers of={one.headers} label={t("webhooks.answer_headers")} />}
      {one.body ? <pre className="code" tabIndex={0} aria-label={t("webhooks.answer_body")}>{pretty(one.body)}</pre> : null}
    </details>
  );
}

function Headers({ of, label }: { of: Record<string, string>; label: string }) {
  return (
    <pre className="code" tabIndex={0} aria-label={label}>
      {Object.entries(of).map(([name, value]) => `${name}: ${value}`).join("\n")}
    </pre>
  );
}

/** JSON with its lines apart; whatever else it is stays as it came. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
