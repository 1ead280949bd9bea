/** What the desk keeps in the store beside conversations, by name. */

/** Names of the desk's own values in the store. */
export const deskKey = {
  agents: "desk:agents",
  canned: "desk:canned",
  macros: "desk:macros",
  /** Whether the hub sends mail. */
  mail: "desk:mail",
  /** Whether the hub tells browsers. */
  push: "desk:push",
  counts: "desk:counts",
  /** Moves on when anything about any conversation may have changed; many times a second. */
  beat: "desk:beat",
  /** The tags of all known conversations, sorted. */
  tags: "desk:tags",
  drafts: "desk:drafts",
  draftOf: (id: string) => `desk:draft:${id}`,
  texts: "desk:texts",
  runs: "desk:runs",
  approvals: "desk:approvals",
  /** The newest word about the request for a plan, from the stream. */
  approvalOf: (plan: string) => `desk:approval:${plan}`,
  panelsAt: (id: string) => `desk:panels:${id}`,
} as const;

/** Where the offers of actions of a conversation are kept. */
export const offersKey = (conversation: string) => `desk:offers:${conversation}`;
