/** The sheet of shortcuts, drawn from the register itself: it cannot say what is not true. */

import { useState } from "react";
import { useSettings, useT } from "../hooks";
import { type Shortcut, allShortcuts } from "../keys";
import { Dialog } from "../parts/Dialog";
import { Keys } from "../parts/Menu";
import { change } from "../settings";

const GROUPS: Shortcut["group"][] = ["list", "conversation", "write", "panels", "go"];

export default function HelpSheet({ onClose }: { onClose(): void }) {
  const t = useT();
  const settings = useSettings();
  // What is in force now; opening the sheet itself must not change it.
  const [shortcuts] = useState(allShortcuts);
  return (
    <Dialog title={t("keys.help")} onClose={onClose} testId="help"
      foot={
        <label className="note-l note-check">
          <input type="checkbox" className="box" checked={settings.shortcuts} onChange={(event) => change({ shortcuts: event.target.checked })} />
          {t("me.single_keys")}
        </label>
      }
    >
      <div className="sheet">
        {GROUPS.map((group) => {
          const inGroup = shortcuts.filter((one) => one.group === group);
          if (!inGroup.length) return null;
          return (
            <section key={group} aria-label={t(`keys.group_${group}`)}>
              <h3>{t(`keys.group_${group}`)}</h3>
              <dl>
                {inGroup.map((one) => (
                  <div key={one.id}>
                    <dt>{t(one.name)}</dt>
                    <dd><Keys keys={shown(one.keys)} /></dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
    </Dialog>
  );
}

function shown(keys: string): string {
  const either = keys.split("|");
  if (either.length > 1) return `${either[0]}+\u2026+${either[either.length - 1]}`;
  return keys === "Escape" ? "Esc" : /^[a-z]( [a-z])?$/.test(keys) ? keys.toUpperCase() : keys;
}
