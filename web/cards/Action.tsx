/** Buttons of a card. A disabled one stays readable and says why. */

import { useId } from "cards-jsx";
import type { Card, CardAction } from "../kernel/types";
import type { CardEnv, Drawn } from "./env";

interface Props {
  card: Card;
  env: CardEnv;
}

/** A row of buttons, with the reasons of disabled ones under it. */
export function Actions({ actions, card, env }: Props & { actions: CardAction[] }): Drawn {
  const base = useId();
  const blocked = actions.filter((action) => action.disabled);
  return (
    <div className="acts-wrap">
      <div className="acts">
        {actions.map((action) => (
          <Action
            key={action.id}
            action={action}
            card={card}
            env={env}
            reason={action.disabled ? base + action.id : undefined}
          />
        ))}
      </div>
      {blocked.map((action) => (
        <p className="help" id={base + action.id} key={action.id}>
          {env.label("card.disabled", {
            label: env.text(action.label),
            reason: env.text(action.disabled),
          })}
        </p>
      ))}
    </div>
  );
}

/** One button; *reason* is the id of the text that says why it is disabled. *isCompact* shows its icon alone. */
export function Action({ action, card, env, reason, isCompact }: Props & { action: CardAction; reason?: string; isCompact?: boolean }): Drawn {
  const why = action.disabled ? env.text(action.disabled) : undefined;
  const label = env.text(action.label);
  const own = { "data-action": action.id, "data-invoke": action.do.invoke };
  if (action.do.open && !why) {
    return (
      <a {...own} className={look(action)} href={action.do.open} target="_blank" rel="noopener noreferrer">
        {label}
      </a>
    );
  }
  if (isCompact && action.icon && !why) {
    return (
      <button {...own} type="button" className="ib ib-sm" aria-label={label} title={label} onClick={() => env.act(action, card)}>
        {env.icon(action.icon, "sm")}
      </button>
    );
  }
  return (
    <button
      {...own}
      type="button"
      className={look(action)}
      aria-disabled={why ? "true" : undefined}
      aria-describedby={reason}
      title={why}
      onClick={() => (why ? undefined : env.act(action, card))}
    >
      {action.icon ? env.icon(action.icon, "sm") : null}
      {label}
    </button>
  );
}

function look(action: CardAction): string {
  if (action.style === "link") return "link";
  const tone = action.style === "danger" ? " btn-danger" : action.style === "primary" ? " btn-main" : "";
  return `btn btn-sm${tone}`;
}
