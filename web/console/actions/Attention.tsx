/** A run that needs a person: what is true now, what is not, and the choices with one suggested. */

import { useId, useState } from "react";
import type { RunView } from "../../kernel";
import { RunChip, stepNumber, segmentsOf } from "../conversation/RunCard";
import { useDesk, useSay, useT } from "../hooks";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { said } from "./ActionDialog";
import { RunLink, StepList } from "./RunDialog";

export function Attention({ run, onClose }: { run: RunView; onClose(): void }) {
  const t = useT();
  const say = useSay();
  const desk = useDesk();
  const suggested = run.choices.find((one) => one.suggested) ?? run.choices[0];
  const [choice, setChoice] = useState(suggested?.do);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [areSteps, setSteps] = useState(false);
  const chosen = run.choices.find((one) => one.do === choice);
  const needsReason = chosen?.needs_reason ?? choice === "done";
  const segments = segmentsOf(run);

  const resolve = async () => {
    if (!choice || busy || (needsReason && !reason.trim())) return;
    setBusy(true);
    setFailure(null);
    try {
      const body = { do: choice, ...(reason.trim() ? { reason: reason.trim() } : {}) };
      desk.putRun(await desk.api.call<RunView>(`/api/v1/runs/${run.id}/resolve`, { method: "POST", body, timeoutMs: 30_000 }));
    } catch (error) {
      setFailure(said(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      title={run.state === "waiting" ? say(run.title) : t("attention.title", { title: say(run.title) })} sub={t("run.step", { n: stepNumber(segments), of: segments.length })} onClose={onClose} testId="action" state={run.state}
      closeLabel={t("action.close")}
      end={<RunChip run={run} segments={segments} />}
      foot={
        <>
          <span className="note-l"><button type="button" className="link" aria-expanded={areSteps} onClick={() => setSteps(!areSteps)}>{t(areSteps ? "attention.hide_steps" : "attention.show_steps")}</button></span>
          <RunLink id={run.id} onClose={onClose} />
          <button type="button" className="btn" onClick={onClose}>{t("attention.later")}</button>
          {chosen ? (
            <button type="button" className="btn btn-primary" onClick={() => void resolve()} aria-disabled={busy || (needsReason && !reason.trim())} data-testid="resolve">
              {busy ? <Icon name="spin" size="sm" spin /> : null}
              {t(`resolve.${chosen.do}`)}
            </button>
          ) : null}
        </>
      }
    >
      {failure ? <p className="strip is-danger" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p> : null}
      <p className="truth" data-testid="run-sentence">{say(run.sentence)}</p>
      <Truths run={run} />
      {areSteps ? <StepList steps={run.steps} /> : null}
      <Choices run={run} choice={choice} onChoose={setChoice} />
      {needsReason ? <Reason value={reason} onChange={setReason} /> : null}
    </Dialog>
  );
}

function Truths({ run }: { run: RunView }) {
  const t = useT();
  const say = useSay();
  const { done, not_done: open, unknown } = run.truths;
  const rows = [
    { key: "done", texts: done, look: "n ok", icon: "check" as const },
    { key: "not_done", texts: open, look: "n bad", icon: "x" as const },
    { key: "unknown", texts: unknown, look: "n warn", icon: "warn" as const },
  ].filter((row) => row.texts.length);
  return (
    <ol className="steps" data-testid="truths">
      {rows.map((row) => (
        <li key={row.key} data-truth={row.key}>
          <span className={row.look}><Icon name={row.icon} /></span>
          <span className="sys">{t(`truth.${row.key}`)}</span>
          <span className="what">
            {row.texts.map((text) => (
              <span key={text} className="truth-line">{say(text)}</span>
            ))}
          </span>
          <span className="rev">{row.key === "done" ? t("truth.of", { n: done.length, of: run.steps.length }) : ""}</span>
        </li>
      ))}
    </ol>
  );
}

interface ChoicesProps {
  run: RunView;
  choice: string | undefined;
  onChoose(choice: RunView["choices"][number]["do"]): void;
}

function Choices({ run, choice, onChoose }: ChoicesProps) {
  const t = useT();
  const say = useSay();
  const name = useId();
  return (
    <fieldset className="choices">
      <legend className="sr">{t("attention.what_next")}</legend>
      {run.choices.map((one) => (
        <label key={one.do} className={one.do === choice ? "choice on" : "choice"} data-choice={one.do}>
          <input type="radio" className="sr" name={name} checked={one.do === choice} onChange={() => onChoose(one.do)} />
          <span className="radio" />
          <span>
            {say(one.label)}
            <small>{t(`resolve.${one.do}_hint`)}</small>
          </span>
          <span className="sug">{one.suggested ? t("attention.suggested") : ""}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Reason({ value, onChange }: { value: string; onChange(value: string): void }) {
  const t = useT();
  return (
    <div className="field">
      <label htmlFor="reason">{t("attention.reason")}</label>
      <input id="reason" className="control" autoFocus required value={value} onChange={(event) => onChange(event.target.value)} data-testid="reason" />
      <p className="help">{t("attention.reason_hint")}</p>
    </div>
  );
}
