/** How much room a message's files take: known at once, so that nothing jumps when they come. */

import type { HubFile } from "../kernel";

/** The longest edge of a picture in the log, in CSS pixels. */
export const EDGE = 208;
const CHIP = 44;
const GAP = 4;

/** The height of one file in the log, in CSS pixels. */
export const fileHeight = ({ thumb }: HubFile): number =>
  thumb ? Math.min(EDGE / Math.max(thumb.width, thumb.height), 1) * thumb.height : CHIP;

/** The height of all files of a message. */
export const filesHeight = (files: readonly HubFile[]): number => files.reduce((sum, file) => sum + fileHeight(file) + GAP, 0);
