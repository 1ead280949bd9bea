/** Two people on one plan: the asker waits with it, the other decides on exactly the same preview. */

import { useEffect, useState } from "react";
import type { Approval, ApprovalRequest, PlanView } from "../../kernel";
import { said } from "../actions/ActionDialog";
import { PreviewBody } from "../actions/PreviewStep";
import { deskKey } from "../desk";
import { useDesk, useSay, useT, useTexts, useValue } from "../hooks";
import { isComposing } from "../keys";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { keyName } from "../parts/Menu";

/** The request of *plan* as it stands now; opens the run when somebody said yes. */
export function useAsked(plan: PlanView | undefined, onRun: (run: string) => void): Approval | null {
  const told = useValue<Approval>(deskKey.approvalOf(plan?.id ?? ""));
  const approval = told ?? plan?.approval ?? null;
  const run = approval?.state === "approved" ? approval.run : null;
  useEffect(() => {
    if (run) onRun(run);
  }, [run, onRun]);
  return approval;
}

/** What stands above the preview while a second person is needed. */
export function AskState({ approval }: { approval: Approval }) {
  const t = useT();
  const { format, say } = useTexts();
  const until = approval.expires_at ? format.time(approval.expires_at) : "";
  const texts = {
    needed: say(approval.why),
    asked: t("approval.asked", { until }),
    approved: t("approval.approved", { name: approval.approver?.name ?? "" }),
    refused: t("approval.refused", { name: approval.approver?.name ?? "", reason: approval.reason ?? "" }),
    expired: t("approval.expired"),
  };
  const tone = approval.state === "refused" ? "strip is-danger" : approval.state === "approved" ? "strip" : "strip is-warning";
  return (
    <p className={tone} role="status" data-testid="approval" data-state={approval.state}>
      <Icon name={approval.state === "asked" ? "clock" : approval.state === "approved" ? "check" : "shield"} />
      <span>{texts[approval.state]}</span>
    </p>
  );
}

interface FootProps {
  approval: Approval;
  busy: boolean;
  mayAsk: boolean;
  onBack(): void;
  onAsk(): void;
  onClose(): void;
}

/** The foot in place of the confirmation: ask, or go on working while somebody decides. */
export function AskFoot({ approval, busy, mayAsk, onBack, onAsk, onClose }: FootProps) {
  const t = useT();
  if (approval.state !== "needed") {
    return (
      <>
        <span className="note-l">{t("approval.closing")}</span>
        {approval.state === "asked" ? null : <button type="button" className="btn" onClick={onBack} data-testid="back">{t("dialog.back")}</button>}
        <button type="button" className="btn" onClick={onClose} data-testid="keep-working">{t("run.keep_working")}</button>
      </>
    );
  }
  return (
    <>
      <span className="note-l">{t("approval.who")}</span>
      <button type="button" className="btn" onClick={onBack} data-testid="back">{t("dialog.back")}</button>
      <button type="button" className="btn btn-primary" onClick={onAsk} aria-disabled={busy || !mayAsk} data-testid="ask">
        {busy ? <Icon name="spin" size="sm" spin /> : null}
        {t("approval.ask")} <kbd>{keyName("Mod")}</kbd><kbd>Enter</kbd>
      </button>
    </>
  );
}

/** The second person's dialog: who asks, why it needs them, the plan, yes or no. */
export function ApprovalDialog({ id, onClose, onRun }: { id: string; onClose(): void; onRun(run: string): void }) {
  const t = useT();
  const say = useSay();
  const desk = useDesk();
  const all = useValue<readonly ApprovalRequest[]>(deskKey.approvals) ?? [];
  // What was decided leaves the list while it is still on screen.
  const [kept] = useState(() => all.find((one) => one.id === id));
  const request = all.find((one) => one.id === id) ?? kept;
  const told = useValue<Approval>(deskKey.approvalOf(request?.plan.id ?? ""));
  const [reason, setReason] = useState("");
  const [isRefusing, setRefusing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const isMine = request?.asker.id === desk.me.id;
  const approval = told ?? request;
  const mayDecide = desk.mayApprove && !isMine && approval?.state === "asked";

  const decide = async (what: "approve" | "refuse") => {
    if (!request || busy || !mayDecide || (what === "refuse" && !reason.trim())) return;
    setBusy(true);
    setFailure(null);
    try {
      const body = { do: what, digest: request.plan.digest, ...(reason.trim() ? { reason: reason.trim() } : {}) };
      const after = await desk.api.call<ApprovalRequest>(`/api/v1/approvals/${id}/decide`, { method: "POST", body, timeoutMs: 30_000 });
      desk.store.set(deskKey.approvalOf(request.plan.id), after);
      void desk.loadApprovals();
      if (after.run) onRun(after.run);
      else onClose();
    } catch (error) {
      setFailure(said(error));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || isComposing(event)) return;
      event.preventDefault();
      event.stopPropagation();
      void decide(isRefusing ? "refuse" : "approve");
    };
    addEventListener("keydown", listen, true);
    return () => removeEventListener("keydown", listen, true);
  });

  if (!request || !approval) return null;
  return (
    <Dialog
      title={say(request.plan.title)} sub={t("approval.asks", { name: request.asker.name })} onClose={onClose} testId="approval-dialog" state={approval.state}
      end={<span className="chip is-warning"><Icon name="shield" />{t(`approval.state_${approval.state}`)}</span>}
      foot={
        mayDecide ? (
          <>
            <span className="note-l">{t("approval.same_digest")}</span>
            {isRefusing ? <button type="button" className="btn" onClick={() => setRefusing(false)}>{t("dialog.back")}</button> : <button type="button" className="btn" onClick={() => setRefusing(true)} data-testid="refuse">{t("approval.refuse")}</button>}
            <button type="button" className={isRefusing ? "btn btn-danger" : "btn btn-primary"} aria-disabled={busy || (isRefusing && !reason.trim())} onClick={() => void decide(isRefusing ? "refuse" : "approve")} data-testid={isRefusing ? "refuse-now" : "approve"}>
              {busy ? <Icon name="spin" size="sm" spin /> : null}
              {isRefusing ? t("approval.refuse") : t("approval.approve", { what: say(request.plan.confirm_label) })} <kbd>{keyName("Mod")}</kbd><kbd>Enter</kbd>
            </button>
          </>
        ) : (
          <>
            <span className="note-l">{isMine ? t("approval.own") : ""}</span>
            <button type="button" className="btn" onClick={onClose}>{t("dialog.close")}</button>
          </>
        )
      }
    >
      {failure ? <p className="strip is-danger" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p> : null}
      {mayDecide ? <p className="strip is-warning"><Icon name="shield" /><span>{say(request.why)}</span></p> : <AskState approval={approval} />}
      {isRefusing ? (
        <div className="field">
          <label htmlFor="refuse-reason">{t("approval.reason")}</label>
          <input id="refuse-reason" className="control" autoFocus required maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} data-testid="refuse-reason" />
          <p className="help">{t("approval.reason_hint")}</p>
        </div>
      ) : null}
      <PreviewBody planned={{ plan: request.plan, before: null }} />
    </Dialog>
  );
}
