/** Three columns: the list, the open conversation, what the systems say about it. */

import { useEffect } from "react";
import { ContextColumn } from "../context/ContextColumn";
import { ConversationColumn } from "../conversation/ConversationColumn";
import { useConversation, useDesk, useT } from "../hooks";
import { Icon } from "../parts/Icon";
import type { InboxRoute } from "../route";
import { List } from "./List";

export function Inbox({ route, onPalette }: { route: InboxRoute; onPalette(): void }) {
  const desk = useDesk();
  const id = route.conversation;
  useEffect(() => {
    desk.look(id);
    return () => desk.look(null);
  }, [desk, id]);
  return (
    <div className="inbox">
      <List route={route} onPalette={onPalette} />
      {id ? <Opened key={id} id={id} /> : <NothingOpen />}
    </div>
  );
}

function Opened({ id }: { id: string }) {
  const view = useConversation(id);
  if (!view?.opened_at) return <Opening />;
  return (
    <>
      <ConversationColumn view={view} />
      <ContextColumn view={view} />
    </>
  );
}

function Opening() {
  const t = useT();
  return (
    <>
      <main className="conv" id="main" aria-busy="true" aria-label={t("conversation.loading")}>
        <header className="head" />
      </main>
      <aside className="side" />
    </>
  );
}

function NothingOpen() {
  const t = useT();
  return (
    <main className="conv conv-empty" id="main">
      <div className="blank">
        <Icon name="inbox" />
        <h1>{t("conversation.none")}</h1>
        <p>{t("conversation.none_hint")}</p>
      </div>
    </main>
  );
}
