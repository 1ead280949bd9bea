/** The service worker of the console and of the chat's own page: shows notices, and nothing else. */

/** What the hub sends; everything in it is shown as text. */
interface Notice {
  v: number;
  title: string;
  body: string;
  tag: string;
  url: string;
  lang: string;
}

interface Worker {
  readonly registration: ServiceWorkerRegistration;
  readonly location: Location;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<Window_[]>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}
interface Window_ {
  readonly url: string;
  focus(): Promise<unknown>;
  navigate(url: string): Promise<unknown>;
}
interface WorkerEvent {
  waitUntil(work: Promise<unknown>): void;
  readonly data?: { json(): unknown } | null;
  readonly notification?: Notification;
}

const TEXT_CHARS = 200;
const worker = self as unknown as Worker;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (event) => event.waitUntil(show(read(event))));
worker.addEventListener("notificationclick", (event) => {
  event.notification?.close();
  const { url } = (event.notification?.data ?? {}) as { url?: string };
  event.waitUntil(open(inside(url)));
});

/** A browser ends the subscription of a worker that shows nothing: there is always something. */
function read(event: WorkerEvent): Notice {
  let said: Partial<Record<keyof Notice, unknown>> = {};
  try {
    said = (event.data?.json() ?? {}) as typeof said;
  } catch {
    // Not ours, or of a later version: the sentence below says enough.
  }
  const text = (value: unknown, otherwise: string) => (typeof value === "string" && value ? value.slice(0, TEXT_CHARS) : otherwise);
  return { v: 1, title: text(said.title, "Deskhub"), body: text(said.body, ""), tag: text(said.tag, "deskhub"), url: text(said.url, ""), lang: text(said.lang, "") };
}

function show(notice: Notice): Promise<void> {
  const { title, body, tag, lang, url } = notice;
  // The same tag takes the place of the notice before: a conversation is one notice.
  return worker.registration.showNotification(title, { body, tag, lang, icon: "/console/icon.svg", data: { url } });
}

/** Only pages below this worker are opened, whatever the notice says. */
function inside(url: string | undefined): string {
  const scope = new URL(worker.registration.scope);
  const wanted = new URL(url || scope.pathname, scope);
  return wanted.origin === scope.origin && wanted.pathname.startsWith(scope.pathname) ? wanted.href : scope.href;
}

async function open(url: string): Promise<void> {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const same = pages.find((page) => page.url.split("#")[0] === url);
  const near = same ?? pages.find((page) => page.url.startsWith(worker.registration.scope));
  if (!near) return void (await worker.clients.openWindow(url));
  await near.focus();
  if (!same) await near.navigate(url);
}
