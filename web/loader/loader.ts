/** The loader: draws the launcher, counts unread, and fetches the chat when it is wanted. */

import css from "./loader.css?text";
import type { App, Bridge, HostCall, Saved, Theme } from "./bridge";

const CHAT = "M12 3.5c5 0 8.8 3.4 8.8 7.8s-3.8 7.8-8.8 7.8c-1 0-2-.1-2.9-.4L4.4 20.6l.9-4.1A7.4 7.4 0 0 1 3.2 11.3c0-4.4 3.8-7.8 8.8-7.8Z";
const DOWN = "m6 9.5 6 6 6-6";
const SVG = "http://www.w3.org/2000/svg";

const script = document.currentScript as HTMLScriptElement;
const { dataset } = script;
const host = window as unknown as { DeskhubChat?: HostCall };
if (!host.DeskhubChat?.bridge) start();

function start(): void {
  const base = script.src.replace(/\/w\/v1\/[^/]*$/, "");
  const inbox = dataset["inbox"] ?? "";
  const place = `deskhub:${inbox}`;
  const listeners: Record<string, ((detail: unknown) => void)[]> = {};
  let app: App | null = null;
  let isLoading = false;
  let afterwards: ((app: App) => void)[] = [];
  let visiting: Promise<Record<string, unknown>> | null = null;

  const element = document.createElement("div");
  element.id = "deskhub-chat";
  const root = element.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  for (const name of ["accent", "radius", "font", "surface", "z"]) {
    if (dataset[name]) element.style.setProperty(`--deskhub-${name}`, dataset[name]!);
  }

  const saved = read();
  const isPage = "page" in dataset;
  // A customer's token counts only once the shop has said again who is here; the chat's own page has no shop.
  const own = saved?.who === null || isPage ? saved : null;
  const lang = saved?.lang ?? dataset["lang"] ?? (document.documentElement.lang || navigator.language);
  const frame = make("div", "dh", element, root);
  frame.dataset["theme"] = saved?.theme ?? dataset["theme"] ?? "light";
  frame.dataset["side"] = dataset["side"] ?? "end";
  frame.lang = lang;
  const dock = make("div", "dh-dock", frame);
  const mount = make("div", "dh-mount", dock);
  const launcher = make("button", "dh-launch", dock) as HTMLButtonElement;
  launcher.type = "button";
  launcher.dataset["testid"] = "deskhub-launcher";
  launcher.setAttribute("aria-expanded", "false");
  launcher.ariaLabel = /^zh/.test(lang) ? "\u6253\u5f00\u804a\u5929" : /^ar/.test(lang) ? "\u0627\u0641\u062a\u062d \u0627\u0644\u0645\u062d\u0627\u062f\u062b\u0629" : "Open chat";
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = icon.appendChild(document.createElementNS(SVG, "path"));
  launcher.append(icon);
  const count = make("span", "dh-count", launcher);
  count.setAttribute("aria-hidden", "true");
  count.hidden = true;
  // The icon follows the attribute, whoever opens or closes the panel.
  const draw = () => path.setAttribute("d", launcher.ariaExpanded === "true" ? DOWN : CHAT);
  new MutationObserver(draw).observe(launcher, { attributeFilter: ["aria-expanded"] });
  draw();

  const bridge: Bridge = {
    base, inbox, root, frame, mount, launcher,
    saved: own,
    lang: saved?.lang ?? dataset["lang"],
    identity: null,
    keep(change) {
      if (!bridge.saved) return;
      Object.assign(bridge.saved, change);
      try {
        localStorage.setItem(place, JSON.stringify(bridge.saved));
      } catch {
        // Storage is forbidden: the conversation lasts as long as the page.
      }
    },
    visit: () => (visiting ??= visit().finally(() => (visiting = null))),
    badge(unread, label) {
      count.hidden = !unread;
      count.textContent = unread > 99 ? "99+" : `${unread}`;
      launcher.ariaLabel = label;
    },
    emit: (event, detail) => (listeners[event] ?? []).forEach((listener) => listener(detail)),
    attach(attached) {
      app = attached;
      afterwards.forEach((call) => call(attached));
      afterwards = [];
    },
  }; // prettier-ignore

  const commands: Record<string, (...args: never[]) => void> = {
    open: (text?: string) => whenReady((chat) => chat.open(text)),
    close: () => app?.close(),
    toggle: () => (launcher.ariaExpanded === "true" ? app?.close() : commands["open"]!()),
    language: (tag: string) => {
      bridge.lang = frame.lang = tag;
      app?.language(tag);
    },
    theme: (theme: Theme) => {
      frame.dataset["theme"] = theme;
      app?.theme(theme);
    },
    on: (event: string, listener: (detail: unknown) => void) => (listeners[event] ??= []).push(listener),
    track: (about: { order?: string; text?: string }) => {
      bridge.order = about.order ? { number: `#${about.order}`, text: about.text } : undefined;
    },
    identify: (jwt: string | null) => {
      if (jwt === bridge.identity) return;
      const isSame = jwt && bridge.identity && subject(jwt) === subject(bridge.identity);
      bridge.identity = jwt;
      if (isSame) return;
      if (bridge.saved?.who) bridge.saved = null;
      // A visit under way does not carry this identity yet: another one follows it.
      if (visiting) visiting = visiting.catch(() => ({})).then(visit);
      if (app) return app.identify();
      if (!jwt) return;
      // The chat itself is fetched now only for somebody who has something to read in it.
      bridge.visit().then((answer) => answer["conversation"] && whenReady(() => undefined), failed);
    },
  };

  async function visit(): Promise<Record<string, unknown>> {
    const old = bridge.saved ?? read();
    const who = bridge.identity ? subject(bridge.identity) : isPage && old ? old.who : null;
    // A token of somebody else is no proof: another identity starts its own session.
    const token = old && (old.who === who || old.who === null) ? old.token : undefined;
    const answer = await ask("/api/v1/visitors", { inbox, identity: bridge.identity ?? undefined, token });
    const talks = !!answer["conversation"];
    bridge.saved = { ...(old ?? {}), token: answer["token"] as string, who, talks };
    if (old) bridge.keep();
    return answer;
  }

  function whenReady(call: (app: App) => void): void {
    if (app) return call(app);
    afterwards.push(call);
    if (isLoading) return;
    isLoading = true;
    const chat = document.createElement("script");
    chat.src = `${base}/w/v1/chat.js`;
    chat.onerror = () => {
      isLoading = false;
      chat.remove();
      bridge.emit("error", "chat_not_loaded");
    };
    document.head.append(chat);
  }

  function preload(): void {
    const link = document.createElement("link");
    link.rel = "preload";
    link.as = "script";
    link.href = `${base}/w/v1/chat.js`;
    document.head.append(link);
  }

  async function ask(url: string, body?: unknown): Promise<Record<string, unknown>> {
    const headers: Record<string, string> = body ? { "content-type": "application/json" } : {};
    if (!body) headers["authorization"] = `Bearer ${bridge.saved!.token}`;
    const init: RequestInit = { headers, credentials: "omit" };
    if (body) Object.assign(init, { method: "POST", body: JSON.stringify(body) });
    const response = await fetch(base + url, init);
    if (!response.ok) throw Object.assign(new Error(`${response.status}`), { status: response.status });
    return (await response.json()) as Record<string, unknown>;
  }

  /** A known visitor with a conversation may have something to read: one request tells. */
  async function unread(): Promise<void> {
    const snapshot = await ask("/api/v1/snapshot");
    if (!bridge.identity && (snapshot["conversation"] as { unread?: number } | null)?.unread) whenReady(() => undefined);
  }

  function failed(error: { status?: number }): void {
    bridge.emit("error", `visitor_${error.status ?? "unreachable"}`);
  }

  function read(): Saved | null {
    try {
      return JSON.parse(localStorage.getItem(place) ?? "null") as Saved | null;
    } catch {
      return null;
    }
  }

  const call: HostCall = (name, ...args) => commands[name as string]?.(...(args as never[]));
  call.bridge = bridge;
  const queued = host.DeskhubChat?.q ?? [];
  host.DeskhubChat = call;
  launcher.onclick = () => commands["toggle"]!();
  for (const event of ["pointerenter", "focus"]) launcher.addEventListener(event, preload, { once: true });
  const show = () => {
    document.body.append(element);
    for (const args of queued) call(...Array.from(args));
    if (own?.talks && !bridge.identity) unread().catch(() => undefined);
  };
  if (document.body) show();
  else addEventListener("DOMContentLoaded", show);
}

function make(tag: string, name: string, parent: Node, shadow?: ShadowRoot): HTMLElement {
  const element = document.createElement(tag);
  element.className = name;
  (shadow ?? parent).appendChild(element);
  return element;
}

/** The `sub` of an identity token; the hub checks it, this only keeps two customers apart. */
function subject(jwt: string): string | null {
  try {
    const payload = jwt.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    return (JSON.parse(atob(payload)) as { sub: string }).sub;
  } catch {
    return null;
  }
}
