/** One adapter: its state, what can be done about it, and its tabs. */

import { useState } from "react";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { SECTIONS, type Section, go } from "../route";
import { shortTime } from "../shortTime";
import { type AdapterPage, type AdapterState, type Settings, type Wanted, at, faults, useAsked } from "./asked";
import { ChangeDialog } from "./ChangeDialog";
import { Events } from "./Events";
import { Health } from "./Health";
import { Logs } from "./Logs";
import { AppId, Failure, StateChip } from "./parts";
import { SettingsForm } from "./SettingsForm";

const EVERY_MS = 5000;
const FORM_MS = 30_000;

export function Inspector({ one, section, onChanged }: { one: AdapterState; section: Section; onChanged(): void }) {
  const t = useT();
  const { format, say } = useTexts();
  const desk = useDesk();
  const isAdmin = desk.me.role === "admin";
  const page = useAsked<AdapterPage>(at(one.instance), EVERY_MS);
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const sections = SECTIONS.filter((name) => isAdmin || name === "health");
  const shown = sections.includes(section) ? section : "health";
  const refresh = () => (onChanged(), void page.again());
  return (
    <aside className="inspect" aria-label={say(one.name)} data-testid="inspector">
      <header>
        <div className="app-id">
          <AppId icon={one.adapter} isLarge name={<h2 className="strong trunc">{say(one.name)}</h2>}
            sub={[one.version, page.value ? t(`adapters.runs_${page.value.isolation}`) : ""].filter(Boolean).join(" \u00b7 ")} />
          <StateChip state={one.state} />
        </div>
        {one.text ? <p className="muted">{say(one.text)}</p> : null}
        {one.since ? <p className="help">{t("adapters.since", { time: format.dateTime(one.since) })}</p> : null}
        {isAdmin ? <Deeds one={one} onWanted={setWanted} onDone={refresh} /> : null}
      </header>
      <nav className="tabs" aria-label={say(one.name)}>
        {sections.map((name) => (
          <button key={name} type="button" className="tab" aria-current={name === shown ? "page" : undefined} data-testid={`section-${name}`}
            onClick={() => go({ page: "adapters", instance: one.instance, section: name })}>
            {t(`adapters.${name}`)}
          </button>
        ))}
      </nav>
      <Failure text={page.failure} />
      {shown === "settings" ? <SettingsSection key={one.instance} instance={one.instance} onWanted={setWanted} /> : null}
      {shown === "health" && page.value ? <Health page={page.value} /> : null}
      {shown === "logs" ? <Logs instance={one.instance} /> : null}
      {shown === "events" ? <Events instance={one.instance} /> : null}
      {wanted ? <Change instance={one.instance} name={say(one.name)} wanted={wanted} onClose={() => setWanted(null)} onDone={() => (setWanted(null), refresh())} /> : null}
    </aside>
  );
}

/** The dialog needs to know whether the file can be written before it offers to. */
function Change({ instance, name, wanted, onClose, onDone }: { instance: string; name: string; wanted: Wanted; onClose(): void; onDone(): void }) {
  const t = useT();
  const form = useAsked<Settings>(at(instance, "/settings"), FORM_MS);
  if (!form.value) return null;
  const title = wanted.enabled === undefined ? t("adapters.change", { name }) : t(wanted.enabled ? "adapters.enable_name" : "adapters.disable_name", { name });
  return <ChangeDialog instance={instance} title={title} wanted={wanted} readOnly={form.value.read_only} onClose={onClose} onDone={onDone} />;
}

function Deeds({ one, onWanted, onDone }: { one: AdapterState; onWanted(wanted: Wanted): void; onDone(): void }) {
  const t = useT();
  const { format, say } = useTexts();
  const desk = useDesk();
  const [found, setFound] = useState<{ ok: boolean; text: string; ms: number } | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isOff = one.state === "disabled";
  const ask = async (work: () => Promise<void>) => {
    setBusy(true);
    await work().catch((error: unknown) => notify(faults(error)[0] ?? "", { tone: "danger" }));
    setBusy(false);
    onDone();
  };
  const test = () => ask(async () => setFound(await desk.api.call(at(one.instance, "/test"), { method: "POST", body: {} })));
  const restart = () => ask(async () => void (await desk.api.call(at(one.instance, "/restart"), { method: "POST", body: {} })));
  const save = () =>
    ask(async () => {
      const told = await desk.api.call<unknown>(at(one.instance, "/diagnostics"));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([JSON.stringify(told, null, 2)], { type: "application/json" }));
      link.download = `deskhub-${one.instance}-diagnostics.json`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  return (
    <>
      <div className="deeds">
        {isOff ? <button type="button" className="btn btn-sm btn-primary" onClick={() => onWanted({ enabled: true })} data-testid="enable">{t("adapters.enable")}</button> : null}
        {isOff ? null : <button type="button" className="btn btn-sm" disabled={isBusy} onClick={() => void test()} data-testid="test">{t("adapters.test")}</button>}
        {isOff ? null : <button type="button" className="btn btn-sm" disabled={isBusy} onClick={() => void restart()} data-testid="reconnect">{t("adapters.reconnect")}</button>}
        {isOff ? null : <button type="button" className="btn btn-sm" onClick={() => onWanted({ enabled: false })} data-testid="disable">{t("adapters.disable")}</button>}
        <button type="button" className="btn btn-sm" disabled={isBusy} onClick={() => void save()} data-testid="diagnostics"><Icon name="down2" size="sm" />{t("adapters.diagnostics")}</button>
      </div>
      <div role="status">
        {found ? (
          <p className={found.ok ? "strip is-accent" : "strip is-danger"} data-testid="tested">
            <Icon name={found.ok ? "check" : "warn"} />
            <span>{found.ok ? t("adapters.answered", { time: shortTime(found.ms, t, format) }) : say(found.text)}</span>
          </p>
        ) : null}
      </div>
    </>
  );
}

function SettingsSection({ instance, onWanted }: { instance: string; onWanted(wanted: Wanted): void }) {
  const t = useT();
  const form = useAsked<Settings>(at(instance, "/settings"), FORM_MS);
  return (
    <section aria-label={t("adapters.settings")}>
      <Failure text={form.failure} />
      {form.value?.read_only ? <p className="strip"><Icon name="info" /><span>{t("adapters.read_only")}</span></p> : null}
      {form.value ? <SettingsForm form={form.value} submit={t("adapters.review")} onChange={(config) => onWanted({ config })} /> : null}
    </section>
  );
}
