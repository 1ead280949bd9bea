/** Customers: who wrote to us, and everything the hub knows about one of them. */

import { useEffect, useState } from "react";
import type { ConversationView } from "../../kernel";
import { useDesk, useNow, useT, useTexts } from "../hooks";
import { displayName } from "../inbox/names";
import { spokenAt } from "../inbox/views";
import { isComposing } from "../keys";
import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { go } from "../route";
import { Profile } from "../customers/Profile";

const ASK_MS = 250;

/** One customer with their conversations that we know of, the newest first. */
interface Known {
  id: string;
  conversations: ConversationView[];
}

export default function Customers({ id, q }: { id: string | null; q: string }) {
  if (id) return <Profile key={id} id={id} />;
  return <Directory q={q} />;
}

function Directory({ q }: { q: string }) {
  const t = useT();
  const [text, setText] = useState(q);
  const { found, isLoading } = useDirectory(q);
  const put = (next: string) => {
    setText(next);
    go({ page: "customers", customer: null, q: next }, true);
  };
  return (
    <main className="page" id="main" data-testid="customers">
      <header className="head">
        <h1>{t("page.customers")}</h1>
        <span className="count">{found.length || ""}</span>
      </header>
      <div className="cols cols-one">
        <div tabIndex={0} role="region" aria-label={t("page.customers")}>
          <div className="toolbar">
            <div className="input input-quiet input-wide">
              <Icon name="search" size="sm" />
              <input type="search" autoFocus value={text} placeholder={t("customers.search")} aria-label={t("customers.search")} data-testid="customers-search"
                onChange={(event) => put(event.target.value)}
                onKeyDown={(event) => {
                  if (event.key === "Enter" && !isComposing(event.nativeEvent) && found[0]) open(found[0].id);
                }} />
            </div>
          </div>
          {found.length ? <People found={found} /> : isLoading ? <p className="sr" role="status">{t("run.loading")}</p> : <None q={q} />}
        </div>
      </div>
    </main>
  );
}

function open(id: string): void {
  go({ page: "customers", customer: id, q: "" });
}

/** What the list already holds, at once; with words, what the hub finds in all conversations. */
function useDirectory(q: string): { found: Known[]; isLoading: boolean } {
  const desk = useDesk();
  const [views, setViews] = useState<readonly ConversationView[] | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      const query = new URLSearchParams({ view: "all", limit: "50", ...(q.trim() ? { q: q.trim() } : {}) });
      const closed = new URLSearchParams({ view: "closed", limit: "50", ...(q.trim() ? { q: q.trim() } : {}) });
      Promise.all([query, closed].map((one) => desk.api.call<{ conversations: ConversationView[] }>(`/api/v1/conversations?${one}`))).then(
        (pages) => isCurrent && setViews(pages.flatMap((page) => page.conversations)),
        () => isCurrent && setViews([]),
      );
    }, q ? ASK_MS : 0);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [desk, q]);
  const local = views ?? desk.store.list().map((id) => desk.store.conversation(id)!).filter(Boolean);
  return { found: grouped(local), isLoading: views === null };
}

/** Conversations by their customer; visitors nobody has identified are not customers. */
export function grouped(views: readonly ConversationView[]): Known[] {
  const people = new Map<string, Map<string, ConversationView>>();
  for (const one of views) {
    if (!one.customer) continue;
    const own = people.get(one.customer.id) ?? new Map<string, ConversationView>();
    people.set(one.customer.id, own.set(one.id, one));
  }
  const known = [...people].map(([id, own]) => ({ id, conversations: [...own.values()].sort((a, b) => (spokenAt(a) < spokenAt(b) ? 1 : -1)) }));
  return known.sort((a, b) => (spokenAt(a.conversations[0]!) < spokenAt(b.conversations[0]!) ? 1 : -1));
}

function None({ q }: { q: string }) {
  const t = useT();
  return (
    <div className="blank">
      <Icon name={q ? "search" : "users"} />
      <h2>{t(q ? "list.nothing_found" : "customers.none")}</h2>
      <p>{t(q ? "customers.search_hint" : "customers.none_hint")}</p>
    </div>
  );
}

function People({ found }: { found: readonly Known[] }) {
  const t = useT();
  const { format, say } = useTexts();
  useNow(30_000);
  return (
    <table className="tbl">
      <thead>
        <tr>
          <th scope="col">{t("context.customer")}</th>
          <th scope="col">{t("customers.last")}</th>
          <th scope="col">{t("customers.about")}</th>
          <th scope="col" className="r">{t("customers.when")}</th>
        </tr>
      </thead>
      <tbody>
        {found.map(({ id, conversations }) => {
          const newest = conversations[0]!;
          const openOnes = conversations.filter((one) => one.state !== "closed").length;
          const name = displayName(newest, t);
          return (
            <tr key={id} data-customer={id}>
              <td>
                <span className="app-id">
                  <Avatar name={name} id={id} />
                  <span className="trunc">
                    <button type="button" className="row-name strong" onClick={() => open(id)}>{name}</button>
                    <small>{newest.customer?.email ?? ""}</small>
                  </span>
                </span>
              </td>
              <td className="wrap">{newest.last?.text ?? ""}</td>
              <td>{say(newest.summary.split(" \u00b7 ").slice(0, 2).join(" \u00b7 "))}<small>{t("customers.open", { count: openOnes })}</small></td>
              <td className="r"><time dateTime={spokenAt(newest)} title={format.dateTime(spokenAt(newest))}>{format.relative(spokenAt(newest))}</time></td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
