/** How long something took: "46 ms", "1.2 s". */

import type { Formatter } from "../kernel";
import type { Translate } from "./hooks";

export function shortTime(ms: number, t: Translate, format: Formatter): string {
  if (ms < 1000) return t("unit.ms", { n: format.number(Math.round(ms)) });
  return t("unit.seconds", { n: format.number(ms / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) });
}
