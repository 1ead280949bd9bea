/** What stands in the panel when the hub could not be reached at all. */

import type { JSX } from "preact";
import type { Bridge } from "../loader/bridge";
import { Icon } from "./icons";
import { wordsFor } from "./texts";

export function Failed({ bridge, onAgain, onClose }: { bridge: Bridge; onAgain: () => void; onClose: () => void }): JSX.Element {
  const { t } = wordsFor(bridge.lang);
  return (
    <section class="dh-panel" role="dialog" aria-label={t("error.start")} data-testid="deskhub-failed">
      <div class="dh-home">
        <div class="top">
          <span />
          <button class="dh-ib" type="button" aria-label={t("chat.close")} onClick={onClose}>
            <Icon name="x" />
          </button>
        </div>
        <div class="dh-body">
          <p role="alert">{t("error.start")}</p>
          <button class="dh-btn p w" type="button" onClick={onAgain}>
            {t("state.retry")}
          </button>
        </div>
      </div>
    </section>
  );
}
