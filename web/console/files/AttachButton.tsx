/** Opens the device's own picker. */

import { useRef } from "react";
import type { Uploads } from "../../kernel";
import { useT } from "../hooks";
import { Icon } from "../parts/Icon";

export function AttachButton({ uploads }: { uploads: Uploads }) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="ib" aria-label={t("file.attach")} title={t("file.attach")} onClick={() => input.current?.click()} data-testid="attach">
        <Icon name="clip" />
      </button>
      <input
        ref={input} type="file" multiple hidden data-testid="attach-input"
        onChange={(event) => {
          uploads.add([...(event.target.files ?? [])]);
          // The same file may be chosen again after it was removed.
          event.target.value = "";
        }}
      />
    </>
  );
}
