/** What a macro changes can be taken back; what it said cannot. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationView, Macro } from "../../kernel";
import { takenBack } from "../conversation/takenBack";

const view = { id: "c", state: "open", tags: ["vip"], assignee: { id: "a_2", name: "Li" } } as unknown as ConversationView;
const macro = (part: Partial<Macro>): Macro => ({ id: "m", title: { en: "M" }, say: {}, tags: [], assign: null, close: false, ...part });

test("each change is taken back, in the opposite order of doing", () => {
  assert.deepEqual(takenBack(view, macro({ tags: ["vip", "done"], assign: "me", close: true })), [
    { t: "reopen", conversation: "c" },
    { t: "tag", add: [], remove: ["done"], conversation: "c" },
    { t: "assign", agent: "a_2", conversation: "c" },
  ]);
});

test("what was so before is left alone", () => {
  assert.deepEqual(takenBack({ ...view, state: "closed" }, macro({ say: { en: "Bye" }, tags: ["vip"], close: true })), []);
});
