/** One customer: who they are, their conversations and actions, one merged timeline, and the systems beside it. */

import { useEffect, useState } from "react";
import type { ConversationView, Customer, HubEvent, RunView } from "../../kernel";
import { said } from "../actions/ActionDialog";
import { CustomerBlock } from "../context/CustomerBlock";
import { PanelView } from "../context/PanelView";
import { useDesk, usePanels, useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { go, openConversation } from "../route";
import { DataMenu } from "./DataMenu";
import { DataNotes, type Kept } from "./DataNotes";
import { Merged } from "./Merged";

/** Of so many conversations, the newest, the events are read for the timeline. */
const READ_AT_MOST = 5;

interface Loaded extends Kept {
  customer: Customer;
  conversations: ConversationView[];
  events: HubEvent[];
  runs: RunView[];
  isCut: boolean;
}

export function Profile({ id }: { id: string }) {
  const t = useT();
  const { say } = useTexts();
  const [readings, setReadings] = useState(0);
  const { loaded, failure } = useProfile(id, readings);
  const again = () => setReadings((count) => count + 1);
  const newest = loaded?.conversations[0];
  return (
    <main className="page" id="main" data-testid="profile">
      <header className="head">
        <button type="button" className="ib" aria-label={t("customers.to_list")} title={t("customers.to_list")} onClick={() => go({ page: "customers", customer: null, q: "" })}>
          <Icon name="left" size="lg" />
        </button>
        <h1 className="trunc">{loaded?.customer.name || t("context.customer")}</h1>
        <span className="grow" />
        {newest ? (
          <button type="button" className="btn btn-sm btn-primary" onClick={() => openConversation(newest.id, newest.state === "closed" ? "closed" : "all")} data-testid="profile-open">
            {t("customers.to_conversation")}
          </button>
        ) : null}
        {loaded && !loaded.erased && !loaded.merged_into ? <DataMenu customer={loaded.customer} onChange={again} /> : null}
      </header>
      {loaded ? <DataNotes kept={loaded} onChange={again} /> : null}
      {failure ? <p className="strip is-danger page-strip page-strip-top" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p> : null}
      {loaded ? (
        <div className="cols">
          <div className="profile-main" tabIndex={0} role="region" aria-label={loaded.customer.name || t("context.customer")}>
            <Conversations views={loaded.conversations} />
            <Merged events={loaded.events} runs={loaded.runs} isCut={loaded.isCut} />
          </div>
          {newest ? <Systems view={newest} /> : <aside className="inspect" />}
        </div>
      ) : failure ? null : <p className="sr" role="status">{t("run.loading")}</p>}
    </main>
  );
}

function useProfile(id: string, readings: number) {
  const desk = useDesk();
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const load = async () => {
      const known = await desk.api.call<Omit<Loaded, "events" | "runs" | "isCut">>(`/api/v1/customers/${encodeURIComponent(id)}`);
      const { conversations } = known;
      if (!isCurrent) return;
      setLoaded({ ...known, events: [], runs: [], isCut: false });
      const read = conversations.slice(0, READ_AT_MOST);
      const pages = await Promise.all(read.map((one) => desk.api.call<{ events: HubEvent[]; more: boolean }>(`/api/v1/conversations/${one.id}`)));
      const { runs } = await desk.api.call<{ runs: RunView[] }>(`/api/v1/runs?customer=${encodeURIComponent(id)}`);
      const own = new Set(conversations.map((one) => one.id));
      if (!isCurrent) return;
      const isCut = conversations.length > read.length || pages.some((page) => page.more);
      setLoaded({ ...known, events: pages.flatMap((page) => page.events), runs: runs.filter((run) => own.has(run.conversation)), isCut });
    };
    load().catch((error: unknown) => isCurrent && setFailure(said(error)));
    return () => void (isCurrent = false);
  }, [desk, id, readings]);
  return { loaded, failure };
}

function Conversations({ views }: { views: readonly ConversationView[] }) {
  const t = useT();
  const desk = useDesk();
  const { format } = useTexts();
  return (
    <section className="profile-block" aria-labelledby="profile-conversations">
      <h2 id="profile-conversations">{t("customers.conversations")} <span className="count">{views.length}</span></h2>
      <ul className="profile-list">
        {views.map((one) => (
          <li key={one.id}>
            <button type="button" onClick={() => openConversation(one.id, one.state === "closed" ? "closed" : "all")}>
              <span className={one.state === "open" ? "chip is-accent" : "chip"}>{t(`customers.state_${one.state}`)}</span>
              <span className="trunc grow">{one.last?.text ?? t("list.no_message")}</span>
              <small className="subtle trunc">{[desk.inboxes.find((inbox) => inbox.id === one.inbox)?.name, one.assignee?.name ?? t("assign.none")].filter(Boolean).join(" \u00b7 ")}</small>
              <time className="subtle num" dateTime={one.last_at}>{format.day(one.last_at)}</time>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The customer block and the systems' panels, as beside the newest conversation. */
function Systems({ view }: { view: ConversationView }) {
  const t = useT();
  const desk = useDesk();
  const panels = desk.sortPanels(usePanels(view.id));
  useEffect(() => {
    desk.store.putConversations([view]);
    void desk.fetchPanels(view.id, false);
  }, [desk, view]);
  return (
    <aside className="side profile-side" aria-label={t("context.label")} tabIndex={0}>
      <CustomerBlock view={view} />
      {panels.map((panel, at) => (
        <PanelView key={panel.instance} panel={panel} view={view} number={at + 1} />
      ))}
    </aside>
  );
}
