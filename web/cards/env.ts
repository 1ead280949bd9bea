/** What the card renderer asks of the page around it; the console and the widget each give one. */

import type { Card, CardAction, CardText, CardValue } from "../kernel/types";

// React's and Preact's element types do not meet; cards compile for both.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Drawn = any;

export type CardIcon = "check" | "clock" | "warn" | "info" | "circle" | "x" | "right" | "box" | "arrow";

/** Where a card stands: flat in a sidebar, boxed in the timeline, or before the customer. */
export type CardPlace = "panel" | "timeline" | "customer";

export interface CardEnv {
  place: CardPlace;
  /** A text of the card, in the reader's language. */
  text(text: CardText | null | undefined): string;
  /** A typed value as one plain string, in the reader's language, currency and zone. */
  value(value: CardValue): string;
  /** A text of the page's own catalogue, keys under `card.`. */
  label(key: string, args?: Record<string, unknown>): string;
  icon(name: CardIcon | (string & {}), size?: "xs" | "sm"): Drawn;
  /** Carry out a button. *values* come from a form. */
  act(action: CardAction, card: Card, values?: Record<string, unknown>): void;
  /** Show a masked value; left out where nobody may. */
  reveal?(field: string, card: Card): void;
}
