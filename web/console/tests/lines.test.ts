/** The lines of a timeline: days, unread mark, groups, runs of system events. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HubEvent, emptyTimeline, mergeEvents } from "../../kernel";
import { linesOf } from "../conversation/lines";

function event(seq: number, part: Partial<HubEvent> = {}): HubEvent {
  const at = part.at ?? new Date(Date.UTC(2026, 10, 23, 9, 0, seq)).toISOString();
  return { seq, at, kind: "message.posted", conversation: "c", by: "visitor:v", data: { text: `m${seq}`, name: "Wang" }, ...part };
}
const types = (events: HubEvent[], readTo = Infinity) => linesOf(mergeEvents(emptyTimeline, events), [], readTo).map((line) => line.type);

test("a new day is announced once", () => {
  const late = event(3, { at: "2026-11-25T09:00:00Z" });

  assert.deepEqual(types([event(1), event(2), late]), ["day", "message", "message", "day", "message"]);
});

test("the unread mark stands before the first message of the customer after the last one read", () => {
  const mine = event(2, { by: "agent:a" });

  const lines = linesOf(mergeEvents(emptyTimeline, [event(1), mine, event(3), event(4)]), [], 1);

  assert.deepEqual(lines.map((line) => line.type), ["day", "message", "message", "unread", "message", "message"]);
  assert.equal(lines.find((line) => line.type === "unread")?.count, 2);
});

test("messages of one author stand together for five minutes", () => {
  const later = event(3, { at: "2026-11-23T09:09:00Z" });

  const messages = linesOf(mergeEvents(emptyTimeline, [event(1), event(2), later]), [], Infinity).filter((line) => line.type === "message");

  assert.deepEqual(messages.map((line) => [line.isFirst, line.isLast]), [[true, false], [false, true], [true, true]]);
});

test("system events in a row share a line, and the opening says nothing", () => {
  const opened = event(1, { kind: "conversation.opened" });
  const tagged = event(3, { kind: "conversation.tagged", by: "system" });
  const assigned = event(4, { kind: "conversation.assigned", by: "system" });

  assert.deepEqual(types([opened, event(2), tagged, assigned]), ["day", "message", "system"]);
});

test("a run keeps the place where it began while it moves", () => {
  const run = (seq: number, state: string) =>
    event(seq, { kind: "run.changed", data: { run: { id: "r", state, started_at: "2026-11-23T09:00:01Z" } } });

  assert.deepEqual(types([run(1, "running"), event(2), run(3, "completed")]), ["day", "run", "message"]);
});

test("what is not sent yet stands at the end", () => {
  const pending = [{ cid: "x", conversation: "c", text: "hi", at: "2026-11-23T09:00:00Z", state: "queued" as const }];

  assert.equal(linesOf(mergeEvents(emptyTimeline, [event(1)]), pending, Infinity).at(-1)?.type, "pending");
});
