/** What the adapters' pages ask the hub, and how they ask again. */

import { useCallback, useEffect, useState } from "react";
import { ApiError } from "../../kernel";
import { useDesk } from "../hooks";
import type { IconName } from "../parts/icons";

export interface AdapterState {
  instance: string;
  adapter: string;
  name: string;
  version: string;
  state: string;
  text: string;
  since: string | null;
  calls: number;
  errors: number;
  p95_ms: number | null;
  hooks: string[];
  steps: string[];
  capabilities: string[];
}

export interface Sample {
  at: string;
  calls: number;
  errors: number;
  p95_ms: number;
  state: string;
}

/** An instance in one process of the hub. */
export interface InProcess {
  name: string;
  at: string;
  here: boolean;
  gone: boolean;
  state: string;
  text: string;
  breaker: string;
  calls: number;
  errors: number;
  in_flight: number;
  waiting: number;
  p95_ms: number;
  samples: Sample[];
}

export interface AdapterPage extends AdapterState {
  summary: string;
  isolation: string;
  layers: string[];
  net: string[];
  reads: string[];
  writes: string[];
  breaker: string;
  in_flight: number;
  waiting: number;
  late: number;
  busy: number;
  http_calls: number;
  next_try: string | null;
  problems: { code: string; what: string; where: string; why: string; fix: string }[];
  samples: Sample[];
  processes: InProcess[];
}

export interface Setting {
  name: string;
  kind: "text" | "number" | "switch" | "choice" | "list" | "other";
  text: string;
  secret: boolean;
  required: boolean;
  default: unknown;
  choices: string[];
  value: unknown;
}

export interface Settings {
  instance: string;
  use: string;
  enabled: boolean;
  settings: Setting[];
  read_only: string;
  digest: string;
}

/** What is to change in hub.toml. */
export interface Wanted {
  use?: string;
  enabled?: boolean;
  config?: Record<string, unknown>;
}

/** How settings did that are not saved. */
export interface Trial {
  ok: boolean;
  code: string;
  text: string;
  fix: string;
  ms: number;
  faults: { code: string; text: string; fix: string }[];
}

export interface Proposal {
  diff: string;
  changes: string[];
  toml: string;
  digest: string;
}

export interface Offer {
  id: string;
  name: string;
  summary: string;
  kind: string;
  package: string;
  version: string | null;
  problem: string;
  net: string[];
  reads: string[];
  writes: string[];
  languages: string[];
  instances: string[];
}

export interface Repair {
  id: string;
  severity: "critical" | "warning" | "notice";
  what: string;
  who: string;
  fix: string;
  remedy: "restart" | "settings" | "events" | "file" | "mail";
  since: string;
  instance: string;
  code: string;
  conversation: string;
}

export const LOOK: Record<string, { tone: string; icon: IconName }> = {
  ready: { tone: " is-success", icon: "check" },
  degraded: { tone: " is-warning", icon: "warn" },
  backoff: { tone: " is-warning", icon: "clock" },
  starting: { tone: " is-accent", icon: "spin" },
  validated: { tone: " is-accent", icon: "spin" },
  draining: { tone: " is-accent", icon: "spin" },
  auth_required: { tone: " is-danger", icon: "key" },
  config_invalid: { tone: " is-danger", icon: "x" },
  incompatible: { tone: " is-danger", icon: "x" },
  quarantined: { tone: " is-danger", icon: "x" },
  stopped: { tone: " is-danger", icon: "x" },
  disabled: { tone: "", icon: "circle" },
};

/** The address of one adapter's routes. */
export function at(instance: string, rest = ""): string {
  return `/api/v1/adapters/${encodeURIComponent(instance)}${rest}`;
}

/** What went wrong, and of hub.toml's mistakes each. */
export function faults(error: unknown): string[] {
  if (!(error instanceof ApiError)) return [String(error)];
  const told = error.body["errors"] as { path: string; text: string }[] | undefined;
  return told?.length ? told.map((one) => `${one.path}: ${one.text}`) : [error.message];
}

/** The answer at *path*, asked again every *everyMs* while the page is seen. */
export function useAsked<T>(path: string, everyMs: number) {
  const desk = useDesk();
  const [answer, setAnswer] = useState<{ path: string; value: T } | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const again = useCallback(
    () =>
      desk.api.call<T>(path).then(
        (value) => (setAnswer({ path, value }), setFailure(null)),
        (error: unknown) => setFailure(faults(error)[0] ?? null),
      ),
    [desk, path],
  );
  useEffect(() => {
    void again();
    const timer = setInterval(() => document.hidden || void again(), everyMs);
    return () => clearInterval(timer);
  }, [again, everyMs]);
  // An answer to the question before is none to this one.
  return { value: answer?.path === path ? answer.value : null, failure, again };
}
