/** The courtesy check of forms in cards. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkForm } from "../Form";

const SCHEMA = {
  required: ["reason", "size"],
  properties: {
    reason: { type: "string", maxLength: 5, pattern: "^[a-z]+$" },
    amount: { type: "number", minimum: 1, maximum: 428 },
    size: { type: "string", "x-ui": { visible_if: { field: "reason", equals: "size" } } },
  },
};

test("a required field that is not shown is not asked for", () => {
  assert.deepEqual(checkForm(SCHEMA, { reason: "other" }), {});
  assert.deepEqual(checkForm(SCHEMA, { reason: "size" }), { size: "required" });
});

test("each field names the first rule it breaks", () => {
  assert.deepEqual(checkForm(SCHEMA, { amount: "429" }), { reason: "required", amount: "max" });
  assert.deepEqual(checkForm(SCHEMA, { reason: "longer", amount: "x" }), { reason: "max_length", amount: "number" });
  assert.deepEqual(checkForm(SCHEMA, { reason: "A", amount: 0 }), { reason: "pattern", amount: "min" });
});
