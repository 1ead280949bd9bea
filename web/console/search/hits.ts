/** What the hub finds in messages and notes, and the way from a hit to its place. */

import { useEffect, useState } from "react";
import type { ConversationView } from "../../kernel";
import type { Desk } from "../desk";
import { useDesk } from "../hooks";
import { go, inboxRoute } from "../route";

/** A message or note that was found; *parts* are its text in pieces: found or not. */
export interface MessageHit {
  seq: number;
  at: string;
  by: string;
  name: string;
  kind: "message" | "note";
  parts: readonly (readonly [string, boolean])[];
  conversation: ConversationView;
}

interface Page {
  hits: MessageHit[];
  before: number | null;
  behind: number;
  narrowed: boolean;
}

export interface Found {
  hits: readonly MessageHit[];
  state: "idle" | "loading" | "done" | "failed";
  /** Why it failed, in the hub's words. */
  error: string;
  narrowed: boolean;
  more: boolean;
  loadMore(): void;
}

const ASK_MS = 150;
const PAGE = 20;
const NOTHING = { hits: [], before: null, behind: 0, narrowed: false } satisfies Page;

export function askFor(desk: Desk, q: string, limit: number, before: number | null, signal?: AbortSignal): Promise<Page> {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const query = new URLSearchParams({ q, limit: String(limit), zone });
  if (before) query.set("before", String(before));
  return desk.api.call<Page>(`/api/v1/search?${query}`, signal ? { signal } : {});
}

/** Hits for *q*, asked a moment after the last key; an older answer never replaces a newer. */
export function useHits(q: string, limit = PAGE, least = 1): Found {
  const desk = useDesk();
  const [page, setPage] = useState<Page>(NOTHING);
  const [state, setState] = useState<Found["state"]>("idle");
  const [error, setError] = useState("");
  const isAsked = [...q.trim()].length >= least;

  useEffect(() => {
    if (!isAsked) {
      setPage(NOTHING);
      setState("idle");
      return;
    }
    const abort = new AbortController();
    setState("loading");
    const timer = setTimeout(() => {
      askFor(desk, q, limit, null, abort.signal).then(
        (found) => {
          if (abort.signal.aborted) return;
          setPage(found);
          setState("done");
        },
        (problem: unknown) => {
          if (abort.signal.aborted) return;
          setPage(NOTHING);
          setError(reasonOf(problem));
          setState("failed");
        },
      );
    }, ASK_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [desk, q, limit, isAsked]);

  const loadMore = () => {
    if (!page.before) return;
    askFor(desk, q, limit, page.before).then(
      (next) => setPage((old) => ({ ...next, hits: [...old.hits, ...next.hits] })),
      (problem: unknown) => setError(reasonOf(problem)),
    );
  };
  return { hits: page.hits, state, error, narrowed: page.narrowed, more: page.before !== null, loadMore };
}

/** The sentence about the field, where the hub names one. */
function reasonOf(problem: unknown): string {
  const body = (problem as { body?: { errors?: { text: string }[] } }).body;
  return body?.errors?.[0]?.text ?? (problem instanceof Error ? problem.message : String(problem));
}

/** Open the conversation of *hit*, at its message. */
export function openHit(desk: Desk, hit: MessageHit): void {
  desk.store.putConversations([hit.conversation]);
  const view = hit.conversation.state === "closed" ? "closed" : "all";
  go(inboxRoute({ view, conversation: hit.conversation.id, column: "conversation", at: hit.seq, q: "", only: null, tag: "" }));
}

export function textOf(hit: MessageHit): string {
  return hit.parts.map(([text]) => text).join("");
}
