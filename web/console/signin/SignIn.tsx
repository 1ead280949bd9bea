/** Sign-in: e-mail and password, or the buttons of single sign-on, with errors in words. */

import { type FormEvent, useEffect, useRef, useState } from "react";
import { problemKey } from "../App";
import { useSettings, useT } from "../hooks";
import { Icon } from "../parts/Icon";
import type { Session, SignInWays } from "../session";
import { toggleLanguage, toggleTheme } from "../settings";

interface Props {
  session: Session;
  problem: string | undefined;
  onDone(): void;
}

export function SignIn({ session, problem, onDone }: Props) {
  const t = useT();
  const [ways, setWays] = useState<SignInWays>({ password: true, sso: [] });
  const [failure, setFailure] = useState(problem);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    document.title = `${t("signin.title")} \u00b7 Deskhub`;
    session.ways().then(setWays, () => undefined);
  }, [session, t]);

  const submit = async (email: string, password: string) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await session.signIn(email, password);
      onDone();
    } catch (error) {
      setFailure(problemKey(error));
      setBusy(false);
    }
  };

  return (
    <main className="signin">
      <div className="signin-box">
        <span className="logo" aria-hidden="true">
          <Icon name="brand" size="lg" />
        </span>
        <h1>{t("signin.title")}</h1>
        {failure ? (
          <p className="strip is-danger" role="alert" data-testid="signin-error">
            <Icon name="warn" />
            <span>{t(failure)}</span>
          </p>
        ) : null}
        {ways.sso.map((way) => (
          <a key={way.instance} className="btn btn-wide" href={`/auth/${way.instance}/start`} data-testid={`sso-${way.instance}`}>
            <Icon name="key" size="sm" />
            {t("signin.with", { name: way.name })}
          </a>
        ))}
        {ways.sso.length && ways.password ? <p className="signin-or">{t("signin.or")}</p> : null}
        {ways.password ? <PasswordForm busy={busy} onSubmit={submit} /> : null}
      </div>
      <Corner />
    </main>
  );
}

function PasswordForm({ busy, onSubmit }: { busy: boolean; onSubmit(email: string, password: string): void }) {
  const t = useT();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (email && password && !busy) onSubmit(email.trim(), password);
  };
  return (
    <form onSubmit={submit} className="signin-form">
      <div className="field">
        <label htmlFor="email">{t("signin.email")}</label>
        <div className="input">
          <input ref={first} id="email" type="email" autoComplete="username" required value={email}
            onChange={(event) => setEmail(event.target.value)} data-testid="signin-email" />
        </div>
      </div>
      <div className="field">
        <label htmlFor="password">{t("signin.password")}</label>
        <div className="input">
          <input id="password" type="password" autoComplete="current-password" required value={password}
            onChange={(event) => setPassword(event.target.value)} data-testid="signin-password" />
        </div>
      </div>
      <button className="btn btn-primary btn-wide" type="submit" aria-disabled={busy} data-testid="signin-submit">
        {busy ? <Icon name="spin" size="sm" spin /> : null}
        {busy ? t("signin.busy") : t("signin.submit")}
      </button>
    </form>
  );
}

function Corner() {
  const t = useT();
  const { language } = useSettings();
  return (
    <div className="signin-corner">
      <button type="button" className="btn btn-ghost btn-sm" onClick={toggleLanguage} data-testid="toggle-language" lang={language === "en" ? "zh-CN" : "en"}>
        <Icon name="globe" size="sm" />
        {language === "en" ? "\u4e2d\u6587" : "English"}
      </button>
      <button type="button" className="ib" onClick={toggleTheme} aria-label={t("theme.toggle")} title={t("theme.toggle")}>
        <Icon name="moon" />
      </button>
    </div>
  );
}
