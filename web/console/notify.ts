/** What tells an agent who looks elsewhere: title, icon, one sound from one tab. */

import { type HubEvent, type Leadership, leadTabs } from "../kernel";
import type { Desk } from "./desk";
import type { Translate } from "./hooks";
import { sameAgent } from "./inbox/views";
import { hearMentions } from "./mentions";
import { settings } from "./settings";

const SOUND_EVERY_MS = 1500;

export class Attention {
  private readonly tabs: Leadership = leadTabs("deskhub-sound");
  private soundedAt = 0;
  /** The texts of the present language, once they are on screen. */
  t: Translate | null = null;

  /** React to new events: a sound for what is mine or in the queue, while nobody looks. */
  heard(desk: Desk, events: readonly HubEvent[]): void {
    const isCalled = hearMentions(desk, events, this.t);
    if (isCalled || events.some((event) => this.concerns(desk, event))) this.sound();
  }

  private concerns(desk: Desk, event: HubEvent): boolean {
    if (event.kind !== "message.posted" || !event.by.startsWith("visitor:") || !event.conversation) return false;
    const one = desk.store.conversation(event.conversation);
    if (!one || (one.assignee && !sameAgent(one.assignee.id, desk.myself))) return false;
    return !(document.hasFocus() && location.pathname.endsWith(event.conversation));
  }

  private sound(): void {
    if (!settings().sound || !this.tabs.isLeader() || Date.now() - this.soundedAt < SOUND_EVERY_MS) return;
    this.soundedAt = Date.now();
    playSound();
  }
}

let audio: AudioContext | null = null;

/** Two soft notes; silent where the browser has heard no gesture yet. */
export function playSound(): void {
  try {
    audio ??= new AudioContext();
    const start = audio.currentTime + 0.02;
    for (const [at, pitch] of [[0, 660], [0.12, 880]] as const) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, start + at);
      volume.gain.linearRampToValueAtTime(0.12, start + at + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + at + 0.28);
      tone.connect(volume).connect(audio.destination);
      tone.start(start + at);
      tone.stop(start + at + 0.3);
    }
  } catch {
    // No sound device: the title says it, too.
  }
}

/** Put the number of unread conversations into the title, and a dot on the icon. */
export function showUnread(count: number, page: string): void {
  const name = page ? `${page} \u00b7 Deskhub` : "Deskhub";
  document.title = count ? `(${count}) ${name}` : name;
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const href = count ? "/console/icon-unread.svg" : "/console/icon.svg";
  if (link && link.getAttribute("href") !== href) link.href = href;
}
