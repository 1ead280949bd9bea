/** Where actions are opened from anywhere on the page, and the dialog they open in. */

import { Suspense, lazy, useEffect, useSyncExternalStore } from "react";
import { type Desk, offersKey } from "../desk";
import { useDesk, useRoute, useSay } from "../hooks";
import type { Say } from "../phrases";
import type { IconName } from "../parts/icons";
import { register } from "../keys";
import { notify } from "../notices";

const ActionDialog = lazy(() => import("./ActionDialog"));

/** What can be done in a conversation now; `enabled` false comes with the reason in words. */
export interface Offer {
  type: string;
  title: string;
  object: string;
  label: string;
  enabled: boolean;
  reason: string | null;
  running: string | null;
}

export interface Opening {
  conversation: string;
  type: string;
  args: Record<string, unknown>;
  source: string;
}

export type Shown = { kind: "action"; conversation: string; type: string; object: string } | { kind: "run"; run: string } | { kind: "approval"; approval: string } | null;

const listeners = new Set<() => void>();
let shown: Shown = null;

function show(next: Shown): void {
  shown = next;
  for (const tell of listeners) tell();
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export async function fetchOffers(desk: Desk, conversation: string): Promise<readonly Offer[]> {
  const { actions } = await desk.api.call<{ actions: Offer[] }>(`/api/v1/conversations/${conversation}/actions`);
  desk.store.set(offersKey(conversation), actions);
  return actions;
}

export function closeAction(): void {
  show(null);
}

export function openRun(run: string): void {
  show({ kind: "run", run });
}

/** Open the form of *type* for *object*, as the step that mends a disagreement. */
export function openObject(conversation: string, type: string, object: string): void {
  show({ kind: "action", conversation, type, object });
}

/** Look at a request for a second person, and decide. */
export function openApproval(approval: string): void {
  show({ kind: "approval", approval });
}

let opener: ((opening: Opening) => void) | null = null;

/** Open the dialog for a card's or the palette's action. */
export function openAction(opening: Opening): void {
  opener?.(opening);
}

export function openOffer(conversation: string, offer: Offer): void {
  if (offer.running) openRun(offer.running);
  else show({ kind: "action", conversation, type: offer.type, object: offer.object });
}

const ICONS: Record<string, IconName> = { "order.return": "undo", "order.cancel": "x", "order.refund": "pay", "order.exchange": "swap", "ticket.escalate": "up", "customer.message": "reply" };

/** The picture of a kind of action; kinds that adapters add have the general one. */
export function offerIcon(type: string): IconName {
  return ICONS[type.split("@")[0]!] ?? "bolt";
}

/** `order.return@1` and `order.return` name the same action. */
export function sameType(one: string, other: string): boolean {
  return one.split("@")[0] === other.split("@")[0];
}

/** The offer that a card means by a type and arguments such as `{order: "1042"}`. */
export function offerFor(offers: readonly Offer[], type: string, args: Record<string, unknown>): Offer | undefined {
  const same = offers.filter((one) => sameType(one.type, type));
  const values = Object.values(args).map(String);
  return same.find((one) => values.some((value) => one.object === value || one.object.endsWith(`:${value}`))) ?? (values.length ? undefined : same[0]);
}

export function ActionHost() {
  const desk = useDesk();
  const say = useSay();
  const route = useRoute();
  const current = useSyncExternalStore(subscribe, () => shown);
  const conversation = route.page === "inbox" ? route.conversation : null;

  useEffect(() => {
    opener = (opening) => void resolve(desk, opening);
    return () => void (opener = null);
  }, [desk]);

  useEffect(() => {
    if (!conversation) return;
    return register([
      { id: "return", keys: "Shift+R", name: "keys.action", group: "panels", run: () => void primary(desk, say, conversation) },
    ]);
  }, [desk, say, conversation]);

  if (!current) return null;
  return (
    <Suspense fallback={null}>
      <ActionDialog key={keyOf(current)} shown={current} onClose={closeAction} onRun={openRun} />
    </Suspense>
  );
}

function keyOf(current: NonNullable<Shown>): string {
  if (current.kind === "run") return current.run;
  return current.kind === "approval" ? current.approval : `${current.type} ${current.object}`;
}

async function resolve(desk: Desk, { conversation, type, args }: Opening): Promise<void> {
  try {
    const offers = await fetchOffers(desk, conversation);
    const offer = offerFor(offers, type, args);
    if (offer) openOffer(conversation, offer);
    else show({ kind: "action", conversation, type, object: objectOf(args) });
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), { tone: "danger" });
  }
}

function objectOf(args: Record<string, unknown>): string {
  if (typeof args["object"] === "string") return args["object"];
  return args["order"] === undefined ? "" : `orders:${String(args["order"])}`;
}

/** The action of the focused panel's card, else the first one that can be done here. */
async function primary(desk: Desk, say: Say, conversation: string): Promise<void> {
  const button = document.activeElement?.closest(".panel")?.querySelector<HTMLButtonElement>("button[data-invoke]:not([aria-disabled=true])");
  if (button) return button.click();
  try {
    const known = desk.store.get<readonly Offer[]>(offersKey(conversation)) ?? (await fetchOffers(desk, conversation));
    const offer = known.find((one) => one.running) ?? known.find((one) => one.enabled) ?? known[0];
    if (!offer) return;
    if (offer.enabled || offer.running) openOffer(conversation, offer);
    else notify(say(offer.reason ?? offer.label), { tone: "danger" });
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), { tone: "danger" });
  }
}
