/** The bolt in the composer: what can be done for this customer, and if not, why. */

import { useEffect } from "react";
import type { RunView } from "../../kernel";
import { offersKey } from "../desk";
import { useDesk, useSay, useT, useTimeline, useValue } from "../hooks";
import { Icon } from "../parts/Icon";
import { Menu, type MenuGroup } from "../parts/Menu";
import { objectName } from "../inbox/Row";
import { go } from "../route";
import { type Offer, fetchOffers, offerIcon, openOffer } from "./host";

/** A customer of many years has many orders that nothing can be done with any more. */
const CLOSED_OBJECTS = 1;
const OTHER_OBJECTS = 3;
const COMPARE = "compare";
/** Goodwill is possible on every paid order: alone it is no reason to list one. The palette finds it. */
const ALWAYS = "order.refund";

export function ActionsMenu({ conversation }: { conversation: string }) {
  const t = useT();
  const say = useSay();
  const desk = useDesk();
  const offers = useValue<readonly Offer[]>(offersKey(conversation)) ?? [];
  const { entries } = useTimeline(conversation);
  // Offers change when something was linked or a run moved on.
  const moves = entries.filter((entry) => entry.event.kind === "run.changed").map((entry) => (entry.event.data["run"] as RunView).state).join();
  const links = desk.store.conversation(conversation)?.links.join();
  useEffect(() => {
    fetchOffers(desk, conversation).catch(() => undefined);
  }, [desk, conversation, moves, links]);
  if (!offers.length) return null;
  const label = t("action.menu");
  const groups: MenuGroup[] = groupsOf(offers).map(({ object, offers: own }) => ({
    title: isTalk(object) ? t("action.conversation") : t("action.about", { object: objectName(object) }),
    items: own.map((offer) => ({
      id: `${offer.type} ${offer.object}`,
      label: say(offer.label),
      hint: offer.running ? t("action.running") : "",
      detail: offer.enabled || offer.running ? "" : say(offer.reason),
      icon: offerIcon(offer.type),
      isDisabled: !offer.enabled && !offer.running,
    })),
  }));
  const order = offers.find((one) => !isTalk(one.object))?.object;
  if (order) groups[0]!.items.push({ id: COMPARE, label: t("compare.menu"), icon: "swap" });
  const pick = (id: string) => {
    if (id === COMPARE && order) return go({ page: "compare", object: order, conversation });
    const offer = offers.find((one) => `${one.type} ${one.object}` === id);
    if (offer) openOffer(conversation, offer);
  };
  return (
    <Menu label={label} groups={groups} onPick={pick} placement="top start" testId="actions">
      <Icon name="bolt" />
    </Menu>
  );
}

/** An action about the conversation itself, with no order behind it. */
function isTalk(object: string): boolean {
  return object.startsWith("conversation:");
}

/** One group per object: every action of the first, what is possible of the next, the conversation, what is closed. */
export function groupsOf(offers: readonly Offer[]): { object: string; offers: Offer[] }[] {
  const objects = [...new Set(offers.map((one) => one.object))];
  const all = objects.map((object) => ({ object, offers: offers.filter((one) => one.object === object) }));
  const isUsable = (one: Offer) => one.enabled || one.running !== null;
  const orders = all.filter((group) => !isTalk(group.object));
  const [first, ...others] = orders.filter((group) => group.offers.some(isUsable));
  const closed = orders.filter((group) => !group.offers.some(isUsable)).slice(0, CLOSED_OBJECTS);
  const worth = others.filter((group) => group.offers.some((one) => isUsable(one) && !one.type.startsWith(ALWAYS))).slice(0, OTHER_OBJECTS);
  return [
    ...(first ? [first] : []),
    ...worth.map((group) => ({ ...group, offers: group.offers.filter(isUsable) })),
    ...all.filter((group) => isTalk(group.object)),
    ...closed.map((group) => ({ ...group, offers: group.offers.slice(0, 1) })),
  ];
}
