/** The shapes on the wire, as the hub sends them; every module of both UIs speaks in these. */

export type { RunAttempt, Audit, RunStep, RunView, PlanStep, Approval, ApprovalRequest, PlanView } from "./runs";

export type Side = "visitor" | "agent";

/** One fact of the log. `by` is `visitor:…`, `agent:…`, `adapter:…` or `system`. */
export interface HubEvent<D = Record<string, unknown>> {
  seq: number;
  at: string;
  kind: EventKind;
  conversation: string | null;
  by: string;
  data: D;
}

export type EventKind =
  | "conversation.opened"
  | "message.posted"
  | "note.posted"
  | "message.edited"
  | "note.edited"
  | "conversation.assigned"
  | "conversation.closed"
  | "conversation.rated"
  | "conversation.reopened"
  | "conversation.snoozed"
  | "conversation.woken"
  | "conversation.tagged"
  | "conversation.read"
  | "conversation.linked"
  | "customer.linked"
  | "card.shown"
  | "run.changed"
  | "approval.changed"
  | (string & {});

export interface Money {
  money: string;
  currency: string;
}

/** A key of an adapter's catalogue with its arguments, or plain text. */
export type CardText = string | { t: string; args?: Record<string, unknown> };

export interface CardValueObject {
  money?: string;
  currency?: string;
  time?: string;
  style?: "relative" | "date" | "time" | "datetime" | "decimal" | "percent" | "bytes";
  seconds?: number;
  number?: number;
  unit?: string;
  link?: string;
  copy?: string;
  masked?: string;
  reveal?: string;
  t?: string;
  args?: Record<string, unknown>;
  text?: CardText;
  tone?: Tone;
}

export type CardValue = CardValueObject | string | number | boolean | null | undefined;
export type Tone = "neutral" | "info" | "success" | "warning" | "danger";

export interface CardBadge {
  text: CardText;
  tone?: Tone;
}

export interface CardDo {
  invoke?: string;
  load?: string;
  open?: string;
  copy?: string;
  insert?: CardText;
  args?: Record<string, unknown>;
}

export interface CardAction {
  id: string;
  label: CardText;
  do: CardDo;
  icon?: string;
  style?: "primary" | "default" | "danger" | "link";
  disabled?: CardText;
}

export interface CardImage {
  src: string;
  alt: CardText;
  w?: number;
  h?: number;
}

export interface CardField {
  label: CardText;
  value: CardValue;
  hint?: CardText;
}

export interface CardItem {
  title: CardText;
  id?: string;
  subtitle?: CardText;
  image?: CardImage;
  value?: CardValue;
  badge?: CardBadge;
  action?: CardAction;
}

export interface CardMoment {
  text: CardText;
  state: "done" | "current" | "todo" | "failed" | "skipped";
  time?: string;
  detail?: CardText;
}

export type CardFlatBlock =
  | { type: "text"; text: CardText; muted?: boolean }
  | { type: "notice"; text: CardText; tone?: Tone; action?: CardAction }
  | { type: "fields"; fields: CardField[]; columns?: 1 | 2 }
  | { type: "badges"; badges: CardBadge[] }
  | { type: "metrics"; metrics: { label: CardText; value: CardValue; tone?: Tone; series?: number[] }[] }
  | { type: "list"; items: CardItem[]; more?: CardAction }
  | {
      type: "table";
      columns: { label: CardText; align?: "start" | "end" }[];
      rows: CardValue[][];
      caption?: CardText;
      more?: CardAction;
    }
  | { type: "timeline"; items: CardMoment[] }
  | { type: "image"; image: CardImage }
  | { type: "form"; schema: Record<string, unknown>; submit: CardAction; values?: Record<string, unknown> }
  | { type: "actions"; actions: CardAction[] };

export type CardBlock =
  | CardFlatBlock
  | { type: "section"; title: CardText; blocks: CardFlatBlock[]; open?: boolean };

/** `deskhub.card/1`. */
export interface Card {
  id: string;
  title: CardText;
  blocks: CardBlock[];
  v?: 1;
  rev?: number;
  subtitle?: CardText;
  icon?: string;
  badge?: CardBadge;
  href?: string;
  as_of?: string;
  audience?: "agent" | "customer" | "both";
  fallback?: string;
  summary?: string;
  actions?: CardAction[];
}

/** One adapter's answer about the open conversation. */
export interface Panel {
  instance: string;
  adapter: string;
  title: string;
  state: "ok" | "empty" | "stale" | "late" | "failed" | "auth" | "busy";
  at: string | null;
  ms: number;
  lookups: number;
  calls: number;
  saved: number;
  cards: Card[];
  error: { code: string; text: string; fix: string } | null;
  summary: string;
}

export interface Agent {
  id: string;
  name: string;
  email?: string;
  role?: "agent" | "supervisor" | "admin" | "auditor";
  status?: "online" | "away";
  capacity?: number;
  inboxes?: string[];
  online?: boolean;
  load?: number;
}

export interface Customer {
  id: string;
  name: string;
  email?: string;
  phone?: string;
  language?: string;
  tags?: string[];
}

