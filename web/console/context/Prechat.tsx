/** What the customer answered before the first message: questions and answers as text. */

import { useEffect, useState } from "react";
import { type ConversationView, type PrechatAnswer, type Timeline, key } from "../../kernel";
import { useDesk, useT, useTexts, useValue } from "../hooks";

export function Prechat({ view }: { view: ConversationView }) {
  const t = useT();
  const { language } = useTexts();
  const answers = useAnswers(view.id);
  if (!answers.length) return null;
  return (
    <section className="cust prechat" aria-label={t("prechat.answers")} data-testid="prechat-answers">
      <h3>{t("prechat.answers")}</h3>
      <dl className="facts">
        {answers.map((one) => (
          <div key={one.field}>
            <dt>{inLanguage(one.title, one.titles, language)}</dt>
            <dd>{typeof one.value === "boolean" ? t(one.value ? "card.yes" : "card.no") : one.text ? inLanguage(one.text, one.texts, language) : one.value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** The answers stand at the beginning: where that is not on screen they are asked for. */
function useAnswers(id: string): readonly PrechatAnswer[] {
  const desk = useDesk();
  const timeline = useValue<Timeline>(key.timeline(id));
  const [asked, setAsked] = useState<{ id: string; answers: readonly PrechatAnswer[] } | null>(null);
  const event = timeline?.entries.find((entry) => entry.event.kind === "prechat.answered")?.event;
  const isOutOfSight = timeline?.isLoaded === true && timeline.more && !event;
  useEffect(() => {
    if (!isOutOfSight || asked?.id === id) return;
    desk.api.call<{ answers: PrechatAnswer[] }>(`/api/v1/conversations/${encodeURIComponent(id)}/prechat`).then(
      (found) => setAsked({ id, answers: found.answers }),
      // The conversation is there without them; they come with its beginning.
      () => setAsked({ id, answers: [] }),
    );
  }, [desk, id, isOutOfSight, asked]);
  const told = (event?.data["answers"] as readonly PrechatAnswer[] | undefined) ?? (asked?.id === id ? asked.answers : []);
  // What is left of an erased answer has no words.
  return told.filter((one) => one.title);
}

function inLanguage(text: string, more: Record<string, string> | undefined, language: string): string {
  const near = Object.keys(more ?? {}).find((name) => name.split("-")[0] === language.split("-")[0]);
  return more?.[language] ?? (near ? more![near]! : text);
}
