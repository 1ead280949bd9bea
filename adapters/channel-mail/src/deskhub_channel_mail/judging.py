"""What a mail is before anybody reads it: a person's, a machine's, our own, or a bounce."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from deskhub_channel_mail.reading import Mail, header, parts_of

Kind = Literal["person", "automatic", "own", "bounce"]
# Set on everything that leaves, so that it is known when it comes back.
OURS = "X-Deskhub-Channel"
_TOKEN = re.compile(r"[a-z2-7]{42}")
_ANSWER = re.compile(r"<(ml_[0-9a-f]{32})\.([a-z2-7]{42})@")


@dataclass(frozen=True, slots=True)
class Bounce:
    """An answer that came back: which, why in the server's code, and whether for good."""

    answer: str
    why: str
    is_final: bool


def kind_of(mail: Mail, address: str) -> Kind:
    """Return what *mail* is, for a mailbox of *address* (RFC 3464, 3834 and what is usual)."""
    message = mail.message
    if message.get_content_type() == "multipart/report":
        report = str(message.get_param("report-type") or "").lower()
        return "bounce" if report == "delivery-status" else "automatic"
    if mail.sender.lower() == address or OURS in message:
        return "own"
    if not mail.sender or mail.sender.lower().startswith(("mailer-daemon@", "postmaster@")):
        return "automatic"
    submitted = header(message, "Auto-Submitted").strip().lower()
    precedence = header(message, "Precedence").strip().lower()
    suppressed = header(message, "X-Auto-Response-Suppress").strip().lower()
    is_automatic = (
        submitted not in ("", "no")
        or precedence in ("bulk", "junk", "list", "auto_reply")
        or suppressed not in ("", "none")
        or header(message, "Return-Path").strip() == "<>"
        or any(name in message for name in ("List-Id", "List-Unsubscribe", "X-Autoreply"))
    )
    return "automatic" if is_automatic else "person"


def tokens_of(mail: Mail, address: str) -> tuple[str, ...]:
    """Return what may be tokens: in plus addresses of *address*, and in ids that it names."""
    user, _, domain = address.partition("@")
    found = []
    for to in mail.to:
        local, _, host = to.partition("@")
        if host == domain and local.startswith(f"{user}+"):
            found.append(local[len(user) + 1 :])
    found += [match[2] for one in mail.ids if (match := _ANSWER.match(one))]
    return tuple(dict.fromkeys(one for one in found if _TOKEN.fullmatch(one)))


def bounce_of(mail: Mail) -> tuple[Bounce, tuple[str, ...]] | None:
    """Return what a delivery report says, and the token in what it returns, or None."""
    status, action, returned = "", "", ""
    for part in parts_of(mail.message):
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            text = str(part.as_bytes()[:20_000], "latin-1")
            action = _field(text, "Action") or action
            status = _field(text, "Status") or status
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            returned = str(part.as_bytes()[:40_000], "latin-1")
    ours = _ANSWER.search(returned)
    if ours is None or not action:
        return None
    code = status if re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", status) else action[:20]
    is_final = action.lower() == "failed"
    return Bounce(ours[1], code, is_final), (ours[2],)


def _field(text: str, name: str) -> str:
    found = re.search(rf"(?im)^{name}:[ \t]*(\S+)", text)
    return found[1] if found else ""
