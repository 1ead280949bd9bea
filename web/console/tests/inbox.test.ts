/** Views, order and search of the list. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationView } from "../../kernel";
import { matches, memberships, sortViews } from "../inbox/views";

const view = (id: string, part: Partial<ConversationView> = {}): ConversationView => ({
  id, inbox: "shop", state: "open", customer: null, name: id, language: null, assignee: null, tags: [], links: [], opened_at: "", last_at: "2026-11-23T09:00:00Z",
  last: null, waiting_since: null, snoozed_until: null, unread: 0, read_seq: 0, visitor_read_seq: 0, agent_read_seq: 0, head: 1, summary: "", ...part,
});
const me = { id: "a_1", name: "Me" };

test("every conversation stands in the views it belongs to", () => {
  const all = [view("mine", { assignee: me, unread: 2, waiting_since: "x" }), view("queue"), view("team", { assignee: { id: "a_2", name: "Li" } }), view("later", { state: "snoozed" }), view("done", { state: "closed" })];

  const { mine, queue, team, snoozed, closed, all: open, waiting, unread } = memberships(all, "agent:a_1");

  assert.deepEqual([mine, queue, team, snoozed, closed, open, waiting, unread], [1, 1, 1, 1, 1, 4, 1, 1]);
});

test("who has waited longest comes first, and who does not wait comes last", () => {
  const all = [view("no"), view("short", { waiting_since: "2026-11-23T09:05:00Z" }), view("long", { waiting_since: "2026-11-23T08:00:00Z" })];

  assert.deepEqual(sortViews(all, "waiting").map((one) => one.id), ["long", "short", "no"]);
});

test("every word of a search has to be found somewhere in the row", () => {
  const one = view("x", { name: "Wang Fang \u738b\u82b3", summary: "Order #1042", tags: ["VIP"] });

  assert.ok(matches(one, "wang 1042"));
  assert.ok(matches(one, "\u738b vip"));
  assert.ok(!matches(one, "wang 1043"));
});
