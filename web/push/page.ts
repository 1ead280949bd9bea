/** Entry of the chat's own page, /c/KEY: takes over a session from the shop's page, then opens. */

import type { Bridge, HostCall, Saved } from "../loader/bridge";
import css from "./page.css?text";

const HAND_OVER_MS = 4_000;
/** The mark that another page, which opened this one, has a session to hand over. */
const MARK = "#continue";

const { dataset } = document.currentScript as HTMLScriptElement;
const inbox = dataset["inbox"] ?? "";
const origins = (dataset["origins"] ?? "").split(" ").filter(Boolean);

void (location.hash === MARK && opener ? handedOver(opener as Window) : Promise.resolve()).then(start);

/** Wait for the opener's session. Only pages of the inbox's own shops are listened to. */
function handedOver(from: Window): Promise<void> {
  history.replaceState(null, "", location.pathname);
  return new Promise((resolve) => {
    const done = () => {
      removeEventListener("message", hear);
      clearTimeout(timer);
      resolve();
    };
    const hear = (event: MessageEvent) => {
      const { saved } = (event.data ?? {}) as { saved?: Saved };
      if (event.source !== from || !origins.includes(event.origin) || typeof saved?.token !== "string") return;
      try {
        localStorage.setItem(`deskhub:${inbox}`, JSON.stringify(saved));
      } catch {
        // Without storage the page begins a conversation of its own.
      }
      done();
    };
    const timer = setTimeout(done, HAND_OVER_MS);
    addEventListener("message", hear);
    // Says nothing but that somebody listens; the answer goes to this exact origin.
    from.postMessage({ deskhub: "ready" }, "*");
  });
}

function start(): void {
  document.documentElement.lang = navigator.language;
  const script = document.createElement("script");
  Object.assign(script.dataset, { inbox, page: "", theme: "auto", accent: dataset["accent"] ?? "" });
  script.src = "/w/v1/loader.js";
  script.onload = () => {
    const chat = (window as unknown as { DeskhubChat?: HostCall }).DeskhubChat;
    if (!chat?.bridge) return;
    fill(chat.bridge);
    const { frame } = chat.bridge;
    new MutationObserver(() => (document.documentElement.lang = frame.lang)).observe(frame, { attributeFilter: ["lang"] });
    // There is nothing behind the chat to close it for.
    chat("on", "close", () => chat("open"));
    chat("open");
  };
  document.head.append(script);
}

function fill(bridge: Bridge): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
  bridge.root.adoptedStyleSheets = [...bridge.root.adoptedStyleSheets, sheet];
  document.querySelector("main")!.append(bridge.root.host);
}
