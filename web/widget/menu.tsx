/** The options of the conversation: language and appearance. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Theme } from "../loader/bridge";
import { Icon } from "./icons";
import { useAbout, useTalk, useTalkId } from "./talk";
import { LANGUAGES, useWords } from "./texts";

const THEMES: readonly Theme[] = ["light", "dark", "auto"];

export function Menu(): JSX.Element {
  const { t, i18n } = useWords();
  const talk = useTalk();
  const about = useAbout();
  const id = useTalkId();
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const theme = (talk.bridge.frame.dataset["theme"] ?? "light") as Theme;

  useEffect(() => {
    if (!isOpen) return undefined;
    items(box.current!)[0]?.focus();
    const away = (event: Event) => {
      if (!event.composedPath().includes(box.current!)) setOpen(false);
    };
    talk.bridge.root.addEventListener("pointerdown", away);
    return () => talk.bridge.root.removeEventListener("pointerdown", away);
  }, [isOpen]);

  const close = () => {
    setOpen(false);
    box.current?.querySelector<HTMLElement>("[aria-haspopup]")?.focus();
  };
  const byMail = async () => {
    close();
    const { client, bridge } = talk;
    const part = (await import(`${bridge.base}/w/v1/mail.js`)) as typeof import("./mail");
    part.show({ client, bridge, language: i18n.language, conversation: id, panel: box.current!.closest<HTMLElement>(".dh-panel")!, onClose: close });
  };
  const keys = (event: KeyboardEvent) => {
    if (!isOpen) return;
    const all = items(box.current!);
    const at = all.indexOf(talk.bridge.root.activeElement as HTMLElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) all[(at + step + all.length) % all.length]?.focus();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const choice = (label: string, isOn: boolean, choose: () => void, lang?: string) => (
    <button type="button" role="menuitemradio" aria-checked={isOn} lang={lang} onClick={() => (choose(), close())}>
      <span class="tick">{isOn ? <Icon name="check" size="s" /> : null}</span>
      {label}
    </button>
  );
  return (
    <div class="dh-menubox" ref={box} onKeyDown={keys}>
      <button class="dh-ib" type="button" data-testid="deskhub-menu" aria-haspopup="menu" aria-expanded={isOpen} aria-label={t("chat.more")} onClick={() => setOpen(!isOpen)}>
        <Icon name="more" />
      </button>
      {isOpen ? (
        <div class="dh-menu" role="menu" aria-label={t("chat.more")}>
          <p id="dh-l">{t("menu.language")}</p>
          <div role="group" aria-labelledby="dh-l">
            {Object.entries(LANGUAGES).map(([tag, name]) => choice(name, tag === i18n.language, () => talk.setLanguage(tag), tag))}
          </div>
          <p id="dh-t">{t("menu.theme")}</p>
          <div role="group" aria-labelledby="dh-t">
            {THEMES.map((one) => choice(t(`theme.${one}`), one === theme, () => talk.setTheme(one)))}
          </div>
          {about?.settings.mail ? (
            <button type="button" role="menuitem" data-testid="deskhub-by-mail" onClick={() => void byMail().catch(() => undefined)}>
              <span class="tick" />
              {t("menu.mail")}
            </button>
          ) : null}
        </div>
      ) : null}
    </div>
  );
}

function items(box: HTMLElement): HTMLElement[] {
  return [...box.querySelectorAll<HTMLElement>("[role^=menuitem]")];
}
