/** The notices at the foot of the page. */

import { useSyncExternalStore } from "react";
import { useT } from "../hooks";
import { currentNotices, dismiss, onNotices } from "../notices";
import { Icon } from "./Icon";

export function NoticeList() {
  const t = useT();
  const notices = useSyncExternalStore(onNotices, currentNotices);
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} className={notice.tone === "danger" ? "notice is-bad" : "notice"}>
          <Icon name={notice.tone === "danger" ? "warn" : "check"} size="sm" />
          <span className="grow">{notice.text}</span>
          {notice.action ? (
            <button type="button" className="link" data-testid="undo" onClick={() => (notice.action?.run(), dismiss(notice.id))}>
              {notice.action.label}
            </button>
          ) : null}
          <button type="button" className="ib ib-sm" aria-label={t("dialog.close")} onClick={() => dismiss(notice.id)}>
            <Icon name="x" size="sm" />
          </button>
        </div>
      ))}
    </div>
  );
}
