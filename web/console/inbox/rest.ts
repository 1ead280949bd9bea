/** The conversations that the snapshot had no room for: fetched page by page, while nobody waits. */

import type { Api, ConversationView } from "../../kernel";

/** As many as a snapshot carries; fewer means that there are no others. */
const SNAPSHOT = 500;
const PAGE = 200;
/** More open conversations than people could look through; what is older is found by search. */
const KNOWN_MAX = 20_000;
const AGAIN_MS = 5_000;

interface Page {
  conversations: ConversationView[];
  more: boolean;
}

export interface RestOptions {
  api: Api;
  /** Take in a page; *isLast* says that now everything open is known. */
  take(views: readonly ConversationView[], isLast: boolean): void;
  /** Load one conversation of which only an event is known. */
  fetch(id: string): Promise<void>;
}

export class Rest {
  private round = 0;
  private readonly wanted = new Set<string>();
  private isFetching = false;

  constructor(private readonly options: RestOptions) {}

  /** Go on where a snapshot's *views* end, newest first. A later call takes the place of this one. */
  async after(views: readonly ConversationView[]): Promise<void> {
    const round = ++this.round;
    if (views.length < SNAPSHOT) return;
    let before = Math.min(...views.map((one) => one.last?.seq ?? Infinity));
    let known = views.length;
    while (round === this.round && known < KNOWN_MAX && Number.isFinite(before)) {
      await idle();
      const query = new URLSearchParams({ view: "all", limit: String(PAGE), before: String(before) });
      const page = await this.options.api.call<Page>(`/api/v1/conversations?${query}`).catch(() => null);
      if (round !== this.round) return;
      if (!page) {
        await new Promise((done) => setTimeout(done, AGAIN_MS));
        continue;
      }
      known += page.conversations.length;
      before = Math.min(...page.conversations.map((one) => one.last?.seq ?? Infinity));
      this.options.take(page.conversations, !page.more);
      if (!page.more) return;
    }
  }

  stop(): void {
    this.round += 1;
    this.wanted.clear();
  }

  /** Load *id* soon; one after the other, however many events come. */
  want(id: string): void {
    this.wanted.add(id);
    if (!this.isFetching) void this.fetchAll();
  }

  private async fetchAll(): Promise<void> {
    this.isFetching = true;
    for (const id of this.wanted) {
      this.wanted.delete(id);
      await this.options.fetch(id).catch(() => undefined);
    }
    this.isFetching = false;
  }
}

/** Resolves when the browser has nothing better to do, and soon in any case. */
function idle(): Promise<void> {
  if (typeof requestIdleCallback !== "function") return new Promise((done) => setTimeout(done, 30));
  return new Promise((done) => requestIdleCallback(() => done(), { timeout: 300 }));
}
