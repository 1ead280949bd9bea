/** The form of an action, what it sends, and what changed between two plans. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlanStep, PlanView } from "../../kernel";
import { changesSince } from "../actions/planDiff";
import { type ActionForm, inputOf, startOf, totalOf } from "../actions/types";

const line = (name: string, price: string, blocked: string | null = null) => ({
  line: name, title: name, sku: name, quantity: 2, returnable: blocked ? 0 : 2, unit_price: { money: price, currency: "CNY" }, blocked,
});
const form = (part: Partial<ActionForm> = {}): ActionForm => ({
  type: "order.return@1", title: "Return", object: "orders:1042", subtitle: "", lines: [line("l1", "399.10"), line("l2", "29.00", "Final sale")],
  schema: { required: ["reason"], properties: { reason: { type: "string" }, note: { type: "string" } } }, values: {}, currency: "CNY", max: null, ...part,
});

test("the only line that can come back is chosen already", () => {
  assert.deepEqual(startOf(form()).lines, { l1: 1 });
  assert.deepEqual(startOf(form({ lines: [line("l1", "1.00"), line("l3", "2.00")] })).lines, {});
});

test("the hub's values fill the form, and null is not a value", () => {
  assert.deepEqual(startOf(form({ values: { reason: null, note: "B7" } })).fields, { note: "B7" });
});

test("only what was chosen and written is sent", () => {
  const input = inputOf(form(), { lines: { l1: 1, l2: 0 }, fields: { reason: "damaged", note: "" } });

  assert.deepEqual(input, { object: "orders:1042", lines: [{ line: "l1", quantity: 1 }], reason: "damaged" });
});

test("sums of money are exact", () => {
  const lines = [line("l1", "0.10"), line("l2", "0.20"), line("l3", "1000000000000000.30")];

  assert.equal(totalOf(form({ lines }), { lines: { l1: 1, l2: 1, l3: 2 }, fields: {} })?.money, "2000000000000000.90");
  assert.equal(totalOf(form(), { lines: {}, fields: {} }), null);
});

test("an amount without decimals has none", () => {
  const lines = [{ ...line("l1", "399"), unit_price: { money: "399", currency: "JPY" } }];

  assert.deepEqual(totalOf(form({ lines }), { lines: { l1: 2 }, fields: {} }), { money: "798", currency: "JPY" });
});

const step = (id: string, before: string, after: string): PlanStep => ({
  id, instance: id, system: id, title: `do ${id}`, detail: "", changes: [{ label: "Stock", before, after }], kind: "compensable", reversible: true, wave: 1, provides: "", refusal: null,
});
const plan = (...steps: PlanStep[]) => ({ steps }) as PlanView;

test("a changed plan says what each step said before, and which steps are gone", () => {
  const found = changesSince(plan(step("a", "14", "15"), step("b", "1", "2")), plan(step("a", "15", "16")));

  assert.deepEqual(found.byStep.get("a"), ["Stock 14 \u2192 15"]);
  assert.deepEqual(found.gone, ["do b"]);
  assert.equal(found.count, 2);
});
