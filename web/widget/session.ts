/** The visitor's session: a kernel client with the visitor's snapshot, and what only it knows. */

import { ApiError, Client, type InboxSettings, type Panel, type VisitorSnapshot, browserEnv, idbStorage, key } from "../kernel";
import type { Bridge } from "../loader/bridge";

const VERSION = "1";

/** What the snapshot says beside the conversation; the store keeps it under `about`. */
export interface About {
  settings: InboxSettings;
  customer: { name: string } | null;
}

export const ABOUT = "about";
/** The id of the visitor's conversation, or `new` before there is one. */
export const TALK = "talk";

/** Begin (or go on with) the visitor's session and connect. Raises the loader's error. */
export async function beginSession(bridge: Bridge): Promise<Client> {
  if (!bridge.saved) await bridge.visit();
  const token = () => bridge.saved!.token;
  const env = browserEnv();
  const viewer = { side: "visitor" as const, id: "visitor:" };
  const refresh = async () => {
    await bridge.visit();
  };
  const client = new Client({
    base: bridge.base,
    viewer,
    client: { name: "widget", version: VERSION },
    token,
    refresh,
    env,
    storage: idbStorage(`deskhub:${bridge.inbox}:${bridge.saved!.who ?? "anonymous"}`),
    load: (self) => load(self, bridge),
    onEvents: (events) => {
      for (const event of events) {
        if (event.conversation && client.store.get(TALK) === "new") settle(client, event.conversation, bridge);
        if (event.kind === "message.posted") bridge.emit("message", { by: event.by, seq: event.seq });
      }
    },
  });
  client.store.subscribe(key.list, () => {
    const first = client.store.list()[0];
    if (first && client.store.get(TALK) === "new") settle(client, first, bridge);
  });
  return client;
}

async function load(client: Client, bridge: Bridge): Promise<string> {
  const snapshot = await fetchSnapshot(client, bridge);
  const { store } = client;
  store.clear();
  store.viewer = { side: "visitor", id: withPrefix(snapshot.visitor) };
  store.set(ABOUT, { settings: snapshot.settings, customer: snapshot.customer } satisfies About);
  const talk = snapshot.conversation;
  store.set(TALK, talk?.id ?? "new");
  for (const panel of snapshot.cards) store.putPanel(talk?.id ?? "new", panel);
  if (talk) {
    store.putConversations([talk]);
    store.putEvents(talk.id, snapshot.events, snapshot.events.length >= 200);
    client.settle("new", talk.id);
    bridge.saved!.talks = true;
  } else store.putEvents("new", [], false);
  return snapshot.cursor;
}

async function fetchSnapshot(client: Client, bridge: Bridge): Promise<VisitorSnapshot> {
  try {
    return await client.api.call<VisitorSnapshot>("/api/v1/snapshot");
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    // The token is not known any more (expired, or another database): begin a new session.
    bridge.saved = null;
    await bridge.visit();
    return client.api.call<VisitorSnapshot>("/api/v1/snapshot");
  }
}

function settle(client: Client, conversation: string, bridge: Bridge): void {
  client.store.set(TALK, conversation);
  const timeline = client.store.timeline(conversation);
  client.store.set(key.timeline(conversation), { ...timeline, isLoaded: true });
  client.settle("new", conversation);
  // Who is known has orders to show from now on; chat does not wait for them.
  void client.api
    .call<{ cards: Panel[] }>(`/api/v1/conversations/${encodeURIComponent(conversation)}/cards`)
    .then((answer) => answer.cards.forEach((panel) => client.store.putPanel(conversation, panel)), () => undefined);
  bridge.keep({ talks: true });
  bridge.emit("conversation", { id: conversation });
}

function withPrefix(visitor: string): string {
  return visitor.startsWith("visitor:") ? visitor : `visitor:${visitor}`;
}
