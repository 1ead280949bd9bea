// What the console is drawn against while it is built: one inbox, ten customers, one return.

const minute = 60_000;
const started = Date.now();
export const at = (minutesAgo) => new Date(started - minutesAgo * minute).toISOString();

export const me = { id: "a_sara", name: "Sara Lind", email: "sara@acme.test", role: "admin", status: "online", capacity: 5, inboxes: ["shop"] };
export const agents = [
  { ...me, online: true, load: 3 },
  { id: "a_liwei", name: "Li Wei", email: "liwei@acme.test", role: "agent", status: "online", capacity: 5, inboxes: ["shop"], online: true, load: 4 },
  { id: "a_zhou", name: "Zhou Min", email: "zhou@acme.test", role: "supervisor", status: "away", capacity: 5, inboxes: ["shop"], online: false, load: 0 },
];

export const canned = [
  { id: "1", shortcut: "hello", title: "Greeting", text: { en: "Hello {{customer.name|there}}, I am {{agent.name}}. How can I help?", "zh-CN": "\u60a8\u597d {{customer.name}}\uff0c\u6211\u662f {{agent.name}}\uff0c\u8bf7\u95ee\u6709\u4ec0\u4e48\u53ef\u4ee5\u5e2e\u60a8\uff1f" } },
  { id: "2", shortcut: "return", title: "\u9000\u8d27\u6d41\u7a0b How a return works", text: { en: "I have started the return of order {{order.number}}. The label comes here in the chat.", "zh-CN": "\u60a8\u597d\uff0c\u9000\u8d27\u6d41\u7a0b\u5982\u4e0b\uff1a\u7b2c\u4e00\u6b65\u2026" } },
  { id: "3", shortcut: "track", title: "Tracking number", text: { en: "Your parcel is {{tracking.number}}, it arrives tomorrow.", "zh-CN": "\u8fd0\u5355\u53f7 {{tracking.number}}\uff0c\u660e\u5929\u9001\u8fbe\u3002" } },
  { id: "4", shortcut: "moment", title: "One moment", text: { en: "One moment please, I am looking that up for you.", "zh-CN": "\u8bf7\u7a0d\u7b49\uff0c\u6211\u9a6c\u4e0a\u4e3a\u60a8\u67e5\u8be2\u3002" } },
];

const people = [
  ["Wang Fang", "zh-CN", "Great, thank you. How long until the refund shows up?", 1, "Order #1042 \u00b7 Delivered", ["VIP"], "1042", "138****2211", true],
  ["Zhao Lei \u8d75\u78ca", "zh-CN", "\u53d1\u7968\u62ac\u5934\u5f00\u9519\u4e86\uff0c\u80fd\u91cd\u5f00\u5417\uff1f", 3, "Order #1038 \u00b7 Invoiced", [], "1038", "13900001111", true],
  ["John Smith", "en", "You: refund", 4, "Order #0987 \u00b7 Returned", [], "0987", "+447700900123", false],
  ["", null, "I want to speak to a person", 12, "Orders: no match", [], null, null, true],
  ["Priya Raman", "en", "Can I change the delivery address to my office?", 15, "Order #1051 \u00b7 Packing", [], "1051", "+919800000000", true],
  ["Liu Yang", "zh-CN", "I have reserved size 41 for you until tomorrow", 21, "Order #1029 \u00b7 Exchange open", ["VIP"], "1029", "13700002222", false],
  ["Marta Novak", "en", "Perfect, that was quick!", 28, "Order #1011 \u00b7 Delivered", [], "1011", "+420600000000", false],
  ["Tom Becker", "de-DE", "The tracking page has not moved since Friday", 41, "Order #1033 \u00b7 In transit", [], "1033", "+4915100000", true],
  ["Sofia Rossi", "it-IT", "Here is the size guide for wide feet", 44, "", [], null, "+393200000000", false],
  ["Chen Yu", "zh-CN", "Noted, I will call you at two", 46, "Order #0996 \u00b7 Repair", [], "0996", "13600003333", false],
];

export function conversations(extra = 0) {
  const views = people.map(([name, language, text, ago, summary, tags, order, phone, waits], n) => view(n, { name, language, text, ago, summary, tags, order, phone, waits, mine: true }));
  for (let n = 0; n < 12 + extra; n++) {
    views.push(view(100 + n, { name: `Customer ${n + 1}`, language: "en", text: "Where is my parcel?", ago: 50 + n * 3, summary: "", tags: [], order: null, phone: null, waits: n % 3 === 0, mine: false }));
  }
  return views;
}

