/** The lines of a timeline: days, unread mark, groups, runs of system events. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HubEvent, emptyTimeline, mergeEvents } from "../../kernel";
import { chunksOf, kept } from "../conversation/chunks";
import { type Line, linesOf, seqOf } from "../conversation/lines";

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

test("pieces keep their lines when older and newer ones come", () => {
  const line = (seq: number): Line => ({ type: "note", key: `event:${seq}`, event: { seq } as HubEvent });
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => line(from + at));
  const middle = range(1000, 1100);
  const before = chunksOf(middle, []);

  const after = chunksOf([...range(850, 1000), ...middle, ...range(1100, 1130)], before);

  assert.deepEqual(after.flatMap((one) => one.lines.map(seqOf)), range(850, 1130).map(seqOf));
  assert.equal(new Set(after.map((one) => one.id)).size, after.length);
  assert.deepEqual([...after].sort((a, b) => a.id - b.id), after);
  assert.ok(after.every((one) => one.lines.length <= 40));
  for (const one of before.slice(0, -1)) assert.ok(after.includes(one), "an untouched piece was made anew");
});

test("a day's line that goes up takes no other line along", () => {
  const line = (seq: number): Line => ({ type: "note", key: `event:${seq}`, event: { seq } as HubEvent });
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => line(from + at));
  const day: Line = { type: "day", key: "day:1", at: "" };
  const late = range(100, 200);
  const before = chunksOf([day, ...late], chunksOf([day, ...late], []));

  const after = chunksOf([day, ...range(1, 100), ...late], before);

  assert.equal(after[0]!.lines[0], day);
  for (const one of before.slice(1)) assert.ok(after.includes(one), "an untouched piece was made anew");
});

test("lines that say the same stay the same objects", () => {
  const event = { seq: 4 } as HubEvent;
  const old: Line[] = [{ type: "message", key: "event:4", event, isFirst: true, isLast: true }, { type: "system", key: "event:5", events: [event] }];

  const [same, also, changed] = kept([{ ...old[0]! }, { ...old[1]!, events: [event] } as Line, { type: "note", key: "event:6", event }], old);

  assert.equal(same, old[0]);
  assert.equal(also, old[1]);
  assert.equal(changed?.key, "event:6");
  assert.notEqual(kept([{ ...old[0]!, isLast: false } as Line], old)[0], old[0]);
});
