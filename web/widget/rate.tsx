/** Entry of the bundle that asks how it was: drawn into a given place, once for each closing. */

import { type JSX, render } from "preact";
import { useRef, useState } from "preact/hooks";
import { type Client, I18n, newCid } from "../kernel";
import type { Bridge } from "../loader/bridge";
import ar from "../locales/rate.ar.json";
import en from "../locales/rate.en.json";
import zh from "../locales/rate.zh-CN.json";
import css from "./rate.css?text";

export interface Question {
  client: Client;
  bridge: Bridge;
  id: string;
  /** The closing that is asked about, 0 when there is none. */
  unrated: number;
  language: string;
}

type T = (key: string, args?: Record<string, unknown>) => string;

const CATALOGUES = { en, "zh-CN": zh, ar } as const;
const SCORES = [1, 2, 3, 4, 5];
const COMMENT_CHARS = 1_000;
const styled = new WeakSet<ShadowRoot>();
/** What was answered here, so that the thanks stay while the conversation is on screen. */
const thanked = new WeakSet<HTMLElement>();

/** Draw the question into *place*, or take it away where there is nothing to ask. */
export function ask(place: HTMLElement | null, question: Question): void {
  if (!place) return;
  const { bridge, unrated, language } = question;
  if (!styled.has(bridge.root)) {
    styled.add(bridge.root);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    bridge.root.adoptedStyleSheets = [...bridge.root.adoptedStyleSheets, sheet];
  }
  const i18n = new I18n(language, CATALOGUES[language as keyof typeof CATALOGUES] ?? en, en);
  const t: T = (key, args) => i18n.t(key, args);
  const isAsked = unrated > 0 && !thanked.has(place) && !isSkipped(question);
  if (isAsked) render(<Form key={unrated} question={question} t={t} place={place} />, place);
  else if (!thanked.has(place)) render(null, place);
}

function Form({ question, t, place }: { question: Question; t: T; place: HTMLElement }): JSX.Element | null {
  const [score, setScore] = useState(0);
  const [comment, setComment] = useState("");
  const [state, setState] = useState<"asking" | "sending" | "done" | "failed" | "late" | "skipped">("asking");
  // The same answer sent twice counts once.
  const cid = useRef({ said: "", cid: "" });

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    const said = `${score} ${comment}`;
    if (cid.current.said !== said) cid.current = { said, cid: newCid() };
    setState("sending");
    // The event may be here before the answer.
    thanked.add(place);
    try {
      const path = `/api/v1/conversations/${encodeURIComponent(question.id)}/rate`;
      await question.client.api.call(path, { method: "POST", body: { score, comment }, cid: cid.current.cid });
      setState("done");
    } catch (error) {
      // The error is of the chat bundle's class and not of this one's.
      const isFinal = (error as { code?: string }).code === "not_rateable";
      if (isFinal) skip(question);
      else thanked.delete(place);
      setState(isFinal ? "late" : "failed");
    }
  }

  if (state === "skipped") return null;
  if (state === "done" || state === "late") {
    return <p class="dh-rate is-done" role="status" data-testid="deskhub-rated">{t(state === "done" ? "thanks" : "late")}</p>;
  }
  return (
    <form class="dh-rate" onSubmit={(event) => void send(event)} data-testid="deskhub-rate">
      <fieldset>
        <legend>{t("ask")}</legend>
        <div class="scores">
          {SCORES.map((one) => (
            <label key={one} class={one <= score ? "on" : ""}>
              <input type="radio" name="dh-score" value={one} checked={one === score} aria-label={t("score", { score: one })} data-testid={`deskhub-score-${one}`} onChange={() => setScore(one)} />
              <span aria-hidden="true">{one}</span>
            </label>
          ))}
        </div>
        <p class="ends" aria-hidden="true"><span>{t("bad")}</span><span>{t("good")}</span></p>
      </fieldset>
      {score ? (
        <textarea rows={2} maxLength={COMMENT_CHARS} aria-label={t("comment")} placeholder={t("comment")} dir="auto" value={comment} data-testid="deskhub-comment"
          onInput={(event) => setComment(event.currentTarget.value)} />
      ) : null}
      {state === "failed" ? <p class="dh-st bad" role="alert">{t("failed")}</p> : null}
      <div class="acts">
        <button class="dh-btn q" type="button" data-testid="deskhub-skip" onClick={() => (skip(question), setState("skipped"))}>{t("skip")}</button>
        <button class="dh-btn p" type="submit" disabled={!score || state === "sending"} data-testid="deskhub-rate-send">{t("send")}</button>
      </div>
    </form>
  );
}

const nameOf = ({ bridge, id }: Question) => `deskhub:${bridge.inbox}:skipped:${id}`;

/** Whether this closing was skipped on this device. */
function isSkipped(question: Question): boolean {
  try {
    return Number(localStorage.getItem(nameOf(question))) >= question.unrated;
  } catch {
    return false;
  }
}

function skip(question: Question): void {
  try {
    localStorage.setItem(nameOf(question), String(question.unrated));
  } catch {
    // Without storage the question comes back with the next page.
  }
}
