/** Plans that wait for a second person: who asks, how much, since when. */

import { useEffect } from "react";
import type { ApprovalRequest } from "../../kernel";
import { openApproval } from "../actions/host";
import { deskKey } from "../desk";
import { useDesk, useNow, useT, useTexts, useValue } from "../hooks";
import { Icon } from "../parts/Icon";
import { openConversation } from "../route";

export function Approvals() {
  const t = useT();
  const desk = useDesk();
  const { format, say } = useTexts();
  const waiting = useValue<readonly ApprovalRequest[]>(deskKey.approvals) ?? [];
  useEffect(() => void desk.loadApprovals(), [desk]);
  useNow(30_000);
  if (!waiting.length) return <None />;
  return (
    <table className="tbl" data-testid="approvals">
      <thead>
        <tr>
          <th scope="col">{t("attention.run")}</th>
          <th scope="col">{t("approval.why")}</th>
          <th scope="col">{t("approval.asked_by")}</th>
          <th scope="col"><span className="sr">{t("attention.decide")}</span></th>
        </tr>
      </thead>
      <tbody>
        {waiting.map((one) => (
          <tr key={one.id} data-approval={one.id}>
            <td>
              <button type="button" className="row-name strong" onClick={() => openApproval(one.id)}>{say(one.plan.title)}</button>
              <small>{[desk.store.conversation(one.plan.conversation)?.name, one.plan.amount ? format.money(one.plan.amount.money, one.plan.amount.currency) : ""].filter(Boolean).join(" \u00b7 ")}</small>
            </td>
            <td className="wrap">{say(one.why)}</td>
            <td>
              {one.asker.name}
              <small><time dateTime={one.asked_at} title={format.dateTime(one.asked_at)}>{format.relative(one.asked_at)}</time></small>
            </td>
            <td className="r">
              <span className="acts">
                <button type="button" className="btn btn-sm" onClick={() => openConversation(one.plan.conversation, "all")}>{t("attention.conversation")}</button>
                <button type="button" className={desk.mayApprove && one.asker.id !== desk.me.id ? "btn btn-sm btn-primary" : "btn btn-sm"} onClick={() => openApproval(one.id)} data-testid="review">
                  {t(desk.mayApprove && one.asker.id !== desk.me.id ? "approval.review" : "run.details")}
                </button>
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function None() {
  const t = useT();
  return (
    <div className="blank">
      <Icon name="check" />
      <h2>{t("runs.none_approvals")}</h2>
      <p>{t("runs.none_approvals_hint")}</p>
    </div>
  );
}
