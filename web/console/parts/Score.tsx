/** How a customer found it, as a chip: number and star, never a colour alone. */

import { useT } from "../hooks";
import { Icon } from "./Icon";

export function Score({ score }: { score: number }) {
  const t = useT();
  const tone = score >= 4 ? "is-success" : score <= 2 ? "is-danger" : "is-warning";
  const name = t("rating.of", { score });
  return (
    <span className={`chip ${tone}`} title={name} data-testid="score">
      <Icon name="star" />
      <span aria-hidden="true">{`${score}/5`}</span>
      <span className="sr">{name}</span>
    </span>
  );
}
