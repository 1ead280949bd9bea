"""An agent's answer as a mail: into the customer's own thread, with a way back to ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from deskhub_channel_mail.judging import OURS
from deskhub_sdk import Outgoing

_ID = re.compile(r"<[^<>\s]{1,900}>")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


def compose(
    outgoing: Outgoing,
    address: str,
    name: str,
    files: Sequence[tuple[str, str, bytes]] = (),
    left_out: Sequence[str] = (),
) -> EmailMessage:
    """Return the mail; its Message-ID is the same whenever the same answer is composed.

    *files* are (name, media type, bytes), *left_out* lines about those too large. Whoever
    names the id or answers to the plus address proves that they got it.
    """
    user, _, domain = address.partition("@")
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(_plain(name or outgoing.author), user, domain)
    to_user, _, to_domain = outgoing.address.rpartition("@")
    made["To"] = Address(_plain(outgoing.name), to_user, to_domain)
    made["Reply-To"] = Address(
        _plain(name or outgoing.author), *_split(plus(outgoing, address))
    )
    title = _plain(outgoing.title, 300) or "(no subject)"
    made["Subject"] = title if title.lower().startswith(("re:", "回复")) else f"Re: {title}"
    made["Date"] = outgoing.at
    made["Message-ID"] = message_id(outgoing.id, outgoing.token, domain)
    said = [one for one in outgoing.said if _ID.fullmatch(one)]
    parents = [*said[:1]]
    if outgoing.sent:
        parents.append(message_id(outgoing.sent, outgoing.token, domain))
    parents += [one for one in said[1:] if one not in parents]
    if parents:
        made["In-Reply-To"] = parents[-1]
        made["References"] = " ".join(parents)
    made["X-Auto-Response-Suppress"] = "All"
    made[OURS] = "1"
    body = "\n".join([outgoing.text.rstrip(), *left_out])
    made.set_content(f"{body}\n", cte="quoted-printable")
    for file_name, media, data in files:
        main, _, sub = media.partition("/")
        made.add_attachment(data, maintype=main, subtype=sub or "octet-stream",
                            filename=_plain(file_name, 200))  # fmt: skip
    return made


def plus(outgoing: Outgoing, address: str) -> str:
    """Return where answers to *outgoing*, and reports of its fate, go."""
    user, _, domain = address.partition("@")
    return f"{user}+{outgoing.token}@{domain}"


def message_id(answer: str, token: str, domain: str) -> str:
    """Return the Message-ID of an answer: signed by the conversation's token."""
    return f"<{answer}.{token}@{domain}>"


def _plain(text: str, chars: int = 80) -> str:
    return " ".join(_UNSAFE.sub(" ", text).split())[:chars]


def _split(address: str) -> tuple[str, str]:
    user, _, domain = address.rpartition("@")
    return user, domain
