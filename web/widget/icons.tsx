/** Icons: 24 px grid, 1.5 px round stroke, currentColor; drawn at 14 to 28 px. */

import type { JSX } from "preact";

const PATHS = {
  chat: "M12 3.5c5 0 8.8 3.4 8.8 7.8s-3.8 7.8-8.8 7.8c-1 0-2-.1-2.9-.4L4.4 20.6l.9-4.1A7.4 7.4 0 0 1 3.2 11.3c0-4.4 3.8-7.8 8.8-7.8Z",
  x: "m6 6 12 12M18 6 6 18",
  min: "m6 9.5 6 6 6-6",
  back: "m14.5 5.5-6.5 6.5 6.5 6.5",
  right: "m9.5 6 6 6-6 6",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  send: "M12 19V5.5M6 11.2l6-6 6 6",
  check: "m5.5 12.5 4.3 4.3 8.7-9.3",
  check2: "m2.5 12.7 4 4 8-8.7M11 15.6l1.2 1.1 8.3-8.7",
  seen: "m8.3 12.2 2.5 2.5 5-5.3",
  clock: "M12 7.5V12l3 2",
  spin: "M12 3.5a8.5 8.5 0 1 1-8.5 8.5",
  globe: "M3.5 12h17M12 3.5c2.4 2.5 3.5 5.3 3.5 8.5s-1.1 6-3.5 8.5c-2.4-2.5-3.5-5.3-3.5-8.5s1.1-6 3.5-8.5Z",
  box: "m12 3.5 7.5 4v9l-7.5 4-7.5-4v-9l7.5-4ZM4.5 7.5l7.5 4 7.5-4M12 11.5v9M8 5.7l7.5 4",
  undo: "M8.5 5 4.5 9l4 4M4.5 9h9.3a5.7 5.7 0 0 1 0 11.4H9",
  truck: "M3.5 6.5h10v10h-10zM13.5 10h3.8l3.2 3.3v3.2h-7M5.7 17.5a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 1 0-3.6 0M15.2 17.5a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 1 0-3.6 0",
  ruler: "m4 15.5 11.5-11.5 4.5 4.5L8.5 20 4 15.5ZM7.5 12l2 2M10.5 9l2.5 2.5M13.5 6l2 2",
  retry: "M19.5 5v4.5H15M19.2 9.5a7.8 7.8 0 1 0 .6 4",
  wifi: "M7.2 18.5h9.3a4 4 0 0 0 2-.5M20.3 15.6a4 4 0 0 0-3.5-5 5.6 5.6 0 0 0-7.6-3.9M7.6 8.5a5.6 5.6 0 0 0-.8 2.2 3.9 3.9 0 0 0 .4 7.8M4.5 4.5l15.5 15.5",
  info: "M12 11v5M12 8h.01",
  warn: "M12 4.5 3.5 19h17L12 4.5ZM12 10v4M12 16.5h.01",
  circle: "",
  arrow: "M5 12h14M13 6l6 6-6 6",
} as const;

/** Icons inside a ring. */
const RINGED = new Set(["seen", "clock", "globe", "info"]);

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = "", kind = "" }: { name: IconName; size?: "" | "s" | "l"; kind?: string }): JSX.Element {
  const path = PATHS[name];
  return (
    <svg class={`i ${size} ${kind}`} viewBox="0 0 24 24" aria-hidden="true">
      {RINGED.has(name) ? <circle cx="12" cy="12" r="8.5" /> : null}
      {path ? <path d={path} class={name} /> : null}
    </svg>
  );
}

export function isIcon(name: string): name is IconName {
  return name in PATHS;
}
