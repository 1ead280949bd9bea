/** The adapters there are: installed ones can be set up here, others are installed on the server. */

import { useMemo, useState } from "react";
import { useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { type Offer, type Settings, type Wanted, at, useAsked } from "./asked";
import { ChangeDialog } from "./ChangeDialog";
import { Names } from "./Health";
import { AppId, Failure } from "./parts";
import { SettingsForm } from "./SettingsForm";

const EVERY_MS = 15_000;

export function Market({ onChanged }: { onChanged(instance: string): void }) {
  const t = useT();
  const { say } = useTexts();
  const [filter, setFilter] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const { value, failure, again } = useAsked<{ offers: Offer[] }>("/api/v1/market", EVERY_MS);
  const shown = useMemo(
    () => (value?.offers ?? []).filter((one) => `${one.name} ${one.id} ${say(one.summary)}`.toLowerCase().includes(filter.toLowerCase())),
    [value, filter, say],
  );
  const offer = value?.offers.find((one) => one.id === chosen);
  return (
    <div className={offer ? "cols" : "cols cols-one"}>
      <div tabIndex={0} role="region" aria-label={t("adapters.market")}>
        <div className="toolbar">
          <div className="input input-quiet">
            <Icon name="search" size="sm" />
            <input type="search" value={filter} onChange={(event) => setFilter(event.target.value)} placeholder={t("adapters.filter")} aria-label={t("adapters.filter")} />
          </div>
          <span className="sum">{value ? t("adapters.offers", { count: value.offers.length }) : ""}</span>
        </div>
        <Failure text={failure} />
        <ul className="market" data-testid="market">
          {shown.map((one) => (
            <li key={one.id} className={one.id === chosen ? "card mk on" : "card mk"} data-offer={one.id}>
              <AppId icon={one.id} isLarge name={<h2 className="strong trunc">{say(one.name)}</h2>} sub={[one.version, one.package].filter(Boolean).join(" \u00b7 ")} />
              <p className="d">{say(one.problem || one.summary)}</p>
              <div className="bot">
                <Standing one={one} />
                <button type="button" className="btn btn-sm" aria-pressed={one.id === chosen} onClick={() => setChosen(one.id === chosen ? null : one.id)}
                  aria-label={`${t(one.version === null ? "adapters.how" : "adapters.set_up")}: ${say(one.name)}`}>
                  {t(one.version === null ? "adapters.how" : "adapters.set_up")}
                </button>
              </div>
            </li>
          ))}
        </ul>
      </div>
      {offer ? <Detail key={offer.id} one={offer} onDone={(instance) => (void again(), onChanged(instance))} /> : null}
    </div>
  );
}

function Standing({ one }: { one: Offer }) {
  const t = useT();
  if (one.problem) return <span className="chip is-danger"><Icon name="x" />{t("adapters.broken")}</span>;
  if (one.version === null) return <span className="chip">{t("adapters.not_installed")}</span>;
  if (!one.instances.length) return <span className="chip is-accent">{t("adapters.not_used")}</span>;
  return <span className="chip is-success"><Icon name="check" />{t("adapters.in_use")}</span>;
}

function Detail({ one, onDone }: { one: Offer; onDone(instance: string): void }) {
  const t = useT();
  const { say } = useTexts();
  return (
    <aside className="inspect" aria-label={say(one.name)} data-testid="offer">
      <header>
        <AppId icon={one.id} isLarge name={<h2 className="strong trunc">{say(one.name)}</h2>} sub={[one.version, one.package].filter(Boolean).join(" \u00b7 ")} />
        <p className="muted">{say(one.summary)}</p>
      </header>
      {one.version === null ? (
        <section aria-label={t("adapters.how")}>
          <h3>{t("adapters.how")}</h3>
          <p className="muted">{t("adapters.how_text")}</p>
          <pre className="code" tabIndex={0}>{`pip install ${one.package}`}</pre>
        </section>
      ) : (
        <section aria-label={t("adapters.asks")}>
          <Names title={t("adapters.talks")} names={one.net} />
          <Names title={t("adapters.reads")} names={one.reads} />
          <Names title={t("adapters.writes")} names={one.writes} />
        </section>
      )}
      {one.version !== null && !one.problem ? <SetUp one={one} onDone={onDone} /> : null}
    </aside>
  );
}

/** Settings and switch of an instance; where there is one already, of that. */
function SetUp({ one, onDone }: { one: Offer; onDone(instance: string): void }) {
  const t = useT();
  const { say } = useTexts();
  const instance = one.instances[0] ?? one.id;
  const form = useAsked<Settings>(at(instance, `/settings?use=${encodeURIComponent(one.id)}`), EVERY_MS);
  const [wanted, setWanted] = useState<Wanted | null>(null);
  return (
    <section aria-label={t("adapters.settings")}>
      <Failure text={form.failure} />
      {form.value ? (
        <SettingsForm form={form.value} submit={t(form.value.enabled ? "adapters.review" : "adapters.enable")}
          onChange={(config) => setWanted({ config, enabled: true, use: one.id })} />
      ) : null}
      {wanted && form.value ? (
        <ChangeDialog instance={instance} title={t("adapters.enable_name", { name: say(one.name) })} wanted={wanted} readOnly={form.value.read_only}
          onClose={() => setWanted(null)} onDone={() => (setWanted(null), onDone(instance))} />
      ) : null}
    </section>
  );
}
