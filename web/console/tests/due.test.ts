/** When an answer is due, by the opening times that the hub told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationView, InboxView } from "../../kernel";
import { added, dueOf } from "../inbox/due";
import { sortViews } from "../inbox/views";

const HOUR = 3600;
const open = [[10 * HOUR, 12 * HOUR], [34 * HOUR, 36 * HOUR]] as const;
const inboxes: InboxView[] = [{ id: "shop", name: "Shop", sla: { response_s: HOUR, spans: null } }];
const waits = (id: string, since: string | null, state = "open") => ({ id, inbox: "shop", waiting_since: since, state, opened_at: since ?? "", last: null }) as unknown as ConversationView;

test("closed hours do not count", () => {
  assert.equal(added(9 * HOUR * 1000, HOUR * 1000, open), 11 * HOUR * 1000);
  assert.equal(added(11.5 * HOUR * 1000, HOUR * 1000, open), 34.5 * HOUR * 1000);
  assert.equal(added(40 * HOUR * 1000, HOUR * 1000, open), null);
  assert.equal(added(5, 10, null), 15);
});

test("a quarter of the time before it is due the chip warns, then it is late", () => {
  const view = waits("c", "2026-11-23T10:00:00Z");
  const at = (time: string) => dueOf(view, inboxes, Date.parse(`2026-11-23T${time}Z`));

  assert.deepEqual([at("10:00:00")?.tone, at("10:00:00")?.minutes], ["ok", 60]);
  assert.deepEqual([at("10:50:30")?.tone, at("10:50:30")?.minutes], ["soon", 10]);
  assert.deepEqual([at("11:04:10")?.tone, at("11:04:10")?.minutes], ["late", 4]);
});

test("nothing is due while nobody waits, or it is snoozed", () => {
  assert.equal(dueOf(waits("c", null), inboxes, 0), null);
  assert.equal(dueOf(waits("c", "2026-11-23T10:00:00Z", "snoozed"), inboxes, 0), null);
});

test("what is due first stands first, what is never due last", () => {
  const all = [waits("never", null), waits("later", "2026-11-23T11:00:00Z"), waits("first", "2026-11-23T10:00:00Z")];

  assert.deepEqual(sortViews(all, "due", inboxes).map((one) => one.id), ["first", "later", "never"]);
});
