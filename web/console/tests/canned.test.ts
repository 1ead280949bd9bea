/** Saved replies: when the menu opens, what is found, what is missing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CannedReply } from "../../kernel";
import { cannedText, fillIn, findCanned, missingIn, slashAt } from "../conversation/canned";
import { find } from "../conversation/pinyin";

const RETURN: CannedReply = { id: "1", shortcut: "return", title: "\u9000\u8d27\u6d41\u7a0b", text: { en: "How a return works", "zh-CN": "\u6d41\u7a0b\u5982\u4e0b" } };
const HELLO: CannedReply = { id: "2", shortcut: "hello", title: "Greeting", text: { en: "Hello {{customer.name|there}}" } };

const OPENS: [string, string | null][] = [
  ["/", ""],
  ["/re", "re"],
  ["\uff0fre", "re"],
  ["hello /re", "re"],
  ["hello\n/re", "re"],
  ["hello/re", null],
  ["https://x", null],
  ["\u3001", ""],
  ["\u3001th", "th"],
  ["\u60a8\u597d\u3001th", null],
  ["\u60a8\u597d \u3001th", null],
  ["/re turn", null],
];
for (const [text, query] of OPENS) {
  test(`${JSON.stringify(text)} ${query === null ? "does not open" : "opens"} the saved replies`, () => {
    assert.equal(slashAt(text, text.length)?.query ?? null, query);
  });
}

test("pinyin initials, whole syllables and mixtures find Chinese titles", () => {
  for (const query of ["th", "tui", "tuih", "tuihuo", "\u9000"]) assert.ok(find("\u9000\u8d27\u6d41\u7a0b", query), query);
  assert.equal(find("\u9000\u8d27\u6d41\u7a0b", "xyz"), null);
});

test("the part that matched is named, so that it can be marked", () => {
  assert.deepEqual(find("\u9000\u8d27\u6d41\u7a0b", "tuih")?.at, [0, 2]);
  assert.deepEqual(find("Refund \u9000\u6b3e", "tk")?.at, [7, 9]);
});

test("a shortcut comes before a title and a title before a text", () => {
  assert.deepEqual(findCanned([HELLO, RETURN], "re").map((hit) => hit.reply.id), ["1", "2"]);
  assert.equal(findCanned([HELLO, RETURN], "works")[0]?.reply.id, "1");
});

test("the customer's language wins over the reader's", () => {
  assert.equal(cannedText(RETURN, ["zh", "en"]), "\u6d41\u7a0b\u5982\u4e0b");
  assert.equal(cannedText(RETURN, [null, "en"]), "How a return works");
  assert.equal(cannedText(HELLO, ["zh-CN"]), "Hello {{customer.name|there}}");
});

test("a variable takes its value, else its fallback, else stays to be seen", () => {
  assert.equal(fillIn("Hi {{customer.name|there}}", { "customer.name": "Wang" }), "Hi Wang");
  assert.equal(fillIn("Hi {{customer.name|there}}", {}), "Hi there");
  assert.equal(fillIn("Order {{order.number}}", {}), "Order {{order.number}}");
});

test("what nothing can fill is named once", () => {
  assert.deepEqual(missingIn("{{order.number}} {{order.number}} {{agent.name}}", { "agent.name": "Li" }), ["order.number"]);
  assert.deepEqual(missingIn("{{order.number|}}", {}), []);
});
