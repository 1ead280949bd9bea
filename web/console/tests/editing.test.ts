/** What may be edited, whom an @ may mean, and how a snooze is taken back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Agent, type ConversationView, type HubEvent, emptyTimeline, mergeEvents } from "../../kernel";
import { isYoung, lastOwn, versionOf } from "../conversation/ownLast";
import { atSign, findPeople } from "../conversation/mentioning";
import { asBefore } from "../inbox/undoSnooze";

const AT = "2026-11-23T09:00:00.000Z";
const event = (seq: number, kind: string, by: string, data: Record<string, unknown>): HubEvent => ({ seq, at: AT, kind, conversation: "c", by, data });
const SAID = [
  event(1, "message.posted", "agent:a_1", { text: "first" }),
  event(2, "note.posted", "agent:a_1", { text: "note" }),
  event(3, "message.posted", "agent:a_1", { text: "second" }),
  event(4, "message.posted", "visitor:v", { text: "thanks" }),
  event(5, "message.posted", "agent:a_2", { text: "bye" }),
  event(6, "message.edited", "agent:a_1", { of: 3, version: 1, text: "second!" }),
];
const timeline = mergeEvents(emptyTimeline, SAID);

test("my last message and my last note are what I can edit, whatever others said since", () => {
  assert.equal(lastOwn(timeline, "agent:a_1", "reply")?.seq, 3);
  assert.equal(lastOwn(timeline, "agent:a_1", "note")?.seq, 2);
  assert.equal(lastOwn(timeline, "agent:a_3", "reply"), null);
});

test("an edit begins with the newest text and its version", () => {
  const mine = lastOwn(timeline, "agent:a_1", "reply")!;
  assert.equal(mine.data["text"], "second!");
  assert.equal(versionOf(mine), 1);
});

test("fifteen minutes are enough for a slip", () => {
  assert.ok(isYoung(SAID[0]!, Date.parse(AT) + 14 * 60_000));
  assert.ok(!isYoung(SAID[0]!, Date.parse(AT) + 15 * 60_000));
});

test("what was erased cannot be edited", () => {
  const erased = mergeEvents(emptyTimeline, [event(1, "message.posted", "agent:a_1", { text: "", erased: true })]);
  assert.equal(lastOwn(erased, "agent:a_1", "reply"), null);
});

const OPENS: [string, string | null][] = [
  ["@", ""],
  ["@li", "li"],
  ["\uff20li", "li"],
  ["ask @li w", "li w"],
  ["(@li", "li"],
  ["\u8bf7\u95ee@\u8d75", "\u8d75"],
  ["li.wei@scree", null],
  ["@li wei again", null],
  ["@@", null],
  ["no name", null],
];
for (const [text, query] of OPENS) {
  test(`${JSON.stringify(text)} ${query === null ? "opens no list" : "opens the list"} of colleagues`, () => {
    assert.equal(atSign(text, text.length)?.query ?? null, query);
  });
}

const PEOPLE: Agent[] = [{ id: "a_1", name: "Li Wei" }, { id: "a_2", name: "Sara Lind" }, { id: "a_3", name: "\u8d75\u654f" }];

test("letters mean whoever's name has them, never me", () => {
  const found = (query: string) => findPeople(PEOPLE, query, "agent:a_1").map((one) => one.name);
  assert.deepEqual(found(""), ["Sara Lind", "\u8d75\u654f"]);
  assert.deepEqual(found("sl"), ["Sara Lind"]);
  assert.deepEqual(found("lin"), ["Sara Lind"]);
  assert.deepEqual(found("z"), ["\u8d75\u654f"]);
  assert.deepEqual(found("Sara Lind "), []);
  assert.deepEqual(found("xyz"), []);
});

test("a snooze is taken back to what was before it", () => {
  const was = (part: Partial<ConversationView>) => asBefore(part as ConversationView, "c");
  assert.equal(was({ state: "open" }).t, "wake");
  assert.equal(was({ state: "closed" }).t, "close");
  const again = was({ state: "snoozed", snoozed_until: AT });
  assert.deepEqual([again.t, "until" in again && again.until], ["snooze", AT]);
});
