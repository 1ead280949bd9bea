/** The client kernel: one core without a framework under the console and the widget. */

export * from "./types";
export { type Env, type SocketLike, browserEnv } from "./env";
export { newCid } from "./ids";
export { Api, ApiError, type CallOptions } from "./api";
export { backoffMs, Connection, type ConnectionOptions, type ConnectionState } from "./transport";
export { Store, findCard, key, type Pending, type Scheduler, type Typing } from "./store";
export {
  type Entry,
  type Timeline,
  type Edited,
  emptyTimeline,
  isEdit,
  mergeEvents,
  reduceConversation,
  standing,
  cardOf,
  runOf,
  sideOf,
  type Viewer,
} from "./reduce";
export { Outbox, type OutboxEntry, type OutboxStorage, idbStorage, memoryStorage } from "./outbox";
export { Drafts } from "./drafts";
export { I18n, type Catalogue, type Message, fill, pickLanguage } from "./i18n";
export { Formatter } from "./format";
export { leadTabs, type Leadership } from "./tabs";
export { Client, type ClientOptions } from "./client";
export * from "./files";
export * from "./uploads";
