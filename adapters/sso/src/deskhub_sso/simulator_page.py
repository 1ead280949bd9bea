"""The demo provider's pages: plain HTML without scripts, usable by keyboard alone."""

from __future__ import annotations

from html import escape

from deskhub_sso.simulator_people import PEOPLE, Person

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_STYLE = """
:root { color-scheme: light dark; --bg: #f4f3ef; --card: #fff; --ink: #1c211e; --soft: #5f6963;
  --line: #dcdad2; --accent: #1d5c48; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --bg: #141816; --card: #1d2320; --ink: #e9ece9;
  --soft: #a2ada6; --line: #333b36; --accent: #7cc7aa; --on: #10231b; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px;
  background: var(--bg); color: var(--ink);
  font: 16px/1.5 system-ui, "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
main { width: 100%; max-width: 420px; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; padding: 32px 28px 24px; box-shadow: 0 12px 40px rgb(0 0 0 / 8%); }
.mark { width: 40px; height: 40px; border-radius: 10px; background: var(--accent);
  color: var(--on); display: grid; place-items: center; font-weight: 700; font-size: 20px; }
h1 { font-size: 22px; line-height: 1.25; margin: 18px 0 4px; font-weight: 650; }
p { margin: 0 0 20px; color: var(--soft); }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
button { width: 100%; font: inherit; color: inherit; cursor: pointer; text-align: start;
  background: none; border: 1px solid var(--line); border-radius: 10px; padding: 10px 12px;
  display: grid; grid-template-columns: 40px 1fr; gap: 12px; align-items: center; }
button:hover { border-color: var(--accent); }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.face { width: 40px; height: 40px; border-radius: 50%; display: grid; place-items: center;
  background: var(--bg); font-weight: 600; font-size: 14px; }
.who { display: block; font-weight: 600; }
.more { display: block; color: var(--soft); font-size: 13.5px; overflow-wrap: anywhere; }
.cancel { display: block; text-align: center; margin-top: 16px; border-color: transparent;
  color: var(--soft); }
footer { margin-top: 20px; padding-top: 14px; border-top: 1px solid var(--line);
  color: var(--soft); font-size: 13px; }
"""


def sign_in_page(request_id: str, client: str, *, zh: bool) -> str:
    """Return the page that asks who is signing in; the first person has the focus."""
    title = "登录 Scree" if zh else "Sign in to Scree"
    lead = (
        f"选择一个账号以继续访问 {client}。"
        if zh
        else f"Choose an account to continue to {client}."
    )
    cancel = "取消" if zh else "Cancel"
    foot = (
        "演示用身份提供方：无需密码，只在这台机器上运行。"
        if zh
        else "A demo identity provider: no passwords, and only on this machine."
    )
    people = "".join(_choice(one, first=at == 0, zh=zh) for at, one in enumerate(PEOPLE))
    return _page(
        title,
        f"<h1>{title}</h1><p>{escape(lead)}</p>"
        '<form method="post" action="/sign-in">'
        f'<input type="hidden" name="request" value="{escape(request_id)}">'
        f"<ul>{people}</ul>"
        f'<button class="cancel" name="person" value="">{cancel}</button></form>'
        f"<footer>{foot}</footer>",
        zh=zh,
    )


def message_page(title: str, text: str) -> str:
    """Return a page that only says something: an error, or that one is signed out."""
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>", zh=False)


def _choice(one: Person, *, first: bool, zh: bool) -> str:
    titles = {"Support agent": "客服", "Team lead": "客服主管", "Administrator": "管理员"}
    name = one.local_name if zh and one.local_name else one.name
    title = titles[one.title] if zh else one.title
    initials = "".join(part[0] for part in one.name.split())
    return (
        f'<li><button name="person" value="{escape(one.id)}"{" autofocus" if first else ""}>'
        f'<span class="face" aria-hidden="true">{escape(initials)}</span><span>'
        f'<span class="who">{escape(name)}</span>'
        f'<span class="more">{escape(title)} · {escape(one.email)}</span></span></button></li>'
    )


def _page(title: str, body: str, *, zh: bool) -> str:
    return (
        f'<!doctype html><html lang="{"zh-CN" if zh else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f'<body><main><div class="mark" aria-hidden="true">S</div>{body}</main></body></html>'
    )
