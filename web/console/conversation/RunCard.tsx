/** A run across systems in the timeline: one segment per step, moving as the server moves. */

import type { RunStep, RunView } from "../../kernel";
import { openRun } from "../actions/host";
import { useRun, useSay, useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";

export interface Segment {
  key: string;
  label: string;
  state: "done" | "now" | "todo" | "bad" | "undone";
}

/** Steps that come after the money share one segment; the others have their own. */
export function segmentsOf(run: RunView): Segment[] {
  const groups: RunStep[][] = [];
  for (const step of run.steps) {
    const last = groups[groups.length - 1];
    const joins = step.kind === "retriable" && last?.[0]?.kind === "retriable";
    if (joins) last.push(step);
    else groups.push([step]);
  }
  return groups.map((steps) => ({
    key: steps[0]!.id,
    label: [...new Set(steps.map((step) => step.system))].join(", "),
    state: stateOf(steps, run),
  }));
}

function stateOf(steps: readonly RunStep[], run: RunView): Segment["state"] {
  const has = (...states: RunStep["state"][]) => steps.some((step) => states.includes(step.state));
  const isOver = run.state === "attention" || run.state === "completed" || run.state === "compensated";
  if (has("rejected", "undo_failed") || (isOver && has("unknown"))) return "bad";
  if (has("undone")) return "undone";
  if (has("intent", "unknown", "undo_intent")) return isOver ? "bad" : "now";
  return steps.every((step) => step.state === "done") ? "done" : "todo";
}

/** Number of finished segments, for "step 4 of 5". */
export function stepNumber(segments: readonly Segment[]): number {
  const done = segments.filter((one) => one.state === "done").length;
  return Math.min(segments.length, done + 1);
}

export function RunCard({ id }: { id: string }) {
  const t = useT();
  const { format, say } = useTexts();
  const run = useRun(id);
  if (!run) return null;
  const segments = segmentsOf(run);
  return (
    <li className="inset">
      <article className="card run" aria-label={`${say(run.title)}, ${say(run.sentence)}`} data-testid="run" data-run={run.id} data-state={run.state}>
        <header className="card-head">
          <Icon name="undo" />
          <h2 className="trunc">{say(run.title)}</h2>
          <RunChip run={run} segments={segments} />
          <span className="grow" />
          <span className="asof hide-s trunc">{t("run.started_by", { name: run.started_by.name, time: format.time(run.started_at) })}</span>
          <button type="button" className="link" onClick={() => openRun(run.id)} data-testid="run-open">
            {t(run.state === "attention" ? "run.resolve" : "run.open")}
          </button>
        </header>
        <div className="card-body">
          <Segments segments={segments} />
          {run.state === "running" ? null : <p className={run.state === "attention" ? "run-sentence t-danger" : "run-sentence"}>{say(run.sentence)}</p>}
        </div>
      </article>
    </li>
  );
}

/** The bar: done green, moving blue, to come grey, broken red — each with its word. */
export function Segments({ segments, isBare }: { segments: readonly Segment[]; isBare?: boolean }) {
  const say = useSay();
  return (
    <ol className="prog" aria-hidden={isBare}>
      {segments.map((one) => (
        <li key={one.key} className={one.state} aria-current={one.state === "now" ? "step" : undefined}>
          {isBare ? null : (
            <span>
              {one.state === "done" ? <Icon name="check" /> : null}
              {one.state === "now" ? <Icon name="spin" spin /> : null}
              {one.state === "bad" ? <Icon name="x" /> : null}
              {one.state === "undone" ? <Icon name="undo" /> : null}
              <span className="trunc lbl">{one.label.split(", ").map(say).join(", ")}</span>
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}

export function RunChip({ run, segments }: { run: RunView; segments: readonly Segment[] }) {
  const t = useT();
  switch (run.state) {
    case "completed":
      return <span className="chip is-success"><Icon name="check" />{t("run.completed")}</span>;
    case "compensated":
      return <span className="chip"><Icon name="undo" />{t("run.compensated")}</span>;
    case "attention":
      return <span className="chip is-danger"><Icon name="warn" />{t("run.attention")}</span>;
    case "compensating":
      return <span className="chip is-warning"><Icon name="spin" spin />{t("run.compensating")}</span>;
    case "waiting":
      return <span className="chip is-warning"><Icon name="clock" />{t("run.waiting")}</span>;
    default:
      return <span className="chip is-accent"><Icon name="spin" spin />{t("run.step", { n: stepNumber(segments), of: segments.length })}</span>;
  }
}
