/** The views of files: the picker's button, the tray, thumbnails and chips in the log. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { type FileAddress, type HubFile, type Upload, isPicture, sizeText } from "../kernel";
import { fileHeight } from "./filesRoom";
import type { FilesContext } from "./files";

interface Around {
  around: FilesContext;
}

// Named types let a phone offer its camera, and turn its own formats into JPEG.
const ACCEPT = "image/jpeg,image/png,image/webp,image/gif,application/pdf,video/*,audio/*,text/plain,.doc,.docx,.xls,.xlsx,.zip";
const CLIP = "M19.5 11.3 11.2 19.6a5 5 0 0 1-7-7l8.8-8.9a3.3 3.3 0 0 1 4.7 4.7L9 17.2a1.7 1.7 0 0 1-2.4-2.4l7.9-7.8";
const CROSS = "m7 7 10 10M17 7 7 17";
const PAGE = "M7 3.5h7l4 4v13H7zM14 3.5v4h4";
const DOWN = "M12 4v11M7 10.5l5 5 5-5M5 20h14";

function Mark({ path }: { path: string }): JSX.Element {
  return (
    <svg class="i" viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

export function Picker({ around }: Around): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const label = around.t("attach");
  return (
    <>
      <button type="button" class="dh-ib" aria-label={label} title={label} data-testid="deskhub-attach" onClick={() => input.current!.click()}>
        <Mark path={CLIP} />
      </button>
      <input
        ref={input} type="file" multiple hidden accept={ACCEPT} data-testid="deskhub-file-input"
        onChange={(event) => {
          around.uploads.add([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

export function Tray({ around }: Around): JSX.Element | null {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => around.uploads.subscribe(() => again(undefined)), [around]);
  const items = around.uploads.items();
  if (!items.length) return null;
  return (
    <ul class="dh-tray" aria-label={around.t("tray")} data-testid="deskhub-tray">
      {items.map((one) => <Waiting key={one.key} one={one} around={around} />)}
    </ul>
  );
}

function Waiting({ one, around }: Around & { one: Upload }): JSX.Element {
  const { t, uploads, language } = around;
  const isFailed = one.state === "failed";
  const percent = Math.round(one.progress * 100);
  const why = t(`error.${one.error}`);
  return (
    <li class={isFailed ? "bad" : ""} data-state={one.state} data-testid="deskhub-upload">
      {one.preview ? <Preview bitmap={one.preview} /> : <span class="kind"><Mark path={PAGE} /></span>}
      <span class="what">
        <b title={one.name}>{one.name}</b>
        {isFailed ? <span role="alert">{why === `error.${one.error}` ? t("error.other") : why}</span> : <span>{one.state === "done" ? sizeText(one.size, language) : t("progress", { percent })}</span>}
      </span>
      {isFailed && one.canRetry ? <button type="button" class="again" onClick={() => uploads.retry(one.key)}>{t("retry")}</button> : null}
      <button type="button" class="dh-ib" aria-label={t("remove", { name: one.name })} onClick={() => uploads.remove(one.key)}>
        <Mark path={CROSS} />
      </button>
      {isFailed || one.state === "done" ? null : <progress max={100} value={percent} aria-label={t("uploading", { name: one.name })} />}
    </li>
  );
}

function Preview({ bitmap }: { bitmap: ImageBitmap }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = canvas.current!;
    element.width = bitmap.width;
    element.height = bitmap.height;
    element.getContext("2d")!.drawImage(bitmap, 0, 0);
  }, [bitmap]);
  return <canvas ref={canvas} class="kind" aria-hidden="true" />;
}

export function Attachments({ around, files }: Around & { files: readonly HubFile[] }): JSX.Element {
  return (
    <ul class="dh-files" data-testid="deskhub-files">
      {files.map((file) => (
        <li key={file.id}>{isPicture(file) ? <Thumb file={file} around={around} /> : <Chip file={file} around={around} />}</li>
      ))}
    </ul>
  );
}

function Thumb({ file, around }: Around & { file: HubFile }): JSX.Element {
  const { t } = around;
  const { address, again } = useAddress(file.id, around);
  const dialog = useRef<HTMLDialogElement>(null);
  const height = fileHeight(file);
  const width = (height * file.thumb!.width) / file.thumb!.height;
  return (
    <>
      <button type="button" class="thumb" aria-label={t("open", { name: file.name })} data-testid="deskhub-thumb" onClick={() => dialog.current!.showModal()}>
        {address === null ? <span style={{ width: `${width}px`, height: `${height}px` }}>{t("gone")}</span> : (
          <img src={address?.thumb ?? undefined} width={width} height={height} alt="" draggable={false} onError={again} />
        )}
      </button>
      <dialog
        ref={dialog} class="dh-large" aria-label={file.name} data-testid="deskhub-large"
        // The panel closes on Escape; here it closes the picture alone.
        onKeyDown={(event) => event.stopPropagation()}
        onClick={(event) => event.target === dialog.current && dialog.current!.close()}
      >
        <header>
          <b>{file.name}</b>
          <button type="button" class="dh-ib" aria-label={t("save", { name: file.name })} onClick={() => void save(file, around)}><Mark path={DOWN} /></button>
          <button type="button" class="dh-ib" aria-label={t("close")} onClick={() => dialog.current!.close()}><Mark path={CROSS} /></button>
        </header>
        {address?.image ? <img src={address.image} width={file.width} height={file.height} alt={file.name} loading="lazy" /> : <p>{t("gone")}</p>}
      </dialog>
    </>
  );
}

function Chip({ file, around }: Around & { file: HubFile }): JSX.Element {
  const [isGone, setGone] = useState(false);
  const label = around.t("save", { name: file.name });
  return (
    <button type="button" class="chip" aria-label={label} data-testid="deskhub-file" onClick={() => void save(file, around).then((done) => setGone(!done))}>
      <Mark path={PAGE} />
      <b title={file.name}>{file.name}</b>
      <span>{isGone ? around.t("gone") : sizeText(file.bytes, around.language)}</span>
    </button>
  );
}

/** Save *file* under its own name; false when it is gone. */
async function save(file: HubFile, { links }: FilesContext): Promise<boolean> {
  const address = await links.find(file.id);
  if (!address) return false;
  const link = document.createElement("a");
  link.href = address.url;
  link.download = file.name;
  // Another site's file: the hub's header makes the browser save it and stay on this page.
  link.rel = "noopener";
  link.click();
  return true;
}

function useAddress(id: string, { links }: FilesContext): { address: FileAddress | null | undefined; again(): void } {
  const [address, setAddress] = useState<FileAddress | null | undefined>(undefined);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    void links.find(id).then(setAddress);
  }, [id, tries]);
  const again = () => {
    links.forget(id);
    if (tries < 1) setTries(tries + 1);
    else setAddress(null);
  };
  return { address, again };
}
