/** One icon; decorative, unless the control around it has no other name. */

import { OUTLINES, type IconName } from "./icons";

// Names that adapters write, and the outlines that draw them.
const ALIASES: Record<string, IconName> = {
  package: "box", order: "box", return: "undo", user: "users", customer: "users", payment: "pay",
  refund: "pay", invoice: "sheet", warning: "warn", erp: "book", crm: "heart", tickets: "ticket",
  orders: "box", payments: "pay", sso: "key",
}; // prettier-ignore

interface Props {
  name: IconName;
  size?: "xs" | "sm" | "lg";
  spin?: boolean;
}

export function Icon({ name, size, spin }: Props) {
  const classes = ["i", `i-${name}`, size ? `i-${size}` : "", spin ? "spin" : ""].filter(Boolean);
  return (
    <svg className={classes.join(" ")} viewBox="0 0 16 16" aria-hidden="true">
      <path d={OUTLINES[name]} />
    </svg>
  );
}

/** Return the outline for an adapter's icon name, or *otherwise*. */
export function iconNamed(name: string | undefined, otherwise: IconName): IconName {
  if (!name) return otherwise;
  if (name in OUTLINES) return name as IconName;
  return ALIASES[name] ?? otherwise;
}
