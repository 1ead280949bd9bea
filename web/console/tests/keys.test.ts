/** Shortcuts: none belongs to a browser, none means two things, none is read by place and by sign. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** What Chrome, Edge and Firefox do by themselves, with Ctrl or ⌘ (Mod) and with Alt. */
const TAKEN = new Set([
  ..."abcdefghijlnoprstuvwxz".split("").map((letter) => `Mod+${letter.toUpperCase()}`),
  ..."bcijmnoprstvwy".split("").map((letter) => `Mod+Shift+${letter.toUpperCase()}`),
  "Mod+Tab", "Mod+F4", "Mod+F5", "F1", "F3", "F5", "F6", "F7", "F11", "F12", "'", "Mod++", "Mod+-", "Mod+0",
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `Mod+${digit}`),
]);

interface Said {
  id: string;
  keys: string;
}

/** Every shortcut that the sources register; the tests run in the folder of the web's sources. */
function registered(): Said[] {
  const files = readdirSync("console", { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name) && !name.includes("tests"));
  const texts = files.map((name) => readFileSync(join("console", name), "utf8"));
  return texts.flatMap((text) => [...text.matchAll(/id: "([\w-]+)",\s+keys: "([^"]+)",\s+name: "keys\./g)].map((one) => ({ id: one[1]!, keys: one[2]! })));
}

test("no shortcut is one of a browser's, or needs Alt", () => {
  const all = registered();
  assert.ok(all.length > 15, `${all.length} found`);
  assert.deepEqual(all.filter((one) => one.keys.split("|").some((keys) => TAKEN.has(keys) || keys.includes("Alt"))), []);
});

test("no two shortcuts have the same keys, and none stands in another one's way", () => {
  const keys = registered().flatMap((one) => one.keys.split("|"));
  assert.deepEqual(keys.filter((one, at) => keys.indexOf(one) !== at), []);
  assert.deepEqual(keys.filter((one) => keys.some((other) => other.startsWith(`${one} `))), []);
});
