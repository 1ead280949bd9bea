/** The text field: grows with its text, keeps the draft, never sends a half-typed word. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import { useFiles } from "./lazy";
import { useTalk } from "./talk";
import { useWords } from "./texts";

const MAX_BYTES = 16_384;
const MAX_HEIGHT = 132;

export function Composer({ id, isClosed }: { id: string; isClosed: boolean }): JSX.Element {
  const { client, drafts, bridge } = useTalk();
  const { t } = useWords();
  const [text, setText] = useState(() => drafts.get(id));
  const field = useRef<HTMLTextAreaElement>(null);
  const files = useFiles();
  const [count, setCount] = useState(0);
  const isTooLong = new TextEncoder().encode(text).length > MAX_BYTES;
  const canSend = (text.trim() !== "" || count > 0) && !isTooLong;

  useEffect(() => files?.subscribe(() => setCount(files.count())), [files]);
  useEffect(() => setText((now) => now || drafts.get(id)), [id]);
  useEffect(() => {
    // The host page may put a text here ("Ask about this product").
    const insert = (event: Event) => change((event as CustomEvent<string>).detail);
    bridge.mount.addEventListener("deskhub-insert", insert);
    return () => bridge.mount.removeEventListener("deskhub-insert", insert);
  }, [id]);
  useLayoutEffect(() => {
    const element = field.current!;
    element.style.blockSize = "auto";
    element.style.blockSize = `${Math.min(element.scrollHeight, MAX_HEIGHT)}px`;
  }, [text]);

  function change(next: string): void {
    setText(next);
    drafts.set(id, next);
    client.typing(id, next.trim() !== "");
  }

  function send(event?: Event): void {
    event?.preventDefault();
    if (!canSend) return;
    // The message waits for its files: the hub takes it only when they are stored.
    if (count) void files!.settled().then((stored) => stored && post({ files: stored }));
    else post();
    // The keyboard of a phone stays open.
    field.current!.focus();
  }

  function post(more?: { files: string[] }): void {
    // The hub wants to know the language of a new conversation; the client leaves it out of others.
    client.post(id, text.trim(), { language: bridge.frame.lang, ...more });
    setText("");
    drafts.set(id, "");
  }

  return (
    <form class="dh-comp" onSubmit={send}>
      {isTooLong ? <p class="dh-st bad" role="alert">{t("compose.too_long")}</p> : null}
      <div class="dh-box">
        <div ref={files?.picker} />
        <textarea
          ref={field}
          rows={1}
          data-testid="deskhub-input"
          aria-label={t("compose.label")}
          aria-invalid={isTooLong}
          placeholder={t(isClosed ? "compose.placeholder_closed" : "compose.placeholder")}
          enterkeyhint="send"
          dir="auto"
          value={text}
          onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={(event) => {
            // 229 is a key that the input method still works on, also where isComposing is late.
            const isComposing = event.isComposing || event.keyCode === 229;
            if (event.key === "Enter" && !event.shiftKey && !isComposing) send(event);
          }}
        />
        <button class="dh-send" type="submit" data-testid="deskhub-send" aria-label={t("compose.send")} disabled={!canSend}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}
