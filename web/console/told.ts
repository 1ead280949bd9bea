/** Which agent wants to be told in this browser, and the end of it when they sign out. */

import type { Api } from "../kernel";
import { tellNoMore } from "../push/subscribe";

export const WORKER = "/console/sw.js";
const STORED = "deskhub:told";
const END_MS = 2_000;

export function isTold(agent: string): boolean {
  try {
    return localStorage.getItem(STORED) === agent;
  } catch {
    return false;
  }
}

export function keepTold(agent: string): void {
  try {
    localStorage.setItem(STORED, agent);
  } catch {
    // Without storage the switch shows "off" after a reload; notices come all the same.
  }
}

export function forgetTold(): void {
  try {
    localStorage.removeItem(STORED);
  } catch {
    // Nothing was stored.
  }
}

/** Whoever signs out is not told here any more; a hub that does not answer holds nobody up. */
export async function leaveTold(api: Api): Promise<void> {
  forgetTold();
  const late = new Promise<void>((resolve) => setTimeout(resolve, END_MS));
  await Promise.race([tellNoMore(api, WORKER).catch(() => undefined), late]);
}
