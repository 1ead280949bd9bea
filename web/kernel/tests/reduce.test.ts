/** Events in any order, repeated and out of gaps, lead to one and the same state. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../store";
import type { ConversationView, HubEvent } from "../types";
import { dice, shuffled } from "./fake";

const AGENT = { side: "agent" as const, id: "agent:a_1" };
const VISITOR = { side: "visitor" as const, id: "visitor:v_1" };

function event(seq: number, kind: string, by: string, data: Record<string, unknown>): HubEvent {
  return { seq, at: new Date(1_790_000_000_000 + seq * 1000).toISOString(), kind, conversation: "c_1", by, data };
}

const card = (rev: number, title: string) => ({ card: { id: "orders.order:1042", rev, title, blocks: [] }, source: "orders" });

const HISTORY: HubEvent[] = [
  event(1, "conversation.opened", "visitor:v_1", { inbox: "shop", visitor: "v_1", language: "en", name: "Fang" }),
  event(2, "message.posted", "visitor:v_1", { text: "one", cid: "m1" }),
  event(3, "conversation.assigned", "system", { assignee: "a_1", name: "Li Wei" }),
  event(4, "card.shown", "adapter:orders", card(1, "paid")),
  event(5, "message.posted", "agent:a_1", { text: "two", cid: "m2", name: "Li Wei" }),
  event(6, "conversation.tagged", "agent:a_1", { tags: ["vip"] }),
  event(7, "message.posted", "visitor:v_1", { text: "three", cid: "m3" }),
  event(8, "card.shown", "adapter:orders", card(3, "delivered")),
  event(9, "card.shown", "adapter:orders", card(2, "shipped")),
  event(10, "conversation.read", "agent:a_1", { seq: 7, side: "agent" }),
  event(11, "message.posted", "visitor:v_1", { text: "four", cid: "m4" }),
  event(12, "conversation.assigned", "agent:a_1", { assignee: "a_2", name: "Mia" }),
  event(13, "run.changed", "system", { run: { id: "r_1", state: "running" } }),
  event(14, "run.changed", "system", { run: { id: "r_1", state: "completed" } }),
  event(14.5, "conversation.closed", "agent:a_2", { name: "Mia" }),
  event(14.6, "conversation.rated", "visitor:v_1", { score: 4, comment: "", closing: 14.5 }),
  event(14.7, "conversation.reopened", "agent:a_2", { name: "Mia" }),
  event(15, "conversation.closed", "agent:a_2", { name: "Mia" }),
  event(16, "conversation.reopened", "visitor:v_1", {}),
  event(17, "message.posted", "adapter:orders", { text: "Your parcel left", cid: "m5", name: "Orders" }),
  event(18, "note.posted", "agent:a_2", { text: "careful", cid: "n1" }),
  event(19, "message.edited", "agent:a_1", { of: 5, version: 1, text: "two!", name: "Li Wei" }),
  event(20, "note.edited", "agent:a_2", { of: 18, version: 1, text: "very careful", name: "Mia" }),
  event(21, "note.edited", "agent:a_2", { of: 18, version: 2, text: "most careful", name: "Mia" }),
];

function stateAfter(events: readonly HubEvent[], viewer = AGENT as typeof AGENT | typeof VISITOR): unknown {
  const store = new Store(viewer, (flush) => flush());
  for (const one of events) store.apply([one]);
  const view = { ...store.conversation("c_1") };
  return { view, entries: store.timeline("c_1").entries, run: store.run("r_1"), list: store.list() };
}

test("any order of events gives the same state", () => {
  const random = dice(7);
  for (const viewer of [AGENT, VISITOR]) {
    const expected = stateAfter(HISTORY, viewer);
    for (let round = 0; round < 200; round++) {
      assert.deepEqual(stateAfter(shuffled(HISTORY, random), viewer), expected);
    }
  }
});

test("repeated events change nothing", () => {
  const random = dice(11);
  const expected = stateAfter(HISTORY);
  for (let round = 0; round < 50; round++) {
    const twice = shuffled([...HISTORY, ...HISTORY, ...HISTORY.slice(4, 9)], random);
    assert.deepEqual(stateAfter(twice), expected);
  }
});

test("a reducer that trusted the order of arrival would be found out", () => {
  const naive = (events: readonly HubEvent[]) => events.filter((one) => one.kind === "conversation.assigned").at(-1)?.data["name"];
  const random = dice(3);
  const seen = new Set(Array.from({ length: 50 }, () => naive(shuffled(HISTORY, random))));
  assert.equal(seen.size, 2);
});

test("a gap that is filled later ends in the same state", () => {
  const without = HISTORY.filter((one) => one.seq < 4 || one.seq > 8);
  const store = new Store(AGENT, (flush) => flush());
  store.apply(without);
  store.putEvents("c_1", HISTORY.slice(3, 8), false);
  store.apply(HISTORY.slice(3, 8));
  const { view, entries } = stateAfter(HISTORY) as { view: ConversationView; entries: unknown };
  assert.deepEqual({ ...store.conversation("c_1") }, view);
  assert.deepEqual(store.timeline("c_1").entries, entries);
});

test("the view says what the events say", () => {
  const { view } = stateAfter(HISTORY) as { view: ConversationView };
  assert.equal(view.state, "open");
  assert.equal(view.rating?.score, 4);
  assert.deepEqual(view.assignee, { id: "a_2", name: "Mia" });
  assert.equal(view.unread, 1);
  assert.equal(view.read_seq, 7);
  assert.equal(view.waiting_since, HISTORY[6]!.at);
  assert.equal(view.last?.text, "most careful");
});

test("what was edited stands in its place with its newest text, and tells what it said before", () => {
  const { entries } = stateAfter(HISTORY) as { entries: { seq: number; event: HubEvent }[] };
  const texts = Object.fromEntries(entries.map((one) => [one.seq, one.event.data["text"]]));
  assert.equal(texts[5], "two!");
  assert.equal(texts[18], "most careful");
  const note = entries.find((one) => one.seq === 18)!.event;
  assert.deepEqual(note.data["edited"], { at: HISTORY.at(-1)!.at, version: 2, was: ["careful", "very careful"] });
  assert.equal(entries.some((one) => one.event.kind.endsWith(".edited")), false);
});

test("an edit waits for the page of what it edits", () => {
  const store = new Store(AGENT, (flush) => flush());
  store.putEvents("c_1", HISTORY.filter((one) => one.seq > 10), true);
  assert.equal(store.timeline("c_1").entries[0]?.seq, 11);
  store.putEvents("c_1", HISTORY.filter((one) => one.seq <= 10), false);
  assert.equal(store.timeline("c_1").entries.find((one) => one.seq === 5)?.event.data["text"], "two!");
});

test("an edit that the snapshot knows is not taken back by an older one", () => {
  const store = new Store(AGENT, (flush) => flush());
  store.apply(HISTORY);
  const later = new Store(AGENT, (flush) => flush());
  later.putConversations([{ ...store.conversation("c_1")! }]);
  later.apply(HISTORY.filter((one) => one.seq === 20));
  assert.equal(later.conversation("c_1")?.last?.text, "most careful");
});

test("a card keeps its place and a late stale push does not turn it back", () => {
  const { entries } = stateAfter(HISTORY) as { entries: { key: string; seq: number; event: HubEvent }[] };
  const shown = entries.find((entry) => entry.key.startsWith("card:"));
  assert.equal(shown?.seq, 4);
  assert.equal((shown?.event.data["card"] as { title: string }).title, "delivered");
});

test("events after a snapshot go on from its numbers", () => {
  const first = new Store(AGENT, (flush) => flush());
  first.apply(HISTORY.slice(0, 7));
  const snapshot = { ...first.conversation("c_1")! };
  const second = new Store(AGENT, (flush) => flush());
  second.putConversations([snapshot]);
  second.apply(HISTORY.slice(7));
  first.apply(HISTORY.slice(7));
  assert.deepEqual({ ...second.conversation("c_1") }, { ...first.conversation("c_1") });
});

test("mark as unread shows at least one, reading takes it away", () => {
  const store = new Store(AGENT, (flush) => flush());
  store.apply(HISTORY.slice(0, 10));
  assert.equal(store.conversation("c_1")?.unread, 0);
  store.apply([event(20, "conversation.read", "agent:a_1", { seq: 6, side: "agent", unread: true })]);
  assert.equal(store.conversation("c_1")?.unread, 1);
  assert.equal(store.conversation("c_1")?.agent_read_seq, 7);
  store.apply([event(21, "conversation.read", "agent:a_1", { seq: 20, side: "agent" })]);
  assert.equal(store.conversation("c_1")?.unread, 0);
});

test("an optimistic message goes when its event comes, by its cid", () => {
  const store = new Store(VISITOR, (flush) => flush());
  store.putPending({ cid: "m2", conversation: "c_1", text: "two", at: "", state: "sending" });
  store.putPending({ cid: "m9", conversation: "c_1", text: "nine", at: "", state: "queued" });
  store.apply(HISTORY.slice(0, 6));
  assert.deepEqual(store.pending("c_1").map((entry) => entry.cid), ["m9"]);
});

test("a subscriber is told once per frame, and only about its own key", () => {
  const frames: (() => void)[] = [];
  const store = new Store(AGENT, (flush) => frames.push(flush));
  const told: string[] = [];
  store.subscribe("timeline:c_1", () => told.push("timeline"));
  store.subscribe("timeline:c_2", () => told.push("other"));
  for (const one of HISTORY) store.apply([one]);
  assert.deepEqual(told, []);
  assert.equal(frames.length, 1);
  frames[0]!();
  assert.deepEqual(told, ["timeline"]);
});

test("typing ends when its time is over or the message is there", () => {
  let now = 1_000;
  const store = new Store(VISITOR, (flush) => flush(), () => now);
  const typing = { t: "ephemeral" as const, kind: "typing", conversation: "c_1", by: "agent:a_1", data: { on: true, name: "Li Wei" }, ttl_s: 6 };
  store.applyEphemeral(typing);
  assert.equal(store.typing("c_1").length, 1);
  now += 6_001;
  store.expireTyping("c_1");
  assert.equal(store.typing("c_1").length, 0);
  store.applyEphemeral(typing);
  store.apply(HISTORY.slice(4, 5));
  assert.equal(store.typing("c_1").length, 0);
});

test("an answer counts as reading, an adapter's message as neither", () => {
  const store = new Store(VISITOR, (flush) => flush());
  store.apply(HISTORY.slice(0, 5));
  assert.equal(store.conversation("c_1")?.agent_read_seq, 5);
  assert.equal(store.conversation("c_1")?.unread, 1);
  store.apply([event(6, "message.posted", "visitor:v_1", { text: "thanks", cid: "m8" })]);
  assert.equal(store.conversation("c_1")?.unread, 0);
  store.apply([event(7, "message.posted", "adapter:orders", { text: "shipped", cid: "m9" })]);
  assert.equal(store.conversation("c_1")?.agent_read_seq, 5);
  assert.notEqual(store.conversation("c_1")?.waiting_since, null);
});

test("who has read the last message has read all, whatever silent events came after it", () => {
  const store = new Store(AGENT, (flush) => flush());
  store.apply([event(1, "conversation.opened", "visitor:v_1", { inbox: "shop", visitor: "v_1", language: "en", name: "Fang" })]);
  const last = { seq: 7, by: "visitor:v_1", text: "hi", kind: "text", at: "2026-11-23T09:00:00Z" };
  store.putConversations([{ ...store.conversation("c_1")!, head: 9, unread: 2, read_seq: 0, last }]);

  store.apply([event(10, "conversation.read", "agent:a_1", { seq: 8, side: "agent" })]);

  assert.equal(store.conversation("c_1")!.unread, 0);
});

test("a closing waits for a rating until it is rated or the conversation goes on", () => {
  const closed = event(20, "conversation.closed", "agent:a_2", { name: "Mia" });
  const rated = event(21, "conversation.rated", "visitor:v_1", { score: 5, comment: "", closing: 20 });
  const unrated = (events: HubEvent[]) => (stateAfter([...HISTORY, ...events], VISITOR) as { view: ConversationView }).view.unrated;
  assert.equal(unrated([]), null);
  assert.equal(unrated([closed]), 20);
  assert.equal(unrated([closed, rated]), null);
  assert.equal(unrated([rated, closed]), null);
  assert.equal(unrated([closed, rated, event(22, "conversation.reopened", "agent:a_2", {}), event(23, "conversation.closed", "agent:a_2", {})]), 23);
});
