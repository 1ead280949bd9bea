"""Conversations held outside the widget: what comes in over a channel, and what leaves.

A channel knows people by an address that anybody may claim. Who answers to a token that only
we hand out is who we wrote to; everybody else may be anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from deskhub_sdk.records import ConversationId, Record

KEY_CHARS = 998
PART_BYTES = 1024 * 1024


class Said(Record, frozen=True):
    """What somebody said from outside.

    *key* names it in the channel and stays the same however often it is read. *address* says
    who claims to have said it. *tokens* are those it came by, *follows* the keys of earlier
    ones it names; one that belongs nowhere opens a conversation in *inbox*. *title* is kept
    for the answers.
    """

    key: str
    address: str
    inbox: str
    text: str
    name: str = ""
    title: str = ""
    language: str | None = None
    tokens: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


class SaidFile(Record, frozen=True):
    """A file that came along. Its name and type are claims; the hub looks at the bytes."""

    name: str
    data: bytes


class Heard(Record, frozen=True):
    """Where something said went.

    *is_verified* says that it came by a token; *dup* that it had been heard before. *refused*
    are (name, error code) of files that the hub does not take.
    """

    conversation: ConversationId
    is_new: bool = False
    is_verified: bool = False
    dup: bool = False
    refused: tuple[tuple[str, str], ...] = ()


class OutgoingFile(Record, frozen=True):
    """A file of an answer; its bytes are read with `Channel.read_file`."""

    id: str
    name: str
    media: str
    bytes: int


class Outgoing(Record, frozen=True):
    """An answer that has to leave.

    *id* is the same however often it is handed over. *token* belongs to the conversation:
    who uses it answers there. *said* are the keys of the first and the latest that came
    in, *sent* is the id of the answer before this one. *is_last* says that it is not
    handed over again when it cannot leave now.
    """

    id: str
    conversation: ConversationId
    address: str
    text: str
    at: datetime
    token: str
    inbox: str
    author: str = ""
    name: str = ""
    title: str = ""
    said: tuple[str, ...] = ()
    sent: str | None = None
    files: tuple[OutgoingFile, ...] = ()
    is_last: bool = False


class Delivered(Record, frozen=True):
    """How handing over an answer ended, and *why* in words without an address.

    ``later`` cannot have arrived and is tried again, ``refused`` is not; ``unknown`` may have
    arrived and waits for a person. ``withdrawn`` is what `Channel.leaving` made of it.
    """

    state: Literal["sent", "later", "refused", "unknown", "withdrawn"]
    why: str = ""


class Channel(Protocol):
    """The hub's side of a channel; needs ``writes.conversation``."""

    async def hear(self, said: Said, files: Sequence[SaidFile] = ()) -> Heard:
        """Put what was said into its conversation; stored before this returns.

        The same key has its effect once. Raises `Rejected` when it will never be taken and
        `Unavailable` when it may be later.
        """
        ...

    async def find(self, tokens: Sequence[str]) -> ConversationId | None:
        """Return the conversation of the first of *tokens* that is one of ours."""
        ...

    async def leaving(self, answer: str) -> bool:
        """Write down that an answer leaves now; ask right before nothing can hold it back.

        False says that it must not: it is no longer wanted, or somebody else took it.
        """
        ...

    async def returned(self, tokens: Sequence[str], answer: str, why: str) -> bool:
        """Say that *answer* came back, as its token proves; return whether it was ours."""
        ...

    async def read_file(self, answer: str, file: str) -> bytes:
        """Return the bytes of a *file* of *answer* that is being handed over."""
        ...
