/** Views kept under a name: open one, keep the present one, remove one. */

import { type FormEvent, useEffect, useState } from "react";
import { ApiError, type ConversationView } from "../../kernel";
import { type Desk, deskKey } from "../desk";
import { useDesk, useT, useValue } from "../hooks";
import { notify } from "../notices";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { Menu, type MenuGroup } from "../parts/Menu";
import { type InboxRoute, address, go, inboxRoute, parse } from "../route";
import { matches, memberOf, passes } from "./views";

/** A saved view; *address* is what follows /inbox/. */
interface SavedView {
  id: string;
  name: string;
  address: string;
  shared: boolean;
  mine: boolean;
  removable: boolean;
}

const KEY = "desk:views";
const ROOT = "/console/inbox/";
const NO_DRAFTS: ReadonlyMap<string, string> = new Map();

async function load(desk: Desk): Promise<void> {
  const { views } = await desk.api.call<{ views: SavedView[] }>("/api/v1/views");
  desk.store.set(KEY, views);
}

/** What the address says about the list, and not about the open conversation. */
function addressOf(route: InboxRoute): string {
  return address({ ...route, conversation: null, column: "list", at: null }).slice(ROOT.length);
}

function routeOf(view: SavedView): InboxRoute {
  const [path, query] = view.address.split("?");
  const found = parse(ROOT + path, query ? `?${query}` : "");
  return found.page === "inbox" ? found : inboxRoute();
}

export function SavedViews({ route }: { route: InboxRoute }) {
  const t = useT();
  const desk = useDesk();
  const [isOpen, setOpen] = useState(false);
  const [isNaming, setNaming] = useState(false);
  const known = useValue<readonly SavedView[]>(KEY);
  const views = known ?? [];
  // A new snapshot drops what stood beside the old one.
  const isMissing = known === undefined;
  useEffect(() => {
    if (isMissing) void load(desk).catch(() => undefined);
  }, [desk, isMissing]);

  const here = addressOf(route);
  const current = views.find((one) => one.address === here);
  const remove = (view: SavedView) =>
    void desk.api.call(`/api/v1/views/${view.id}`, { method: "DELETE" }).then(() => load(desk)).catch(say);
  const pick = (id: string) => {
    if (id === "save") return setNaming(true);
    if (id === "remove" && current) return remove(current);
    const view = views.find((one) => one.id === id);
    if (view) go(routeOf(view));
  };
  return (
    <>
      <Menu label={current ? t("views.current", { name: current.name }) : t("views.label")} className={current ? "ib is-on" : "ib"} testId="saved-views" isOpen={isOpen} onOpenChange={setOpen}
        groups={isOpen ? groupsOf(views, current, desk, t) : [{ items: [{ id: "save", label: t("views.save") }] }]} onPick={pick}>
        <Icon name="star" />
      </Menu>
      {isNaming ? <Naming address={here} name={current?.mine ? current.name : ""} onClose={() => setNaming(false)} /> : null}
    </>
  );
}

function groupsOf(views: readonly SavedView[], current: SavedView | undefined, desk: Desk, t: ReturnType<typeof useT>): MenuGroup[] {
  const item = (view: SavedView) => ({ id: view.id, label: view.name, hint: String(countOf(desk, routeOf(view))), isOn: view === current });
  const own = views.filter((one) => one.mine).map(item);
  const shared = views.filter((one) => !one.mine).map(item);
  const acts = [
    { id: "save", label: t("views.save"), icon: "plus" as const },
    ...(current?.removable ? [{ id: "remove", label: t("views.remove", { name: current.name }), icon: "x" as const }] : []),
  ];
  return [{ title: t("views.mine"), items: own }, { title: t("views.shared"), items: shared }, { items: acts }].filter((group) => group.items.length);
}

/** How many of the conversations on this device stand in the view. */
function countOf(desk: Desk, route: InboxRoute): number {
  const drafts = desk.store.get<ReadonlyMap<string, string>>(deskKey.drafts) ?? NO_DRAFTS;
  const all = desk.store.list().map((id) => desk.store.conversation(id)).filter((one): one is ConversationView => one !== undefined);
  return all.filter((one) => memberOf(one, route.view, desk.myself) && passes(one, route.only, route.tag, drafts) && matches(one, route.q)).length;
}

function Naming({ address, name, onClose }: { address: string; name: string; onClose(): void }) {
  const t = useT();
  const desk = useDesk();
  const [text, setText] = useState(name);
  const [isShared, setShared] = useState(false);
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    desk.api.call("/api/v1/views", { method: "POST", body: { name: text.trim(), address, shared: isShared } }).then(() => load(desk)).then(onClose, say);
  };
  return (
    <Dialog title={t("views.save")} onClose={onClose} size="sm" testId="name-view"
      foot={<button type="submit" form="name-view" className="btn btn-primary" aria-disabled={!text.trim()}>{t("views.keep")}</button>}>
      <form id="name-view" onSubmit={save}>
        <div className="input">
          <Icon name="star" size="sm" />
          <input autoFocus value={text} maxLength={60} placeholder={t("views.name")} aria-label={t("views.name")} onChange={(event) => setText(event.target.value)} data-testid="view-name" />
        </div>
        <label className="views-shared">
          <input type="checkbox" checked={isShared} onChange={(event) => setShared(event.target.checked)} />
          {t("views.for_all")}
        </label>
      </form>
    </Dialog>
  );
}

function say(problem: unknown): void {
  notify(problem instanceof ApiError ? problem.message : String(problem), { tone: "danger" });
}
