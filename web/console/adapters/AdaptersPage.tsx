/** The adapters: what runs, what there is, what is out of order. For those who look after them. */

import { useMemo, useState } from "react";
import { useDesk, useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { ADAPTER_TABS, type AdapterTab, type Section, go } from "../route";
import { shortTime } from "../shortTime";
import { type AdapterState, LOOK, type Repair, useAsked } from "./asked";
import { Inspector } from "./Inspector";
import { Market } from "./Market";
import { AppId, Blank, Failure, StateChip } from "./parts";
import { Incoming } from "../webhooks/Incoming";
import { Outgoing } from "../webhooks/Outgoing";
import { Repairs } from "./Repairs";

const EVERY_MS = 5000;

interface Props {
  instance: string | null;
  tab: AdapterTab;
  section: Section;
}

export default function AdaptersPage({ instance, tab, section }: Props) {
  const t = useT();
  const desk = useDesk();
  const isAdmin = desk.me.role === "admin";
  const adapters = useAsked<{ adapters: AdapterState[] }>("/api/v1/adapters", EVERY_MS);
  const repairs = useRepairs(isAdmin);
  const tabs = ADAPTER_TABS.filter((one) => isAdmin || one === "installed");
  const shown = tabs.includes(tab) ? tab : "installed";
  const refresh = () => (void adapters.again(), void repairs.again());
  return (
    <main className="page" id="main">
      <header className="head">
        <h1>{t("page.adapters")}</h1>
        <nav className="tabs" aria-label={t("page.adapters")}>
          {tabs.map((one) => (
            <button key={one} type="button" className="tab" aria-current={one === shown ? "page" : undefined} data-testid={`tab-${one}`}
              onClick={() => go({ page: "adapters", instance: null, tab: one })}>
              {t(`adapters.${one}`)}
              {one === "installed" && adapters.value ? <span className="count">{adapters.value.adapters.length}</span> : null}
              {one === "repairs" && repairs.value?.length ? <span className="chip is-danger"><Icon name="warn" />{repairs.value.length}</span> : null}
            </button>
          ))}
        </nav>
      </header>
      {shown === "market" ? <Market onChanged={(one) => (refresh(), go({ page: "adapters", instance: one, section: "health" }))} /> : null}
      {shown === "webhooks" ? <Outgoing chosen={instance} /> : null}
      {shown === "arrived" ? <Incoming /> : null}
      {shown === "repairs" ? (
        <div className="cols cols-one">
          <div tabIndex={0} role="region" aria-label={t("adapters.repairs")}>
            <Failure text={repairs.failure} />
            <Repairs repairs={repairs.value} onChanged={refresh} />
          </div>
        </div>
      ) : null}
      {shown === "installed" ? <Installed adapters={adapters.value?.adapters ?? null} failure={adapters.failure} instance={instance} section={section} onChanged={refresh} /> : null}
    </main>
  );
}

/** Repairs are an admin's; nobody else asks for them. */
function useRepairs(isAdmin: boolean) {
  const found = useAsked<{ repairs?: Repair[] }>(isAdmin ? "/api/v1/repairs" : "/api/v1/adapters", EVERY_MS);
  return { value: found.value?.repairs ?? null, failure: found.failure, again: found.again };
}

interface InstalledProps {
  adapters: readonly AdapterState[] | null;
  failure: string | null;
  instance: string | null;
  section: Section;
  onChanged(): void;
}

function Installed({ adapters, failure, instance, section, onChanged }: InstalledProps) {
  const t = useT();
  const { format } = useTexts();
  const [filter, setFilter] = useState("");
  const shown = useMemo(
    () => (adapters ?? []).filter((one) => `${one.name} ${one.instance} ${one.adapter}`.toLowerCase().includes(filter.toLowerCase())),
    [adapters, filter],
  );
  const chosen = adapters?.find((one) => one.instance === instance);
  const up = adapters?.filter((one) => LOOK[one.state]?.tone === " is-success").length ?? 0;
  const calls = adapters?.reduce((total, one) => total + one.calls, 0) ?? 0;
  return (
    <div className={chosen ? "cols" : "cols cols-one"}>
      <div tabIndex={0} role="region" aria-label={t("adapters.installed")}>
        <div className="toolbar">
          <div className="input input-quiet">
            <Icon name="search" size="sm" />
            <input type="search" value={filter} onChange={(event) => setFilter(event.target.value)} placeholder={t("adapters.filter")} aria-label={t("adapters.filter")} />
          </div>
          <span className="sum">{adapters ? t("adapters.sum", { up, others: adapters.length - up, calls: format.number(calls) }) : ""}</span>
        </div>
        <Failure text={failure} />
        {adapters && !adapters.length ? <Blank title={t("adapters.empty")} text={t("adapters.empty_text")} /> : <Table rows={shown} chosen={instance} section={section} />}
      </div>
      {chosen ? <Inspector key={chosen.instance} one={chosen} section={section} onChanged={onChanged} /> : null}
    </div>
  );
}

function Table({ rows, chosen, section }: { rows: readonly AdapterState[]; chosen: string | null; section: Section }) {
  const t = useT();
  const { format, say } = useTexts();
  return (
    <table className="tbl" data-testid="adapters">
      <thead>
        <tr>
          <th scope="col">{t("adapters.adapter")}</th>
          <th scope="col">{t("adapters.state")}</th>
          <th scope="col" className="r">{t("adapters.p95")}</th>
          <th scope="col" className="r">{t("adapters.calls")}</th>
          <th scope="col" className="r">{t("adapters.errors")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={one.instance} aria-selected={one.instance === chosen} data-instance={one.instance} data-state={one.state}
            onClick={() => go({ page: "adapters", instance: one.instance === chosen ? null : one.instance, section })}>
            <td>
              <AppId icon={one.adapter} name={<button type="button" className="row-name">{say(one.name)}</button>} sub={[one.instance, one.version].filter(Boolean).join(" \u00b7 ")} />
            </td>
            <td><StateChip state={one.state} />{one.text ? <small>{say(one.text)}</small> : null}</td>
            <td className="r">{one.p95_ms ? shortTime(one.p95_ms, t, format) : <span className="muted">{t("adapters.none")}</span>}</td>
            <td className="r num">{format.number(one.calls)}</td>
            <td className={one.errors ? "r num t-danger" : "r num"}>{format.number(one.errors)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
