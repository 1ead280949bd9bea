"""The frames of ``deskhub.v1``: strict structs coming in, ready-made JSON text going out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from deskhub.chat.model import TEXT_BYTES
from deskhub.errors import HubError, Invalid, UnknownType
from deskhub.store.event import Event
from deskhub.stream.depth import frame_too_deep
from deskhub.stream.errors import TooDeep

VERSION = 1

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
# Longer than any allowed text in characters; the rules count bytes and say so politely.
TEXT_CHARS = 3 * TEXT_BYTES
Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS)]


class Frame(msgspec.Struct, tag_field="t", tag=str.lower, frozen=True, gc=False):
    """Anything a client sends."""


class Client(msgspec.Struct, frozen=True):
    """Which program speaks."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    version: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Hello(Frame, frozen=True):
    """The first frame."""

    v: int
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]
    cursor: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    client: Client = Client()


class Body(msgspec.Struct, frozen=True):
    """What a message says."""

    text: Text
    kind: Literal["text"] = "text"
    files: Annotated[tuple[Id, ...], msgspec.Meta(max_length=10)] = ()
    reply_to: Seq | None = None


class Send(Frame, frozen=True):
    """Post a message; conversation ``new`` opens one."""

    id: Id
    conversation: Id
    cid: Id
    body: Body
    language: Annotated[str, msgspec.Meta(max_length=20)] | None = None


class Note(Frame, frozen=True):
    """Leave a note for agents."""

    id: Id
    conversation: Id
    cid: Id
    text: Text


class Edit(Frame, frozen=True):
    """Give one's last message or note another text."""

    id: Id
    conversation: Id
    cid: Id
    seq: Seq
    text: Text
    version: Seq


class Assign(Frame, frozen=True):
    """Give a conversation to somebody, or back."""

    id: Id
    conversation: Id
    cid: Id
    agent: Id | None
    how: Literal["manual", "transfer"] = "manual"


class Close(Frame, frozen=True):
    """Close a conversation."""

    id: Id
    conversation: Id
    cid: Id


class Reopen(Frame, frozen=True):
    """Reopen a conversation."""

    id: Id
    conversation: Id
    cid: Id


class Wake(Frame, frozen=True):
    """Wake a snoozed conversation."""

    id: Id
    conversation: Id
    cid: Id


class Snooze(Frame, frozen=True):
    """Put a conversation away for a while."""

    id: Id
    conversation: Id
    cid: Id
    until: Annotated[datetime, msgspec.Meta(tz=True)]


class Tag(Frame, frozen=True):
    """Add and remove tags."""

    id: Id
    conversation: Id
    cid: Id
    add: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()
    remove: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()


class Read(Frame, frozen=True):
    """Say how far the client's user has read."""

    conversation: Id
    seq: Seq
    id: Id | None = None
    cid: Id | None = None


class Unread(Frame, frozen=True):
    """Mark a conversation as unread."""

    conversation: Id
    id: Id | None = None
    cid: Id | None = None


class Rate(Frame, frozen=True):
    """Say how it was, after a conversation was closed."""

    id: Id
    conversation: Id
    cid: Id
    score: Annotated[int, msgspec.Meta(ge=1, le=5)]
    comment: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class Typing(Frame, frozen=True):
    """Somebody types, or stopped."""

    conversation: Id
    on: bool


class Open(Frame, frozen=True):
    """Say which conversation is on the agent's screen."""

    conversation: Id
    on: bool


class Ack(Frame, frozen=True):
    """The client has stored everything up to *seq*."""

    seq: Seq


class Auth(Frame, frozen=True):
    """Go on with a newer token of the same person."""

    id: Id
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]


class Ping(Frame, frozen=True):
    """Ask for a pong."""

    k: str | int | None = None


class Pong(Frame, frozen=True):
    """Answer a ping."""

    k: str | int | None = None


Incoming = (
    Hello | Send | Note | Edit | Assign | Close | Reopen | Wake | Snooze | Tag | Read | Unread
    | Rate | Typing | Open | Ack | Auth | Ping | Pong
)  # fmt: skip


class _Peek(msgspec.Struct):
    t: str = ""
    id: str | None = None


_DECODE = msgspec.json.Decoder(Incoming).decode
_PEEK = msgspec.json.Decoder(_Peek).decode
_ENCODE = msgspec.json.Encoder().encode
_KNOWN = frozenset(kind.__struct_config__.tag for kind in Incoming.__args__)


class Refused(Exception):
    """A frame that cannot be understood; *id* is the client's, when it had one."""

    def __init__(self, error: HubError, frame_id: str | None) -> None:
        """Keep what to answer."""
        super().__init__(error.code)
        self.error = error
        self.frame_id = frame_id


def decode(text: str | bytes) -> Incoming:
    """Return the frame in *text*. Raises `Refused`."""
    if frame_too_deep(text):
        raise Refused(TooDeep("frame"), None)
    try:
        frame: Incoming = _DECODE(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise _refused(text, error) from error
    return frame


def _refused(text: str | bytes, error: Exception) -> Refused:
    try:
        peek = _PEEK(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return Refused(Invalid("frame is not a JSON object with a field t"), None)
    frame_id = peek.id[:64] if peek.id else None
    if peek.t not in _KNOWN:
        return Refused(UnknownType(f"frame type {peek.t[:40]!r}"), frame_id)
    # msgspec's sentence names the field and the expected type, never the value.
    words = str(error).partition(" - at ")
    path = words[2].strip("`").removeprefix("$.") or "frame"
    fault = {"path": path, "code": "shape", "text": words[0] + "."}
    return Refused(Invalid("frame", fields=(fault,)), frame_id)


def plain(frame: dict[str, Any]) -> str:
    """Return any server frame as text."""
    return _ENCODE(frame).decode()


def error_of(error: HubError) -> dict[str, Any]:
    """Return what a client is told of *error*; the words are the catalogue's."""
    told: dict[str, Any] = {"code": error.code, "retry": error.retry}
    if error.after_ms is not None:
        told["after_ms"] = error.after_ms
    told["text"] = error.text
    # An adapter that refused a text may tell its writer why.
    reason = getattr(error, "extra", {}).get("reason")
    if reason:
        told["reason"] = reason
    if error.fields:
        told["errors"] = list(error.fields)
    return told


def result_ok(frame_id: str, seq: int, *, dup: bool, conversation: str) -> str:
    """Return the answer to a command that is on disk."""
    told = _ENCODE(frame_id).decode()
    again = "true" if dup else "false"
    return (
        f'{{"t":"result","id":{told},"ok":true,"seq":{seq},"dup":{again},'
        f'"conversation":"{conversation}"}}'
    )


def result_failed(frame_id: str | None, error: HubError) -> str:
    """Return the answer to a frame that was refused; without an id it is an ``error`` frame."""
    if frame_id is None:
        return plain({"t": "error", "error": error_of(error)})
    return plain({"t": "result", "id": frame_id, "ok": False, "error": error_of(error)})


def events(start: str, end: str, items: Sequence[Event]) -> str:
    """Return the frame that covers (start, end] completely for its reader."""
    joined = b",".join([event.encoded for event in items]).decode()
    return f'{{"t":"events","from":"{start}","to":"{end}","events":[{joined}]}}'


def ephemeral(
    kind: str, conversation: str | None, by: str, data: dict[str, Any], ttl_s: int
) -> str:
    """Return a frame without a number, which may get lost."""
    return plain(
        {
            "t": "ephemeral",
            "kind": kind,
            "conversation": conversation,
            "by": by,
            "data": data,
            "ttl_s": ttl_s,
        }
    )
