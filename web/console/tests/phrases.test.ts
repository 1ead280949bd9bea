/** The hub's English sentences in Chinese. */

import assert from "node:assert/strict";
import { test } from "node:test";
import hub from "../../locales/hub.zh-CN.json";
import { phrasebook } from "../phrases";

const say = phrasebook(hub);
const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((hole) => hole[0]).sort();

test("a known sentence is said with its values", () => {
  assert.equal(say("The customer has been refunded ¥399.00."), "客户已收到退款 ¥399.00。");
  assert.equal(say("Refund ¥399.00 to Alipay"), "退款 ¥399.00 至支付宝");
});

test("several sentences are said one by one, and what is unknown stays as it came", () => {
  const said = say("The customer has not been refunded. Everything that was set up has been taken back. pay-17 is on hold.");

  assert.equal(said, "客户尚未收到退款。已办理的步骤均已撤回。pay-17 is on hold.");
});

test("what is said more exactly wins", () => {
  assert.equal(say("Return from order #1042"), "订单 #1042 退货");
  assert.equal(say("Return R-77"), "退货 R-77");
});

test("names inside of a phrase are said, too", () => {
  assert.equal(say("Check again with Payments and Warehouse"), "向支付、仓库再次查询");
});

test("nothing is made of nothing", () => {
  assert.equal(say(null), "");
  assert.equal(say("Trail Shoe 42"), "Trail Shoe 42");
});

test("every translation uses the holes of its sentence", () => {
  const wrong = Object.entries(hub).filter(([english, chinese]) => holes(english).join() !== holes(chinese).join());

  assert.deepEqual(wrong, []);
});
