/** What the hub logged about an adapter, the latest at the end. */

import { useEffect, useRef } from "react";
import { useT, useTexts } from "../hooks";
import { at, useAsked } from "./asked";
import { Failure } from "./parts";

interface Line {
  number: number;
  at: string;
  level: string;
  event: string;
  fields: Record<string, string>;
}

const EVERY_MS = 2000;

export function Logs({ instance }: { instance: string }) {
  const t = useT();
  const { format } = useTexts();
  const { value, failure } = useAsked<{ lines: Line[] }>(at(instance, "/logs"), EVERY_MS);
  const end = useRef<HTMLOListElement>(null);
  const last = value?.lines.at(-1)?.number;
  useEffect(() => end.current?.scrollTo({ top: end.current.scrollHeight }), [last]);
  return (
    <section aria-label={t("adapters.logs")}>
      <Failure text={failure} />
      {value && !value.lines.length ? <p className="muted">{t("adapters.no_logs")}</p> : null}
      {value?.lines.length ? (
        <ol className="log" ref={end} tabIndex={0} aria-label={t("adapters.logs")} data-testid="logs">
          {value.lines.map((one) => (
            <li key={one.number} className={one.level === "error" ? "t-danger" : one.level === "warning" ? "t-warning" : undefined}>
              <time dateTime={one.at}>{format.time(one.at)}</time> <b>{one.event}</b>{" "}
              {Object.entries(one.fields).map(([key, text]) => `${key}=${text}`).join(" ")}
            </li>
          ))}
        </ol>
      ) : null}
    </section>
  );
}
