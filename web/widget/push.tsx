/** Entry of the bundle that offers notices: a card in the conversation, never a prompt by itself. */

import { type JSX, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { I18n, type InboxSettings } from "../kernel";
import ar from "../locales/push.ar.json";
import en from "../locales/push.en.json";
import zh from "../locales/push.zh-CN.json";
import { PushRefused, canBeTold, isPlainIos, tell, told } from "../push/subscribe";
import type { Around } from "./lazy";
import css from "./push.css?text";

export interface Offer extends Around {
  /** The conversation. */
  id: string;
  settings: InboxSettings | undefined;
}

/** How answers can reach this reader: in this browser, in the chat's own page, or by mail. */
type Way = "here" | "page" | "mail";

const CATALOGUES = { en, "zh-CN": zh, ar } as const;
const WORKER = "/c/sw.js";
const styled = new WeakSet<ShadowRoot>();

/** Draw the offer into *place*, or nothing where there is nothing to offer. */
export function ask(place: HTMLElement | null, offer: Offer): void {
  if (!place) return;
  const { root } = offer.bridge;
  if (!styled.has(root)) {
    styled.add(root);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }
  const way = wayOf(offer);
  // Whoever was told before and is told no more is known to the hub again.
  if (isOwnPage(offer)) void told(offer.client.api, WORKER, offer.language).catch(() => undefined);
  render(way && !kept(offer) ? <Card key={way} offer={offer} way={way} /> : null, place);
}

function isOwnPage({ bridge }: Offer): boolean {
  return location.origin === bridge.base && location.pathname.startsWith("/c/");
}

function wayOf(offer: Offer): Way | null {
  const { push, mail } = offer.settings ?? {};
  // In-app browsers and phones that tell only apps of the Home Screen.
  const cannot = isPlainIos() || /MicroMessenger/.test(navigator.userAgent);
  if (push && !cannot && isOwnPage(offer) && canBeTold() && Notification.permission !== "denied") {
    return Notification.permission === "granted" && kept(offer) ? null : "here";
  }
  if (push && !cannot && !isOwnPage(offer)) return "page";
  return mail ? "mail" : null;
}

function Card({ offer, way }: { offer: Offer; way: Way }): JSX.Element | null {
  const i18n = new I18n(offer.language, CATALOGUES[offer.language as keyof typeof CATALOGUES] ?? en, en);
  const t = (name: string) => i18n.t(name);
  const [said, setSaid] = useState<string | null>(null);
  const [isGone, setGone] = useState(false);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => setSaid(null), [offer.language]);
  if (isGone) return null;
  const work = async () => {
    if (isBusy) return;
    setBusy(true);
    try {
      setSaid(await accept(offer, way));
      keep(offer, way === "mail" ? "no" : "yes");
    } catch (error) {
      const reason = error instanceof PushRefused ? error.reason : "other";
      if (reason === "denied") keep(offer, "no");
      setSaid(`error.${reason}`);
    }
    setBusy(false);
  };
  const leave = () => {
    keep(offer, "no");
    setGone(true);
    offer.bridge.root.querySelector<HTMLElement>("[data-testid=deskhub-input]")?.focus();
  };
  const why = way === "mail" ? (isPlainIos() ? "mail.ios" : "mail.why") : `${way}.why`;
  return (
    <section class="dh-push" aria-label={t("title")} data-testid="deskhub-push" data-way={way}>
      <svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15ZM10 21h4" /></svg>
      <div>
        {said ? <p role={said.startsWith("error.") ? "alert" : "status"} data-testid="deskhub-push-said">{t(said)}</p> : <><h3>{t("title")}</h3><p>{t(why)}</p></>}
        {said && !said.startsWith("error.") ? null : (
          <div class="acts">
            {said && said !== "error.other" ? null : <button class="dh-btn p" type="button" aria-disabled={isBusy} data-testid="deskhub-push-yes" onClick={() => void work()}>{t(`${way}.yes`)}</button>}
            <button class="dh-btn q" type="button" data-testid="deskhub-push-no" onClick={leave}>{t("no")}</button>
          </div>
        )}
      </div>
    </section>
  );
}

/** Do what the card offers; gives the key of the sentence that says how it went. */
async function accept(offer: Offer, way: Way): Promise<string> {
  const { client, bridge, language, id } = offer;
  if (way === "here") {
    await tell(client.api, WORKER, language);
    return "here.done";
  }
  if (way === "page") {
    handOver(offer);
    return "page.done";
  }
  const part = (await import(`${bridge.base}/w/v1/mail.js`)) as typeof import("./mail");
  const panel = bridge.root.querySelector<HTMLElement>(".dh-panel")!;
  part.show({ client, bridge, language, conversation: id, panel, onClose: () => panel.focus() });
  return "mail.done";
}

/** Open the chat's own page, and give this conversation's session to it and to nobody else. */
function handOver({ bridge, settings }: Offer): void {
  const page = open(`${bridge.base}${settings?.page ?? ""}#continue`, "_blank");
  if (!page) throw new PushRefused("unavailable");
  const { origin } = new URL(bridge.base);
  const hear = (event: MessageEvent) => {
    if (event.source !== page || event.origin !== origin) return;
    removeEventListener("message", hear);
    page.postMessage({ saved: { ...bridge.saved, lang: bridge.frame.lang } }, origin);
  };
  addEventListener("message", hear);
}

const nameOf = ({ bridge }: Offer) => `deskhub:${bridge.inbox}:push`;

function kept(offer: Offer): boolean {
  try {
    return localStorage.getItem(nameOf(offer)) !== null;
  } catch {
    return false;
  }
}

function keep(offer: Offer, answer: "yes" | "no"): void {
  try {
    localStorage.setItem(nameOf(offer), answer);
  } catch {
    // Without storage the offer comes back with the next page.
  }
}
