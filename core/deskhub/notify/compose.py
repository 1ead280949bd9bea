"""A mail as it leaves: plain text and HTML of the same lines, and headers nobody else writes.

Names and texts come from strangers. In HTML everything is escaped; in headers nothing of a
customer stands but the name, without control characters; and an address was checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

from deskhub.notify.words import text

NAME_CHARS = 80
# Control characters, and those that turn the direction of what follows.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One message as a mail shows it. *name* is empty for the customer's own."""

    at: datetime
    name: str
    text: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """All that a mail is made of. *before* is the id of the conversation's mail before it.

    *page* is where the chat is opened again, *stop* the address that ends answers by mail;
    either may be empty.
    """

    id: str
    kind: str
    conversation: str
    sender: Address
    to: str
    name: str
    inbox: str
    language: str
    lines: Sequence[Line]
    sent_at: datetime
    before: str | None = None
    page: str = ""
    stop: str = ""
    cut: bool = False


def compose(letter: Letter) -> EmailMessage:
    """Return the message; its Message-ID is the same whenever the same mail is composed."""
    made = EmailMessage(policy=SMTP)
    inbox = plain_name(letter.inbox)
    made["From"] = Address(inbox, letter.sender.username, letter.sender.domain)
    user, _, domain = letter.to.rpartition("@")
    made["To"] = Address(plain_name(letter.name), user, domain)
    made["Subject"] = text(letter.language, f"{letter.kind}.subject", inbox=inbox)
    made["Date"] = letter.sent_at
    host = letter.sender.domain
    made["Message-ID"] = message_id(letter.id, host)
    # The root is no mail: it ties all of a conversation together, also after one was deleted.
    root, before = message_id(letter.conversation, host), letter.before
    parents = [root, message_id(before, host)] if before else [root]
    made["In-Reply-To"] = parents[-1]
    made["References"] = " ".join(parents)
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made["Content-Language"] = letter.language
    if letter.stop:
        made["List-Unsubscribe"] = f"<{letter.stop}>"
        if letter.stop.startswith("https:"):
            made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(_plain(letter, inbox), cte="quoted-printable")
    made.add_alternative(_html(letter, inbox), subtype="html", cte="quoted-printable")
    return made


def plain_name(name: str, chars: int = NAME_CHARS) -> str:
    """Return *name* as one harmless line of at most *chars* characters."""
    return " ".join(_UNSAFE.sub(" ", name).split())[:chars]


def message_id(of: str, host: str) -> str:
    """Return the Message-ID of a mail or a conversation by its id."""
    return f"<{of}@{host}>"


def _intro(letter: Letter, inbox: str) -> list[str]:
    found = [text(letter.language, f"{letter.kind}.intro", inbox=inbox)]
    if letter.cut:
        found.append(text(letter.language, "transcript.cut", count=len(letter.lines)))
    return found


def _said(letter: Letter, line: Line) -> tuple[str, str]:
    """Return who said *line* and when, and what, both as plain text."""
    who = plain_name(line.name) or text(letter.language, "customer")
    head = f"{who}, {line.at:%Y-%m-%d %H:%M} UTC"
    files = [text(letter.language, "file", name=plain_name(name)) for name in line.files]
    return head, "\n".join([*([line.text] if line.text.strip() else []), *files])


def _plain(letter: Letter, inbox: str) -> str:
    language = letter.language
    parts = ["\n".join(_intro(letter, inbox))]
    for head, body in (_said(letter, line) for line in letter.lines):
        parts.append(f"{head}\n{body}")
    reply = text(language, "reply" if letter.page else "reply.nowhere")
    foot = [f"{reply} {letter.page}".strip(), text(language, "noreply")]
    if letter.stop:
        foot.append(f"{text(language, 'stop')} {letter.stop}")
    # A line that begins with "-- " is where mail programs expect the end of the text.
    return "\n\n".join(parts) + "\n\n-- \n" + "\n".join(foot) + "\n"


def _html(letter: Letter, inbox: str) -> str:
    language = letter.language
    intro = "".join(f"<p>{escape(one)}</p>" for one in _intro(letter, inbox))
    said = "".join(
        f"<p><small>{escape(head)}</small><br>{_lines(body)}</p>"
        for head, body in (_said(letter, line) for line in letter.lines)
    )
    reply = escape(text(language, "reply" if letter.page else "reply.nowhere"))
    foot = f"<p>{reply} {_link(letter.page)}<br>{escape(text(language, 'noreply'))}"
    if letter.stop:
        foot += f"<br>{escape(text(language, 'stop'))} {_link(letter.stop)}"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escape(inbox)}</title></head><body>{intro}{said}<hr>{foot}</p></body></html>\n"
    )


def _lines(body: str) -> str:
    return escape(body).replace("\n", "<br>")


def _link(address: str) -> str:
    return f'<a href="{escape(address)}">{escape(address)}</a>' if address else ""
