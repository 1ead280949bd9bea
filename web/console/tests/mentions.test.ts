/** Who is called by a note. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HubEvent } from "../../kernel";
import { callsMe } from "../calls";

const me = { id: "a_1", name: "Li Wei" };
const note = (text: string, part: Partial<HubEvent> = {}) => ({ seq: 1, at: "", kind: "note.posted", conversation: "c", by: "agent:a_2", data: { text }, ...part }) as HubEvent;

test("a colleague's note with @ and my name calls me, in either width and case", () => {
  assert.ok(callsMe(note("@Li Wei can you look?"), me));
  assert.ok(callsMe(note("麻烦 ＠li wei 看一下"), me));
});

test("my own notes, other names and messages do not", () => {
  assert.ok(!callsMe(note("@Li Wei", { by: "agent:a_1" }), me));
  assert.ok(!callsMe(note("@Liang, ask Li Wei"), me));
  assert.ok(!callsMe(note("@Li Wei", { kind: "message.posted" }), me));
});
