/** The root: texts around everything, then the sign-in page or the signed-in console. */

import { useCallback, useEffect, useMemo, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { ApiError, type Command } from "../kernel";
import { Console } from "./Console";
import { Desk, deskKey } from "./desk";
import { DeskContext, TextsContext, useLatest, useSettings } from "./hooks";
import { notify } from "./notices";
import { Attention } from "./notify";
import { Session } from "./session";
import { SignIn } from "./signin/SignIn";
import { type Texts, loadTexts } from "./texts";

type Stage = { at: "resuming" } | { at: "out"; problem?: string } | { at: "in"; desk: Desk };

export function App({ first }: { first: Texts }) {
  const { language } = useSettings();
  const [texts, setTexts] = useState(first);
  const [stage, setStage] = useState<Stage>({ at: "resuming" });
  const session = useMemo(() => new Session(() => setStage({ at: "out", problem: "signin.ended" })), []);

  useEffect(() => {
    let isCurrent = true;
    void loadTexts(language).then((next) => isCurrent && setTexts(next));
    return () => void (isCurrent = false);
  }, [language]);

  const latestTexts = useLatest(texts);
  const enter = useCallback(() => {
    const attention = new Attention();
    attention.t = (name, args) => latestTexts.current.i18n.t(name, args);
    const desk = new Desk(session, (events) => attention.heard(desk, events), (command, code, text) => refused(command, code, text));
    setStage({ at: "in", desk });
    void desk.start();
  }, [session, latestTexts]);

  useEffect(() => {
    void begin(session).then(
      (isIn) => (isIn ? enter() : setStage({ at: "out" })),
      (error: unknown) => setStage({ at: "out", problem: problemKey(error) }),
    );
  }, [session, enter]);

  useEffect(() => {
    if (stage.at !== "in") return;
    const { desk } = stage;
    void loadAdapterTexts(desk, language);
    return () => undefined;
  }, [stage, language]);

  useEffect(() => {
    if (stage.at !== "in") return;
    const { desk } = stage;
    return () => desk.stop();
  }, [stage]);

  return (
    <TextsContext value={texts}>
      <I18nProvider locale={texts.language}>
        {stage.at === "in" ? (
          <DeskContext value={stage.desk}>
            <Console />
          </DeskContext>
        ) : stage.at === "out" ? (
          <SignIn session={session} problem={stage.problem} onDone={enter} />
        ) : null}
      </I18nProvider>
    </TextsContext>
  );
}

const TEXTS_AGAIN_MS = 3000;

/** Take a one-time code from the address, or the session this browser has kept. */
async function begin(session: Session): Promise<boolean> {
  const code = /[#&]sso=([^&]+)/.exec(location.hash)?.[1];
  if (!code) return session.resume();
  history.replaceState(null, "", location.pathname + location.search);
  await session.exchange(decodeURIComponent(code));
  return true;
}

export function problemKey(error: unknown): string {
  if (!(error instanceof ApiError)) return "signin.failed";
  if (error.isOffline) return "signin.offline";
  if (error.status === 401) return "signin.wrong";
  if (error.status === 429) return "signin.many";
  return error.status >= 500 ? "signin.down" : "signin.failed";
}

async function loadAdapterTexts(desk: Desk, language: string, tries = 5): Promise<void> {
  try {
    const { texts } = await desk.api.call<{ texts: Record<string, string> }>(`/api/v1/texts?lang=${language}`);
    desk.store.set(deskKey.texts, texts);
    if (Object.keys(texts).length) return;
  } catch {
    // Cards fall back to the keys' last words.
  }
  // Adapters that are still starting have no words yet.
  if (tries > 1) setTimeout(() => void loadAdapterTexts(desk, language, tries - 1), TEXTS_AGAIN_MS);
}

function refused(_command: Command, code: string, text: string): void {
  notify(text || code, { tone: "danger" });
}
