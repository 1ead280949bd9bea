/** How this browser calls its agent: sound, and notices when no page is open. */

import { useEffect, useState } from "react";
import { PushRefused, canBeTold, isPlainIos, tell, tellNoMore, told } from "../../push/subscribe";
import { type Desk, deskKey } from "../desk";
import { useDesk, useSettings, useT, useValue } from "../hooks";
import { playSound } from "../notify";
import { Dialog } from "../parts/Dialog";
import { forgetTold, isTold, keepTold, WORKER } from "../told";
import { change } from "../settings";

type Said = "on" | "off" | "sent" | "gone" | "failed" | "denied" | "unavailable";

export default function Notifications({ onClose }: { onClose(): void }) {
  const t = useT();
  const desk = useDesk();
  const settings = useSettings();
  const isPush = useValue<boolean>(deskKey.push) === true;
  const { device, said, isBusy, turn, test } = useDevice(desk, settings.language);
  const why = !isPush ? "notices.switched_off" : isPlainIos() ? "notices.ios" : !canBeTold() ? "notices.unavailable" : "notices.push_text";
  return (
    <Dialog title={t("notices.title")} onClose={onClose} testId="notifications" size="sm">
      <div className="calling">
        <section aria-label={t("me.sound")}>
          <label className="note-check">
            <input type="checkbox" className="box" checked={settings.sound} onChange={(event) => change({ sound: event.target.checked })} />
            {t("me.sound")}
          </label>
          <button type="button" className="btn" onClick={playSound}>{t("notices.play")}</button>
        </section>
        <section aria-label={t("notices.push")}>
          <label className="note-check">
            <input type="checkbox" className="box" role="switch" checked={device !== null} disabled={!isPush || !canBeTold()} onChange={(event) => turn(event.target.checked)} data-testid="push-switch" />
            {t("notices.push")}
          </label>
          <p className="sub">{t(why)}</p>
          <button type="button" className="btn" disabled={device === null} aria-disabled={isBusy} onClick={test} data-testid="push-test">{t("notices.test")}</button>
        </section>
        <p role="status" data-testid="push-said">{said ? t(`notices.said_${said}`) : ""}</p>
      </div>
    </Dialog>
  );
}

/** This browser as one of the agent's devices. */
function useDevice(desk: Desk, language: string) {
  const [device, setDevice] = useState<string | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    // What a colleague switched on here before is theirs: it is not taken over silently.
    if (isTold(desk.me.id)) void told(desk.api, WORKER, language).then(setDevice, () => undefined);
  }, [desk, language]);
  const attempt = (work: () => Promise<Said>) => {
    // A button that is switched off would lose the focus, and Escape with it.
    if (isBusy) return;
    setBusy(true);
    setSaid(null);
    void work()
      .then(setSaid, (error: unknown) => setSaid(error instanceof PushRefused && error.reason === "denied" ? "denied" : error instanceof PushRefused ? "unavailable" : "failed"))
      .finally(() => setBusy(false));
  };
  const turn = (isOn: boolean) =>
    attempt(async () => {
      if (isOn) {
        setDevice(await tell(desk.api, WORKER, language));
        keepTold(desk.me.id);
        return "on";
      }
      await tellNoMore(desk.api, WORKER);
      forgetTold();
      setDevice(null);
      return "off";
    });
  const test = () =>
    attempt(async () => {
      const answer = await desk.api.call<{ test: "sent" | "gone" | "failed" }>(`/api/v1/push/${device}/test`, { method: "POST", body: {} });
      if (answer.test === "gone") setDevice(null);
      return answer.test;
    });
  return { device, said, isBusy, turn, test };
}
