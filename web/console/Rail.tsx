/** The rail: pages that exist, theme, language, and the agent's own state. */

import type { MouseEvent } from "react";
import { type Agent, ApiError, type RunView } from "../kernel";
import { type Desk, deskKey, leads } from "./desk";
import { useRoute, useSettings, useT, useValue } from "./hooks";
import type { ViewCounts } from "./inbox/views";
import { Avatar } from "./parts/Avatar";
import { Icon } from "./parts/Icon";
import type { IconName } from "./parts/icons";
import { Menu, type MenuGroup } from "./parts/Menu";
import { MENTIONS_OF_ME, useUnreadMentions } from "./mentions";
import { notify } from "./notices";
import { playSound } from "./notify";
import { type Route, address, go, inboxRoute, reports } from "./route";
import { change, toggleLanguage, toggleTheme } from "./settings";
import { leaveTold } from "./told";

export function Rail({ desk, onHelp, onNotices }: { desk: Desk; onHelp(): void; onNotices(): void }) {
  const t = useT();
  const route = useRoute();
  const counts = useValue<ViewCounts>(deskKey.counts);
  const runs = useValue<readonly RunView[]>(deskKey.runs) ?? [];
  useValue(deskKey.approvals);
  const approvals = desk.toApprove().length;
  const unread = counts?.unread ?? 0;
  const called = useUnreadMentions();
  const isMentions = route.page === "search" && route.q.trim() === MENTIONS_OF_ME.trim();
  return (
    <nav className="rail" aria-label={t("rail.label")}>
      <span className="logo" aria-hidden="true">
        <Icon name="brand" size="lg" />
      </span>
      <ul>
        <RailLink to={inboxRoute()} icon="inbox" isOn={route.page === "inbox"} pip={unread}
          label={unread ? t("rail.inbox_unread", { count: unread }) : t("rail.inbox")} />
        <RailLink to={{ page: "search", q: "" }} icon="search" isOn={route.page === "search" && !isMentions} pip={0} label={t("page.search")} />
        <RailLink to={{ page: "search", q: MENTIONS_OF_ME }} icon="bell" isOn={isMentions} pip={called} label={called ? t("mentions.some", { count: called }) : t("mentions.label")} />
        <RailLink to={{ page: "attention", tab: "attention" }} icon="warn" isOn={route.page === "attention" || route.page === "run"} pip={runs.length + approvals} isAlarm
          label={runs.length + approvals ? t("rail.attention_some", { count: runs.length + approvals }) : t("rail.attention")} />
        <RailLink to={{ page: "customers", customer: null, q: "" }} icon="users" isOn={route.page === "customers"} pip={0} label={t("rail.customers")} />
        {leads(desk.me) ? <RailLink to={{ page: "live" }} icon="pulse" isOn={route.page === "live"} pip={0} label={t("page.live")} /> : null}
        {leads(desk.me) ? <RailLink to={reports()} icon="chart" isOn={route.page === "reports"} pip={0} label={t("page.reports")} /> : null}
        {leads(desk.me) ? (
          <RailLink to={{ page: "adapters", instance: null }} icon="plug" isOn={route.page === "adapters"} pip={0} label={t("rail.adapters")} />
        ) : null}
        {desk.me.role === "admin" ? <RailLink to={{ page: "inboxes" }} icon="gear" isOn={route.page === "inboxes"} pip={0} label={t("page.inboxes")} /> : null}
      </ul>
      <div className="end">
        <button type="button" className="ib" onClick={toggleTheme} aria-label={t("theme.toggle")} title={t("theme.toggle")} data-testid="toggle-theme">
          <Icon name="moon" size="lg" />
        </button>
        <Me desk={desk} onHelp={onHelp} onNotices={onNotices} />
      </div>
    </nav>
  );
}

interface LinkProps {
  to: Route;
  icon: IconName;
  label: string;
  isOn: boolean;
  pip: number;
  isAlarm?: boolean;
}

function RailLink({ to, icon, label, isOn, pip, isAlarm }: LinkProps) {
  const click = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <li>
      <a href={address(to)} aria-label={label} title={label} aria-current={isOn ? "page" : undefined} onClick={click}>
        <Icon name={icon} size="lg" />
        {pip ? <span className={isAlarm ? "pip pip-alarm" : "pip"}>{pip > 99 ? "99" : pip}</span> : null}
      </a>
    </li>
  );
}

function Me({ desk, onHelp, onNotices }: { desk: Desk; onHelp(): void; onNotices(): void }) {
  const t = useT();
  const settings = useSettings();
  const agents = useValue<readonly Agent[]>(deskKey.agents);
  const me = agents?.find((one) => one.id === desk.me.id) ?? desk.me;
  const isAway = me.status === "away";
  const groups: MenuGroup[] = [
    {
      title: me.name,
      items: [
        { id: "online", label: t("me.online"), isOn: !isAway },
        { id: "away", label: t("me.away"), isOn: isAway },
      ],
    },
    {
      items: [
        { id: "sound", label: t("me.sound"), icon: "bell", isOn: settings.sound },
        { id: "notices", label: t("notices.title"), icon: "bell" },
        { id: "keys", label: t("me.single_keys"), icon: "bolt", isOn: settings.shortcuts },
        { id: "language", label: settings.language === "en" ? "\u4e2d\u6587" : "English", icon: "globe" },
        { id: "theme", label: t(`theme.${settings.theme}`), icon: "moon" },
        { id: "help", label: t("keys.help"), icon: "info", keys: "?" },
      ],
    },
    { items: [{ id: "out", label: t("me.sign_out"), icon: "arrow" }] },
  ];
  const pick = (id: string) => {
    if (id === "online" || id === "away") void setStatus(desk, id);
    else if (id === "sound") {
      change({ sound: !settings.sound });
      if (!settings.sound) playSound();
    } else if (id === "keys") change({ shortcuts: !settings.shortcuts });
    else if (id === "language") toggleLanguage();
    else if (id === "theme") change({ theme: settings.theme === "auto" ? "light" : settings.theme === "light" ? "dark" : "auto" });
    else if (id === "help") onHelp();
    else if (id === "notices") onNotices();
    else void leaveTold(desk.api).then(() => desk.session.signOut());
  };
  return (
    <Menu label={t("me.label", { name: me.name, status: t(isAway ? "me.away" : "me.online") })} groups={groups} onPick={pick} placement="end bottom" testId="me">
      <Avatar name={me.name} id={me.id} online={!isAway} />
    </Menu>
  );
}

async function setStatus(desk: Desk, status: "online" | "away"): Promise<void> {
  try {
    await desk.api.call("/api/v1/agents/me", { method: "PATCH", body: { status } });
    const agents = desk.agents().map((one) => (one.id === desk.me.id ? { ...one, status } : one));
    desk.store.set(deskKey.agents, agents);
    desk.me = { ...desk.me, status };
  } catch (error) {
    notify(error instanceof ApiError ? error.message : String(error), { tone: "danger" });
  }
}
