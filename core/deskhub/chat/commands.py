"""Everything that can be asked of a conversation, and the fingerprint that tells two apart."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

How = Literal["manual", "routing", "transfer"]
CardAudience = Literal["agent", "customer", "both"]


@dataclass(frozen=True, slots=True)
class OpenConversation:
    """A visitor's first message.

    A visitor who already has a conversation that is not closed gets that one, and *text* is
    posted there. *links* are objects of business systems (``orders:1042``).
    """

    inbox: str
    text: str
    language: str | None = None
    links: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostMessage:
    """Say something that both sides see."""

    conversation: str
    text: str
    files: tuple[str, ...] = ()
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class AddNote:
    """Say something that only agents see."""

    conversation: str
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Give the caller's last message or last note, the event *seq*, another text.

    *version* is how often it had been edited when the caller looked: 0 for the first time.
    """

    conversation: str
    seq: int
    text: str
    version: int


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the conversation to *agent*, or back to the queue (None).

    ``routing`` takes only what nobody holds; the others may take over. *name* is the agent's
    display name.
    """

    conversation: str
    agent: str | None
    how: How = "manual"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """Say that the conversation is done."""

    conversation: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Say how it was: *score* from 1 (bad) to 5 (good), once for each closing."""

    conversation: str
    score: int
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Reopen:
    """Take a closed conversation up again."""

    conversation: str


@dataclass(frozen=True, slots=True)
class Snooze:
    """Put the conversation away until a moment in the future, or the visitor's next message."""

    conversation: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Wake:
    """Take a snoozed conversation up again."""

    conversation: str


@dataclass(frozen=True, slots=True)
class Tag:
    """Add and remove tags."""

    conversation: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Say that the caller has read up to *seq*; the highest value counts."""

    conversation: str
    seq: int


@dataclass(frozen=True, slots=True)
class MarkUnread:
    """Make the visitor's last message count as unread for the calling agent."""

    conversation: str


@dataclass(frozen=True, slots=True)
class ShowCard:
    """Show *card* (JSON of ``deskhub.card/1``) in the timeline.

    *source* is the adapter instance or ``actions``; *signal* says which fact caused it.
    """

    conversation: str
    card: bytes
    audience: CardAudience
    source: str
    signal: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class LinkCustomer:
    """Say which customer this is, and why that is known."""

    conversation: str
    customer: str
    name: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class LinkObject:
    """Tie an object of a business system to the conversation: ``orders:1042``."""

    conversation: str
    object: str


ChatCommand = (
    OpenConversation
    | PostMessage
    | AddNote
    | Edit
    | Assign
    | Close
    | Rate
    | Reopen
    | Snooze
    | Wake
    | Tag
    | MarkRead
    | MarkUnread
    | ShowCard
    | LinkCustomer
    | LinkObject
)


def fingerprint(command: ChatCommand) -> bytes:
    """Return 16 bytes that are equal for equal commands, in every process and version.

    A display name is not part of what was asked: it may change between two attempts.
    """
    parts = [_quoted(type(command).__name__)]
    for field in _FIELDS[type(command)]:
        value = getattr(command, field)
        # A field that was added later must not change older fingerprints.
        if value is not None and value != ():
            parts.append(_quoted(field))
            parts.append(_quoted(value) if type(value) is str else _ENCODE(value))
    return hashlib.blake2b(f"[{', '.join(parts)}]".encode(), digest_size=16).digest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"no plain form for {type(value)}")


# A fingerprint is taken of the JSON array; texts, which most fields are, need no encoder.
_quoted = json.encoder.encode_basestring_ascii
_ENCODE = json.JSONEncoder(default=_plain, sort_keys=True).encode
_FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in dataclasses.fields(kind) if field.name != "name")
    for kind in ChatCommand.__args__
}
