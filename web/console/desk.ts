/** The signed-in console: one client of the hub, and what the snapshot says beside conversations. */

import {
  type Agent,
  type AgentSnapshot,
  type Approval,
  type ApprovalRequest,
  type CannedReply,
  Client,
  type Command,
  type ConversationView,
  Drafts,
  FileLinks,
  type HubEvent,
  type InboxView,
  type Panel,
  type RunView,
  browserEnv,
  idbStorage,
  key,
  newCid,
} from "../kernel";
import { deskKey, offersKey } from "./deskKeys";
import { Rest } from "./inbox/rest";
import { memberOf, memberships, sameCounts, tagsOf, type ViewCounts } from "./inbox/views";
import { loadMentions } from "./mentions";
import type { Session } from "./session";

export { deskKey, offersKey } from "./deskKeys";

const RECOUNT_MS = 50;
/** With so many, a look at each takes milliseconds: less often then. */
const MANY = 2000;
const RECOUNT_MANY_MS = 300;
const RETRY_MS = 1500;
/** The largest page that the hub gives. */
const REACH_PAGE = 200;

/** Whether *who* leads: sees reports and what goes on right now. */
export const leads = (who: Agent): boolean => who.role === "supervisor" || who.role === "admin";

/** How the panels of a conversation are coming along. */
export interface PanelsState {
  isLoading: boolean;
  since: number;
  error: string | null;
}

export class Desk {
  readonly client: Client;
  readonly drafts: Drafts;
  /** Edits that are not saved; on this device only. */
  readonly edits: Drafts;
  readonly files: FileLinks;
  me: Agent;
  inboxes: InboxView[] = [];
  private countBase: Partial<ViewCounts> = {};
  private open: string | null = null;
  private recounting: ReturnType<typeof setTimeout> | undefined;
  private panelOrder: string[] = [];
  private readonly runStates = new Map<string, RunView["state"]>();
  private readonly loading = new Map<string, Promise<void>>();
  private readonly rest: Rest;

  constructor(
    readonly session: Session,
    private readonly onEvents: (events: readonly HubEvent[]) => void,
    onFailure: (command: Command, code: string, text: string) => void,
  ) {
    this.me = session.agent!;
    const viewer = { side: "agent" as const, id: this.myself };
    this.client = new Client({
      base: location.origin,
      viewer,
      client: { name: "console", version: "1" },
      token: () => session.token(),
      refresh: () => session.renew(),
      load: (client) => this.load(client),
      storage: idbStorage(`deskhub-console-${this.me.id}`),
      onEvents: (events) => this.took(events),
      onFailure: (command, error) => onFailure(command, error.code, error.message),
    });
    this.files = new FileLinks(this.client.api);
    this.edits = new Drafts({ env: browserEnv(), storage: safeStorage(), prefix: `deskhub:${this.me.id}:edit` });
    this.rest = new Rest({ api: this.client.api, take: (views, isLast) => this.takeRest(views, isLast), fetch: (id) => this.fetchConversation(id) });
    this.drafts = new Drafts({
      env: browserEnv(),
      storage: safeStorage(),
      prefix: `deskhub:${this.me.id}`,
      save: (conversation, mode, text) =>
        session.api.call(`/api/v1/conversations/${conversation}/draft`, { method: "PUT", body: { mode, text } }),
    });
  }

  /** `agent:…`, as events name me; ids may come with their prefix already. */
  get myself(): string {
    return this.me.id.startsWith("agent:") ? this.me.id : `agent:${this.me.id}`;
  }

  get store() {
    return this.client.store;
  }

  get api() {
    return this.client.api;
  }

  async start(): Promise<void> {
    addEventListener("pagehide", () => this.drafts.flush());
    await this.client.start();
  }

  stop(): void {
    this.open = null;
    this.rest.stop();
    this.drafts.flush();
    this.client.stop();
  }

