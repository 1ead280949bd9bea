/** A modal dialog with the frame of the house: head, body, foot. */

import { type ReactNode, useEffect, useRef } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useT } from "../hooks";
import { Icon } from "./Icon";

interface Props {
  title: string;
  sub?: string;
  /** At the end of the head, before the close button. */
  end?: ReactNode;
  foot?: ReactNode;
  children: ReactNode;
  onClose(): void;
  closeLabel?: string;
  size?: "sm" | "md";
  testId?: string;
  state?: string;
}

export function Dialog({ title, sub, end, foot, children, onClose, closeLabel, size, testId, state }: Props) {
  const t = useT();
  const close = closeLabel ?? t("dialog.close");
  const body = useRef<HTMLDivElement>(null);
  // A text that is longer than the window is scrolled by key, too: it takes the focus, where
  // nothing in it does.
  useEffect(() => {
    const view = body.current;
    if (!view) return;
    const look = () => {
      const isLong = view.scrollHeight > view.clientHeight && !view.querySelector("button,input,select,textarea,a[href],[tabindex]");
      if (isLong) view.tabIndex = 0;
      else view.removeAttribute("tabindex");
    };
    const watcher = new ResizeObserver(look);
    for (const one of [view, ...view.children]) watcher.observe(one);
    look();
    return () => watcher.disconnect();
  });
  // When one step gives way to the next, what had the focus is gone: the dialog itself takes it.
  const first = useRef(state);
  useEffect(() => {
    if (first.current === state) return;
    first.current = state;
    body.current?.closest<HTMLElement>('[role="dialog"]')?.focus();
  }, [state]);
  return (
    <ModalOverlay className="scrim" isOpen isDismissable onOpenChange={(isOpen) => (isOpen ? undefined : onClose())}>
      <Modal className={size === "sm" ? "modal modal-sm" : "modal"}>
        <AriaDialog className="dialog" data-testid={testId} data-state={state}>
          <header>
            <Heading slot="title" level={2} className="trunc">
              {title}
            </Heading>
            {sub ? <span className="sub trunc">{sub}</span> : null}
            <span className="end">
              {end}
              <button type="button" className="ib" aria-label={close} title={close} onClick={onClose} data-testid="dialog-close">
                <Icon name="x" />
              </button>
            </span>
          </header>
          <div className="body" ref={body}>{children}</div>
          {foot ? <footer>{foot}</footer> : null}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
