// A hub that is not one: serves the built console and plays the API from memory.
//   node dev/server.mjs [port]      sign in with anything; password "wrong" is refused
//   GET /_dev/say?text=…            the customer writes      GET /_dev/typing
//   GET /_dev/fail?step=s6          the next run stops there GET /_dev/drop  every socket
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";
import * as act from "./action.mjs";
import * as world from "./world.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const files = join(here, "..", "..", "core", "deskhub", "edge", "static");
const port = Number(process.argv[2] ?? 8790);
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; connect-src 'self' ws://127.0.0.1:" + port +
  "; base-uri 'none'; require-trusted-types-for 'script'; trusted-types deskhub";
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml" };

const log = [];
let seq = 100;
const state = { views: world.conversations(Number(process.env.MORE ?? 0)), run: null, failAt: null, drafts: new Map(), plans: new Map(), changed: false };
const sockets = new Set();
const timeline = { c_wang: world.events() };

function publish(kind, conversation, by, data) {
  const event = { seq: ++seq, at: new Date().toISOString(), kind, conversation, by, data };
  log.push(event);
  (timeline[conversation] ??= []).push(event);
  cast({ t: "events", from: seq - 1, to: seq, events: [event] });
  return event;
}
function cast(frame) {
  for (const socket of sockets) if (socket.isReady) socket.send(JSON.stringify(frame));
}
const done = (event) => ({ seq: event.seq, dup: false, event });
const ME = "agent:a_sara";
const one = (id) => state.views.find((view) => view.id === id);

function command(frame) {
  const { conversation: id } = frame;
  const view = one(id);
  switch (frame.t) {
    case "send": {
      setTimeout(() => cast({ t: "ephemeral", kind: "delivered", conversation: id, by: "visitor:v", data: { seq } }), 600);
      setTimeout(() => publish("conversation.read", id, "visitor:v", { seq, side: "visitor" }), 1600);
      return publish("message.posted", id, ME, { kind: "text", text: frame.body.text, name: "Sara Lind", cid: frame.cid });
    }
    case "note": return publish("note.posted", id, ME, { text: frame.text, name: "Sara Lind", cid: frame.cid });
    case "assign": {
      const agent = world.agents.find((other) => other.id === frame.agent);
      view.assignee = agent ? { id: agent.id, name: agent.name } : null;
      return publish("conversation.assigned", id, ME, { assignee: frame.agent, name: agent?.name ?? "", previous: null, how: "manual" });
    }
    case "close": case "reopen": case "wake": return publish(`conversation.${{ close: "closed", reopen: "reopened", wake: "woken" }[frame.t]}`, id, ME, { name: "Sara Lind" });
    case "snooze": return publish("conversation.snoozed", id, ME, { until: frame.until, name: "Sara Lind" });
    case "tag": view.tags = [...view.tags.filter((tag) => !frame.remove.includes(tag)), ...frame.add]; return publish("conversation.tagged", id, ME, { tags: view.tags, added: frame.add, removed: frame.remove });
    case "read": return publish("conversation.read", id, ME, { seq: frame.seq, side: "agent" });
    default: return publish(`conversation.${frame.t}`, id, ME, {});
  }
}

function startRun() {
  state.run = act.newRun();
  const tell = () => publish("run.changed", "c_wang", "system", { run: structuredClone(state.run) });
  tell();
  const timer = setInterval(() => {
    if (act.advance(state.run, state.failAt)) clearInterval(timer);
    tell();
  }, Number(process.env.STEP_MS ?? 500));
  return state.run.id;
}

