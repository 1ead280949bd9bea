/** What the panels cost: how many look-ups were asked for, how few calls it took. */

import type { Panel } from "../../kernel";
import { useSay, useT } from "../hooks";
import { Icon } from "../parts/Icon";

export function Explain({ panels }: { panels: readonly Panel[] }) {
  const t = useT();
  const say = useSay();
  if (!panels.length) return null;
  const sum = (field: "lookups" | "calls" | "saved") => panels.reduce((total, one) => total + (one[field] || 0), 0);
  const ms = Math.max(0, ...panels.map((one) => one.ms || 0));
  return (
    <details className="explain" data-testid="explain">
      <summary>
        <Icon name="pulse" size="sm" />
        <span className="num">{t("explain.sum", { lookups: sum("lookups"), calls: sum("calls"), ms: Math.round(ms) })}</span>
      </summary>
      <table className="explain-table num">
        <thead>
          <tr>
            <th scope="col">{t("explain.system")}</th>
            <th scope="col" className="r">{t("explain.lookups")}</th>
            <th scope="col" className="r">{t("explain.calls")}</th>
            <th scope="col" className="r">{t("explain.saved")}</th>
            <th scope="col" className="r">{t("explain.ms")}</th>
          </tr>
        </thead>
        <tbody>
          {panels.map((one) => (
            <tr key={one.instance}>
              <th scope="row">{say(one.title)}</th>
              <td className="r">{one.lookups}</td>
              <td className="r">{one.calls}</td>
              <td className="r">{one.saved}</td>
              <td className="r">{Math.round(one.ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="help">{t("explain.text")}</p>
    </details>
  );
}
