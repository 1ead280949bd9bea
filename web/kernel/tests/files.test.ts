import assert from "node:assert/strict";
import { test } from "node:test";
import { type FileAnswer, FileLinks, excerptOf, filesOf, sizeText } from "../files";
import type { HubEvent } from "../types";
import { type Carrier, FILE_BYTES, FILES_MAX, Uploads } from "../uploads";

const answer = (file: string, until = "2026-11-23T12:05:00Z"): FileAnswer => ({
  file, name: `${file}.jpg`, media: "image/webp", bytes: 10, width: 8, height: 4, thumb: { width: 8, height: 4 },
  url: `/files/${file}`, image_url: `/files/${file}-i`, thumb_url: `/files/${file}-t`, until,
}); // prettier-ignore
const NOON = Date.parse("2026-11-23T12:00:00Z");

function hub(gone: string[] = []) {
  const asked: string[][] = [];
  let now = NOON;
  const call = async (_: string, options: { body?: unknown }) => {
    const { files } = options.body as { files: string[] };
    asked.push(files);
    if (files.some((one) => gone.includes(one))) throw new Error("404");
    return { files: files.map((one) => answer(one)) };
  };
  const links = new FileLinks({ base: "https://hub", call } as never, () => now);
  return { asked, links, later: (ms: number) => (now += ms) };
}

test("addresses are asked for together and kept until they end", async () => {
  const { asked, links, later } = hub();
  const found = await Promise.all([links.find("a"), links.find("b"), links.find("a")]);
  assert.deepEqual(asked, [["a", "b"]]);
  assert.equal(found[0]!.thumb, "https://hub/files/a-t");
  await links.find("a");
  assert.equal(asked.length, 1);
  later(4 * 60_000 + 31_000);
  await links.find("a");
  assert.equal(asked.length, 2);
});

test("a file that is gone does not hide the others", async () => {
  const { links } = hub(["b"]);
  const [a, b] = await Promise.all([links.find("a"), links.find("b")]);
  assert.equal(a!.url, "https://hub/files/a");
  assert.equal(b, null);
});

test("a message without a text is called by its files", () => {
  const event = { data: { text: " ", files: [{ id: "f", name: "a.jpg" }, { id: "g", name: "b.pdf" }] } } as unknown as HubEvent;
  assert.equal(excerptOf(event), "a.jpg, b.pdf");
  assert.equal(excerptOf({ data: { text: "hi" } } as unknown as HubEvent), "hi");
  assert.deepEqual(filesOf({ data: {} } as HubEvent), []);
  assert.equal(sizeText(1_572_864, "en"), "1.5 MB");
  assert.equal(sizeText(3, "en"), "1 kB");
});

interface Flight {
  path: string;
  progress: (part: number) => void;
  land: (status: number, body: object) => void;
  crash: () => void;
  signal: AbortSignal;
}

function composer() {
  const flights: Flight[] = [];
  const removed: string[] = [];
  const carry: Carrier = (path, _body, progress, signal) =>
    new Promise((resolve, reject) => {
      const land = (status: number, body: object) => resolve({ status, body: body as Record<string, unknown> });
      flights.push({ path, progress, land, crash: () => reject(new Error()), signal });
      signal.addEventListener("abort", () => reject(new Error()));
    });
  const uploads = new Uploads({ carry, links: hub().links, remove: (file) => removed.push(file), shrink: async (body) => ({ body }) });
  return { uploads, flights, removed };
}

const file = (name: string, size = 10) => ({ name, size, type: "image/jpeg" }) as File;
const turn = () => new Promise((resolve) => setTimeout(resolve));

test("two files travel at a time, and a message waits for all of them", async () => {
  const { uploads, flights } = composer();
  uploads.add([file("\u978b 1.jpg"), file("b.jpg"), file("c.jpg")]);
  await turn();
  assert.deepEqual(uploads.items().map((one) => one.state), ["sending", "sending", "waiting"]);
  assert.equal(flights[0]!.path, "/api/v1/files?name=%E9%9E%8B%201.jpg");
  const done = uploads.settled();
  flights[0]!.progress(0.5);
  assert.equal(uploads.items()[0]!.progress, 0.5);
  for (const [at, id] of ["x", "y", "z"].entries()) {
    flights[at]!.land(201, answer(id));
    await turn();
  }
  const files = await done;
  assert.deepEqual(files!.map((one) => one.id), ["x", "y", "z"]);
  uploads.sent(files!);
  assert.deepEqual(uploads.items(), []);
});

test("a refusal stays with its reason; a broken line can be tried again", async () => {
  const { uploads, flights } = composer();
  uploads.add([file("a.svg"), file("b.jpg")]);
  await turn();
  flights[0]!.land(415, { code: "file_type_refused", retry: "never" });
  flights[1]!.crash();
  assert.equal(await uploads.settled(), null);
  assert.deepEqual(uploads.items().map((one) => [one.error, one.canRetry]), [["file_type_refused", false], ["unreachable", true]]);
  uploads.remove("u1");
  uploads.retry("u2");
  await turn();
  flights[2]!.land(201, answer("b"));
  assert.deepEqual((await uploads.settled())!.map((one) => one.id), ["b"]);
});

test("what is taken back stops, and leaves the hub", async () => {
  const { uploads, flights, removed } = composer();
  uploads.add([file("a.jpg"), file("b.jpg")]);
  await turn();
  flights[0]!.land(201, answer("a"));
  await turn();
  uploads.remove("u1");
  uploads.remove("u2");
  assert.equal(flights[1]!.signal.aborted, true);
  assert.deepEqual(removed, ["a"]);
  assert.deepEqual(uploads.items(), []);
});

test("limits are told before anything travels", async () => {
  const { uploads, flights } = composer();
  uploads.add([file("big.mp4", FILE_BYTES + 1), file("empty.txt", 0)]);
  await turn();
  assert.deepEqual(uploads.items().map((one) => one.error), ["file_too_large", "file_empty"]);
  uploads.add(Array.from({ length: FILES_MAX + 1 }, (_, at) => file(`${at}.jpg`)));
  assert.equal(uploads.items().at(-1)!.error, "too_many_files");
  assert.equal(flights.length, 0);
});
