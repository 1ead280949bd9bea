/** The files of a message in the timeline: pictures with their room kept, everything else to save. */

import { useEffect, useState } from "react";
import { type FileAddress, type HubFile, isPicture, sizeText } from "../../kernel";
import { useDesk, useT, useTexts } from "../hooks";
import { notify } from "../notices";
import { Icon } from "../parts/Icon";
import { Lightbox } from "./Lightbox";

/** The longest edge of a picture in the timeline, in CSS pixels. */
const SHOWN_EDGE = 260;

export function Attachments({ files }: { files: readonly HubFile[] }) {
  const [open, setOpen] = useState<number | null>(null);
  if (!files.length) return null;
  const pictures = files.filter(isPicture);
  return (
    <>
      <ul className="files" data-testid="files">
        {files.map((file) => (
          <li key={file.id}>
            {isPicture(file) ? <Thumb file={file} onOpen={() => setOpen(pictures.indexOf(file))} /> : <Chip file={file} />}
          </li>
        ))}
      </ul>
      {open === null ? null : <Lightbox pictures={pictures} at={open} onMove={setOpen} onClose={() => setOpen(null)} />}
    </>
  );
}

function Thumb({ file, onOpen }: { file: HubFile; onOpen(): void }) {
  const t = useT();
  const { address, again } = useAddress(file.id);
  const { width, height } = shownSize(file.thumb!);
  return (
    <button type="button" className="thumb" onClick={onOpen} aria-label={t("file.open", { name: file.name })} title={file.name} data-testid="thumb">
      {address === null ? (
        <span className="thumb-gone" style={{ width, height }}><Icon name="image" />{t("file.gone")}</span>
      ) : (
        <img src={address?.thumb ?? undefined} width={width} height={height} alt="" loading="lazy" draggable={false} onError={again} />
      )}
    </button>
  );
}

function Chip({ file }: { file: HubFile }) {
  const t = useT();
  const desk = useDesk();
  const { language } = useTexts();
  return (
    <button type="button" className="file-chip" onClick={() => void save(file, desk, t)} aria-label={t("file.save", { name: file.name })} data-testid="file">
      <Icon name="sheet" />
      <span className="trunc" title={file.name}>{file.name}</span>
      <span className="tray-state">{sizeText(file.bytes, language)}</span>
      <Icon name="down2" size="sm" />
    </button>
  );
}

/** Save *file* under its own name: the hub sends it as an attachment. */
export async function save(file: HubFile, desk: ReturnType<typeof useDesk>, t: ReturnType<typeof useT>): Promise<void> {
  const address = await desk.files.find(file.id);
  if (!address) return void notify(t("file.gone"), { tone: "danger" });
  const link = document.createElement("a");
  link.href = address.url;
  link.download = file.name;
  link.click();
}

/** Where *id* is read: undefined while it is asked for, null when it is gone. */
export function useAddress(id: string): { address: FileAddress | null | undefined; again(): void } {
  const { files } = useDesk();
  const [address, setAddress] = useState<FileAddress | null | undefined>(undefined);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let isWanted = true;
    void files.find(id).then((found) => isWanted && setAddress(found));
    return () => void (isWanted = false);
  }, [files, id, tries]);
  const again = () => {
    files.forget(id);
    // An address that ended while the page slept; a second failure means more.
    if (tries < 1) setTries(tries + 1);
    else setAddress(null);
  };
  return { address, again };
}

function shownSize({ width, height }: { width: number; height: number }): { width: number; height: number } {
  const scale = Math.min(1, SHOWN_EDGE / Math.max(width, height));
  return { width: Math.max(40, Math.round(width * scale)), height: Math.max(40, Math.round(height * scale)) };
}
