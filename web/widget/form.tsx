/** Forms of cards start actions, and those are for agents: the customer reads the fallback. */

import type { JSX } from "preact";
import type { CardEnv } from "../cards";
import type { Card } from "../kernel";

export function CardForm({ card, env }: { card: Card; env: CardEnv }): JSX.Element {
  return <p class="muted">{card.fallback || env.label("card.unknown")}</p>;
}

/** Nothing to check where nothing can be filled in. */
export function checkForm(): Record<string, string> {
  return {};
}
