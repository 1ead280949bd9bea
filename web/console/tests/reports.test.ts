/** Figures of reports as people read them, and which days they are of. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Formatter } from "../../kernel";
import { average, axis, change, rolling, share, shown, spent, timeAxis, valueOf } from "../reports/numbers";
import { here, isRange, moved, rangeOf } from "../reports/ranges";
import type { Figures } from "../reports/types";

const english = new Formatter("en");
const nothing: Figures = {
  opened: 0, closed: 0, replies: 0, first_reply_p50_s: null, first_reply_p90_s: null, resolution_p50_s: null,
  resolution_p90_s: null, promised: 0, kept: 0, ratings: 0, score_sum: 0, satisfied: 0,
}; // prettier-ignore

test("nothing measured is a dash and never zero", () => {
  for (const name of ["first_reply", "resolution", "service", "csat"] as const) {
    assert.equal(valueOf(name, nothing), null);
    assert.equal(shown(name, null, english), "\u2013");
  }
  assert.equal(average(nothing), null);
  assert.equal(shown("opened", valueOf("opened", nothing), english), "0");
});

test("shares and averages are of what there is", () => {
  const some = { ...nothing, promised: 8, kept: 6, ratings: 4, score_sum: 17, satisfied: 3 };

  assert.equal(shown("service", valueOf("service", some), english), "75%");
  assert.equal(shown("csat", valueOf("csat", some), english), "75%");
  assert.equal(average(some), 4.25);
  assert.equal(share(1, 0), null);
});

test("a span of time has its two largest units", () => {
  const cases: [number, string][] = [
    [0, "0 sec"], [59.6, "1 min"], [45, "45 sec"], [60, "1 min"], [95, "1 min 35 sec"], [3_600, "1 hr"], [3_900, "1 hr 5 min"],
    [86_399, "23 hr 59 min"], [90_000, "1 day 1 hr"], [86_460, "1 day"],
  ]; // prettier-ignore
  for (const [seconds, text] of cases) assert.equal(spent(seconds, english), text);
  assert.equal(spent(95, new Formatter("zh-CN")), "1\u5206\u949f 35\u79d2");
});

test("a change is only said where there was something before", () => {
  assert.equal(change(15, 10), 0.5);
  assert.equal(change(5, 10), -0.5);
  assert.equal(change(5, 0), null);
  assert.equal(change(null, 3), null);
});

test("a week of ratings moves from day to day and skips what nobody rated", () => {
  const day = (ratings: number, satisfied: number) => ({ ...nothing, ratings, satisfied });

  assert.deepEqual(rolling([day(0, 0), day(2, 1), day(0, 0), day(2, 2)], 2), [null, 0.5, 0.5, 1]);
});

test("an axis holds its largest value and counts in whole things", () => {
  assert.deepEqual(axis(0), [0, 1]);
  assert.deepEqual(axis(3), [0, 1, 2, 3]);
  assert.deepEqual(axis(7), [0, 5, 10]);
  assert.deepEqual(axis(120), [0, 50, 100, 150]);
  assert.deepEqual(timeAxis(100), [0, 60, 120]);
  assert.deepEqual(timeAxis(0), [0, 1]);
  for (const max of [1, 13, 99, 1_000, 123_456, 9_999_999]) {
    for (const ticks of [axis(max), timeAxis(max)]) {
      assert.ok(ticks.at(-1)! >= max, `${max}: ${ticks}`);
      assert.ok(ticks.length <= 6, `${max}: ${ticks}`);
    }
  }
});

test("a range is a number of days up to today, or two days", () => {
  assert.deepEqual(rangeOf("7", "2026-11-23"), { from: "2026-11-17", to: "2026-11-23", preset: 7 });
  assert.deepEqual(rangeOf("2026-11-01_2026-11-05", "2026-11-23"), { from: "2026-11-01", to: "2026-11-05", preset: null });
  for (const wrong of ["", "8", "yesterday", "2026-11-05_2026-11-01", "2020-01-01_2026-11-01", "<script>_"]) {
    assert.equal(rangeOf(wrong, "2026-11-23").preset, 30);
  }
});

test("days follow the calendar", () => {
  assert.equal(moved("2026-03-01", -1), "2026-02-28");
  assert.ok(isRange("2025-01-01", "2025-12-31"));
  assert.ok(isRange("2024-01-01", "2024-12-31"));
  assert.ok(!isRange("2024-01-01", "2025-01-01"));
  assert.match(here(new Date("2026-11-23T12:00:00Z")).today, /^2026-11-2[34]$/);
});
