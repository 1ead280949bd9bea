/** What is different between the plan that was agreed to and the one that would run now. */

import type { PlanStep, PlanView } from "../../kernel";

export interface PlanDifference {
  count: number;
  /** Per step of the new plan: what it said before. */
  byStep: Map<string, string[]>;
  /** Titles of steps that are not part of it any more. */
  gone: string[];
}

export function changesSince(before: PlanView, after: PlanView): PlanDifference {
  const old = new Map(before.steps.map((step) => [step.id, step]));
  const byStep = new Map<string, string[]>();
  for (const step of after.steps) {
    const was = old.get(step.id);
    const lines = was ? stepChanges(was, step) : [];
    if (lines.length) byStep.set(step.id, lines);
    old.delete(step.id);
  }
  const gone = [...old.values()].map((step) => step.title);
  const fresh = after.steps.filter((step) => !before.steps.some((one) => one.id === step.id)).length;
  const count = [...byStep.values()].reduce((sum, lines) => sum + lines.length, 0) + gone.length + fresh;
  return { count: Math.max(1, count), byStep, gone };
}

function stepChanges(was: PlanStep, is: PlanStep): string[] {
  const lines: string[] = [];
  if (was.title !== is.title) lines.push(was.title);
  for (const change of was.changes) {
    const now = is.changes.find((one) => one.label === change.label);
    const same = now && now.before === change.before && now.after === change.after;
    if (!same) lines.push(`${change.label} ${change.before} \u2192 ${change.after}`);
  }
  return lines;
}
