/** The right column: the customer, and one panel per system. Each fails alone. */

import { useEffect, useMemo, useRef, useState } from "react";
import type { ConversationView } from "../../kernel";
import { type PanelsState, deskKey } from "../desk";
import { useDesk, usePanels, useT, useValue } from "../hooks";
import { register } from "../keys";
import { Icon } from "../parts/Icon";
import { go, inboxRoute } from "../route";
import { CustomerBlock } from "./CustomerBlock";
import { Explain } from "./Explain";
import { PanelView } from "./PanelView";
import { Prechat } from "./Prechat";

/** Panels that come sooner never show a skeleton. */
const SKELETON_MS = 150;

export function ContextColumn({ view }: { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const panels = desk.sortPanels(usePanels(view.id));
  const state = useValue<PanelsState>(deskKey.panelsAt(view.id));
  const column = useRef<HTMLElement>(null);
  const isSlow = useDelayed(state?.isLoading === true && panels.length === 0, SKELETON_MS);
  usePanelKeys(column, panels.length);
  return (
    <aside className="side" aria-label={t("context.label")} ref={column} data-testid="context">
      <header className="head">
        <button type="button" className="ib back" aria-label={t("context.back")} title={t("context.back")} onClick={() => go(inboxRoute({ column: "conversation" }))}>
          <Icon name="left" size="lg" />
        </button>
        <h2 className="grow">{t("context.customer")}</h2>
        {view.customer ? (
          <button type="button" className="btn btn-quiet btn-sm" onClick={() => go({ page: "customers", customer: view.customer!.id, q: "" })} data-testid="open-profile">
            {t("context.profile")}
            <Icon name="ext" size="xs" />
          </button>
        ) : null}
        <button type="button" className="ib" aria-label={t("context.refresh")} title={t("context.refresh")} onClick={() => void desk.fetchPanels(view.id, true)} data-testid="refresh-all">
          <Icon name="refresh" size="sm" spin={state?.isLoading === true && panels.length > 0} />
        </button>
      </header>
      <CustomerBlock view={view} />
      <Prechat view={view} />
      {isSlow ? <Skeleton /> : null}
      {state?.error && !panels.length ? <Unreachable text={state.error} onRetry={() => void desk.fetchPanels(view.id, false)} /> : null}
      {panels.map((panel, at) => (
        <PanelView key={panel.instance} panel={panel} view={view} number={at + 1} />
      ))}
      <Explain panels={panels} />
    </aside>
  );
}

function Unreachable({ text, onRetry }: { text: string; onRetry(): void }) {
  const t = useT();
  return (
    <section className="panel">
      <div className="panel-body panel-body-top">
        <p className="strip is-warning"><Icon name="warn" /><span>{t("panel.none_reached", { text })}</span></p>
        <div className="acts"><button type="button" className="btn btn-sm" onClick={onRetry}>{t("panel.retry")}</button></div>
      </div>
    </section>
  );
}

function Skeleton() {
  return (
    <div className="skeleton-panels" aria-hidden="true">
      {[0, 1, 2].map((at) => (
        <div key={at}><i /><b /><b /></div>
      ))}
    </div>
  );
}

/** True once *value* has been true for *ms*. */
function useDelayed(value: boolean, ms: number): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!value) return setLate(false);
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return value && isLate;
}

function usePanelKeys(column: { readonly current: HTMLElement | null }, count: number): void {
  const numbers = useMemo(() => Array.from({ length: Math.min(9, count) }, (_, at) => at + 1), [count]);
  useEffect(() => {
    if (!numbers.length) return;
    const focus = (number: number) => {
      const panel = column.current?.querySelectorAll<HTMLElement>(".panel")[number - 1];
      const head = panel?.querySelector<HTMLElement>("h3 button");
      if (!head) return false;
      if (matchMedia("(max-width: 1180px)").matches) go(inboxRoute({ column: "context" }));
      panel!.scrollIntoView({ block: "nearest" });
      head.focus();
    };
    return register([
      {
        id: "panels", keys: numbers.join("|"), name: "keys.panels", group: "panels", keyOnly: true,
        run: (event) => focus(Number(event.code.replace("Digit", "")) || Number(event.key)),
      },
    ]);
  }, [column, numbers]);
}
