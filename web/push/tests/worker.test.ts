/** The service worker: what it shows, and which pages a notice may open. */

import assert from "node:assert/strict";
import { before, beforeEach, test } from "node:test";

type Listener = (event: Record<string, unknown>) => void;

const listeners = new Map<string, Listener>();
const shown: { title: string; options: NotificationOptions }[] = [];
const opened: string[] = [];
let pages: { url: string; focus(): Promise<void>; navigate(url: string): Promise<void> }[] = [];

before(async () => {
  const worker = {
    registration: {
      scope: "https://desk.example/c/",
      showNotification: async (title: string, options: NotificationOptions) => void shown.push({ title, options }),
    },
    clients: { claim: async () => undefined, matchAll: async () => pages, openWindow: async (url: string) => void opened.push(url) },
    skipWaiting: async () => undefined,
    addEventListener: (name: string, listener: Listener) => listeners.set(name, listener),
  };
  Object.defineProperty(globalThis, "self", { value: worker, configurable: true });
  await import("../worker");
});

beforeEach(() => {
  shown.length = opened.length = 0;
  pages = [];
});

async function happen(name: string, event: Record<string, unknown>): Promise<void> {
  const work: Promise<unknown>[] = [];
  listeners.get(name)!({ ...event, waitUntil: (one: Promise<unknown>) => work.push(one) });
  await Promise.all(work);
}

const push = (json: () => unknown) => happen("push", { data: { json } });
const click = (url: string) => happen("notificationclick", { notification: { data: { url }, close: () => undefined } });

test("a notice shows its words as they are, and takes the place of the one before", async () => {
  await push(() => ({ v: 1, title: "<b>Li Wei</b>", body: "x".repeat(500), tag: "c1", url: "/c/shop", lang: "zh-CN" }));
  assert.equal(shown[0]!.title, "<b>Li Wei</b>");
  assert.equal(shown[0]!.options.body!.length, 200);
  assert.deepEqual([shown[0]!.options.tag, shown[0]!.options.lang], ["c1", "zh-CN"]);
});

test("what cannot be read is shown all the same, or the browser ends the subscription", async () => {
  await push(() => {
    throw new SyntaxError();
  });
  await push(() => ({ title: { toString: 1 }, body: 7 }));
  await happen("push", { data: null });
  assert.deepEqual(shown.map((one) => one.title), ["Deskhub", "Deskhub", "Deskhub"]);
});

test("a click opens the page below the worker, and no other", async () => {
  for (const url of ["/c/shop", "https://evil.example/c/shop", "//evil.example/c/", "javascript:alert(1)", "/console/", "/c/../api/v1/x", ""]) await click(url);
  assert.equal(opened[0], "https://desk.example/c/shop");
  assert.deepEqual([...new Set(opened.slice(1))], ["https://desk.example/c/"]);
});

test("a page that is open is shown again instead of a second one", async () => {
  const did: string[] = [];
  const page = (url: string) => ({ url, focus: async () => void did.push(`focus ${url}`), navigate: async (to: string) => void did.push(`to ${to}`) });
  pages = [page("https://desk.example/c/other"), page("https://desk.example/c/shop#x")];
  await click("/c/shop");
  assert.deepEqual([did, opened], [["focus https://desk.example/c/shop#x"], []]);
});
