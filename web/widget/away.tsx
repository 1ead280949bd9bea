/** Entry of the bundle for when nobody is there: when somebody is, and where the answer shall go. */

import { type JSX, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Formatter, I18n, type InboxSettings } from "../kernel";
import ar from "../locales/away.ar.json";
import en from "../locales/away.en.json";
import zh from "../locales/away.zh-CN.json";
import css from "./away.css?text";
import type { Around } from "./lazy";

export interface Away extends Around {
  settings: InboxSettings;
}

interface Contact {
  mail: boolean;
  to: string | null;
}

const CATALOGUES = { en, "zh-CN": zh, ar } as const;
const styled = new WeakSet<ShadowRoot>();

/** Draw the notice into *place*. The message itself is written in the field below, as always. */
export function ask(place: HTMLElement | null, away: Away): void {
  if (!place) return;
  const { root } = away.bridge;
  if (!styled.has(root)) {
    styled.add(root);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }
  render(<Notice away={away} />, place);
}

function Notice({ away }: { away: Away }): JSX.Element {
  const { client, language, settings } = away;
  const i18n = new I18n(language, CATALOGUES[language as keyof typeof CATALOGUES] ?? en, en);
  const t = (name: string, args?: Record<string, unknown>) => i18n.t(name, args);
  const [contact, setContact] = useState<Contact | null>(null);
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    // Without it the message is left all the same.
    if (settings.mail) void client.api.call<Contact>("/api/v1/contact").then(setContact, () => undefined);
  }, [client, settings.mail]);
  const save = async (event: Event) => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem("address") as HTMLInputElement;
    if (isBusy || !field.value.trim()) return;
    setBusy(true);
    try {
      setContact(await client.api.call<Contact>("/api/v1/contact", { method: "PUT", body: { address: field.value.trim() } }));
      setError("");
      away.bridge.root.querySelector<HTMLElement>("[data-testid=deskhub-input]")?.focus();
    } catch (problem) {
      // The error is of the chat bundle's class and not of this one's.
      setError(t((problem as { code?: string }).code === "mail_address_refused" ? "refused" : "failed"));
    }
    setBusy(false);
  };
  return (
    <section class="dh-away" aria-label={t("title")} data-testid="deskhub-away">
      <p>{settings.opens_at ? t("opens", { when: when(settings.opens_at, language, t) }) : t("nobody")}</p>
      {contact?.to ? <p role="status" data-testid="deskhub-away-to">{t("known", { to: contact.to })}</p> : null}
      {contact?.mail && !contact.to ? (
        <form onSubmit={(event) => void save(event)} noValidate>
          <label for="dh-away-address">{t("ask")}</label>
          <div>
            <input id="dh-away-address" name="address" type="email" maxLength={254} autocomplete="email" placeholder={t("address")} aria-invalid={error !== ""} data-testid="deskhub-away-address" />
            <button class="dh-btn" type="submit" aria-disabled={isBusy} data-testid="deskhub-away-save">{t("save")}</button>
          </div>
          {error ? <p class="bad" role="alert">{error}</p> : null}
        </form>
      ) : null}
    </section>
  );
}

/** The moment in the reader's own time. */
function when(at: string, language: string, t: (name: string, args: Record<string, unknown>) => string): string {
  const format = new Formatter(language);
  const days = format.daysFromNow(at);
  const time = format.time(at);
  return days === 0 ? t("today", { time }) : days === 1 ? t("tomorrow", { time }) : t("day", { day: format.day(at, "long"), time });
}
