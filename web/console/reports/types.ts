/** What the hub says in reports and on the live page, as it comes. */

/** Times are in seconds, null where nothing was measured. */
export interface Figures {
  opened: number;
  closed: number;
  replies: number;
  first_reply_p50_s: number | null;
  first_reply_p90_s: number | null;
  resolution_p50_s: number | null;
  resolution_p90_s: number | null;
  promised: number;
  kept: number;
  ratings: number;
  score_sum: number;
  satisfied: number;
}

export interface Day extends Figures {
  day: string;
  backlog: number;
}

interface About {
  first: string;
  last: string;
  zone: string;
  inbox: string | null;
  inboxes: Record<string, string>;
}

export interface Overview extends About {
  figures: Figures;
  before: Figures;
  days: Day[];
}

export interface AgentsReport extends About {
  rows: (Figures & { agent: string; name: string })[];
}

export interface InboxesReport extends About {
  rows: (Figures & { inbox: string; name: string })[];
}

export interface TagsReport extends About {
  rows: (Figures & { tag: string })[];
}

export interface Rating {
  conversation: string;
  inbox: string;
  at: string;
  score: number;
  comment: string;
  customer: string;
  agent: string | null;
}

export interface RatingsReport extends About {
  rows: Rating[];
}

export interface Count {
  open: number;
  waiting: number;
  waiting_since: string | null;
}

export interface Queue {
  unassigned: number;
  unassigned_since: string | null;
}

export interface LiveAgent extends Count {
  agent: string;
  name: string;
  role: string;
  status: "online" | "away";
  online: boolean;
  capacity: number;
}

export interface Live {
  now: string;
  zone: string;
  open: number;
  snoozed: number;
  queue: Queue;
  waiting: Count;
  inboxes: (Count & Queue & { inbox: string; name: string })[];
  agents: LiveAgent[];
  today: Figures;
}