function view(n, { name, language, text, ago, summary, tags, order, phone, waits, mine }) {
  const id = n === 0 ? "c_wang" : `c_${n}`;
  return {
    id, inbox: "shop", state: "open", visitor: `v_${n}8f2a`,
    customer: name ? { id: `orders:C-${1001 + n}`, name, email: `${name.split(" ")[0].toLowerCase()}@example.test`, phone, language, tags } : null,
    name, language, assignee: mine ? { id: me.id, name: me.name } : null, tags, links: order ? [`orders:${order}`] : [],
    opened_at: at(ago + 30), last_at: at(ago),
    last: { seq: 60 + n, by: waits ? `visitor:v_${n}8f2a` : "agent:a_sara", text, kind: "text", at: at(ago) },
    waiting_since: waits ? at(ago) : null, snoozed_until: null,
    unread: mine && waits && n < 4 ? 1 : 0, read_seq: 40, visitor_read_seq: 56, agent_read_seq: 40, head: 60 + n, summary,
  };
}

const T = (t, args) => ({ t, ...(args ? { args } : {}) });
const cny = (money) => ({ money, currency: "CNY" });

export const orderCard = (rev) => ({
  v: 1, id: "orders.order:1042", rev, title: T("order.title", { number: "1042" }), icon: "box", as_of: at(2), audience: "both", fallback: "Order 1042, delivered",
  badge: { text: T(rev > 1 ? "status.delivered" : "status.transit"), tone: rev > 1 ? "success" : "info" },
  blocks: [{ type: "timeline", items: [
    { text: T("tl.paid"), time: at(60 * 24 * 5), state: "done" },
    { text: T("tl.shipped"), time: at(60 * 24 * 4), state: "done" },
    { text: T("tl.transit"), detail: "Hangzhou", state: rev > 1 ? "done" : "current" },
    { text: T("tl.delivered"), ...(rev > 1 ? { time: at(50) } : {}), state: rev > 1 ? "done" : "todo" },
  ] }],
});

export const events = () => [
  { seq: 10, at: at(31), kind: "conversation.opened", conversation: "c_wang", by: "visitor:v_08f2a", data: { inbox: "shop", visitor: "v_08f2a", language: "zh-CN", name: "Wang Fang" } },
  { seq: 11, at: at(30), kind: "message.posted", conversation: "c_wang", by: "visitor:v_08f2a", data: { kind: "text", text: "My shoes came today with the sole coming off. How do I return them?", name: "Wang Fang", cid: "x1" } },
  { seq: 12, at: at(30), kind: "conversation.linked", conversation: "c_wang", by: "adapter:orders", data: { object: "orders:1042" } },
  { seq: 13, at: at(29), kind: "customer.linked", conversation: "c_wang", by: "adapter:orders", data: { customer: "orders:C-1001", name: "Wang Fang", why: "phone number" } },
  { seq: 14, at: at(29), kind: "card.shown", conversation: "c_wang", by: "adapter:orders", data: { card: orderCard(2), source: "orders" } },
  { seq: 15, at: at(28), kind: "note.posted", conversation: "c_wang", by: "agent:a_liwei", data: { text: "Glue fault of batch B7, eleventh case this week. Refund is fine. @Sara Lind", name: "Li Wei", cid: "x2" } },
  { seq: 16, at: at(27), kind: "conversation.assigned", conversation: "c_wang", by: "agent:a_liwei", data: { assignee: "a_sara", name: "Sara Lind", previous: null, how: "transfer" } },
  { seq: 17, at: at(26), kind: "message.posted", conversation: "c_wang", by: "agent:a_sara", data: { kind: "text", text: "I am sorry about that, Ms Wang. This is a known fault, so we take them back at our cost. A courier will collect them on Friday between 9 and 12.", name: "Sara Lind", cid: "x3" } },
  { seq: 60, at: at(1), kind: "message.posted", conversation: "c_wang", by: "visitor:v_08f2a", data: { kind: "text", text: "Great, thank you. How long until the refund shows up?", name: "Wang Fang", cid: "x4" } },
];

const panel = (instance, title, state, cards, part = {}) => ({
  instance, adapter: instance, title, state, at: at(2), ms: 41, lookups: 8, calls: 1, saved: 7, cards, error: null, summary: "", ...part,
});

