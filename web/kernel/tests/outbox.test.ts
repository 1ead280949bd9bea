/** The outbox: on disk before sent, in order, kept through closing, failed texts not lost. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../client";
import { Outbox, type OutboxStorage, memoryStorage } from "../outbox";
import type { Command } from "../types";
import { FakeClock, FakeHub, dice, settle } from "./fake";

function client(hub: FakeHub, storage: OutboxStorage, random?: () => number): Client {
  const env = hub.env(random);
  return new Client({
    base: "",
    viewer: { side: "visitor", id: "visitor:v_1" },
    client: { name: "test", version: "1" },
    token: () => "token",
    env,
    storage,
    schedule: (flush) => flush(),
    load: (self) => {
      self.store.clear();
      self.store.putEvents("c_1", hub.log, false);
      self.store.apply(hub.log);
      return Promise.resolve(hub.cursor);
    },
  });
}

const texts = (hub: FakeHub) => hub.log.filter((event) => event.by === "visitor:v_1").map((event) => event.data["text"]);

test("an entry is on disk before it is sent, and off it when the hub has it", async () => {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const steps: string[] = [];
  const kept = memoryStorage();
  const storage: OutboxStorage = {
    all: () => kept.all(),
    put: async (entry) => {
      await settle();
      await kept.put(entry);
      steps.push("kept");
    },
    remove: (cid) => (steps.push("removed"), kept.remove(cid)),
  };
  hub.refuse = () => (steps.push("sent"), null);
  const one = client(hub, storage);
  await one.start();
  await clock.pass(100);
  one.post("c_1", "hello");
  await clock.pass(100);
  assert.deepEqual(steps.slice(0, 2), ["kept", "sent"]);
  assert.ok(steps.includes("removed"));
  assert.deepEqual(await kept.all(), []);
  assert.deepEqual(one.store.pending("c_1"), []);
});

test("messages arrive in the order they were written, whatever the line does", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = dice(seed);
    const clock = new FakeClock();
    const hub = new FakeHub(clock);
    hub.refuse = () => {
      const fate = random();
      if (fate < 0.15) return { code: "busy", retry: "later", after_ms: 400 };
      return fate < 0.25 ? "silence" : null;
    };
    const one = client(hub, memoryStorage(), random);
    await one.start();
    const written: string[] = [];
    for (let at = 0; at < 15; at++) {
      written.push(`m${at}`);
      one.post("c_1", `m${at}`);
      if (random() < 0.3) for (const socket of hub.sockets) socket.drop();
      await clock.pass(random() * 1_500);
    }
    await clock.pass(400_000);
    assert.deepEqual(texts(hub), written, `seed ${seed}`);
    assert.deepEqual(one.store.pending("c_1"), []);
    one.stop();
  }
});

test("what was written offline survives closing the tab and is sent by the next page", async () => {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const storage = memoryStorage();
  hub.network = "down";
  const first = client(hub, storage);
  await first.start();
  first.post("c_1", "one");
  await clock.pass(5);
  first.post("c_1", "two");
  await clock.pass(1_000);
  first.stop();
  assert.deepEqual((await storage.all()).length, 2);

  hub.network = "up";
  const second = client(hub, storage);
  await second.start();
  assert.deepEqual(second.store.pending("c_1").map((entry) => entry.text), ["one", "two"]);
  await clock.pass(5_000);
  assert.deepEqual(texts(hub), ["one", "two"]);
  assert.deepEqual(await storage.all(), []);
});

test("an answer that got lost does not store the message twice", async () => {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const one = client(hub, memoryStorage());
  await one.start();
  await clock.pass(100);
  one.post("c_1", "once");
  await settle();
  for (const socket of hub.sockets) socket.drop();
  await clock.pass(30_000);
  assert.deepEqual(texts(hub), ["once"]);
  assert.deepEqual(one.store.pending("c_1"), []);
});

test("a refused message keeps its text, lets the next ones pass, and Retry sends it", async () => {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const storage = memoryStorage();
  hub.refuse = (frame) => ((frame["body"] as { text: string }).text === "bad" ? { code: "too_large", retry: "never" } : null);
  const one = client(hub, storage);
  await one.start();
  await clock.pass(100);
  const cid = one.post("c_1", "bad");
  one.post("c_1", "good");
  await clock.pass(500);
  assert.deepEqual(texts(hub), ["good"]);
  const [failed] = one.store.pending("c_1");
  assert.deepEqual([failed?.text, failed?.state, failed?.error], ["bad", "failed", "too_large"]);
  assert.deepEqual((await storage.all()).map((entry) => entry.state), ["failed"]);
  hub.refuse = () => null;
  one.retry(cid);
  await clock.pass(3_000);
  assert.deepEqual(texts(hub), ["good", "bad"]);
  assert.deepEqual(one.store.pending("c_1"), []);
});

test("the first message goes by REST and its followers into the new conversation", async () => {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const one = client(hub, memoryStorage());
  await one.start();
  await clock.pass(100);
  one.post("new", "first");
  one.post("new", "second");
  for (let at = 0; at < 20 && !hub.requests.length; at++) await settle();
  one.settle("new", "c_1");
  one.post("c_1", "third");
  await clock.pass(2_000);
  assert.deepEqual(texts(hub), ["first", "second", "third"]);
  assert.deepEqual([...one.store.pending("new"), ...one.store.pending("c_1")], []);
});

test("messages that nobody has sent yet move in their order", async () => {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const one = client(hub, memoryStorage());
  await one.start();
  await clock.pass(100);
  for (const text of ["first", "second", "third"]) one.post("new", text);
  one.settle("new", "c_1");
  await clock.pass(2_000);
  assert.deepEqual(texts(hub), ["first", "second", "third"]);
});

test("lanes do not wait for each other", async () => {
  const sent: string[] = [];
  const clock = new FakeClock();
  const outbox = new Outbox({
    storage: memoryStorage(),
    env: new FakeHub(clock).env(),
    deliver: (command) => {
      if (command.conversation === "stuck") return new Promise(() => undefined);
      sent.push(command.conversation);
      return Promise.resolve({ seq: 1, dup: false });
    },
    onState: () => undefined,
  });
  outbox.open();
  const send = (conversation: string): Command & { cid: string } => ({ t: "send", conversation, cid: `${conversation}-1`, body: { kind: "text", text: "x" } });
  await outbox.add("stuck", send("stuck"));
  await outbox.add("free", send("free"));
  await clock.pass(10);
  assert.deepEqual(sent, ["free"]);
});

test("an outbox that sent everything at once would mix the order up", async () => {
  const arrived: string[] = [];
  const random = dice(2);
  const slow = (text: string) => settle().then(() => (random() < 0.5 ? settle() : undefined)).then(() => arrived.push(text));
  await Promise.all(["a", "b", "c", "d", "e", "f"].map(slow));
  assert.notDeepEqual(arrived, ["a", "b", "c", "d", "e", "f"]);
});

test("a browser without storage still sends", async () => {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const refuse = () => Promise.reject(new Error("denied"));
  const storage: OutboxStorage = { all: refuse, put: refuse, remove: refuse };
  const one = client(hub, storage);
  await one.start();
  await clock.pass(100);
  one.post("c_1", "hello");
  await clock.pass(100);
  assert.deepEqual(texts(hub), ["hello"]);
});

test("typing is told at most once in three seconds, and its end once", async () => {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const one = client(hub, memoryStorage());
  await one.start();
  await clock.pass(100);
  for (let at = 0; at < 10; at++) {
    one.typing("c_1", true);
    await clock.pass(500);
  }
  one.typing("c_1", false);
  one.typing("c_1", false);
  await clock.pass(10);
  const told = hub.commands.filter((frame) => frame.t === "typing").map((frame) => frame["on"]);
  assert.deepEqual(told, [true, true, false]);
});

