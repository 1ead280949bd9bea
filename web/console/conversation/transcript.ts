/** The transcript of a conversation, mailed to its customer. */

import type { Desk } from "../desk";
import type { Translate } from "../hooks";
import { notify } from "../notices";

/** Ask the hub to mail it, and say where it goes. */
export async function mailTranscript(desk: Desk, conversation: string, t: Translate): Promise<void> {
  const path = `/api/v1/conversations/${encodeURIComponent(conversation)}/transcript`;
  try {
    const asked = await desk.api.call<{ to: string }>(path, { method: "POST", body: {} });
    notify(t("transcript.sent", { to: asked.to }));
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), { tone: "danger" });
  }
}
