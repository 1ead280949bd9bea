/** What is about to be sent: thumbnails, progress, cancel and retry. */

import { useLayoutEffect, useRef } from "react";
import { type Upload, type Uploads, sizeText } from "../../kernel";
import { useT, useTexts } from "../hooks";
import { Icon } from "../parts/Icon";
import { refusal } from "./errors";

export function Tray({ uploads, items }: { uploads: Uploads; items: readonly Upload[] }) {
  const t = useT();
  if (!items.length) return null;
  return (
    <ul className="tray" aria-label={t("file.tray")} data-testid="tray">
      {items.map((one) => (
        <Waiting key={one.key} one={one} uploads={uploads} />
      ))}
    </ul>
  );
}

function Waiting({ one, uploads }: { one: Upload; uploads: Uploads }) {
  const t = useT();
  const { language } = useTexts();
  const isFailed = one.state === "failed";
  const percent = Math.round(one.progress * 100);
  return (
    <li className={isFailed ? "tray-item is-failed" : "tray-item"} data-state={one.state} data-testid="upload">
      {one.preview ? <Preview bitmap={one.preview} /> : <span className="tray-kind"><Icon name={isFailed ? "warn" : "sheet"} /></span>}
      <span className="tray-text">
        <span className="trunc" title={one.name}>{one.name}</span>
        {isFailed ? (
          <span className="t-danger" role="alert">{refusal(t, one.error ?? "")}</span>
        ) : (
          <span className="tray-state">{one.state === "done" ? sizeText(one.size, language) : t("file.progress", { percent })}</span>
        )}
      </span>
      {isFailed && one.canRetry ? (
        <button type="button" className="link" onClick={() => uploads.retry(one.key)}>{t("message.retry")}</button>
      ) : null}
      <button type="button" className="ib" aria-label={t("file.remove", { name: one.name })} title={t("file.remove", { name: one.name })} onClick={() => uploads.remove(one.key)}>
        <Icon name="x" size="sm" />
      </button>
      {one.state === "sending" || one.state === "waiting" ? (
        <progress max={100} value={percent} aria-label={t("file.uploading", { name: one.name })} />
      ) : null}
    </li>
  );
}

function Preview({ bitmap }: { bitmap: ImageBitmap }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = canvas.current!;
    element.width = bitmap.width;
    element.height = bitmap.height;
    element.getContext("2d")!.drawImage(bitmap, 0, 0);
  }, [bitmap]);
  return <canvas ref={canvas} className="tray-kind" aria-hidden="true" />;
}
