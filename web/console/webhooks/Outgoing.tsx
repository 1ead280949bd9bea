/** Deliveries to other systems: an endpoint, what it was told, and how each attempt went. */

import { useState } from "react";
import { Failure } from "../adapters/parts";
import { faults, useAsked } from "../adapters/asked";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { Menu } from "../parts/Menu";
import { go } from "../route";
import { shortTime } from "../shortTime";
import { type Delivery, type DeliveryState, HOME, LOOK, type Subscription, type Subscriptions, at } from "./asked";
import { DeliveryPanel } from "./DeliveryPanel";
import { EndpointDialog, RemoveDialog, SecretDialog } from "./dialogs";

const EVERY_MS = 3000;
const STATES: readonly DeliveryState[] = ["failed", "waiting", "done"];

type Open = { what: "new" } | { what: "edit" } | { what: "remove" } | { what: "secret"; name: string; secret: string };

export function Outgoing({ chosen }: { chosen: string | null }) {
  const t = useT();
  const { value, failure, again } = useAsked<Subscriptions>(HOME, EVERY_MS);
  const [open, setOpen] = useState<Open | null>(null);
  const one = value?.subscriptions.find((each) => each.id === chosen) ?? value?.subscriptions[0];
  const show = (id: string | null) => go({ page: "adapters", instance: id, tab: "webhooks" });
  const done = (next: Open | null = null) => (setOpen(next), void again());
  return (
    <>
      {one ? <Deliveries key={one.id} one={one} all={value?.subscriptions ?? []} failure={failure} onPick={show} onOpen={setOpen} onChanged={() => void again()} /> : (
        <div className="cols cols-one">
          <div tabIndex={0} role="region" aria-label={t("webhooks.out")}>
            <Failure text={failure} />
            {value ? (
              <div className="blank" data-testid="no-endpoints">
                <Icon name="ext" />
                <h2>{t("webhooks.none")}</h2>
                <p>{t("webhooks.none_text")}</p>
                <button type="button" className="btn btn-primary" onClick={() => setOpen({ what: "new" })} data-testid="endpoint-new"><Icon name="plus" />{t("webhooks.new")}</button>
              </div>
            ) : <p className="sr" role="status">{t("run.loading")}</p>}
          </div>
        </div>
      )}
      {open?.what === "new" || (open?.what === "edit" && one) ? (
        <EndpointDialog one={open.what === "edit" ? one : undefined} kinds={value?.kinds ?? []} onClose={() => setOpen(null)}
          onDone={(id, secret, name) => (done(secret ? { what: "secret", name, secret } : null), show(id))} />
      ) : null}
      {open?.what === "secret" ? <SecretDialog name={open.name} secret={open.secret} onClose={() => setOpen(null)} /> : null}
      {open?.what === "remove" && one ? <RemoveDialog one={one} onClose={() => setOpen(null)} onDone={() => (done(), show(null))} /> : null}
    </>
  );
}

interface Props {
  one: Subscription;
  all: readonly Subscription[];
  failure: string | null;
  onPick(id: string): void;
  onOpen(open: Open): void;
  onChanged(): void;
}

