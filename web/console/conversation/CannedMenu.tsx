/** The list of saved replies over the composer, with the filled-in text beside it. */

import { useEffect, useRef } from "react";
import { useT } from "../hooks";
import { Icon } from "../parts/Icon";
import { type CannedHit, type Variables, cannedText, fillIn, missingIn } from "./canned";

interface Props {
  id: string;
  hits: readonly CannedHit[];
  at: number;
  languages: readonly (string | null | undefined)[];
  variables: Variables;
  onPick(hit: CannedHit): void;
  onPoint(at: number): void;
}

export function CannedMenu({ id, hits, at, languages, variables, onPick, onPoint }: Props) {
  const t = useT();
  const list = useRef<HTMLUListElement>(null);
  const hit = hits[at];
  useEffect(() => {
    // Newer browsers give a promise, which an effect must not return.
    void list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <div className="canned" data-testid="canned">
      <ul role="listbox" id={id} aria-label={t("canned.label")} ref={list}>
        {hits.map((one, index) => (
          <li key={one.reply.id} id={`${id}-${index}`} role="option" aria-selected={index === at} className="opt"
            onPointerMove={() => (index === at ? undefined : onPoint(index))}
            onMouseDown={(event) => (event.preventDefault(), onPick(one))}>
            <Icon name="slash" />
            <span className="trunc grow">{one.reply.title}</span>
            <kbd>/{one.reply.shortcut}</kbd>
          </li>
        ))}
        {hits.length ? null : <li className="canned-none">{t("canned.none")}</li>}
      </ul>
      {hit ? <Preview text={cannedText(hit.reply, languages)} variables={variables} /> : null}
    </div>
  );
}

function Preview({ text, variables }: { text: string; variables: Variables }) {
  const t = useT();
  const missing = missingIn(text, variables);
  return (
    <div className="canned-preview">
      <p>{marked(text, variables)}</p>
      {missing.length ? (
        <p className="help t-danger">
          {missing.map((name) => t("canned.missing", { name: variableName(t, name) })).join(" ")}
        </p>
      ) : null}
    </div>
  );
}

/** *text* with its variables set apart: filled blue, missing red. */
function marked(text: string, variables: Variables) {
  return text.split(/(\{\{[^}]*\}\})/).map((part, at) => {
    if (!part.startsWith("{{")) return part;
    const filled = fillIn(part, variables);
    const isMissing = filled.startsWith("{{");
    return <span key={at} className={isMissing ? "var is-missing" : "var"}>{isMissing ? filled.replace(/[{}\s]/g, "") : filled}</span>;
  });
}

export function variableName(t: ReturnType<typeof useT>, name: string): string {
  const text = t(`variable.${name}`);
  return text === `variable.${name}` ? name : text;
}
