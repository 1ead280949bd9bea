/** The log: days, turns, delivery truth under the last bubble, cards in their place. */

import type { JSX } from "preact";
import type { HubFile } from "../kernel";
import { CardLine } from "./card";
import { filesHeight } from "./filesRoom";
import { Icon } from "./icons";
import { useFiles } from "./lazy";
import { useTalk } from "./talk";
import { initials, useWords } from "./texts";
import type { Bubble, Line } from "./turns";

export function Lines({ lines, isOffline }: { lines: readonly Line[]; isOffline: boolean }): JSX.Element {
  const waiting = lines.filter((line) => line.kind === "bubble" && line.state === "queued").length;
  return (
    <>
      {lines.map((line) => {
        if (line.kind === "day") return <p key={line.key} class="dh-day">{line.text}</p>;
        if (line.kind === "system") return <p key={line.key} class="dh-sys">{line.text}</p>;
        if (line.kind === "card") return <CardLine key={line.key} entry={line.entry} />;
        return <Message key={line.key} line={line} waiting={isOffline ? waiting : 0} />;
      })}
    </>
  );
}

function Message({ line, waiting }: { line: Bubble; waiting: number }): JSX.Element {
  const { t } = useWords();
  const held = line.state === "queued" || line.state === "failed";
  const side = line.isMine ? "out" : "in";
  const name = `dh-m ${side} ${line.isFirst ? "turn" : ""} ${line.isLast ? "" : "cont"} ${held ? "wait" : ""}`;
  const who = line.isMine ? t("chat.said") : t("chat.says", { name: line.name || t("chat.team") });
  return (
    <div class={name} data-testid="deskhub-message" data-side={side} data-state={line.state ?? "received"}>
      {line.isMine ? null : line.isLast ? <Monogram name={line.name} /> : <span class="gut" />}
      <div class="col">
        <span class="sr">{who}</span>
        {line.text.trim() ? <div class="dh-b" dir="auto">{line.text}</div> : null}
        {line.isEdited ? <span class="dh-st" data-testid="deskhub-edited">{t("chat.edited")}</span> : null}
        {line.files?.length ? <Files files={line.files} /> : null}
        {line.state && (line.isLast || line.state === "failed") ? <State line={line} waiting={waiting} /> : null}
      </div>
    </div>
  );
}

/** Room for files; what is in it draws the part for files. */
function Files({ files }: { files: readonly HubFile[] }): JSX.Element {
  const part = useFiles();
  return <div ref={(place) => part?.shown(place, files)} style={{ minHeight: filesHeight(files) }} />;
}

function Monogram({ name }: { name: string }): JSX.Element {
  return (
    <span class="dh-av s" aria-hidden="true">
      {name ? initials(name) : <Icon name="chat" size="s" />}
    </span>
  );
}

const ICON = { sending: "spin", queued: "clock", stored: "check", delivered: "check2", seen: "seen", failed: "retry" } as const;

function State({ line, waiting }: { line: Bubble; waiting: number }): JSX.Element {
  const { t, format } = useWords();
  const { client } = useTalk();
  const state = line.state!;
  const text = state === "queued" ? t("state.waiting", { count: waiting || 1 }) : t(`state.${state}`, { time: format.time(line.at) });
  return (
    <span class={`dh-st is-${state} ${state === "failed" ? "bad" : ""}`} data-testid="deskhub-state">
      <Icon name={ICON[state]} size="s" kind={state === "sending" ? "spin" : ""} />
      {text}
      {state === "failed" ? (
        <button type="button" data-testid="deskhub-retry" onClick={() => client.retry(line.cid!)}>
          {t("state.retry")}
        </button>
      ) : null}
      {state === "queued" ? (
        <button type="button" data-testid="deskhub-try" onClick={() => client.connection.wake()}>
          {t("state.try")}
        </button>
      ) : null}
    </span>
  );
}

export function TypingLine({ name }: { name: string }): JSX.Element {
  const { t } = useWords();
  const label = t("chat.typing", { name: name || t("chat.team") });
  return (
    <div class="dh-m in turn" data-testid="deskhub-typing">
      <Monogram name={name} />
      <div class="col">
        <span class="dh-typing" role="img" aria-label={label}>
          <i />
          <i />
          <i />
        </span>
      </div>
    </div>
  );
}
