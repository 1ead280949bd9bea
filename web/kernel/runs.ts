/** What the hub says about plans, runs and approvals. */

import type { Money } from "./types";

/** One call to a system, as it was made and answered. */
export interface RunAttempt {
  what?: string;
  at: string;
  ms: number;
  ok: boolean;
  code: string;
  text: string;
  /** The name by which the system knows the request. */
  key?: string;
}

/** Who decided what about a run. */
export interface Audit {
  at: string;
  by: string;
  name?: string;
  what: string;
  text?: string;
  reason?: string;
}

export interface RunStep {
  id: string;
  instance: string;
  system: string;
  title: string;
  kind: "compensable" | "pivot" | "retriable";
  state: "planned" | "intent" | "waiting" | "done" | "rejected" | "unknown" | "undo_intent" | "undone" | "undo_failed";
  attempts: RunAttempt[];
  result: string;
  started_at: string | null;
  ended_at: string | null;
}

export interface RunView {
  id: string;
  type: string;
  title: string;
  conversation: string;
  object: string;
  state: "running" | "waiting" | "compensating" | "completed" | "compensated" | "attention";
  sentence: string;
  amount: Money | null;
  started_by: { id: string; name: string };
  approved_by?: { id: string; name: string } | null;
  started_at: string;
  ended_at: string | null;
  steps: RunStep[];
  truths: { done: string[]; not_done: string[]; unknown: string[] };
  choices: { do: "check" | "retry" | "undo" | "done" | "hand_over" | "go_on"; label: string; suggested: boolean; needs_reason?: boolean }[];
  digest?: string;
}

export interface PlanStep {
  id: string;
  instance: string;
  system: string;
  title: string;
  detail: string;
  changes: { label: string; before: string; after: string }[];
  kind: "compensable" | "pivot" | "retriable";
  reversible: boolean;
  wave: number;
  provides: string;
  refusal: string | null;
}

/** What a second person has to do, or has done, with a plan. */
export interface Approval {
  id: string | null;
  state: "needed" | "asked" | "approved" | "refused" | "expired";
  why: string;
  limit: Money;
  approver: { id: string; name: string } | null;
  asker?: { id: string; name: string };
  asked_at?: string;
  expires_at?: string;
  reason?: string;
  run?: string | null;
}

/** A request for a second person, with exactly the plan that would run. */
export interface ApprovalRequest extends Approval {
  id: string;
  asker: { id: string; name: string };
  asked_at: string;
  expires_at: string;
  plan: PlanView;
}

export interface PlanView {
  id: string;
  type: string;
  title: string;
  conversation: string;
  object: string;
  input: Record<string, unknown>;
  eligible: { ok: boolean; reasons: string[] };
  amount: Money | null;
  steps: PlanStep[];
  dropped: { system: string; why: string }[];
  digest: string;
  expires_at: string;
  checked_ms: number;
  confirm_label: string;
  approval?: Approval | null;
}
