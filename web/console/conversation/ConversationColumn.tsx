/** The middle column: who, the timeline, who types, the composer. */

import type { ConversationView } from "../../kernel";
import { useT, useTyping } from "../hooks";
import { displayName } from "../inbox/names";
import { Composer } from "./Composer";
import { Header } from "./Header";
import { Timeline } from "./Timeline";

export function ConversationColumn({ view }: { view: ConversationView }) {
  const t = useT();
  return (
    <main className="conv" id="main" aria-label={t("conversation.label", { name: displayName(view, t) })} data-testid="conversation" data-state={view.state}>
      <Header view={view} />
      <Timeline view={view} />
      <TypingLine id={view.id} />
      <Composer view={view} />
    </main>
  );
}

function TypingLine({ id }: { id: string }) {
  const t = useT();
  const mark = useTyping(id).find((one) => one.by.startsWith("visitor:"));
  return (
    <p className="typing" role="status" data-testid="typing">
      {mark ? (
        <>
          <span aria-hidden="true"><i /><i /><i /></span>
          {t("conversation.typing", { name: mark.name || t("conversation.customer") })}
        </>
      ) : null}
    </p>
  );
}