  /** The snapshot is the truth; everything before it is dropped. */
  private async load(client: Client): Promise<string> {
    const snapshot = await client.api.call<AgentSnapshot>("/api/v1/snapshot");
    const drafts = new Map<string, string>();
    // Texts of the adapters and offers of actions are no part of the log's state.
    const kept = [deskKey.texts, ...(this.open ? [offersKey(this.open)] : [])].map((name) => [name, client.store.get(name)] as const);
    client.store.clear();
    for (const [name, value] of kept) if (value !== undefined) client.store.set(name, value);
    this.me = snapshot.me;
    this.inboxes = snapshot.inboxes;
    client.store.putConversations(snapshot.conversations);
    client.store.set(deskKey.agents, snapshot.agents);
    client.store.set(deskKey.canned, snapshot.canned);
    client.store.set(deskKey.macros, snapshot.macros ?? []);
    client.store.set(deskKey.mail, snapshot.mail === true);
    client.store.set(deskKey.push, snapshot.push === true);
    client.store.set(key.presence, new Map(snapshot.online.map((who) => [who, "online"])));
    for (const draft of snapshot.drafts) {
      this.drafts.adopt(draft.conversation, draft.mode, draft.text);
      drafts.set(draft.conversation, draft.text);
      client.store.set(deskKey.draftOf(draft.conversation), draft.text);
    }
    client.store.set(deskKey.drafts, drafts);
    this.rebaseCounts(snapshot);
    void this.rest.after(snapshot.conversations);
    void this.loadRuns();
    void this.loadApprovals();
    void loadMentions(this);
    const open = this.open;
    this.open = null;
    if (open) this.look(open);
    return snapshot.cursor;
  }

  private rebaseCounts(snapshot: AgentSnapshot): void {
    const counted = memberships(snapshot.conversations, this.myself);
    // The snapshot holds the newest 500; what it could not carry is added to what we count.
    const beyond = (name: "mine" | "queue" | "snoozed" | "closed") => Math.max(0, (snapshot.counts[name] ?? 0) - counted[name]);
    this.countBase = { mine: beyond("mine"), queue: beyond("queue"), snoozed: beyond("snoozed"), closed: beyond("closed") };
    this.recount();
  }

  /** Count again soon: a burst of events is counted once. */
  private recountSoon(): void {
    this.recounting ??= setTimeout(() => {
      this.recounting = undefined;
      this.recount();
    }, this.store.list().length > MANY ? RECOUNT_MANY_MS : RECOUNT_MS);
  }

  recount(): void {
    const views = this.store.list().map((id) => this.store.conversation(id)!);
    const counts = memberships(views, this.myself);
    for (const name of ["mine", "queue", "snoozed", "closed"] as const) counts[name] += this.countBase[name] ?? 0;
    const before = this.store.get<ViewCounts>(deskKey.counts);
    if (!before || !sameCounts(before, counts)) this.store.set(deskKey.counts, counts);
    const tags = tagsOf(views);
    if (tags.join("\n") !== this.tags().join("\n")) this.store.set(deskKey.tags, tags);
    this.store.set(deskKey.beat, (this.store.get<number>(deskKey.beat) ?? 0) + 1);
  }

  tags(): readonly string[] {
    return this.store.get<readonly string[]>(deskKey.tags) ?? [];
  }

  /** Take in conversations that the snapshot did not carry; what it had counted of them is known now. */
  private takeRest(views: readonly ConversationView[], isLast: boolean): void {
    const fresh = memberships(views.filter((one) => !this.store.conversation(one.id)?.inbox), this.myself);
    this.store.putConversations(views);
    for (const name of ["mine", "queue", "snoozed"] as const) {
      this.countBase[name] = isLast ? 0 : Math.max(0, (this.countBase[name] ?? 0) - fresh[name]);
    }
    this.recountSoon();
  }

  private took(events: readonly HubEvent[]): void {
    this.recountSoon();
    for (const event of events) {
      if (event.kind === "run.changed") this.putRun(event.data["run"] as RunView);
      if (event.kind === "approval.changed") this.putApproval(event.data["approval"] as Approval & { plan: string });
      const id = event.conversation;
      // An event about a conversation that the snapshot did not carry: fetch the rest of it.
      if (id && !this.store.conversation(id)?.inbox) this.rest.want(id);
    }
    this.onEvents(events);
  }

