/** Step two: every effect in every system before it happens, and the line behind which nothing can be undone. */

import { Fragment, useEffect, useState } from "react";
import type { PlanStep, PlanView } from "../../kernel";
import { useNow, useSay, useT, useTexts } from "../hooks";
import { shortTime } from "../shortTime";
import { Icon } from "../parts/Icon";
import { keyName } from "../parts/Menu";
import type { Planned } from "./types";
import { changesSince } from "./planDiff";

/** True from the moment *plan* is no longer valid. */
export function useExpiry(plan: PlanView | null): boolean {
  const [isExpired, setExpired] = useState(false);
  useEffect(() => {
    setExpired(false);
    if (!plan) return;
    const timer = setTimeout(() => setExpired(true), Math.max(0, Date.parse(plan.expires_at) - Date.now()));
    return () => clearTimeout(timer);
  }, [plan]);
  return isExpired;
}

export function Countdown({ plan }: { plan: PlanView }) {
  const t = useT();
  const now = useNow(1000);
  const left = Math.max(0, Math.ceil((Date.parse(plan.expires_at) - now) / 1000));
  const tone = left === 0 ? "chip is-danger" : left <= 15 ? "chip is-warning" : "chip";
  return (
    <span className={tone} data-testid="countdown">
      <Icon name="clock" />
      {left ? t("preview.valid", { time: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` }) : t("preview.expired")}
    </span>
  );
}

export function PreviewBody({ planned }: { planned: Planned }) {
  const t = useT();
  const say = useSay();
  const { plan, before } = planned;
  const steps = [...plan.steps].sort((a, b) => a.wave - b.wave);
  const pivot = steps.findIndex((step) => step.kind === "pivot" || (!step.reversible && step.kind !== "retriable"));
  const differences = before ? changesSince(before, plan) : null;
  return (
    <>
      {differences ? (
        <p className="strip is-warning" role="alert" data-testid="plan-changed">
          <Icon name="warn" />
          <span>{t("preview.changed", { count: differences.count })}</span>
        </p>
      ) : null}
      <Eligible plan={plan} />
      <ol className="steps" data-testid="plan">
        {steps.map((step, at) => (
          <Fragment key={step.id}>
            {at === pivot ? (
              <li className="pnr" data-testid="no-return">
                <Icon name="warn" />
                {t("preview.no_return")}
              </li>
            ) : null}
            <Step step={step} number={at + 1} was={differences?.byStep.get(step.id)} />
          </Fragment>
        ))}
      </ol>
      {differences?.gone.length ? <p className="help t-warning">{t("preview.gone", { steps: differences.gone.map(say).join(", ") })}</p> : null}
      {plan.dropped.map((one) => (
        <p key={one.system} className="help">{t("preview.dropped", { system: say(one.system), why: say(one.why) })}</p>
      ))}
    </>
  );
}

function Eligible({ plan }: { plan: PlanView }) {
  const t = useT();
  const say = useSay();
  const { ok, reasons } = plan.eligible;
  if (ok && !reasons.length) return null;
  return (
    <p className={ok ? "strip" : "strip is-danger"} role={ok ? undefined : "alert"}>
      <Icon name={ok ? "check" : "warn"} />
      <span>{t(ok ? "preview.eligible" : "preview.not_eligible", { reasons: reasons.map(say).join(" ") })}</span>
    </p>
  );
}

function Step({ step, number, was }: { step: PlanStep; number: number; was: string[] | undefined }) {
  const t = useT();
  const say = useSay();
  return (
    <li data-step={step.id} className={step.refusal ? "is-refused" : undefined}>
      <span className={step.refusal ? "n bad" : "n"}>{step.refusal ? <Icon name="x" /> : number}</span>
      <span className="sys trunc">
        {say(step.system)}
        <Instance step={step} />
      </span>
      <span className="what">
        {say(step.title)}
        {step.refusal ? <small className="t-danger">{say(step.refusal)}</small> : <Changes step={step} />}
        {was?.map((line) => (
          <small key={line} className="t-warning">{t("preview.was", { text: say(line) })}</small>
        ))}
      </span>
      <Reversal step={step} />
    </li>
  );
}

/** The instance's own name, where it says more than the system's. */
export function Instance({ step }: { step: { system: string; instance: string } }) {
  if (step.instance.toLowerCase() === step.system.toLowerCase()) return null;
  return <small className="trunc">{step.instance}</small>;
}

function Changes({ step }: { step: PlanStep }) {
  const say = useSay();
  if (!step.changes.length) return step.detail ? <small>{say(step.detail)}</small> : null;
  return (
    <>
      {step.changes.map((change) => (
        <small key={change.label}>
          {say(change.label)} <span className="was">{say(change.before) || "\u2014"}</span>{" "}
          <span className="arrow"><Icon name="arrow" size="xs" /></span> {say(change.after)}
        </small>
      ))}
    </>
  );
}

function Reversal({ step }: { step: PlanStep }) {
  const t = useT();
  if (step.kind === "retriable") return <span className="rev"><Icon name="refresh" />{t("preview.repeats")}</span>;
  if (step.kind === "pivot" || !step.reversible) return <span className="rev t-warning"><Icon name="lock" />{t("preview.final")}</span>;
  return <span className="rev"><Icon name="undo" />{t("preview.undoable")}</span>;
}

interface FootProps {
  plan: PlanView;
  busy: string | null;
  isExpired: boolean;
  mayConfirm: boolean;
  onBack(): void;
  onConfirm(): void;
  onAgain(): void;
}

export function PreviewFoot({ plan, busy, isExpired, mayConfirm, onBack, onConfirm, onAgain }: FootProps) {
  const t = useT();
  const { format, say } = useTexts();
  const systems = new Set(plan.steps.map((step) => step.instance)).size;
  return (
    <>
      <span className="note-l">{t("preview.checked", { count: systems, time: shortTime(plan.checked_ms, t, format) })}</span>
      <button type="button" className="btn" onClick={onBack} data-testid="back">{t("dialog.back")}</button>
      {isExpired ? (
        <button type="button" className="btn btn-primary" onClick={onAgain} data-testid="again">
          {busy ? <Icon name="spin" size="sm" spin /> : <Icon name="refresh" size="sm" />}
          {t("preview.again")}
        </button>
      ) : (
        <button type="button" className="btn btn-primary" onClick={onConfirm} aria-disabled={!mayConfirm || busy !== null} data-testid="confirm">
          {busy === "confirm" ? <Icon name="spin" size="sm" spin /> : null}
          {say(plan.confirm_label) || t("preview.confirm")} <kbd>{keyName("Mod")}</kbd><kbd>Enter</kbd>
        </button>
      )}
    </>
  );
}
