/** The connection: resume, gaps, drain, silence, back-off, and long poll on the same cursor. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../api";
import { Connection, type ConnectionState, backoffMs } from "../transport";
import type { HubEvent } from "../types";
import { FakeClock, FakeHub, dice } from "./fake";

interface Rig {
  clock: FakeClock;
  hub: FakeHub;
  connection: Connection;
  seen: number[];
  states: string[];
  resets: string[];
}

function rig(options: { random?: () => number; refresh?: () => Promise<void> } = {}): Rig {
  const clock = new FakeClock();
  const hub = new FakeHub(clock);
  const env = hub.env(options.random);
  const seen: number[] = [];
  const states: string[] = [];
  const resets: string[] = [];
  const connection = new Connection({
    api: new Api("", env, () => "token"),
    env,
    client: { name: "test", version: "1" },
    token: () => "token",
    ...(options.refresh ? { refresh: options.refresh } : {}),
    cursor: "e:0",
    onEvents: (events: HubEvent[]) => seen.push(...events.map((event) => event.seq)),
    onReset: (why) => {
      resets.push(why);
      seen.length = 0;
      seen.push(...hub.log.map((event) => event.seq));
      return Promise.resolve(hub.cursor);
    },
    onState: (state: ConnectionState) => states.push(state.phase),
  });
  return { clock, hub, connection, seen, states, resets };
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

test("back-off is random between nothing and a bound that doubles up to 30 s", () => {
  const bounds = [0, 1, 2, 3, 4, 5, 6, 7, 40].map((k) => backoffMs(k, () => 1));
  assert.deepEqual(bounds, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assert.equal(backoffMs(5, () => 0), 0);
  assert.equal(backoffMs(5, () => 0.25), 4000);
});

test("events arrive once and in order", async () => {
  const { clock, hub, connection, seen, states } = rig();
  hub.post("before");
  connection.start();
  await clock.pass(100);
  hub.post("a");
  hub.post("b");
  await clock.pass(100);
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(connection.cursor, "e:3");
  assert.deepEqual(states, ["connecting", "live"]);
  assert.deepEqual(hub.commands.filter((frame) => frame.t === "ack").at(-1), { t: "ack", seq: 3 });
});

test("after a cut the exact missing events come", async () => {
  const { clock, hub, connection, seen, states } = rig();
  connection.start();
  await clock.pass(100);
  hub.post("one");
  await clock.pass(10);
  for (const socket of hub.sockets) socket.drop();
  hub.post("two");
  hub.post("three");
  await clock.pass(5_000);
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(hub.hellos.at(-1)!["cursor"], "e:1");
  assert.deepEqual(states, ["connecting", "live", "offline", "live"]);
});

test("a frame that does not fit the cursor is not applied: the client asks again", async () => {
  const { clock, hub, connection, seen } = rig();
  connection.start();
  await clock.pass(100);
  hub.log.push({ ...hub.post("one"), seq: 2 });
  const [socket] = hub.sockets;
  socket!.tell({ t: "events", from: "e:5", to: "e:6", events: [{ seq: 6 }] });
  await clock.pass(3_000);
  assert.ok(!seen.includes(6));
  assert.deepEqual(seen, [1, 2]);
  assert.equal(hub.hellos.length, 2);
});

test("a frame that overlaps is applied only where it is new", async () => {
  const { clock, hub, connection, seen } = rig();
  connection.start();
  await clock.pass(100);
  hub.post("one");
  await clock.pass(10);
  const [socket] = hub.sockets;
  const two = { ...hub.log[0]!, seq: 2 };
  socket!.tell({ t: "events", from: "e:0", to: "e:2", events: [hub.log[0], two] });
  socket!.tell({ t: "events", from: "e:0", to: "e:1", events: [hub.log[0]] });
  await clock.pass(10);
  assert.deepEqual(seen, [1, 2]);
});

test("another epoch drops the state and loads the snapshot", async () => {
  const { clock, hub, connection, seen, resets } = rig();
  connection.start();
  await clock.pass(100);
  hub.post("one");
  hub.post("two");
  await clock.pass(10);
  hub.epoch = "f";
  hub.log = hub.log.slice(0, 1);
  for (const socket of hub.sockets) socket.drop();
  await clock.pass(5_000);
  hub.post("new two");
  await clock.pass(10);
  assert.ok(resets.length >= 1);
  assert.deepEqual(seen, [1, 2]);
  assert.equal(connection.cursor, "f:2");
});

test("drain: the new socket is there before the old one goes, nothing is missed", async () => {
  const { clock, hub, connection, seen, states } = rig();
  connection.start();
  await clock.pass(100);
  const [old] = hub.sockets;
  old!.tell({ t: "drain", window_ms: [2_000, 4_000] });
  await clock.pass(2_900);
  assert.equal(hub.dials, 1);
  hub.post("meanwhile");
  await clock.pass(200);
  assert.equal(hub.dials, 2);
  assert.ok(!hub.sockets.has(old!));
  hub.post("after");
  await clock.pass(100);
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(states, ["connecting", "live"]);
});

test("a server that closes with 1012 inside the window is dialled when the window says", async () => {
  const { clock, hub, connection } = rig();
  connection.start();
  await clock.pass(100);
  const [socket] = hub.sockets;
  socket!.tell({ t: "drain", window_ms: [6_000, 6_000] });
  await clock.pass(500);
  socket!.drop(1012);
  await clock.pass(5_000);
  assert.equal(hub.dials, 1);
  await clock.pass(600);
  assert.equal(hub.dials, 2);
});

test("40 s of silence mean a dead line", async () => {
  const { clock, hub, connection, seen } = rig();
  connection.start();
  await clock.pass(100);
  for (const socket of hub.sockets) socket.isDead = true;
  hub.post("unheard");
  await clock.pass(39_000);
  assert.equal(hub.dials, 1);
  await clock.pass(2_500);
  assert.equal(hub.dials, 2);
  assert.deepEqual(seen, [1]);
});

test("waking up dials anew although the socket says it is open", async () => {
  const { clock, hub, connection, seen, states } = rig();
  connection.start();
  await clock.pass(2_000);
  for (const socket of hub.sockets) socket.isDead = true;
  hub.post("while asleep");
  hub.wake();
  await clock.pass(100);
  assert.equal(hub.dials, 2);
  assert.deepEqual(seen, [1]);
  assert.deepEqual(states, ["connecting", "live"]);
});

test("a timer that fires late counts as waking up", async () => {
  const { clock, hub, connection } = rig();
  connection.start();
  await clock.pass(7_000);
  clock.ms += 120_000;
  await clock.pass(10);
  assert.equal(hub.dials, 2);
});

test("codes from 4500 stop the client, 4000 to 4499 do not", async () => {
  const stopped = rig();
  stopped.connection.start();
  await stopped.clock.pass(100);
  for (const socket of stopped.hub.sockets) socket.drop(4504);
  await stopped.clock.pass(120_000);
  assert.equal(stopped.hub.dials, 1);
  assert.deepEqual([stopped.connection.state.phase, stopped.connection.state.code], ["stopped", 4504]);

  const again = rig();
  again.connection.start();
  await again.clock.pass(100);
  for (const socket of again.hub.sockets) socket.drop(4409);
  await again.clock.pass(2_000);
  assert.equal(again.connection.state.phase, "live");
});

test("4401 and auth_soon ask for a newer token first", async () => {
  let refreshed = 0;
  const { clock, hub, connection } = rig({ refresh: () => Promise.resolve(void refreshed++) });
  connection.start();
  await clock.pass(100);
  for (const socket of hub.sockets) socket.tell({ t: "auth_soon", in_s: 60 });
  await clock.pass(100);
  assert.equal(refreshed, 1);
  assert.equal(hub.commands.find((frame) => frame.t === "auth")?.["token"], "token");
  for (const socket of hub.sockets) socket.drop(4401);
  await clock.pass(2_000);
  assert.equal(refreshed, 2);
  assert.equal(connection.state.phase, "live");
});

test("two failed opens lead to long poll on the same cursor, and back", async () => {
  const { clock, hub, connection, seen } = rig();
  hub.network = "no-sockets";
  hub.post("one");
  connection.start();
  await clock.pass(3_000);
  assert.equal(connection.state.phase, "polling");
  assert.equal(hub.polls[0], "e:0");
  hub.post("two");
  await clock.pass(300);
  assert.deepEqual(seen, [1, 2]);
  const receipt = await connection.command({ t: "send", conversation: "c_1", cid: "k1", body: { kind: "text", text: "mine" } });
  assert.equal(receipt.seq, 3);
  await clock.pass(300);
  hub.network = "up";
  await clock.pass(301_000);
  assert.equal(connection.state.phase, "live");
  hub.post("four");
  await clock.pass(100);
  assert.deepEqual(seen, upTo(4));
  const polls = hub.polls.length;
  await clock.pass(60_000);
  assert.equal(hub.polls.length, polls);
});

test("no welcome within 5 s leads to long poll", async () => {
  const { clock, hub, connection } = rig();
  hub.network = "mute-sockets";
  connection.start();
  await clock.pass(4_900);
  assert.equal(connection.state.phase, "connecting");
  await clock.pass(1_200);
  assert.equal(connection.state.phase, "polling");
  assert.equal(hub.dials, 2);
  await clock.pass(60_000);
  assert.equal(hub.dials, 2);
});

test("when a server comes back after a long absence the socket is tried first", async () => {
  const { clock, hub, connection, seen } = rig({ random: dice(5) });
  connection.start();
  await clock.pass(100);
  hub.network = "down";
  for (const socket of hub.sockets) socket.drop();
  await clock.pass(120_000);
  assert.equal(connection.state.phase, "offline");
  assert.ok(connection.state.offlineSince! <= clock.ms - 119_000);
  hub.network = "up";
  hub.post("back");
  await clock.pass(31_000);
  assert.deepEqual(seen, [1]);
  assert.equal(connection.state.phase, "live");
});

test("the network comes back just after a try failed: the next try does not wait for the back-off", async () => {
  for (const behind of [1, 400, 999]) {
    const { clock, hub, connection, seen } = rig({ random: () => 1 });
    connection.start();
    await clock.pass(2_000);
    hub.network = "down";
    for (const socket of hub.sockets) socket.drop();
    // 0.5, 1, 2 and 4 s of waiting lie behind; the next try is 8 s away.
    await clock.pass(7_500 + behind);
    assert.equal(connection.state.phase, "offline");
    hub.network = "up";
    hub.post("back");
    hub.wake();
    await clock.pass(1_000);
    assert.deepEqual(seen, [1]);
    assert.equal(connection.state.phase, "live");
  }
});

test("the network comes back while a try hangs: it is given up for a new one", async () => {
  const { clock, hub, connection, seen } = rig({ random: () => 1 });
  connection.start();
  await clock.pass(2_000);
  for (const socket of hub.sockets) socket.drop();
  hub.network = "mute-sockets";
  await clock.pass(2_000);
  hub.network = "up";
  hub.post("back");
  hub.wake();
  await clock.pass(1_000);
  assert.deepEqual(seen, [1]);
  assert.equal(connection.state.phase, "live");
});

test("under random cuts, drains and sleeps nothing is lost, doubled or out of order", async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = dice(seed);
    const { clock, hub, connection, seen } = rig({ random });
    connection.start();
    for (let step = 0; step < 60; step++) {
      const fate = random();
      const sockets = [...hub.sockets];
      if (fate < 0.45) hub.post(`m${step}`);
      else if (fate < 0.6) sockets.forEach((socket) => socket.drop(random() < 0.5 ? 1006 : 1012));
      else if (fate < 0.7) sockets.forEach((socket) => (socket.isDead = true));
      else if (fate < 0.78) sockets.forEach((socket) => socket.tell({ t: "drain", window_ms: [0, 3_000] }));
      else if (fate < 0.86) hub.wake();
      else hub.network = (["up", "no-sockets", "mute-sockets", "down"] as const)[Math.floor(random() * 4)]!;
      await clock.pass(random() * 4_000);
    }
    hub.network = "up";
    await clock.pass(120_000);
    assert.deepEqual(seen, upTo(hub.log.length), `seed ${seed}`);
    connection.stop();
  }
});
