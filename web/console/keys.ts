/** The one register of shortcuts: what runs them, and what the sheet and the palette show. */

export interface Shortcut {
  id: string;
  /** `j`, `Shift+R`, `Mod+K`, `?`, `Escape`, `g i` one after the other; `1|2` either. */
  keys: string;
  /** Key of the text that names it. */
  name: string;
  group: "list" | "conversation" | "write" | "panels" | "go";
  run(event: KeyboardEvent): boolean | void;
  /** Also while a field has the focus. */
  anywhere?: boolean;
  /** Left out of the palette: it only makes sense as a key. */
  keyOnly?: boolean;
}

const registered = new Map<string, Shortcut>();
let isOn = true;
/** What was pressed as the beginning of a sequence, and when. */
let begun = { key: "", at: 0 };
const SEQUENCE_MS = 1200;

/** Put shortcuts in force; gives the function that takes them out again. */
export function register(shortcuts: readonly Shortcut[]): () => void {
  for (const one of shortcuts) registered.set(one.id, one);
  return () => {
    for (const one of shortcuts) if (registered.get(one.id) === one) registered.delete(one.id);
  };
}

export function allShortcuts(): Shortcut[] {
  return [...registered.values()];
}

export function shortcut(id: string): Shortcut | undefined {
  return registered.get(id);
}

/** Single keys can be switched off (WCAG 2.1.4); combinations with Ctrl stay. */
export function enableSingleKeys(on: boolean): void {
  isOn = on;
}

/** True where *event* was made by a text field or a widget that reads letters itself. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target || !(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  if (target.tagName === "INPUT") return !/^(checkbox|radio|button|submit)$/.test((target as HTMLInputElement).type);
  return target.closest('[role="menu"],[role="listbox"].menu,[role="dialog"]') !== null;
}

/** True where an input method is composing: no key of it is ours. */
export function isComposing(event: { isComposing?: boolean; keyCode?: number }): boolean {
  return event.isComposing === true || event.keyCode === 229;
}

/** How *event* is written in the register. */
export function keyOf(event: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  const digit = /^Digit([0-9])$/.exec(event.code)?.[1];
  // Letters by their place on the keyboard, so that they work under any layout and input method.
  const isPlain = event.key.length === 1 && !/[a-z0-9]/i.test(event.key);
  const name = isPlain && !letter ? event.key : (letter?.toLowerCase() ?? digit ?? event.key);
  const mods = [event.ctrlKey || event.metaKey ? "Mod" : "", event.altKey ? "Alt" : ""];
  const isShifted = event.shiftKey && (letter !== undefined || name.length > 1);
  return [...mods, isShifted ? "Shift" : "", isShifted && letter ? letter : name].filter(Boolean).join("+");
}

/** Run what *event* stands for; true when something took it. */
export function dispatch(event: KeyboardEvent): boolean {
  if (isComposing(event) || event.defaultPrevented) return false;
  // What floats above the page has the keys to itself, also before it has taken the focus.
  if (document.querySelector(".popover")) return false;
  const key = keyOf(event);
  const typing = isTyping(event);
  const isSecond = begun.key !== "" && event.timeStamp - begun.at < SEQUENCE_MS;
  const pressed = isSecond ? `${begun.key} ${key}` : key;
  begun = { key: "", at: 0 };
  if (!typing && isOn && [...registered.values()].some((one) => one.keys.startsWith(`${pressed} `))) {
    begun = { key: pressed, at: event.timeStamp };
    event.preventDefault();
    return true;
  }
  for (const one of registered.values()) {
    if (!one.keys.split("|").some((keys) => keys.toLowerCase() === pressed.toLowerCase() && sameShift(keys, pressed))) continue;
    const isSingle = !one.keys.includes("Mod+") && one.keys !== "Escape";
    if (typing && !one.anywhere) continue;
    if (isSingle && !isOn) continue;
    if (one.run(event) === false) continue;
    event.preventDefault();
    return true;
  }
  return false;
}

function sameShift(keys: string, pressed: string): boolean {
  return keys.includes("Shift+") === pressed.includes("Shift+");
}
