/** One tab of many leads: it makes the sounds and the notifications. */

export interface Leadership {
  isLeader(): boolean;
  stop(): void;
}

/** Compete for *name* among this browser's tabs; the next tab takes over when the leader goes. */
export function leadTabs(name: string, onLead: () => void = () => undefined): Leadership {
  let leads = false;
  let release: () => void = () => undefined;
  const abort = new AbortController();
  const lead = () => {
    leads = true;
    onLead();
    return new Promise<void>((done) => (release = done));
  };
  // Without Web Locks every tab leads: two sounds are better than none.
  if (typeof navigator === "undefined" || !navigator.locks) void lead();
  else navigator.locks.request(name, { signal: abort.signal }, lead).catch(() => undefined);
  return {
    isLeader: () => leads,
    stop() {
      leads = false;
      abort.abort();
      release();
    },
  };
}
