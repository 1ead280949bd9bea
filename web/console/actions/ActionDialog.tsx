/** One dialog from form to result: form, preview, live, and what needs a decision. */

import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, type ApprovalRequest, type PlanView } from "../../kernel";
import { deskKey, offersKey } from "../desk";
import { useDesk, useRun, useSay, useT, useValue } from "../hooks";
import { isComposing } from "../keys";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { ApprovalDialog, AskFoot, AskState, useAsked } from "../approvals/ApprovalDialog";
import { FormBody, FormFoot, checkFilled } from "./FormStep";
import { type Offer, type Shown, closeAction, sameType } from "./host";
import { Countdown, PreviewBody, PreviewFoot, useExpiry } from "./PreviewStep";
import { RunDialog } from "./RunDialog";
import { type ActionForm, type Filled, type Planned, inputOf, startOf } from "./types";

interface Props {
  shown: NonNullable<Shown>;
  onClose(): void;
  onRun(run: string): void;
}

export default function ActionDialog({ shown, onClose, onRun }: Props) {
  const run = useRun(shown.kind === "run" ? shown.run : "");
  if (shown.kind === "approval") return <ApprovalDialog id={shown.approval} onClose={onClose} onRun={onRun} />;
  if (shown.kind === "run") return <RunDialog id={shown.run} run={run} onClose={onClose} />;
  return <NewAction conversation={shown.conversation} type={shown.type} object={shown.object} onClose={onClose} onRun={onRun} />;
}

interface NewProps {
  conversation: string;
  type: string;
  object: string;
  onClose(): void;
  onRun(run: string): void;
}

function NewAction({ conversation, type, object, onClose, onRun }: NewProps) {
  const t = useT();
  const say = useSay();
  const desk = useDesk();
  const [form, setForm] = useState<ActionForm | null>(null);
  const [filled, setFilled] = useState<Filled>({ lines: {}, fields: {} });
  const [planned, setPlanned] = useState<Planned | null>(null);
  const [busy, setBusy] = useState<"form" | "plan" | "confirm" | null>("form");
  const [failure, setFailure] = useState<string | null>(null);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const isExpired = useExpiry(planned?.plan ?? null);
  const isHurried = useRef(false);

  // Somebody else was faster: their run is what there is to see.
  const offers = useValue<readonly Offer[]>(offersKey(conversation));
  const running = offers?.find((one) => sameType(one.type, type) && one.object === object)?.running;
  useEffect(() => {
    if (running) onRun(running);
  }, [running, onRun]);

  useEffect(() => {
    const query = new URLSearchParams({ conversation, object });
    desk.api
      .call<ActionForm>(`/api/v1/actions/${encodeURIComponent(type)}/form?${query}`)
      .then((found) => (setForm(found), setFilled(startOf(found))))
      .catch((error: unknown) => setFailure(said(error)))
      .finally(() => setBusy(null));
  }, [desk, conversation, type, object]);

  const preview = useCallback(async () => {
    if (!form) return void (isHurried.current = true);
    if (busy) return;
    const missing = checkFilled(form, filled);
    setWrong(missing);
    if (Object.keys(missing).length) return document.getElementById(`f-${Object.keys(missing)[0]!}`)?.focus();
    setBusy("plan");
    setFailure(null);
    try {
      const body = { conversation, input: inputOf(form, filled) };
      const plan = await desk.api.call<PlanView>(`/api/v1/actions/${encodeURIComponent(form.type)}/plan`, { method: "POST", body, timeoutMs: 30_000 });
      setPlanned({ plan, before: null });
    } catch (error) {
      setWrong(fieldErrors(error));
      setFailure(said(error));
    } finally {
      setBusy(null);
    }
  }, [desk, form, filled, conversation, busy]);

  // Enter before the form was there counts from when it is.
  useEffect(() => {
    if (!form || busy || !isHurried.current) return;
    isHurried.current = false;
    void preview();
  }, [form, busy, preview]);

  const confirm = useCallback(async () => {
    if (!planned || busy || !mayConfirm(planned.plan)) return;
    setBusy("confirm");
    setFailure(null);
    try {
      const { plan } = planned;
      const { run } = await desk.api.call<{ run: string }>(`/api/v1/plans/${plan.id}/confirm`, { method: "POST", body: { digest: plan.digest }, timeoutMs: 30_000 });
      onRun(run);
    } catch (error) {
      const changed = error instanceof ApiError && error.code === "plan_changed" ? (error.body["plan"] as PlanView | undefined) : undefined;
      if (changed) setPlanned({ plan: changed, before: planned.plan });
      else setFailure(said(error));
    } finally {
      setBusy(null);
    }
  }, [desk, planned, busy, onRun]);

  // The only thing left to fill in gets the focus, so that Enter is never far.
  useEffect(() => {
    if (!form || planned) return;
    const empty = Object.keys(checkFilled(form, startOf(form)))[0];
    if (empty) requestAnimationFrame(() => document.getElementById(`f-${empty}`)?.focus());
  }, [form, planned]);

  const approval = useAsked(planned?.plan, onRun);
  const ask = useCallback(async () => {
    if (!planned || busy) return;
    setBusy("confirm");
    setFailure(null);
    try {
      const { plan } = planned;
      const asked = await desk.api.call<ApprovalRequest>(`/api/v1/plans/${plan.id}/ask`, { method: "POST", body: {} });
      desk.store.set(deskKey.approvalOf(plan.id), asked);
      void desk.loadApprovals();
    } catch (error) {
      setFailure(said(error));
    } finally {
      setBusy(null);
    }
  }, [desk, planned, busy]);
  const isWaiting = approval !== null && approval.state !== "needed";
  const go = planned ? (isWaiting ? stay : isExpired ? preview : approval ? ask : confirm) : preview;
  useKeys(planned !== null, go);
  const back = () => (setPlanned(null), setFailure(null));

  if (planned) {
    const { plan } = planned;
    return (
      <Dialog
        title={t("preview.title")} sub={t("preview.sub")} onClose={onClose} testId="action" state="preview"
        closeLabel={t("action.close")} end={isWaiting ? undefined : <Countdown plan={plan} />}
        foot={approval && !isExpired || isWaiting ? <AskFoot approval={approval!} busy={busy !== null} mayAsk={mayConfirm(plan)} onBack={back} onAsk={() => void ask()} onClose={onClose} /> : <PreviewFoot plan={plan} busy={busy} isExpired={isExpired} mayConfirm={mayConfirm(plan)} onBack={back} onConfirm={() => void confirm()} onAgain={() => void preview()} />}
      >
        {failure ? <Problem text={failure} /> : null}
        {approval ? <AskState approval={approval} /> : null}
        <PreviewBody planned={planned} />
      </Dialog>
    );
  }
  return (
    <Dialog
      title={say(form?.title) || t("action.loading")} sub={say(form?.subtitle)} onClose={onClose} testId="action" state="form" closeLabel={t("dialog.close")}
      foot={<FormFoot form={form} busy={busy === "plan"} onCancel={closeAction} onPreview={() => void preview()} />}
    >
      {failure ? <Problem text={failure} /> : null}
      {form ? <FormBody form={form} filled={filled} wrong={wrong} onChange={setFilled} /> : failure ? null : <FormSkeleton />}
    </Dialog>
  );
}

