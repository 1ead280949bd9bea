/** Entry of the bundle for mail: where answers go while nobody reads the chat, and a transcript. */

import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type Client, I18n } from "../kernel";
import type { Bridge } from "../loader/bridge";
import ar from "../locales/mail.ar.json";
import en from "../locales/mail.en.json";
import zh from "../locales/mail.zh-CN.json";
import { Icon } from "./icons";
import css from "./mail.css?text";

export interface MailPlace {
  client: Client;
  bridge: Bridge;
  language: string;
  /** The conversation; `new` before there is one. */
  conversation: string;
  /** Where the sheet is drawn over. */
  panel: HTMLElement;
  onClose(): void;
}

interface Contact {
  mail: boolean;
  to: string | null;
  vouched: boolean;
}

const CATALOGUES = { en, "zh-CN": zh, ar } as const;
let sheet: CSSStyleSheet | null = null;

/** Show the sheet until its reader closes it. */
export function show(place: MailPlace): void {
  const { root } = place.bridge;
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }
  const layer = document.createElement("div");
  layer.className = "dh-mail";
  place.panel.append(layer);
  const close = () => {
    render(null, layer);
    layer.remove();
    place.onClose();
  };
  render(<Sheet place={place} onClose={close} />, layer);
}

function Sheet({ place, onClose }: { place: MailPlace; onClose: () => void }) {
  const { api } = place.client;
  const i18n = new I18n(place.language, CATALOGUES[place.language as keyof typeof CATALOGUES] ?? en, en);
  const t = (name: string, args?: Record<string, unknown>) => i18n.t(name, args);
  const [contact, setContact] = useState<Contact | null>(null);
  const [said, setSaid] = useState<{ text: string; isError: boolean } | null>(null);
  const [isBusy, setBusy] = useState(false);
  const box = useRef<HTMLDivElement>(null);

  const attempt = async (work: () => Promise<string>) => {
    if (isBusy) return;
    setBusy(true);
    try {
      setSaid({ text: await work(), isError: false });
    } catch (error) {
      const name = `error.${error instanceof ApiError ? error.code : "other"}`;
      setSaid({ text: t(name in en ? name : "error.other"), isError: true });
    }
    setBusy(false);
  };
  useEffect(() => {
    // What had the focus may be gone: keys are still meant for the sheet.
    if (!box.current!.contains(place.bridge.root.activeElement)) box.current!.focus();
  }, [contact, said]);
  const save = (address: string | null) =>
    attempt(async () => {
      setContact(await api.call<Contact>("/api/v1/contact", { method: "PUT", body: { address } }));
      return t(address === null ? "removed" : "saved");
    });
  const transcript = () =>
    attempt(async () => {
      const path = `/api/v1/conversations/${encodeURIComponent(place.conversation)}/transcript`;
      const asked = await api.call<{ to: string }>(path, { method: "POST", body: {} });
      return t("sent", { to: asked.to });
    });
  useEffect(() => {
    void attempt(async () => {
      setContact(await api.call<Contact>("/api/v1/contact"));
      return "";
    });
  }, []);

  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    onClose();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem("address") as HTMLInputElement;
    void save(field.value);
  };
  return (
    <div ref={box} role="dialog" aria-modal="true" aria-label={t("title")} tabIndex={-1} onKeyDown={keys} data-testid="deskhub-mail">
      <header>
        <h2>{t("title")}</h2>
        <button class="dh-ib" type="button" aria-label={t("close")} onClick={onClose}>
          <Icon name="x" />
        </button>
      </header>
      {contact?.to ? <p>{t(contact.vouched ? "vouched" : "left", { to: contact.to })}</p> : null}
      {contact?.vouched && place.conversation !== "new" ? (
        <button class="dh-btn p w" type="button" aria-disabled={isBusy} onClick={() => void transcript()} data-testid="deskhub-transcript">
          {t("transcript")}
        </button>
      ) : null}
      {contact && !contact.vouched && contact.to ? (
        <button class="dh-btn w" type="button" aria-disabled={isBusy} onClick={() => void save(null)}>
          {t("remove")}
        </button>
      ) : null}
      {contact && !contact.to ? (
        <form onSubmit={submit}>
          <label for="dh-mail-address">{t("ask")}</label>
          <input id="dh-mail-address" name="address" type="email" required maxLength={254} autocomplete="email" placeholder={t("address")} data-testid="deskhub-mail-address" />
          <button class="dh-btn p w" type="submit" aria-disabled={isBusy}>
            {t("save")}
          </button>
        </form>
      ) : null}
      <p role={said?.isError ? "alert" : "status"} data-testid="deskhub-mail-said">{said?.text}</p>
    </div>
  );
}
