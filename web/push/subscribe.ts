/** This browser as a device that is told: asked for by a click, kept by the hub. */

import type { Api } from "../kernel";

interface PushView {
  push: boolean;
  key: string | null;
  devices: number;
}

/** Why nothing came of it: `denied` was the reader, `unavailable` the browser. */
export class PushRefused extends Error {
  constructor(readonly reason: "denied" | "unavailable" | "off") {
    super(reason);
  }
}

/** Whether this browser could be told at all, on a page of the hub's own origin. */
export function canBeTold(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

/** The phones and tablets on which only apps of the Home Screen are told. */
export function isPlainIos(): boolean {
  const isIos = /iP(hone|ad|od)/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
  return isIos && !("PushManager" in window);
}

/** Begin: call it from a click, the browser asks its reader. Gives the device's id. */
export async function tell(api: Api, worker: string, language: string): Promise<string> {
  if (!canBeTold()) throw new PushRefused("unavailable");
  const about = await api.call<PushView>("/api/v1/push");
  if (!about.push || !about.key) throw new PushRefused("off");
  if ((await Notification.requestPermission()) !== "granted") throw new PushRefused("denied");
  const script = trusted(worker);
  const registration = await navigator.serviceWorker.register(script as string);
  await navigator.serviceWorker.ready;
  const old = await registration.pushManager.getSubscription();
  // One that was made for another key (a hub restored without its key) is worth nothing.
  if (old && !isFor(old, about.key)) await old.unsubscribe();
  try {
    const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: about.key });
    return await keep(api, made, language);
  } catch (error) {
    if (error instanceof DOMException) throw new PushRefused(Notification.permission === "denied" ? "denied" : "unavailable");
    throw error;
  }
}

/** The device's id when this browser is told already, else null; said to the hub again. */
export async function told(api: Api, worker: string, language: string): Promise<string | null> {
  const subscription = await current(worker);
  return subscription ? keep(api, subscription, language) : null;
}

/** End it in this browser and at the hub. */
export async function tellNoMore(api: Api, worker: string): Promise<void> {
  const subscription = await current(worker);
  if (!subscription) return;
  const device = await keep(api, subscription, "en").catch(() => null);
  if (device) await api.call(`/api/v1/push/${device}`, { method: "DELETE" }).catch(() => undefined);
  await subscription.unsubscribe();
}

async function current(worker: string): Promise<PushSubscription | null> {
  if (!canBeTold() || Notification.permission !== "granted") return null;
  const registration = await navigator.serviceWorker.getRegistration(new URL(".", new URL(worker, location.href)).href);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

async function keep(api: Api, subscription: PushSubscription, language: string): Promise<string> {
  const { endpoint, keys } = subscription.toJSON();
  const body = { endpoint, keys: { p256dh: keys?.["p256dh"], auth: keys?.["auth"] }, language };
  return (await api.call<{ device: string }>("/api/v1/push", { method: "PUT", body })).device;
}

function isFor(subscription: PushSubscription, key: string): boolean {
  const used = subscription.options?.applicationServerKey;
  if (!used) return true;
  const text = btoa(String.fromCharCode(...new Uint8Array(used)));
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") === key;
}

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}
let policy: ReturnType<Policies["createPolicy"]> | null = null;

/** The one script address that the console's Trusted Types let through. */
function trusted(worker: string): unknown {
  const { trustedTypes } = window as unknown as { trustedTypes?: Policies };
  if (!trustedTypes) return worker;
  policy ??= trustedTypes.createPolicy("deskhub", {
    createScriptURL(url) {
      if (!/^\/(console|c)\/sw\.js$/.test(url)) throw new TypeError(url);
      return url;
    },
  });
  return policy.createScriptURL(worker);
}
