/** The address holds the whole view, so that back, reload and a shared link give the same. */

export const VIEWS = ["mine", "queue", "team", "all", "snoozed", "closed"] as const;
export type View = (typeof VIEWS)[number];
export type Column = "list" | "conversation" | "context";

export type Route =
  | { page: "inbox"; view: View; conversation: string | null; column: Column; q: string; sort: Sort; only: Only | null; tag: string; at: number | null }
  | { page: "attention"; tab: Tab }
  | { page: "run"; run: string }
  | { page: "compare"; object: string; conversation: string }
  | { page: "search"; q: string }
  | { page: "live" }
  | { page: "inboxes" }
  | { page: "reports"; report: ReportName; range: string; inbox: string }
  | { page: "customers"; customer: string | null; q: string }
  | { page: "adapters"; instance: string | null; tab?: AdapterTab; section?: Section };
/** What can be reported; a range is 7, 30 or 90 days, or two days with _ between. */
export const REPORTS = ["overview", "agents", "inboxes", "tags", "ratings"] as const;
export type ReportName = (typeof REPORTS)[number];
export type ReportsRoute = Extract<Route, { page: "reports" }>;
/** What the adapters' page shows, and of one adapter. */
export const ADAPTER_TABS = ["installed", "market", "webhooks", "arrived", "repairs"] as const;
export type AdapterTab = (typeof ADAPTER_TABS)[number];
export const SECTIONS = ["health", "settings", "logs", "events"] as const;
export type Section = (typeof SECTIONS)[number];
/** Lists of actions across systems. */
export const TABS = ["attention", "approvals", "waiting", "recent"] as const;
export type Tab = (typeof TABS)[number];
export type InboxRoute = Extract<Route, { page: "inbox" }>;
export const SORTS = ["newest", "waiting", "due"] as const;
export type Sort = (typeof SORTS)[number];
/** Filters beside the words: only those who wait, are unread, or have a draft. */
export const ONLY = ["waiting", "unread", "draft"] as const;
export type Only = (typeof ONLY)[number];

const ROOT = "/console";
const listeners = new Set<() => void>();
let current: Route = parse(location.pathname, location.search);

/** Read an address; whatever is unknown leads to the inbox. */
export function parse(path: string, search: string): Route {
  const [page, first, second] = path.replace(ROOT, "").split("/").filter(Boolean).map(decodeURIComponent);
  const query = new URLSearchParams(search);
  if (page === "attention") return { page, tab: TABS.find((name) => name === first) ?? "attention" };
  if (page === "runs" && first) return { page: "run", run: first };
  if (page === "runs") return { page: "attention", tab: "recent" };
  if (page === "compare" && first) return { page, object: first, conversation: query.get("conversation") ?? "" };
  if (page === "customers") return { page, customer: first ?? null, q: query.get("q") ?? "" };
  if (page === "live" || page === "inboxes") return { page };
  if (page === "reports") return reports({ report: REPORTS.find((name) => name === first) ?? "overview", range: query.get("range") ?? "", inbox: query.get("inbox") ?? "" });
  if (page === "search") return { page, q: query.get("q") ?? "" };
  if (page === "adapters") {
    const tab = ADAPTER_TABS.find((name) => name === query.get("tab")) ?? "installed";
    return { page, instance: first ?? null, tab, section: SECTIONS.find((name) => name === query.get("section")) ?? "health" };
  }
  const view = VIEWS.find((name) => name === first) ?? "mine";
  const conversation = second ?? null;
  const asked = query.get("column");
  const column: Column = !conversation ? "list" : asked === "context" ? "context" : "conversation";
  const sort: Sort = SORTS.find((name) => name === query.get("sort")) ?? "newest";
  return { page: "inbox", view, conversation, column, q: query.get("q") ?? "", sort, only: ONLY.find((name) => name === query.get("f")) ?? null, tag: query.get("tag") ?? "", at: Number(query.get("at")) || null };
}

/** The reports, as they begin or with *part* of another place in them. */
export function reports(part: Partial<ReportsRoute> = {}): ReportsRoute {
  return { page: "reports", report: part.report ?? "overview", range: part.range || "30", inbox: part.inbox ?? "" };
}

/** Return the address of *route*. */
export function address(route: Route): string {
  if (route.page === "attention") return `${ROOT}/attention${route.tab === "attention" ? "" : `/${route.tab}`}`;
  if (route.page === "run") return `${ROOT}/runs/${encodeURIComponent(route.run)}`;
  if (route.page === "compare") return `${ROOT}/compare/${encodeURIComponent(route.object)}?conversation=${encodeURIComponent(route.conversation)}`;
  if (route.page === "customers") return `${ROOT}/customers${route.customer ? `/${encodeURIComponent(route.customer)}` : ""}${route.q ? `?q=${encodeURIComponent(route.q)}` : ""}`;
  if (route.page === "live" || route.page === "inboxes") return `${ROOT}/${route.page}`;
  if (route.page === "reports") {
    const query = new URLSearchParams({ ...(route.range === "30" ? {} : { range: route.range }), ...(route.inbox ? { inbox: route.inbox } : {}) });
    return `${ROOT}/reports/${route.report}${query.size ? `?${query}` : ""}`;
  }
  if (route.page === "search") return `${ROOT}/search${route.q ? `?q=${encodeURIComponent(route.q)}` : ""}`;
  if (route.page === "adapters") {
    const path = `${ROOT}/adapters${route.instance ? `/${encodeURIComponent(route.instance)}` : ""}`;
    if (route.tab && route.tab !== "installed") return `${path}?tab=${route.tab}`;
    return route.instance && route.section && route.section !== "health" ? `${path}?section=${route.section}` : path;
  }
  const path = `${ROOT}/inbox/${route.view}${route.conversation ? `/${encodeURIComponent(route.conversation)}` : ""}`;
  const query = new URLSearchParams();
  if (route.q) query.set("q", route.q);
  if (route.only) query.set("f", route.only);
  if (route.tag) query.set("tag", route.tag);
  if (route.sort !== "newest") query.set("sort", route.sort);
  if (route.at && route.conversation) query.set("at", String(route.at));
  if (route.column === "context") query.set("column", "context");
  return query.size ? `${path}?${query}` : path;
}

export function route(): Route {
  return current;
}

/** Go to *next*; *replace* leaves no step for the back button (typing a filter, first view). */
export function go(next: Route, replace = false): void {
  const to = address(next);
  if (to !== location.pathname + location.search) {
    if (replace) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
  }
  current = next;
  for (const tell of listeners) tell();
}

/** The inbox, as it is now or at its start. */
export function inboxRoute(part: Partial<InboxRoute> = {}): InboxRoute {
  const base: InboxRoute =
    current.page === "inbox"
      ? current
      : { page: "inbox", view: "mine", conversation: null, column: "list", q: "", sort: "newest", only: null, tag: "", at: null };
  return { ...base, ...part };
}

/** Open a conversation in the list's present view, or in *view*. */
export function openConversation(conversation: string | null, view?: View): void {
  const column = conversation ? "conversation" : "list";
  go(inboxRoute({ conversation, column, at: null, ...(view ? { view } : {}) }));
}

export function onRoute(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

addEventListener("popstate", () => {
  current = parse(location.pathname, location.search);
  for (const tell of listeners) tell();
});
