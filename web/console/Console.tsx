/** The signed-in frame: rail, the page of the address, and what floats above both. */

import { Suspense, lazy, useEffect, useState } from "react";
import type { ViewCounts } from "./inbox/views";
import { ActionHost } from "./actions/host";
import { ConnectionBanner } from "./ConnectionBanner";
import { deskKey, leads } from "./desk";
import { useDesk, useRoute, useSettings, useT, useValue } from "./hooks";
import { Inbox } from "./inbox/Inbox";
import { dispatch, enableSingleKeys, register } from "./keys";
import { NoticeList } from "./parts/NoticeList";
import { showUnread } from "./notify";
import { Rail } from "./Rail";
import { go, inboxRoute, reports } from "./route";
import { change } from "./settings";

const Palette = lazy(() => import("./palette/Palette"));
const HelpSheet = lazy(() => import("./palette/HelpSheet"));
const Notifications = lazy(() => import("./pages/Notifications"));
const AdaptersPage = lazy(() => import("./adapters/AdaptersPage"));
const AttentionPage = lazy(() => import("./pages/Attention"));
const RunPage = lazy(() => import("./pages/RunPage"));
const ComparePage = lazy(() => import("./pages/Compare"));
const SearchPage = lazy(() => import("./pages/Search"));
const InboxesPage = lazy(() => import("./pages/Inboxes"));
const LivePage = lazy(() => import("./live/LivePage"));
const ReportsPage = lazy(() => import("./reports/ReportsPage"));
const CustomersPage = lazy(() => import("./pages/Customers"));

export function Console() {
  const route = useRoute();
  const settings = useSettings();
  const desk = useDesk();
  const [floating, setFloating] = useState<"palette" | "help" | "notices" | null>(null);
  useTitle();

  useEffect(() => enableSingleKeys(settings.shortcuts), [settings.shortcuts]);

  useEffect(() => {
    const listen = (event: KeyboardEvent) => void dispatch(event);
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);

  useEffect(
    () =>
      register([
        { id: "palette", keys: "Mod+K", name: "keys.palette", group: "go", anywhere: true, keyOnly: true, run: () => setFloating("palette") },
        { id: "help", keys: "?", name: "keys.help", group: "go", run: () => setFloating("help") },
        { id: "search", keys: "/", name: "keys.search", group: "go", run: () => go({ page: "search", q: "" }) },
        { id: "go-inbox", keys: "g i", name: "keys.inbox", group: "go", run: () => go(inboxRoute()) },
        { id: "go-attention", keys: "g n", name: "keys.attention", group: "go", run: () => go({ page: "attention", tab: "attention" }) },
        { id: "go-customers", keys: "g c", name: "keys.customers", group: "go", run: () => go({ page: "customers", customer: null, q: "" }) },
        { id: "go-adapters", keys: "g a", name: "keys.adapters", group: "go", run: () => go({ page: "adapters", instance: null }) },
        ...(leads(desk.me)
          ? [
              { id: "go-live", keys: "g l", name: "keys.live", group: "go" as const, run: () => go({ page: "live" }) },
              { id: "go-reports", keys: "g r", name: "keys.reports", group: "go" as const, run: () => go(reports()) },
            ]
          : []),
        ...(desk.me.role === "admin" ? [{ id: "go-inboxes", keys: "g b", name: "keys.inboxes", group: "go" as const, run: () => go({ page: "inboxes" }) }] : []),
        { id: "density", keys: "d", name: "keys.density", group: "list", run: () => change({ density: settings.density === "compact" ? "comfortable" : "compact" }) },
      ]),
    [desk, settings.density],
  );

  const column = route.page === "inbox" ? route.column : "list";
  return (
    <div className="app" data-view={column} data-page={route.page}>
      <Rail desk={desk} onHelp={() => setFloating("help")} onNotices={() => setFloating("notices")} />
      <Suspense fallback={<div className="page" />}>
        {route.page === "inbox" ? <Inbox route={route} onPalette={() => setFloating("palette")} /> : null}
        {route.page === "adapters" ? <AdaptersPage instance={route.instance} tab={route.tab ?? "installed"} section={route.section ?? "health"} /> : null}
        {route.page === "attention" ? <AttentionPage tab={route.tab} /> : null}
        {route.page === "run" ? <RunPage key={route.run} id={route.run} /> : null}
        {route.page === "compare" ? <ComparePage key={route.object} object={route.object} conversation={route.conversation} /> : null}
        {route.page === "search" ? <SearchPage q={route.q} /> : null}
        {route.page === "inboxes" ? <InboxesPage /> : null}
        {route.page === "live" ? <LivePage /> : null}
        {route.page === "reports" ? <ReportsPage route={route} /> : null}
        {route.page === "customers" ? <CustomersPage id={route.customer} q={route.q} /> : null}
      </Suspense>
      <ActionHost />
      <ConnectionBanner />
      <NoticeList />
      <Suspense fallback={null}>
        {floating === "palette" ? <Palette onClose={() => setFloating(null)} onHelp={() => setFloating("help")} /> : null}
        {floating === "notices" ? <Notifications onClose={() => setFloating(null)} /> : null}
        {floating === "help" ? <HelpSheet onClose={() => setFloating(null)} /> : null}
      </Suspense>
    </div>
  );
}

function useTitle(): void {
  const t = useT();
  const route = useRoute();
  const counts = useValue<ViewCounts>(deskKey.counts);
  const page = t(`page.${route.page}`);
  useEffect(() => showUnread(counts?.unread ?? 0, page), [counts?.unread, page]);
}
