/** What happened to this customer's record: erased, merged into another, others merged into it. */

import { useState } from "react";
import { said } from "../actions/ActionDialog";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { go } from "../route";

export interface Merged {
  id: string;
  gone: string;
  name: string;
  at: string;
}
/** What a business system did when this customer was erased. */
export interface ErasedIn {
  instance: string;
  state: "waiting" | "erased" | "absent" | "kept" | "failed";
  text: string;
}
export interface Kept {
  merges: Merged[];
  merged_into: string | null;
  erased: { state: "running" | "done"; at: string; systems: ErasedIn[] } | null;
}

export function DataNotes({ kept, onChange }: { kept: Kept; onChange(): void }) {
  const t = useT();
  const { format, say } = useTexts();
  return (
    <>
      {kept.erased ? (
        <p className="strip is-warning page-strip page-strip-top" role="status" data-testid="erased" data-state={kept.erased.state}>
          <Icon name="shield" />
          <span>
            {t(kept.erased.state === "done" ? "data.erased" : "data.erasing", { at: format.dateTime(kept.erased.at) })}
            {kept.erased.systems.map((one) => (
              <span key={one.instance} className="block" data-system={one.instance} data-state={one.state}>
                {t(`data.system_${one.state}`, { system: one.instance })}{one.state === "waiting" || one.state === "failed" ? "" : ` ${say(one.text)}`}
              </span>
            ))}
          </span>
        </p>
      ) : null}
      {kept.merged_into ? (
        <p className="strip is-accent page-strip page-strip-top" role="status" data-testid="merged-into">
          <Icon name="users" />
          <span>{t("data.merged_into")}</span>
          <button type="button" className="btn btn-sm" onClick={() => go({ page: "customers", customer: kept.merged_into, q: "" })}>{t("data.to_other")}</button>
        </p>
      ) : null}
      {kept.merges.map((one) => <Undo key={one.id} merged={one} onChange={onChange} />)}
    </>
  );
}

function Undo({ merged, onChange }: { merged: Merged; onChange(): void }) {
  const t = useT();
  const desk = useDesk();
  const { format, say } = useTexts();
  const [busy, setBusy] = useState(false);
  const undo = () => {
    if (busy) return;
    setBusy(true);
    desk.api.call(`/api/v1/merges/${encodeURIComponent(merged.id)}/undo`, { method: "POST" }).then(onChange, (error: unknown) => {
      setBusy(false);
      notify(say(said(error)), { tone: "danger" });
    });
  };
  return (
    <p className="strip page-strip page-strip-top" data-testid="merged">
      <Icon name="users" />
      <span className="grow">{t("data.merged", { name: merged.name || merged.gone, at: format.dateTime(merged.at) })}</span>
      {desk.mayApprove ? <button type="button" className="btn btn-sm" aria-disabled={busy} onClick={undo} data-testid="merge-undo">{t("data.merge_undo")}</button> : null}
    </p>
  );
}
