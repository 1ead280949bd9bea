/** Entry of the chat bundle: mounts the widget where the loader has left room for it. */

import { render } from "preact";
import { type Client, key } from "../kernel";
import type { App, Bridge, HostCall } from "../loader/bridge";
import { type Commands, WidgetApp } from "./app";
import { Failed } from "./failed";
import { beginSession } from "./session";
import { learn } from "./texts";
import css from "./widget.css?text";

// A hub that refuses every new session must not be asked in a loop.
const ANEW_AFTER_MS = 10_000;

const bridge = (window as unknown as { DeskhubChat?: HostCall }).DeskhubChat?.bridge;
if (bridge && !bridge.mount.dataset["app"]) attach(bridge);

function attach(bridge: Bridge): void {
  bridge.mount.dataset["app"] = "1";
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  bridge.root.adoptedStyleSheets = [...bridge.root.adoptedStyleSheets, sheet];
  let client: Client | null = null;
  let commands: Commands | null = null;
  let wantsOpen = false;
  let text: string | undefined;
  let who: string | null = null;

  async function begin(): Promise<void> {
    const old = client;
    client = null;
    old?.stop();
    commands = null;
    render(null, bridge.mount);
    const words = learn(bridge.base, bridge.lang);
    try {
      const made = (client = await beginSession(bridge));
      who = bridge.saved?.who ?? null;
      await words;
      // Somebody else has come meanwhile.
      if (client !== made) return;
    } catch {
      if (wantsOpen) render(<Failed bridge={bridge} onAgain={() => void begin()} onClose={() => app.close()} />, bridge.mount);
      bridge.emit("error", "not_started");
      return;
    }
    follow(client);
    const isOpenAtFirst = wantsOpen;
    const ready = (made: Commands) => {
      commands = made;
      if (wantsOpen && text !== undefined) made.open(text);
      wantsOpen = false;
      text = undefined;
    };
    render(<WidgetApp bridge={bridge} client={client} isOpenAtFirst={isOpenAtFirst} onReady={ready} />, bridge.mount);
    await client.start();
  }

  /** A session that the hub has ended (revoked, restored from a backup) begins anew, with care. */
  function follow(current: Client): void {
    const begunAt = Date.now();
    current.store.subscribe(key.connection, () => {
      if (current !== client || current.state.phase !== "stopped") return;
      bridge.emit("ended", current.state.code);
      if (Date.now() - begunAt < ANEW_AFTER_MS) return;
      wantsOpen = bridge.launcher.ariaExpanded === "true";
      bridge.saved = null;
      void begin();
    });
  }

  const app: App = {
    open(wanted) {
      if (commands) return commands.open(wanted);
      wantsOpen = true;
      text = wanted;
      if (!client) void begin();
    },
    close() {
      wantsOpen = false;
      if (commands) return commands.close();
      render(null, bridge.mount);
      bridge.launcher.ariaExpanded = "false";
    },
    identify() {
      // Somebody else: their session, their conversation, nothing of the one before. What an unknown
      // reader has begun to write is their own once they are known.
      wantsOpen ||= bridge.launcher.ariaExpanded === "true";
      const field = bridge.root.querySelector("textarea");
      if (who) text = undefined;
      else if (field) text = field.value;
      void bridge.visit().catch(() => undefined).then(begin);
    },
    language: (tag) => commands?.language(tag),
    theme: () => undefined,
  };
  bridge.attach(app);
  if (!client && !wantsOpen) void begin();
}
