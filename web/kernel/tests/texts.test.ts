/** Texts, formats and drafts: plural forms, the reader's clock, nothing typed gets lost. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Drafts } from "../drafts";
import { Formatter } from "../format";
import { I18n, pickLanguage } from "../i18n";
import { newCid } from "../ids";
import { FakeClock } from "./fake";
import en from "../../locales/widget.en.json";
import zh from "../../locales/widget.zh-CN.json";

const NOON = Date.parse("2026-11-23T12:00:00Z");

test("plural forms follow the language", () => {
  const words = { new: { one: "{count} new", other: "{count} new ones" } };
  const english = new I18n("en", words);
  assert.equal(english.t("new", { count: 1 }), "1 new");
  assert.equal(english.t("new", { count: 3 }), "3 new ones");
  assert.equal(new I18n("zh-CN", { new: { other: "{count} \u6761" } }).t("new", { count: 1 }), "1 \u6761");
});

test("a missing text falls back to the other language and then to its name", () => {
  const words = new I18n("zh-CN", { a: "\u7532" }, { a: "A", b: "B {x}" });
  assert.deepEqual([words.t("a"), words.t("b", { x: 1 }), words.t("c")], ["\u7532", "B 1", "c"]);
});

test("the widget says the same things in both languages", () => {
  const holes = (text: unknown) => [...new Set(JSON.stringify(text).match(/\{\w+\}/g) ?? [])].sort();
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  for (const name of Object.keys(en) as (keyof typeof en)[]) assert.deepEqual(holes(zh[name]), holes(en[name]), name);
});

test("the language is the first wanted one that there is", () => {
  const offered = ["en", "zh-CN"];
  assert.equal(pickLanguage([undefined, "zh-TW"], offered), "zh-CN");
  assert.equal(pickLanguage(["fr", "EN-us"], offered), "en");
  assert.equal(pickLanguage(["fr"], offered), "en");
});

test("money, times and days read as people write them", () => {
  const english = new Formatter("en", "Asia/Shanghai", () => NOON);
  const chinese = new Formatter("zh-CN", "Asia/Shanghai", () => NOON);
  assert.equal(english.money("399.00", "CNY"), "\u00a5399.00");
  assert.equal(chinese.money("399.00", "CNY"), "\u00a5399.00");
  assert.equal(english.time("2026-11-23T01:41:00Z"), "09:41");
  assert.equal(english.dateTime("2026-11-18T01:12:00Z"), "18 Nov, 09:12");
  assert.equal(chinese.dateTime("2026-11-18T01:12:00Z"), "11\u670818\u65e5 09:12");
  assert.equal(english.relative("2026-11-23T11:58:00Z"), "2 minutes ago");
  assert.equal(english.relative("2026-11-23T11:59:40Z"), "now");
});

test("today ends at the reader's midnight", () => {
  const format = new Formatter("en", "Asia/Shanghai", () => NOON);
  assert.equal(format.daysFromNow("2026-11-22T17:00:00Z"), 0);
  assert.equal(format.daysFromNow("2026-11-22T15:00:00Z"), -1);
});

test("amounts keep every digit they came with", () => {
  const format = new Formatter("en", "UTC", () => NOON);
  assert.equal(format.money("9007199254740993.01", "CNY"), "\u00a59,007,199,254,740,993.01");
});

test("a draft is kept at every key and saved once typing rests", async () => {
  const clock = new FakeClock();
  const saved: string[] = [];
  const disk = new Map<string, string>();
  const storage = { getItem: (k: string) => disk.get(k) ?? null, setItem: (k: string, v: string) => void disk.set(k, v), removeItem: (k: string) => void disk.delete(k) };
  const options = { env: clock, storage, prefix: "t", save: (_: string, __: string, text: string) => Promise.resolve(void saved.push(text)) };
  const drafts = new Drafts(options);
  for (const text of ["h", "he", "hel"]) drafts.set("c_1", text);
  assert.equal(new Drafts(options).get("c_1"), "hel");
  await clock.pass(900);
  assert.deepEqual(saved, ["hel"]);
  drafts.adopt("c_1", "reply", "from elsewhere");
  assert.equal(drafts.get("c_1"), "hel");
  drafts.set("c_1", "");
  assert.equal(disk.size, 0);
});

test("command ids sort by the time they were made", () => {
  const early = newCid(1_000);
  const late = newCid(2_000);
  assert.match(early, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(early < late);
});
