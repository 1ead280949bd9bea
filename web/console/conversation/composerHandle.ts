/** How the rest of the page writes into the reply box of the open conversation. */

export interface ComposerHandle {
  insert(text: string): void;
  /** Edit my last message or note. */
  edit(mode: "reply" | "note"): void;
  focus(mode?: "reply" | "note"): void;
}

/** The composer on screen; the palette, cards and panels reach it here. */
export const composerOnScreen: { current: ComposerHandle | null } = { current: null };
