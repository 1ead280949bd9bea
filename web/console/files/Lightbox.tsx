/** A picture over the whole window: arrows lead to its neighbours, Escape back. */

import { type KeyboardEvent } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import type { HubFile } from "../../kernel";
import { useDesk, useT } from "../hooks";
import { Icon } from "../parts/Icon";
import { save, useAddress } from "./Attachments";

interface Props {
  pictures: readonly HubFile[];
  at: number;
  onMove(at: number): void;
  onClose(): void;
}

export function Lightbox({ pictures, at, onMove, onClose }: Props) {
  const t = useT();
  const desk = useDesk();
  const file = pictures[at]!;
  const count = pictures.length;
  const move = (by: number) => onMove((at + by + count) % count);
  const press = (event: KeyboardEvent) => {
    if (count < 2) return;
    if (event.key === "ArrowRight") move(1);
    else if (event.key === "ArrowLeft") move(-1);
  };
  return (
    <ModalOverlay className="lightbox" isOpen isDismissable onOpenChange={(isOpen) => (isOpen ? undefined : onClose())}>
      <Modal className="lightbox-modal">
        <div className="lightbox-keys" onKeyDown={press}>
          <Dialog className="lightbox-dialog" data-testid="lightbox">
            <header>
              <Heading slot="title" level={2} className="trunc">{file.name}</Heading>
              {count > 1 ? <span className="sub">{t("file.place", { at: at + 1, count })}</span> : null}
              {count > 1 ? <button type="button" className="ib" aria-label={t("file.before")} title={t("file.before")} onClick={() => move(-1)}><Icon name="left" /></button> : null}
              {count > 1 ? <button type="button" className="ib" aria-label={t("file.next")} title={t("file.next")} onClick={() => move(1)}><Icon name="right" /></button> : null}
              <button type="button" className="ib" aria-label={t("file.save", { name: file.name })} title={t("file.save", { name: file.name })} onClick={() => void save(file, desk, t)} data-testid="lightbox-save"><Icon name="down2" /></button>
              <button type="button" className="ib" aria-label={t("dialog.close")} title={t("dialog.close")} onClick={onClose} data-testid="lightbox-close"><Icon name="x" /></button>
            </header>
            <Large key={file.id} file={file} />
          </Dialog>
        </div>
      </Modal>
    </ModalOverlay>
  );
}

function Large({ file }: { file: HubFile }) {
  const t = useT();
  const { address, again } = useAddress(file.id);
  if (address === null) return <p className="thumb-gone">{t("file.gone")}</p>;
  return <img src={address?.image ?? undefined} width={file.width} height={file.height} alt={file.name} onError={again} />;
}