  /** The conversation on screen; drives viewing marks and live panels. */
  look(id: string | null): void {
    if (this.open === id) return;
    if (this.open) this.client.connection.cast({ t: "open", conversation: this.open, on: false });
    this.open = id;
    if (!id) return;
    this.client.connection.cast({ t: "open", conversation: id, on: true });
    this.insist(id);
    void this.fetchPanels(id, false);
  }

  /** Load *id*; while it is on screen and cannot be had, try again. */
  private insist(id: string): void {
    this.fetchConversation(id).catch(() => setTimeout(() => this.open === id && this.insist(id), RETRY_MS));
  }

  /** Say again what is on screen: a new connection does not know. */
  lookAgain(): void {
    if (this.open) this.client.connection.cast({ t: "open", conversation: this.open, on: true });
  }

  /** Load the newest page of *id*; once, however many ask. */
  fetchConversation(id: string): Promise<void> {
    const running = this.loading.get(id);
    if (running) return running;
    const work = this.api
      .call<{ conversation: ConversationView; events: HubEvent[]; more: boolean }>(`/api/v1/conversations/${id}`)
      .then((page) => {
        this.store.putConversations([page.conversation]);
        this.store.putEvents(id, page.events, page.more);
        this.recount();
      })
      .finally(() => this.loading.delete(id));
    this.loading.set(id, work);
    return work;
  }

  /** Load what lies between the newest page and *seq*; false when it is not there. */
  async reach(id: string, seq: number): Promise<boolean> {
    await this.fetchConversation(id);
    while (this.store.timeline(id).more && (this.store.timeline(id).entries[0]?.seq ?? 0) > seq) await this.fetchOlder(id, REACH_PAGE);
    return this.store.timeline(id).entries.some((entry) => entry.seq === seq);
  }

  /** Load the page before the oldest event on screen. */
  async fetchOlder(id: string, limit = 100): Promise<void> {
    const first = this.store.timeline(id).entries[0];
    if (!first) return;
    const path = `/api/v1/conversations/${id}/messages?before=${first.seq}&limit=${limit}`;
    const page = await this.api.call<{ events: HubEvent[]; more: boolean }>(path);
    this.store.putEvents(id, page.events, page.more);
  }

  async fetchPanels(id: string, refresh: boolean): Promise<void> {
    const name = deskKey.panelsAt(id);
    this.store.set(name, { isLoading: true, since: Date.now(), error: null } satisfies PanelsState);
    try {
      const path = `/api/v1/conversations/${id}/cards?refresh=${refresh ? 1 : 0}`;
      const { cards } = await this.api.call<{ cards: Panel[] }>(path);
      this.putPanels(id, cards);
      this.store.set(name, { isLoading: false, since: 0, error: null } satisfies PanelsState);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.store.set(name, { isLoading: false, since: 0, error: text } satisfies PanelsState);
    }
  }

  /** Put panels in the hub's order; what came over the stream meanwhile may be newer. */
  private putPanels(id: string, panels: readonly Panel[]): void {
    const known = new Map(this.store.panels(id).map((panel) => [panel.instance, panel]));
    const newest = panels.map((panel) => {
      const pushed = known.get(panel.instance);
      return pushed?.at && panel.at && pushed.at > panel.at ? pushed : panel;
    });
    this.panelOrder = panels.map((panel) => panel.instance);
    this.store.set(key.panels(id), newest);
  }

  /** Panels come one by one, in any order: each goes to the place it had last time. */
  sortPanels(panels: readonly Panel[]): readonly Panel[] {
    const place = (panel: Panel) => this.panelOrder.indexOf(panel.instance) + 1 || 99;
    return [...panels].sort((a, b) => place(a) - place(b));
  }

