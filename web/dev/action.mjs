// The return across five systems, acted out: form, plan, run, and a stop at CRM when asked for.

import { at } from "./world.mjs";

const cny = (money) => ({ money, currency: "CNY" });

export const form = {
  type: "order.return@1", title: "Return from order #1042", object: "orders:1042", subtitle: "Wang Fang",
  lines: [
    { line: "l1", title: "Trail Shoe, 42, black", sku: "TS-42-B", quantity: 1, returnable: 1, unit_price: cny("399.00"), blocked: null },
    { line: "l2", title: "Merino socks", sku: "MS-02", quantity: 1, returnable: 0, unit_price: cny("29.00"), blocked: "final sale, cannot be returned" },
  ],
  schema: {
    required: ["reason"],
    properties: {
      reason: { type: "string", title: "Reason", oneOf: [{ const: "damaged", title: "Damaged or faulty" }, { const: "size", title: "Wrong size" }], default: "damaged" },
      note: { type: "string", title: "Note for the warehouse", maxLength: 200 },
      message: { type: "string", title: "Message to the customer", maxLength: 1000, default: "We take the shoes back at our cost, and \u00a5399.00 goes back to your Alipay." },
    },
  },
  values: { lines: [{ line: "l1", quantity: 1 }] }, currency: "CNY", max: cny("428.00"),
};

const STEPS = [
  ["s1", "orders", "Orders", "Create return R-77 for 1 item", [["Delivered", "", "Return open"]], "compensable", "Return R-77 created"],
  ["s2", "erp", "Warehouse", "Expect TS-42-B \u00d7 1 at Hangzhou", [["Inbound", "14", "15"]], "compensable", "Receipt expected, label SF1390022119001"],
  ["s3", "erp", "Accounting", "Draft credit note, account 2203", [["Credit", "\u00a50.00", "\u00a5399.00"]], "compensable", "Credit note CN-2208 drafted"],
  ["s4", "payments", "Payments", "Refund \u00a5399.00 to Alipay", [["Refunded", "\u00a50.00", "\u00a5399.00 of \u00a5428.00"]], "pivot", "Refunded \u00a5399.00"],
  ["s5", "tickets", "Tickets", "Link SUP-318", [["Cases in batch B7", "11", "12"]], "retriable", "SUP-318 linked"],
  ["s6", "crm", "CRM", "Note on the customer", [["Activities", "4", "5"]], "retriable", "Noted"],
];

let plans = 0;

export function plan(input, validS = 60) {
  plans += 1;
  return {
    id: `p_${plans}`, type: "order.return@1", title: "Return", conversation: "c_wang", object: "orders:1042", input,
    eligible: { ok: true, reasons: ["day 1 of 7", "fault covered by warranty", "no earlier return on this order"] },
    amount: cny("399.00"), dropped: [],
    steps: STEPS.map(([id, instance, system, title, changes, kind], n) => ({
      id, instance, system, title, detail: "", kind, reversible: kind === "compensable", wave: n + 1, provides: "", refusal: null,
      changes: changes.map(([label, before, after]) => ({ label, before, after })),
    })),
    digest: `d${plans}`, expires_at: new Date(Date.now() + validS * 1000).toISOString(), checked_ms: 812, confirm_label: "Refund \u00a5399.00",
  };
}

export function newRun() {
  return {
    id: "run_77", type: "order.return@1", title: "Return R-77", conversation: "c_wang", object: "orders:1042", state: "running", sentence: "The return is being set up.",
    amount: cny("399.00"), started_by: { id: "a_sara", name: "Sara Lind" }, started_at: new Date().toISOString(), ended_at: null,
    steps: STEPS.map(([id, instance, system, title, , kind]) => ({ id, instance, system, title, kind, state: "planned", attempts: [], result: "", started_at: null, ended_at: null })),
    truths: { done: [], not_done: [], unknown: [] }, choices: [],
  };
}

/** Move *run* on by one half step; true when it has come to its end. */
export function advance(run, failAt) {
  const step = run.steps.find((one) => one.state === "intent") ?? run.steps.find((one) => one.state === "planned");
  if (!step) return finish(run);
  const number = run.steps.indexOf(step);
  if (step.state === "planned") {
    step.state = "intent";
    if (step.kind === "pivot") run.sentence = "Refunding \u00a5399.00 to Alipay";
    return false;
  }
  const isBroken = step.id === failAt;
  step.attempts.push({ at: new Date().toISOString(), ms: 400 + number * 130, ok: !isBroken, code: isBroken ? "503" : "", text: isBroken ? "maintenance until 10:30" : "" });
  if (isBroken) return stop(run, step);
  step.state = "done";
  step.result = STEPS[number][6];
  return run.steps.every((one) => one.state === "done") ? finish(run) : false;
}

function finish(run) {
  run.state = "completed";
  run.sentence = "Wang Fang has her \u00a5399.00 back.";
  run.ended_at = new Date().toISOString();
  return true;
}

function stop(run, step) {
  step.state = "unknown";
  step.attempts.push({ ...step.attempts[0] }, { ...step.attempts[0] });
  run.state = "attention";
  run.sentence = "Wang Fang has her \u00a5399.00 back. The case is not recorded in CRM.";
  run.truths = {
    done: ["Orders: return R-77 open", "Warehouse: receipt expected", "Accounting: CN-2208 drafted", "Payments: \u00a5399.00 refunded", "Tickets: SUP-318 linked"],
    not_done: ["CRM: note on the customer"], unknown: [],
  };
  run.choices = [
    { do: "retry", label: "Retry the CRM note", suggested: true, needs_reason: false },
    { do: "check", label: "Ask CRM whether it has the note", suggested: false, needs_reason: false },
    { do: "hand_over", label: "Hand over to Operations", suggested: false, needs_reason: false },
    { do: "done", label: "Mark as done by hand", suggested: false, needs_reason: true },
  ];
  return true;
}

export function attentionRun() {
  const run = newRun();
  run.started_at = at(20);
  while (!advance(run, "s6"));
  return run;
}