async function stay(): Promise<void> {
  // Nothing to do but wait: the request is with a second person.
}

export function mayConfirm(plan: PlanView): boolean {
  return plan.eligible.ok && plan.steps.every((step) => !step.refusal);
}

/** Enter previews from the form (not from a text area or a button); Ctrl+Enter always goes on. */
function useKeys(isPreview: boolean, go: () => Promise<unknown> | unknown): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || isComposing(event)) return;
      const isForced = event.ctrlKey || event.metaKey;
      const target = event.target as HTMLElement;
      const isTaken = isPreview || target.closest("textarea,button,a,.popover") !== null;
      if (!isForced && isTaken) return;
      event.preventDefault();
      event.stopPropagation();
      void go();
    };
    addEventListener("keydown", listen, true);
    return () => removeEventListener("keydown", listen, true);
  }, [isPreview, go]);
}

function Problem({ text }: { text: string }) {
  return (
    <p className="strip is-danger" role="alert" data-testid="action-problem">
      <Icon name="warn" />
      <span>{useSay()(text)}</span>
    </p>
  );
}

function FormSkeleton() {
  return (
    <div className="skeleton-form" aria-hidden="true">
      <i /><i /><i />
    </div>
  );
}

export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errors that the hub bound to fields: `$.reason` and `reason` name the same one. */
function fieldErrors(error: unknown): Record<string, string> {
  const list = error instanceof ApiError ? (error.body["errors"] as { path: string; text: string }[] | undefined) : undefined;
  return Object.fromEntries((list ?? []).map((one) => [one.path.replace(/^\$?\.?(input\.)?/, "").split(/[.[]/)[0]!, one.text]));
}
