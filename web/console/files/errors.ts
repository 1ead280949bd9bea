/** Why a file was not taken, in a sentence. */

import type { Translate } from "../hooks";

/** Return the sentence for *code*; an unknown code is named. */
export function refusal(t: Translate, code: string): string {
  const key = `file.error.${code}`;
  const text = t(key);
  return text === key ? t("error.other", { code }) : text;
}
