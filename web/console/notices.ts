/** Short notices at the foot of the page: what went wrong, and what can be undone. */

export interface Notice {
  id: number;
  text: string;
  tone: "info" | "danger";
  action?: { label: string; run(): void };
}

const listeners = new Set<() => void>();
let notices: readonly Notice[] = [];
let last = 0;

export function currentNotices(): readonly Notice[] {
  return notices;
}

export function onNotices(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** Show *text* for *ms*; gives the function that takes it away. */
export function notify(text: string, part: Partial<Omit<Notice, "id" | "text">> & { ms?: number } = {}): () => void {
  const { ms, ...rest } = part;
  const notice: Notice = { id: ++last, text, tone: "info", ...rest };
  set([...notices, notice]);
  const drop = () => set(notices.filter((one) => one.id !== notice.id));
  setTimeout(drop, ms ?? 8000);
  return drop;
}

export function dismiss(id: number): void {
  set(notices.filter((one) => one.id !== id));
}

function set(next: readonly Notice[]): void {
  notices = next;
  for (const tell of listeners) tell();
}