export const panels = () => [
  panel("orders", "Orders", "ok", [
    {
      id: "orders.order:1042p", title: "#1042", href: "https://shop.test/orders/1042", badge: { text: T("status.delivered"), tone: "success" }, blocks: [
        { type: "list", items: [{ title: "Trail Shoe 42, black", value: cny("399.00") }, { title: "Merino socks, final sale", value: cny("29.00") }] },
        { type: "fields", fields: [{ label: T("f.total"), value: cny("428.00") }, { label: T("f.tracking"), value: { copy: "SF1390022118472" } }] },
      ],
      actions: [
        { id: "return", label: T("act.return"), icon: "undo", do: { invoke: "order.return", args: { order: "1042" } } },
        { id: "cancel", label: T("act.cancel"), disabled: T("why.delivered"), do: { invoke: "order.cancel", args: { order: "1042" } } },
        { id: "share", label: T("act.share"), do: { insert: T("reply.track", { number: "SF1390022118472" }) } },
      ],
    },
    { id: "orders.order:1017", title: "#1017", badge: { text: T("status.completed"), tone: "neutral" }, blocks: [{ type: "fields", fields: [{ label: T("f.total"), value: cny("219.00") }] }] },
    { id: "orders.order:1009", title: "#1009", badge: { text: T("status.completed"), tone: "neutral" }, blocks: [{ type: "fields", fields: [{ label: T("f.total"), value: cny("88.00") }] }] },
  ], { lookups: 300, calls: 2, saved: 298 }),
  panel("crm", "CRM", "stale", [{ id: "crm.c", title: "Wang Fang", blocks: [{ type: "metrics", metrics: [
    { label: T("m.ltv"), value: cny("5210.50"), series: [3, 4, 4, 6, 5, 7, 9, 8, 11] }, { label: T("m.returns"), value: { number: 0.08, style: "percent" } }] }] }],
  { at: at(31), error: { code: "timeout", text: "CRM is slow to answer. Next try in 20 s.", fix: "" } }),
  panel("tickets", "Tickets", "ok", [{ id: "t.318", title: "SUP-318", subtitle: "Sole glue, batch B7", badge: { text: "In progress", tone: "warning" }, blocks: [] }], { at: at(0) }),
  panel("erp", "ERP", "auth", [], { at: null, error: { code: "auth_expired", text: "Stock and invoices are not shown.", fix: "An admin can sign in again." } }),
  panel("payments", "Payments", "failed", [], { error: { code: "upstream_500", text: "The payment system could not answer.", fix: "" } }),
];

const en = {
  "order.title": "Order #{number}", "status.delivered": "Delivered", "status.transit": "In transit", "status.completed": "Completed",
  "tl.paid": "Paid", "tl.shipped": "Shipped", "tl.transit": "In transit", "tl.delivered": "Delivered", "f.total": "Total", "f.tracking": "Tracking",
  "act.return": "Return", "act.cancel": "Cancel", "act.share": "Send tracking", "why.delivered": "already delivered, use a return",
  "reply.track": "Your tracking number is {number}.", "m.ltv": "Lifetime value", "m.returns": "Return rate",
};
const zh = {
  "order.title": "\u8ba2\u5355 #{number}", "status.delivered": "\u5df2\u7b7e\u6536", "status.transit": "\u8fd0\u8f93\u4e2d", "status.completed": "\u5df2\u5b8c\u6210",
  "tl.paid": "\u5df2\u4ed8\u6b3e", "tl.shipped": "\u5df2\u53d1\u8d27", "tl.transit": "\u8fd0\u8f93\u4e2d", "tl.delivered": "\u5df2\u7b7e\u6536", "f.total": "\u5408\u8ba1", "f.tracking": "\u8fd0\u5355\u53f7",
  "act.return": "\u9000\u8d27", "act.cancel": "\u53d6\u6d88\u8ba2\u5355", "act.share": "\u53d1\u9001\u7269\u6d41", "why.delivered": "\u5df2\u7b7e\u6536\uff0c\u8bf7\u8d70\u9000\u8d27",
  "reply.track": "\u60a8\u7684\u8fd0\u5355\u53f7\u662f {number}\u3002", "m.ltv": "\u7d2f\u8ba1\u6d88\u8d39", "m.returns": "\u9000\u8d27\u7387",
};
export const texts = { en, "zh-CN": zh };

export const adapters = [
  ["orders", "Shop orders", "ready", "No errors today", 1214, 0, 180], ["crm", "CRM", "slow", "Last full answer 09:12", 210, 4, 3400],
  ["erp", "ERP", "auth", "Sign-in expired since 08:40", 41, 12, null], ["payments", "Payments", "ready", "Refunds up to \u00a55,000", 86, 0, 240],
  ["tickets", "Tickets", "ready", "No errors today", 148, 0, 310], ["sso", "Company sign-in", "disabled", "Needs a secret", 0, 0, null],
].map(([instance, name, state, text, calls, errors, p95_ms]) => ({
  instance, adapter: instance, name, version: "1.0.0", state, text, since: at(300), calls, errors, p95_ms,
  hooks: ["find_customer", "find_orders"], steps: instance === "orders" ? ["order.return@1 authorize"] : [], capabilities: ["orders"],
}));
