/** Who the customer is: pinned by the hub, above everything adapters say. */

import { useState } from "react";
import type { ConversationView } from "../../kernel";
import { languageName } from "../conversation/Header";
import { useIsOnline, useT, useTexts } from "../hooks";
import { displayName } from "../inbox/names";
import { Avatar } from "../parts/Avatar";
import { Score } from "../parts/Score";

export function CustomerBlock({ view }: { view: ConversationView }) {
  const t = useT();
  const { language } = useTexts();
  const online = useIsOnline(view.visitor);
  const { customer } = view;
  const name = displayName(view, t);
  const tags = distinct(customer?.tags ?? []);
  const spoken = customer?.language ?? view.language;
  const sub = [customer ? number(customer.id) : t("customer.unknown"), t(online ? "customer.online" : "customer.offline")];
  return (
    <section className="cust" aria-label={t("context.customer")} data-testid="customer">
      <div className="cust-id">
        <Avatar name={customer || view.name ? name : ""} id={customer?.id ?? view.id} size="lg" online={online} />
        <div className="trunc">
          <h2 className="trunc">{name}</h2>
          <p className="trunc">{sub.filter(Boolean).join(" \u00b7 ")}</p>
        </div>
      </div>
      <dl className="facts">
        {customer?.phone ? <Phone phone={customer.phone} /> : null}
        {customer?.email ? (
          <div><dt>{t("customer.email")}</dt><dd><a className="trunc" href={`mailto:${customer.email}`}>{customer.email}</a></dd></div>
        ) : null}
        {spoken ? <div><dt>{t("customer.language")}</dt><dd>{languageName(spoken, language)}</dd></div> : null}
        {view.rating ? <div><dt>{t("customer.rating")}</dt><dd><Score score={view.rating.score} /></dd></div> : null}
        {tags.length ? (
          <div>
            <dt>{t("customer.tags")}</dt>
            <dd className="dd-tags">
              {tags.map((tag) => (
                <span className="tag" key={tag}>{tag}</span>
              ))}
            </dd>
          </div>
        ) : null}
      </dl>
    </section>
  );
}

/** Two systems may write one tag in two ways: `vip` and `VIP` are the same. */
function distinct(tags: readonly string[]): string[] {
  const seen = new Map(tags.map((tag) => [tag.toLowerCase(), tag]));
  return [...seen.values()];
}

function Phone({ phone }: { phone: string }) {
  const t = useT();
  const [isShown, setShown] = useState(false);
  return (
    <div>
      <dt>{t("customer.phone")}</dt>
      <dd>
        <span className="num">{isShown ? phone : masked(phone)}</span>
        {phone.includes("*") ? null : (
          <button type="button" className="link" onClick={() => setShown(!isShown)} data-testid="show-phone">{t(isShown ? "customer.hide" : "customer.show")}</button>
        )}
      </dd>
    </div>
  );
}

/** 138****2211: enough to recognise, too little to copy. */
export function masked(phone: string): string {
  if (phone.includes("*")) return phone;
  const digits = phone.replace(/[^0-9+]/g, "");
  return digits.length >= 9 ? `${digits.slice(0, 3)}****${digits.slice(-4)}` : "****";
}

/** The number a business system knows the customer by; the hub's own ids tell nobody anything. */
function number(id: string): string {
  return id.startsWith("cu_") ? "" : id.slice(id.lastIndexOf(":") + 1);
}
