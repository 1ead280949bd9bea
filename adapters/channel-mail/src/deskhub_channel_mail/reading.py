"""A mail from its bytes: strangers wrote them, so that nothing of them is taken for granted."""

from __future__ import annotations

import codecs
import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

from deskhub_channel_mail.trimming import text_of_html, trimmed

PARTS_MAX = 200
DEPTH_MAX = 12
FILES_MAX = 10
HEADER_CHARS = 20_000
TEXT_BYTES = 15_000
IDS_MAX = 50
_ID = re.compile(r"<[^<>\s]{1,900}>")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BOUNDARY = re.compile(rb"boundary\s*=", re.IGNORECASE)
# What programs call wrongly, by what they mean.
_MEANT = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "iso-8859-1": "cp1252",
          "us-ascii": "utf-8", "ascii": "utf-8", "ks_c_5601-1987": "cp949",
          "big5": "big5hkscs", "unknown-8bit": "utf-8"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. *key* is its Message-ID or made of its bytes, *whole* its untrimmed text."""

    key: str
    sender: str
    name: str
    subject: str
    text: str
    whole: str
    was_cut: bool
    to: tuple[str, ...]
    ids: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]
    message: Message
    is_broken: bool = False


def read(data: bytes) -> Mail:
    """Return the mail in *data*, whatever it is; what cannot be read is said to be broken."""
    bomb = len(_BOUNDARY.findall(data)) > PARTS_MAX
    parse = email.message_from_bytes
    head = data.partition(b"\r\n\r\n")[0] if bomb else data
    try:
        message = parse(head, policy=email.policy.compat32)
        plain, html, files = _contents(message) if not bomb else ("", "", ())
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        message, plain, html, files, bomb = Message(), "", "", (), True
    whole = _clean(plain if plain.strip() else text_of_html(html)).strip()
    text, was_cut = trimmed(whole)
    short = text.encode()[:TEXT_BYTES].decode("utf-8", "ignore")
    name, sender = _person(header(message, "From"))
    to = tuple(
        address.lower()
        for field in ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
        for _, address in getaddresses([header(message, field)])
        if "@" in address
    )
    named = _ID.findall(f"{header(message, 'In-Reply-To')} {header(message, 'References')}")
    return Mail(
        key=_key(message, data), sender=sender, name=name,
        subject=_line(header(message, "Subject"))[:300], text=short, whole=whole,
        was_cut=was_cut or short != text, to=to[:IDS_MAX],
        ids=tuple(dict.fromkeys(reversed(named)))[:IDS_MAX], files=files, message=message,
        is_broken=bomb,
    )  # fmt: skip


def header(message: Message, name: str) -> str:
    """Return a header in clear, all of its occurrences; broken encodings become marks."""
    found = []
    for value in (message.get_all(name) or ())[:20]:
        parts = []
        raw = str(value)[:HEADER_CHARS]
        try:
            for part, charset in decode_header(raw):
                parts.append(decoded(part, charset) if isinstance(part, bytes) else part)
        except (ValueError, LookupError, TypeError):
            parts = [raw]
        found.append("".join(parts).encode("utf-8", "replace").decode())
    return ", ".join(found) if name in ("To", "Cc") else " ".join(found)


def decoded(data: bytes, charset: str | None) -> str:
    """Return *data* as text by what *charset* most likely means; never raises."""
    named = (charset or "utf-8").strip().lower()
    for one in (_MEANT.get(named, named), "utf-8", "gb18030"):
        try:
            return codecs.decode(data, one)
        except (LookupError, UnicodeError, ValueError, TypeError):
            continue
    return data.decode("latin-1")


def parts_of(message: Message, depth: int = 0) -> Iterator[Message]:
    """Yield the leaves of *message*, and attached mails as one leaf each; bounded in depth."""
    inside = message.get_payload()
    if not isinstance(inside, list) or message.get_content_maintype() != "multipart":
        yield message
        return
    if depth < DEPTH_MAX:
        for one in inside[:PARTS_MAX]:
            if isinstance(one, Message):
                yield from parts_of(one, depth + 1)


def _contents(message: Message) -> tuple[str, str, tuple[tuple[str, bytes], ...]]:
    plain: list[str] = []
    html: list[str] = []
    files: list[tuple[str, bytes]] = []
    for part in parts_of(message):
        kind, name = part.get_content_type(), part.get_filename()
        if kind == "message/rfc822":
            files.append(("mail.eml", part.as_bytes()))
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        charset = part.get_content_charset()
        is_file = name is not None or part.get_content_disposition() == "attachment"
        if not is_file and kind == "text/plain":
            plain.append(decoded(data, charset))
        elif not is_file and kind == "text/html":
            html.append(decoded(data, charset))
        elif data and part.get_content_maintype() != "message":
            shown = _line("".join(
                decoded(bit, enc) if isinstance(bit, bytes) else bit
                for bit, enc in decode_header(name or "file")
            ))  # fmt: skip
            files.append((shown[:200] or "file", data))
    return "\n".join(plain), "\n".join(html), tuple(files[: FILES_MAX + 20])


def _key(message: Message, data: bytes) -> str:
    found = _ID.search(str(message.get("Message-ID", "")))
    if found:
        return found[0]
    return f"<{hashlib.sha256(data).hexdigest()}@no-message-id.invalid>"


def _person(value: str) -> tuple[str, str]:
    for name, address in getaddresses([value]):
        if re.fullmatch(r"[^@\s<>]{1,64}@[^@\s<>]{1,189}", address):
            return _line(name)[:80], address
    return _line(value)[:80], ""


def _line(text: str) -> str:
    return " ".join(_CONTROLS.sub(" ", text).split())


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text).encode("utf-8", "replace").decode()
