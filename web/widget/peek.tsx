/** The small window over the launcher: what was said while the chat was closed. */

import type { JSX } from "preact";
import { type HubEvent, cardOf, excerptOf } from "../kernel";
import { Icon } from "./icons";
import { useAbout } from "./talk";
import { initials, useWords } from "./texts";

/** *event* is the newest message or card that the visitor has not read. */
export function Peek({ event, onOpen, onDismiss }: { event: HubEvent; onOpen: () => void; onDismiss: () => void }): JSX.Element {
  const { t, format } = useWords();
  const about = useAbout();
  const inbox = about?.settings.name ?? t("chat.team");
  const isCard = event.kind === "card.shown";
  const name = String(event.data["name"] ?? "") || inbox;
  const text = isCard ? cardOf(event).fallback || cardOf(event).summary : excerptOf(event);
  return (
    <section class="dh-peek" role="status" aria-label={t("peek.label")} data-testid="deskhub-peek">
      <header>
        <span class="dh-av" aria-hidden="true">{initials(name)}</span>
        <div>
          <p class="name">{name}</p>
          <p class="sm dim">{t("peek.from", { inbox, when: format.relative(event.at) })}</p>
        </div>
        <button class="dh-ib" type="button" aria-label={t("peek.dismiss")} onClick={onDismiss}>
          <Icon name="x" />
        </button>
      </header>
      <p class="t" dir="auto">{text}</p>
      <div class="dh-btns">
        <button class="dh-btn p" type="button" data-testid="deskhub-peek-open" onClick={onOpen}>
          {t(isCard ? "peek.view" : "peek.reply")}
        </button>
      </div>
    </section>
  );
}
