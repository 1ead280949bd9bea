/** Steps three and four: what is happening now, and what is true when somebody has to decide. */

import { useEffect, useState } from "react";
import type { RunStep, RunView } from "../../kernel";
import { RunChip, Segments, segmentsOf } from "../conversation/RunCard";
import { useDesk, useNow, useSay, useT, useTexts } from "../hooks";
import { shortTime } from "../shortTime";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { go } from "../route";
import { said } from "./ActionDialog";
import { Attention } from "./Attention";
import { Instance } from "./PreviewStep";

/** Without the stream (long poll) a running run is looked at this often. */
const LOOK_MS = 3000;

interface Props {
  id: string;
  run: RunView | undefined;
  onClose(): void;
}

export function RunDialog({ id, run, onClose }: Props) {
  const t = useT();
  const say = useSay();
  const desk = useDesk();
  const [failure, setFailure] = useState<string | null>(null);
  const isMoving = !run || run.state === "running" || run.state === "compensating";

  useEffect(() => {
    const look = () =>
      desk.api
        .call<RunView>(`/api/v1/runs/${id}`)
        .then((found) => (setFailure(null), desk.putRun(found)))
        .catch((error: unknown) => setFailure(said(error)));
    void look();
    if (!isMoving) return;
    const timer = setInterval(() => void look(), LOOK_MS);
    return () => clearInterval(timer);
  }, [desk, id, isMoving]);

  if (!run) {
    return (
      <Dialog title={t("run.loading")} onClose={onClose} testId="action" state="loading">
        {failure ? <p className="strip is-danger" role="alert"><Icon name="warn" /><span>{say(failure)}</span></p> : null}
      </Dialog>
    );
  }
  if (run.choices.length) return <Attention run={run} onClose={onClose} />;
  return <Live run={run} onClose={onClose} />;
}

function Live({ run, onClose }: { run: RunView; onClose(): void }) {
  const t = useT();
  const say = useSay();
  const segments = segmentsOf(run);
  const isOver = run.state === "completed" || run.state === "compensated";
  const done = run.steps.filter((step) => step.state === "done").length;
  return (
    <Dialog
      title={say(run.title)} onClose={onClose} testId="action" state={run.state} closeLabel={t("action.close")}
      end={<><Clock run={run} />{isOver ? <RunChip run={run} segments={segments} /> : null}</>}
      foot={
        <>
          <span className="note-l">{isOver ? t("run.by", { name: run.started_by.name }) : t("run.closing")}</span>
          <RunLink id={run.id} onClose={onClose} />
          <button type="button" className={isOver ? "btn btn-primary" : "btn"} onClick={onClose} data-testid="keep-working">
            {t(isOver ? "dialog.done" : "run.keep_working")}
          </button>
        </>
      }
    >
      <div aria-live="polite">
        <p className="truth" data-testid="run-sentence">{say(run.sentence)}</p>
        {isOver ? null : <p className="muted">{t("run.progress", { done, of: run.steps.length })}</p>}
      </div>
      <Segments segments={segments} isBare />
      <StepList steps={run.steps} />
    </Dialog>
  );
}

/** To the page of the run: every attempt, every answer. */
export function RunLink({ id, onClose }: { id: string; onClose(): void }) {
  const t = useT();
  return (
    <button type="button" className="btn" onClick={() => (onClose(), go({ page: "run", run: id }))} data-testid="run-page">
      {t("run.details")}
    </button>
  );
}

export function Clock({ run }: { run: RunView }) {
  const now = useNow(1000);
  const end = run.ended_at ? Date.parse(run.ended_at) : now;
  const seconds = Math.max(0, Math.floor((end - Date.parse(run.started_at)) / 1000));
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (run.ended_at) return <span className="subtle num">{text}</span>;
  return <span className="chip is-accent num"><Icon name="spin" spin />{text}</span>;
}

export function StepList({ steps }: { steps: readonly RunStep[] }) {
  return (
    <ol className="steps">
      {steps.map((step, at) => (
        <StepRow key={step.id} step={step} number={at + 1} />
      ))}
    </ol>
  );
}

function StepRow({ step, number }: { step: RunStep; number: number }) {
  const t = useT();
  const { format, say } = useTexts();
  const last = step.attempts[step.attempts.length - 1];
  const spent = step.attempts.reduce((sum, one) => sum + one.ms, 0);
  return (
    <li className={step.state === "planned" ? "todo" : undefined} data-step={step.id} data-state={step.state}>
      <Mark step={step} number={number} />
      <span className="sys trunc">
        {say(step.system)}
        <Instance step={step} />
      </span>
      <span className="what">
        {say(step.result || step.title)}
        <small>{detail(step, t)}</small>
        {last && !last.ok && step.state !== "done" ? <small className="t-danger">{[last.code, say(last.text)].filter(Boolean).join(" \u00b7 ")}</small> : null}
      </span>
      <span className="rev num">{spent ? shortTime(spent, t, format) : ""}</span>
    </li>
  );
}

export function Mark({ step, number }: { step: RunStep; number: number }) {
  switch (step.state) {
    case "done":
      return <span className="n ok"><Icon name="check" /></span>;
    case "intent":
    case "undo_intent":
      return <span className="n run"><Icon name="spin" spin /></span>;
    case "rejected":
    case "undo_failed":
      return <span className="n bad"><Icon name="x" /></span>;
    case "unknown":
      return <span className="n warn"><Icon name="warn" /></span>;
    case "undone":
      return <span className="n"><Icon name="undo" /></span>;
    default:
      return <span className="n todo">{number}</span>;
  }
}

function detail(step: RunStep, t: ReturnType<typeof useT>): string {
  const tries = step.attempts.length;
  const state = t(`step.${step.state}`);
  if (tries < 1) return state;
  return `${state} \u00b7 ${t("step.tries", { count: tries })}`;
}