  /** Load a page of *view* that the snapshot does not hold (closed, search). */
  async fetchView(view: string, q: string, before?: string): Promise<{ ids: string[]; more: boolean }> {
    const query = new URLSearchParams({ view, limit: "50" });
    if (q) query.set("q", q);
    if (before) query.set("before", before);
    const page = await this.api.call<{ conversations: ConversationView[]; more: boolean }>(`/api/v1/conversations?${query}`);
    this.store.putConversations(page.conversations);
    this.countBase.closed = Math.max(0, (this.countBase.closed ?? 0) - page.conversations.filter((one) => one.state === "closed").length);
    this.recount();
    return { ids: page.conversations.map((one) => one.id), more: page.more };
  }

  async loadRuns(): Promise<void> {
    try {
      const { runs } = await this.api.call<{ runs: RunView[] }>("/api/v1/runs?state=attention");
      this.store.set(deskKey.runs, runs);
      for (const run of runs) this.store.putRun(run);
    } catch {
      // Shown as none; the page for runs says what went wrong when it is opened.
    }
  }

  /** What waits for a second person; a hub without approvals leaves this undefined. */
  async loadApprovals(): Promise<void> {
    try {
      const { approvals } = await this.api.call<{ approvals: ApprovalRequest[] }>("/api/v1/approvals");
      this.store.set(deskKey.approvals, approvals);
    } catch {
      // No approvals in this hub, or none that I may see.
    }
  }

  private putApproval(approval: Approval & { plan: string }): void {
    this.store.set(deskKey.approvalOf(approval.plan), approval);
    void this.loadApprovals();
  }

  /** Requests that I could decide: not my own. */
  toApprove(): readonly ApprovalRequest[] {
    const all = this.store.get<readonly ApprovalRequest[]>(deskKey.approvals) ?? [];
    return this.mayApprove ? all.filter((one) => one.asker.id !== this.me.id) : [];
  }

  get mayApprove(): boolean {
    return this.me.role === "admin" || this.me.role === "supervisor";
  }

  putRun(run: RunView): void {
    const before = this.runStates.get(run.id);
    this.runStates.set(run.id, run.state);
    this.store.putRun(run);
    // What the systems say has changed with it.
    const isOver = run.state === "completed" || run.state === "compensated";
    if (isOver && before !== undefined && before !== run.state && run.conversation === this.open) void this.fetchPanels(run.conversation, true);
    const others = this.runs().filter((one) => one.id !== run.id);
    this.store.set(deskKey.runs, run.state === "attention" ? [run, ...others] : others);
  }

  runs(): readonly RunView[] {
    return this.store.get<readonly RunView[]>(deskKey.runs) ?? [];
  }

  agents(): readonly Agent[] {
    return this.store.get<readonly Agent[]>(deskKey.agents) ?? [];
  }

  canned(): readonly CannedReply[] {
    return this.store.get<readonly CannedReply[]>(deskKey.canned) ?? [];
  }

  /** Keep a draft, and its mark in the list. */
  setDraft(conversation: string, mode: "reply" | "note", text: string): void {
    this.drafts.set(conversation, text, mode);
    const marks = new Map(this.store.get<Map<string, string>>(deskKey.drafts) ?? []);
    const shown = text || this.drafts.get(conversation, mode === "reply" ? "note" : "reply");
    if ((marks.get(conversation) ?? "") === shown) return;
    this.store.set(deskKey.draftOf(conversation), shown);
    if (shown) marks.set(conversation, shown);
    else marks.delete(conversation);
    this.store.set(deskKey.drafts, marks);
  }

  /** Run a command that shows its result through its event. Raises `ApiError`. */
  async command(command: Command): Promise<void> {
    const receipt = await this.client.command({ cid: newCid(), ...command });
    if (receipt.event) {
      this.store.apply([receipt.event]);
      this.recount();
    }
  }

  /** True where *id* belongs to *view* for me. */
  isIn(view: string, id: string): boolean {
    const one = this.store.conversation(id);
    return one !== undefined && memberOf(one, view, this.myself);
  }
}

function safeStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