/** A conversation as its reader sees it; the visitor's copy lacks what is for agents only. */
export interface ConversationView {
  id: string;
  inbox: string;
  state: "open" | "snoozed" | "closed";
  visitor?: string;
  customer: Customer | null;
  name: string;
  language: string | null;
  assignee: { id?: string; name: string } | null;
  tags: string[];
  links: string[];
  opened_at: string;
  last_at: string;
  last: { seq: number; by: string; text: string; kind: string; at: string } | null;
  waiting_since: string | null;
  snoozed_until: string | null;
  unread: number;
  read_seq: number;
  visitor_read_seq: number;
  agent_read_seq: number;
  head: number;
  summary: string;
  /** How the visitor found it last; agents only. */
  rating?: { score: number; at: string } | null;
  /** The closing that the visitor has not rated; visitors only. */
  unrated?: number | null;
}

/** What an inbox says about itself to the widget. */
export interface InboxSettings {
  inbox: string;
  name: string;
  languages: string[];
  greeting: string;
  team: { name: string }[];
  accent: string;
  /** Whether the hub sends mail. */
  mail?: boolean;
  /** Whether the inbox asks how it was. */
  rating?: boolean;
  /** Whether the hub tells browsers. */
  push?: boolean;
  /** Where the chat has a page of its own. */
  page?: string;
  /** Whether nobody answers now, and from when on somebody does. */
  away?: boolean;
  opens_at?: string | null;
  /** What this visitor has to fill in before the first message. */
  prechat?: PrechatForm | null;
}

/** What something of a form is called: first as its author wrote it, then by language. */
export interface Titled {
  title?: string;
  "x-title"?: Record<string, string>;
}

/** One question of the form before a conversation. */
export interface PrechatField extends Titled {
  type: "string" | "boolean";
  format?: "email";
  oneOf?: ({ const: string } & Titled)[];
  minLength?: number;
  maxLength?: number;
  "x-ui"?: { widget: "textarea" };
}

/** The form before a conversation, in the subset of JSON Schema that the hub takes. */
export interface PrechatForm extends Titled {
  properties: Record<string, PrechatField>;
  required?: string[];
}

/** One answer as the log keeps it, with its question in every language. */
export interface PrechatAnswer {
  field: string;
  title: string;
  value: string | boolean;
  titles?: Record<string, string>;
  text?: string;
  texts?: Record<string, string>;
}

export interface CannedReply {
  id: string;
  shortcut: string;
  title: string;
  text: Record<string, string>;
}

/** An entrance for customers; *spans* are its opening times in Unix seconds, null for always. */
export interface InboxView {
  id: string;
  name: string;
  sla?: { response_s: number; spans: readonly (readonly [number, number])[] | null } | null;
}

/** Several steps with one choice: say, tag, assign, close. Texts are by language. */
export interface Macro {
  id: string;
  title: Record<string, string>;
  say: Record<string, string>;
  tags: string[];
  assign: "me" | "queue" | null;
  close: boolean;
}

export interface AgentSnapshot {
  cursor: string;
  me: Agent;
  agents: Agent[];
  inboxes: InboxView[];
  conversations: ConversationView[];
  counts: Record<string, number>;
  drafts: { conversation: string; mode: "reply" | "note"; text: string; at: string }[];
  online: string[];
  canned: CannedReply[];
  macros?: Macro[];
  mail?: boolean;
  /** Whether the hub tells browsers. */
  push?: boolean;
}

export interface VisitorSnapshot {
  cursor: string;
  visitor: string;
  customer: { name: string } | null;
  settings: InboxSettings;
  conversation: ConversationView | null;
  events: HubEvent[];
  cards: Panel[];
}

export interface PostBody {
  kind: "text";
  text: string;
  reply_to?: number;
  files?: string[];
}

/** Error of a command, from `result` frames and from problem documents alike. */
export interface Failure {
  code: string;
  retry: "never" | "same" | "later";
  after_ms?: number;
  text: string;
}

export interface Ephemeral {
  t: "ephemeral";
  kind: "typing" | "presence" | "delivered" | "viewing" | "panel" | (string & {});
  conversation: string | null;
  by: string;
  data: Record<string, unknown>;
  ttl_s?: number;
}

/** What became of a command that the hub has stored. */
export interface Receipt {
  seq: number;
  dup: boolean;
  conversation?: string;
  event?: HubEvent;
}

/** A command as a stream frame without `t` bookkeeping; `REST_ROUTES` knows its other form. */
export type Command =
  | { t: "send"; conversation: string; cid: string; body: PostBody; language?: string }
  | { t: "note"; conversation: string; cid: string; text: string }
  | { t: "edit"; conversation: string; cid: string; seq: number; text: string; version: number }
  | { t: "assign"; conversation: string; cid: string; agent: string | null; how?: string }
  | { t: "close" | "reopen" | "wake" | "unread"; conversation: string; cid: string }
  | { t: "snooze"; conversation: string; cid: string; until: string }
  | { t: "tag"; conversation: string; cid: string; add: string[]; remove: string[] }
  | { t: "read"; conversation: string; seq: number; cid?: string };
