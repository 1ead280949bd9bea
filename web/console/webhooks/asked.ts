/** What the webhooks' tabs ask the hub. */

import type { IconName } from "../parts/icons";

export interface Subscription {
  id: string;
  name: string;
  url: string;
  kinds: string[];
  state: "active" | "disabled";
  why: "" | "admin" | "gone" | "full";
  failing_since: string | null;
  old_secret_until: string | null;
  created_at: string;
  waiting: number;
  done: number;
  failed: number;
}

export interface Subscriptions {
  subscriptions: Subscription[];
  kinds: string[];
}

export type DeliveryState = "waiting" | "done" | "failed";

export interface Delivery {
  id: string;
  kind: string;
  seq: number | null;
  conversation: string | null;
  state: DeliveryState;
  attempts: number;
  status: number | null;
  ms: number | null;
  error: string;
  created_at: string;
  next_at: string | null;
}

export interface Attempt {
  n: number;
  at: string;
  ms: number;
  status: number | null;
  error: string;
  request: Record<string, string>;
  headers: Record<string, string>;
  body: string;
}

export interface DeliveryPage extends Delivery {
  url: string;
  body: string;
  tried: Attempt[];
}

export interface Arrived {
  id: string;
  instance: string;
  kind: string;
  object: string;
  state: "pending" | "done" | "stale" | "dead";
  attempts: number;
  error: string;
  received_at: string;
  next_at: string | null;
}

export const ALL = "*";
export const HOME = "/api/v1/subscriptions";
export const LOOK: Record<DeliveryState, { tone: string; icon: IconName }> = {
  waiting: { tone: " is-accent", icon: "clock" },
  done: { tone: " is-success", icon: "check" },
  failed: { tone: " is-danger", icon: "x" },
};

/** The address of one endpoint's routes. */
export function at(subscription: string, rest = ""): string {
  return `${HOME}/${encodeURIComponent(subscription)}${rest}`;
}