const session = () => ({ access: "dev", refresh: "dev", expires_in: 900, agent: world.me });
const routes = [
  ["POST /api/v1/sessions", (_, body) => (body.password === "wrong" ? problem(401, "unauthenticated", "wrong") : session())],
  ["POST /api/v1/sessions/(refresh|exchange)", session],
  ["DELETE /api/v1/sessions/current", () => null],
  ["GET /api/v1/sign-in", () => ({ password: true, sso: [{ instance: "sso", name: "Acme" }] })],
  ["GET /api/v1/snapshot", () => ({
    cursor: `e1:${seq}`, me: world.me, agents: world.agents, inboxes: [{ id: "shop", name: "Acme shop" }], conversations: state.views,
    counts: { mine: 10, queue: 12, team: 0, snoozed: 0, closed: 3, unread: 3 }, drafts: [{ conversation: "c_2", mode: "reply", text: "Also, could you", at: world.at(5) }],
    online: ["agent:a_sara", "agent:a_liwei", "visitor:v_08f2a"], canned: world.canned,
  })],
  ["GET /api/v1/texts", (url) => ({ texts: world.texts[url.searchParams.get("lang")] ?? world.texts.en })],
  ["GET /api/v1/conversations", () => ({ conversations: [], more: false, counts: {} })],
  ["GET /api/v1/conversations/(\\w+)", (_, __, id) => ({ conversation: one(id), events: timeline[id] ?? [], more: false, cursor: `e1:${seq}` })],
  ["GET /api/v1/conversations/(\\w+)/messages", () => ({ events: [], more: false })],
  ["GET /api/v1/conversations/(\\w+)/cards", (_, __, id) => ({ cards: id === "c_wang" ? world.panels() : [] })],
  ["GET /api/v1/conversations/(\\w+)/actions", (_, __, id) => ({ actions: id === "c_wang" ? [{ type: "order.return@1", title: "Return", object: "orders:1042", label: "Return from order #1042", enabled: !state.run, reason: null, running: state.run?.id ?? null }] : [] })],
  ["PUT /api/v1/conversations/(\\w+)/draft", () => null],
  ["GET /api/v1/actions/([^/]+)/form", () => act.form],
  ["POST /api/v1/actions/([^/]+)/plan", (_, body) => keep(act.plan(body.input, Number(process.env.VALID_S ?? 60)))],
  ["POST /api/v1/plans/(\\w+)/confirm", (_, __, id) => {
    if (!state.changed) return { run: startRun() };
    state.changed = false;
    const plan = keep(act.plan(state.plans.get(id).input));
    plan.steps[1].changes = [{ label: "Inbound", before: "15", after: "16" }];
    return problem(409, "plan_changed", "The world has changed", { plan });
  }],
  ["GET /api/v1/runs/(\\w+)", () => state.run],
  ["POST /api/v1/runs/(\\w+)/resolve", () => ((state.run.state = "completed"), state.run)],
  ["GET /api/v1/runs", () => ({ runs: state.run?.state === "attention" ? [state.run] : [] })],
  ["GET /api/v1/adapters", () => ({ adapters: world.adapters })],
  ["PATCH /api/v1/agents/me", () => world.me],
  ["GET /_dev/say", (url) => publish("message.posted", url.searchParams.get("c") ?? "c_wang", "visitor:v_08f2a", { kind: "text", text: url.searchParams.get("text"), name: "Wang Fang", cid: `s${seq}` })],
  ["GET /_dev/reply", () => publish("message.posted", "c_wang", "agent:a_liwei", { kind: "text", text: "I have it.", name: "Li Wei", cid: `s${seq}` })],
  ["GET /_dev/typing", (url) => (cast({ t: "ephemeral", kind: "typing", conversation: url.searchParams.get("c") ?? "c_wang", by: url.searchParams.get("by") ?? "visitor:v_08f2a", data: { on: true, name: url.searchParams.get("name") ?? "Wang Fang" }, ttl_s: 60 }), {})],
  ["GET /_dev/card", () => publish("card.shown", "c_wang", "adapter:orders", { card: world.orderCard(3), source: "orders" })],
  ["GET /_dev/fail", (url) => ((state.failAt = url.searchParams.get("step")), {})],
  ["GET /_dev/change", () => ((state.changed = true), {})],
  ["GET /_dev/attention", () => ((state.run = act.attentionRun()), publish("run.changed", "c_wang", "system", { run: state.run }))],
  ["GET /_dev/drop", () => (sockets.forEach((socket) => socket.terminate()), {})],
];
function keep(plan) {
  state.plans.set(plan.id, plan);
  return plan;
}
function problem(status, code, title, more = {}) {
  return Object.assign(new Error(title), { status, body: { type: "about:blank", title, status, code, detail: title, retry: "never", ...more } });
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, `http://127.0.0.1:${port}`);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
  const found = routes.map(([rule, run]) => [new RegExp(`^${rule}$`).exec(`${request.method} ${url.pathname}`), run]).find(([match]) => match);
  if (found) {
    const answer = found[1](url, body, ...found[0].slice(1).map(decodeURIComponent));
    if (answer instanceof Error) return response.writeHead(answer.status, { "content-type": "application/problem+json" }).end(JSON.stringify(answer.body));
    return answer === null ? response.writeHead(204).end() : response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }
  const send = url.pathname.match(/^\/api\/v1\/conversations\/(\w+)\/(\w+)$/);
  if (send && request.method === "POST") {
    const names = { messages: "send", notes: "note", tags: "tag" };
    const event = command({ t: names[send[2]] ?? send[2], conversation: send[1], cid: request.headers["idempotency-key"], body, ...body });
    return response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(done(event)));
  }
  const asset = extname(url.pathname) ? url.pathname : "/console/index.html";
  try {
    const content = readFileSync(join(files, asset));
    response.writeHead(200, { "content-type": `${TYPES[extname(asset)]}; charset=utf-8`, "content-security-policy": POLICY }).end(content);
  } catch {
    response.writeHead(404).end();
  }
});

new WebSocketServer({ server, path: "/api/v1/stream" }).on("connection", (socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  socket.on("message", (data) => {
    const frame = JSON.parse(data);
    if (frame.t === "hello") {
      socket.isReady = true;
      const from = Number(frame.cursor?.split(":")[1] ?? seq);
      socket.send(JSON.stringify({ t: "welcome", v: 1, sid: "s", now: new Date().toISOString(), heartbeat_s: 25, limits: {}, cursor: `e1:${seq}`, mode: "resumed" }));
      if (from < seq) socket.send(JSON.stringify({ t: "events", from, to: seq, events: log.filter((event) => event.seq > from) }));
    } else if (frame.id) {
      const event = command(frame);
      socket.send(JSON.stringify({ t: "result", id: frame.id, ok: true, ...done(event) }));
    }
  });
});
server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/console/`));
