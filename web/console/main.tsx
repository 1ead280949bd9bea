/** Starts the console: settings, texts, session, first screen. */

import { createRoot } from "react-dom/client";
import { App } from "./App";
import { applySettings, settings } from "./settings";
import { loadTexts } from "./texts";

applySettings();

void loadTexts(settings().language).then((texts) => {
  createRoot(document.getElementById("root")!).render(<App first={texts} />);
});
