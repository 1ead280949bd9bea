/** Says after two seconds that nothing can arrive, and that nothing is lost. */

import { useEffect, useState } from "react";
import { useConnection, useDesk, useT } from "./hooks";
import { Icon } from "./parts/Icon";

const AFTER_MS = 2000;

export function ConnectionBanner() {
  const t = useT();
  const desk = useDesk();
  const state = useConnection();
  const [isShown, setShown] = useState(false);
  const since = state?.offlineSince ?? null;
  const phase = state?.phase;

  useEffect(() => {
    if (phase === "live") desk.lookAgain();
    // The server ended it for good: whoever was removed is shown the door, not their inbox.
    if (phase === "stopped") void desk.session.renew().catch(() => undefined);
    if (since === null) return setShown(false);
    const timer = setTimeout(() => setShown(true), Math.max(0, AFTER_MS - (Date.now() - since)));
    return () => clearTimeout(timer);
  }, [desk, since, phase]);

  if (!isShown || !state) return null;
  const isOver = state.phase === "stopped";
  return (
    <div className="banner" role="status" data-testid="offline">
      <Icon name={isOver ? "warn" : "spin"} size="sm" spin={!isOver} />
      <span>{t(isOver ? "offline.stopped" : "offline.retrying")}</span>
      {isOver ? (
        <button type="button" className="link" onClick={() => location.reload()}>
          {t("offline.reload")}
        </button>
      ) : (
        <button type="button" className="link" onClick={() => desk.client.connection.wake()}>
          {t("offline.now")}
        </button>
      )}
    </div>
  );
}
