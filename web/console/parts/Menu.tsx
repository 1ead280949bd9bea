/** Menus: a button and what it opens, with arrows, typing and Escape from React Aria. */

import type { ReactNode } from "react";
import { Button, Header, Menu as AriaMenu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import { Icon } from "./Icon";
import type { IconName } from "./icons";

export interface MenuChoice {
  id: string;
  label: string;
  hint?: string;
  /** A second line, such as why it cannot be chosen. */
  detail?: string;
  icon?: IconName;
  isOn?: boolean;
  keys?: string;
  isDisabled?: boolean;
}
export interface MenuGroup {
  title?: string;
  items: MenuChoice[];
}

interface Props {
  /** What the button shows; *label* is its name. */
  children: ReactNode;
  label: string;
  className?: string;
  groups: MenuGroup[];
  onPick(id: string): void;
  isOpen?: boolean;
  onOpenChange?(isOpen: boolean): void;
  testId?: string;
  placement?: "bottom start" | "bottom end" | "top start" | "top end" | "end bottom";
}

export function Menu(props: Props) {
  const { children, label, className, groups, onPick, isOpen, onOpenChange, testId, placement } = props;
  const open = isOpen === undefined ? {} : { isOpen };
  return (
    <MenuTrigger {...open} {...(onOpenChange ? { onOpenChange } : {})}>
      <Button className={className ?? "ib"} aria-label={label} data-testid={testId}>
        {children}
      </Button>
      <Popover className="popover" placement={placement ?? "bottom end"} offset={6}>
        <AriaMenu className="menu" autoFocus="first" onAction={(id) => onPick(String(id))} aria-label={label}>
          {groups.map((group, at) => (
            <MenuSection key={at} className="menu-group">
              {group.title ? <Header className="menu-title">{group.title}</Header> : null}
              {group.items.map((item) => (
                <Choice key={item.id} item={item} />
              ))}
            </MenuSection>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

function Choice({ item }: { item: MenuChoice }) {
  return (
    <MenuItem id={item.id} className="menu-item" textValue={item.label} isDisabled={item.isDisabled ?? false} data-pick={item.id}>
      {item.icon ? <Icon name={item.icon} size="sm" /> : null}
      <span className="grow trunc">
        {item.label}
        {item.detail ? <small className="menu-detail">{item.detail}</small> : null}
      </span>
      {item.hint ? <span className="menu-hint">{item.hint}</span> : null}
      {item.keys ? <Keys keys={item.keys} /> : null}
      {item.isOn ? <Icon name="check" size="sm" /> : null}
    </MenuItem>
  );
}

/** Draw a key combination: `Mod+K` becomes ⌘ K or Ctrl K. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span className="keys-of">
      {keys.split(/[+ ]/).map((part) => (
        <kbd key={part}>{keyName(part)}</kbd>
      ))}
    </span>
  );
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

export function keyName(part: string): string {
  if (part === "Mod") return isMac ? "\u2318" : "Ctrl";
  if (part === "ArrowUp") return "\u2191";
  if (part === "Shift") return "\u21e7";
  return part;
}