function Deliveries({ one, all, failure, onPick, onOpen, onChanged }: Props) {
  const t = useT();
  const { format } = useTexts();
  const desk = useDesk();
  const [state, setState] = useState<DeliveryState | "">("");
  const [chosen, setChosen] = useState<string | null>(null);
  const list = useAsked<{ deliveries: Delivery[] }>(at(one.id, `/deliveries?limit=100${state ? `&state=${state}` : ""}`), EVERY_MS);
  const refresh = () => (void list.again(), onChanged());
  const ask = async (path: string, body: unknown, method: "POST" | "PATCH" = "POST") => {
    try {
      return await desk.api.call<{ secret?: string; count?: number }>(path, { method, body });
    } catch (error) {
      notify(faults(error)[0] ?? "", { tone: "danger" });
      return null;
    } finally {
      refresh();
    }
  };
  const isOn = one.state === "active";
  const pick = async (id: string) => {
    if (id === "edit" || id === "remove") onOpen({ what: id });
    else if (id === "new") onOpen({ what: "new" });
    else if (id === "toggle") await ask(at(one.id), { active: !isOn }, "PATCH");
    else {
      const made = await ask(at(one.id, "/rotate"), {});
      if (made?.secret) onOpen({ what: "secret", name: one.name, secret: made.secret });
    }
  };
  return (
    <div className={chosen ? "cols" : "cols cols-one"}>
      <div tabIndex={0} role="region" aria-label={t("webhooks.out")}>
        <div className="toolbar hook-tools">
          <select className="input hook-pick" aria-label={t("webhooks.endpoint")} value={one.id} onChange={(event) => onPick(event.target.value)} data-testid="endpoint">
            {all.map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}
          </select>
          <select className="input hook-pick" aria-label={t("webhooks.state")} value={state} onChange={(event) => setState(event.target.value as DeliveryState | "")} data-testid="delivery-state">
            <option value="">{t("webhooks.any")}</option>
            {STATES.map((each) => <option key={each} value={each}>{t(`webhooks.${each}`)}</option>)}
          </select>
          <button type="button" className="btn" disabled={!isOn} onClick={() => void ask(at(one.id, "/test"), {})} data-testid="endpoint-test">{t("webhooks.test")}</button>
          {one.failed ? <button type="button" className="btn" disabled={!isOn} onClick={() => void ask(at(one.id, "/replay"), {})} data-testid="replay-failed"><Icon name="refresh" />{t("webhooks.replay_failed", { count: one.failed })}</button> : null}
          <Menu label={t("webhooks.more")} className="ib" placement="bottom end" testId="endpoint-more" onPick={(id) => void pick(id)} groups={[
            { items: [{ id: "new", label: t("webhooks.new"), icon: "plus" }] },
            { title: one.name, items: [
              { id: "edit", label: t("webhooks.edit"), icon: "pen" },
              { id: "rotate", label: t("webhooks.rotate"), icon: "key" },
              { id: "toggle", label: t(isOn ? "webhooks.disable" : "webhooks.enable"), icon: isOn ? "circle" : "check" },
              { id: "remove", label: t("webhooks.remove"), icon: "x" },
            ] },
          ]}><Icon name="more" /></Menu>
          <span className="sum" data-testid="endpoint-sum">{t("webhooks.sum", { done: format.number(one.done), waiting: format.number(one.waiting), failed: format.number(one.failed) })}</span>
        </div>
        <p className="help hook-url mono">{one.url}</p>
        <Failure text={failure ?? list.failure} />
        {isOn ? null : <p className="strip is-warning page-strip" data-testid="endpoint-off"><Icon name="warn" /><span>{t(`webhooks.off_${one.why || "admin"}`)}</span></p>}
        {isOn && one.failing_since ? <p className="strip is-warning page-strip"><Icon name="warn" /><span>{t("webhooks.failing", { time: format.dateTime(one.failing_since) })}</span></p> : null}
        {one.old_secret_until && Date.parse(one.old_secret_until) > Date.now() ? <p className="strip is-accent page-strip"><Icon name="key" /><span>{t("webhooks.rotating", { time: format.dateTime(one.old_secret_until) })}</span></p> : null}
        <Table rows={list.value?.deliveries ?? null} chosen={chosen} onChoose={setChosen} />
      </div>
      {chosen ? <DeliveryPanel key={chosen} subscription={one.id} id={chosen} isOn={isOn} onChanged={refresh} /> : null}
    </div>
  );
}

function Table({ rows, chosen, onChoose }: { rows: readonly Delivery[] | null; chosen: string | null; onChoose(id: string | null): void }) {
  const t = useT();
  const { format } = useTexts();
  if (!rows) return <p className="sr" role="status">{t("run.loading")}</p>;
  if (!rows.length) return <p className="muted page-strip" data-testid="no-deliveries">{t("webhooks.nothing")}</p>;
  return (
    <table className="tbl tbl-dense hook-table" data-testid="deliveries">
      <thead>
        <tr>
          <th scope="col">{t("webhooks.event")}</th>
          <th scope="col">{t("adapters.state")}</th>
          <th scope="col">{t("webhooks.when")}</th>
          <th scope="col" className="r">{t("webhooks.answer")}</th>
          <th scope="col" className="r">{t("webhooks.took")}</th>
          <th scope="col" className="r">{t("webhooks.tries")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={one.id} aria-selected={one.id === chosen} data-delivery={one.id} data-state={one.state} onClick={() => onChoose(one.id === chosen ? null : one.id)}>
            <td><button type="button" className="row-name mono">{one.kind}</button></td>
            <td>
              <span className={`chip${LOOK[one.state].tone}`}><Icon name={LOOK[one.state].icon} />{t(`webhooks.${one.state}`)}</span>
              {one.error ? <small>{t(`webhooks.error_${one.error}`)}</small> : null}
            </td>
            <td><time dateTime={one.created_at}>{format.dateTime(one.created_at)}</time>{one.next_at && one.attempts ? <small>{t("webhooks.next", { time: format.dateTime(one.next_at) })}</small> : null}</td>
            <td className="r num">{one.status ?? <span className="muted">{t("adapters.none")}</span>}</td>
            <td className="r num">{one.ms === null ? "" : shortTime(one.ms, t, format)}</td>
            <td className="r num">{format.number(one.attempts)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
