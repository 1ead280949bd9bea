/** Ask the hub for a report, keep the last one while the next is counted, and save tables. */

import { useEffect, useState } from "react";
import { said } from "../actions/ActionDialog";
import { type Desk } from "../desk";
import { useDesk } from "../hooks";

export interface Answer<T> {
  /** What was answered last, and to which question. */
  found: T | null;
  path: string;
  failure: string | null;
  isLoading: boolean;
}

/** The hub's answer to *path*, which may change. */
export function useReport<T>(path: string): Answer<T> {
  const desk = useDesk();
  const [answer, setAnswer] = useState<Answer<T>>({ found: null, path, failure: null, isLoading: true });
  useEffect(() => {
    let isCurrent = true;
    const abort = new AbortController();
    setAnswer((before) => ({ ...before, isLoading: true }));
    desk.api.call<T>(path, { signal: abort.signal, timeoutMs: 60_000 }).then(
      (found) => isCurrent && setAnswer({ found, path, failure: null, isLoading: false }),
      (error: unknown) => isCurrent && setAnswer((before) => ({ ...before, failure: said(error), isLoading: false })),
    );
    return () => {
      isCurrent = false;
      abort.abort();
    };
  }, [desk, path]);
  return answer;
}

/** Save the table at *path* as the file that the hub names. Raises what went wrong. */
export async function save(desk: Desk, path: string): Promise<void> {
  const ask = () => fetch(path, { headers: { authorization: `Bearer ${desk.session.token() ?? ""}` }, credentials: "omit" });
  let response = await ask();
  if (response.status === 401) {
    await desk.session.renew();
    response = await ask();
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new Error(problem.detail ?? response.statusText);
  }
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "report.csv";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
