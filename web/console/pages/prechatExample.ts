/** What an inbox without a form begins with: who, where to, and what about. */

import type { PrechatForm } from "../../kernel";
import example from "../../locales/prechat.example.json";

export const EXAMPLE = example as PrechatForm & { type: "object" };
