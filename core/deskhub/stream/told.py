"""The shape of what a server sends, for the document and the tests; the wire is made in frames.

Frames that go out are written as text for speed. These structs say what that text holds; a
test lets everything that a real server sent pass through them.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from deskhub.errors import Retry
from deskhub.stream.frames import Ping, Pong

Who = str
Time = str


class Told(msgspec.Struct, tag_field="t", tag=str.lower, frozen=True):
    """Anything a server sends."""


class WelcomeLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this client may do."""

    frame_bytes: int
    text_bytes: int
    in_flight: int
    sends_per_s: float
    sends_burst: float


class Welcome(Told, frozen=True, forbid_unknown_fields=True):
    """The answer to hello. With mode ``snapshot`` the client loads the snapshot first."""

    v: Literal[1]
    sid: str
    now: Time
    heartbeat_s: int
    limits: WelcomeLimits
    cursor: str
    mode: Literal["resumed", "snapshot"]


class Reset(Told, frozen=True, forbid_unknown_fields=True):
    """Drop what you have and load the snapshot.

    ``erased``: something that you may hold was forgotten; keep no copy.
    """

    cursor: str
    why: Literal["epoch", "ahead", "too_far", "erased"]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with one field."""

    path: str
    code: str
    text: str


class Error(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why something was refused, and whether to try it again."""

    code: str
    retry: Retry
    text: str
    after_ms: int | None = None
    errors: tuple[Fault, ...] = ()


class Result(Told, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The answer to a command: it is on disk at *seq*, or *error* says why not."""

    id: str
    ok: bool
    seq: int | None = None
    dup: bool | None = None
    conversation: str | None = None
    error: Error | None = None


class Refused(Told, tag="error", frozen=True, forbid_unknown_fields=True):
    """A frame without an id that was refused."""

    error: Error


class Ephemeral(Told, frozen=True, forbid_unknown_fields=True):
    """Something beside the log, which may be dropped."""

    kind: Literal["typing", "presence", "delivered", "viewing", "panel"]
    conversation: str | None
    by: Who
    data: dict[str, Any]
    ttl_s: int


class Lag(Told, frozen=True, forbid_unknown_fields=True):
    """The client reads slowly; *head* is how far the log is."""

    head: int


class AuthSoon(Told, tag="auth_soon", frozen=True, forbid_unknown_fields=True):
    """The token ends in *in_s* seconds; send ``auth`` with a newer one."""

    in_s: int


class Drain(Told, frozen=True, forbid_unknown_fields=True):
    """Connect anew at a random moment of the window, then drop this connection."""

    window_ms: tuple[int, int]


class Fact(msgspec.Struct, tag_field="kind", frozen=True, forbid_unknown_fields=True):
    """An event of the log."""

    seq: int
    at: Time
    conversation: str | None
    by: Who


class OpenedData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation began."""

    inbox: str
    visitor: str
    language: str | None
    name: str


class MessageData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was said, to both sides."""

    kind: Literal["text"]
    text: str
    name: str
    cid: str
    reply_to: int | None = None
    files: tuple[str, ...] = ()
    erased: bool = False


class NoteData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What agents said to each other."""

    text: str
    name: str
    cid: str
    erased: bool = False


class EditedData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text that message or note *of* has from now on; *version* counts its edits."""

    of: int
    version: int
    text: str
    name: str
    erased: bool = False


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer: what was asked (*titles* by language) and, of a choice, what it is called."""

    field: str
    title: str
    value: str | bool
    titles: dict[str, str] = {}
    text: str | None = None
    texts: dict[str, str] = {}


class PrechatData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the visitor answered before the first message, in the order of the form."""

    answers: tuple[Answer, ...]


class AssignedData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has the conversation now."""

    assignee: str | None
    name: str | None
    previous: str | None
    how: Literal["manual", "routing", "transfer"]


class NamedData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who did it."""

    name: str


class RatedData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it was, 1 (bad) to 5 (good); *closing* is the seq of the event that it is about."""

    score: int
    comment: str
    closing: int
    name: str


class SnoozedData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when it is put away."""

    until: Time
    name: str


class TaggedData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole new list, and what changed."""

    tags: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]


class ReadData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a side has read; *unread* when an agent put it back."""

    seq: int
    side: Literal["visitor", "agent"]
    unread: bool = False


class ObjectData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A business object that the conversation is about."""

    object: str


class CustomerData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which customer it is with, and how that is known."""

    customer: str
    name: str | None
    why: str


class CardData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card (``deskhub.card/1``) and which instance showed it."""

    card: dict[str, Any]
    source: str
    signal: dict[str, Any] | None = None


class RunData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an action stands; *facts* once it ended."""

    run: dict[str, Any]
    facts: dict[str, Any] | None = None


class Opened(Fact, tag="conversation.opened", frozen=True):
    """A conversation began."""

    data: OpenedData


class Posted(Fact, tag="message.posted", frozen=True):
    """Somebody said something."""

    data: MessageData


class Noted(Fact, tag="note.posted", frozen=True):
    """An agent left a note; visitors never learn of it."""

    data: NoteData


class Edited(Fact, tag="message.edited", frozen=True):
    """An agent corrected their last message."""

    data: EditedData


class NoteEdited(Fact, tag="note.edited", frozen=True):
    """An agent corrected their last note; visitors never learn of it."""

    data: EditedData


class Answered(Fact, tag="prechat.answered", frozen=True):
    """The visitor filled in the inbox's form; they are not shown it again."""

    data: PrechatData


class Assigned(Fact, tag="conversation.assigned", frozen=True):
    """Somebody got or gave back a conversation."""

    data: AssignedData


class Closed(Fact, tag="conversation.closed", frozen=True):
    """A conversation was closed."""

    data: NamedData


class Rated(Fact, tag="conversation.rated", frozen=True):
    """The visitor said how it was."""

    data: RatedData


class Reopened(Fact, tag="conversation.reopened", frozen=True):
    """A closed conversation goes on."""

    data: NamedData


class Snoozed(Fact, tag="conversation.snoozed", frozen=True):
    """A conversation was put away for a while."""

    data: SnoozedData


class Woken(Fact, tag="conversation.woken", frozen=True):
    """A conversation is back."""

    data: NamedData


class Tagged(Fact, tag="conversation.tagged", frozen=True):
    """Tags changed."""

    data: TaggedData


class ReadTo(Fact, tag="conversation.read", frozen=True):
    """A side has read."""

    data: ReadData


class Linked(Fact, tag="conversation.linked", frozen=True):
    """The conversation is about a business object."""

    data: ObjectData


class Identified(Fact, tag="customer.linked", frozen=True):
    """The hub knows who the visitor is."""

    data: CustomerData


class Shown(Fact, tag="card.shown", frozen=True):
    """A business system showed something."""

    data: CardData


class RunChanged(Fact, tag="run.changed", frozen=True):
    """An action went on."""

    data: RunData


AnyFact = (
    Opened | Answered | Posted | Noted | Edited | NoteEdited | Assigned | Closed | Rated
    | Reopened | Snoozed | Woken | Tagged | ReadTo | Linked | Identified | Shown | RunChanged
)  # fmt: skip


class Events(
    Told, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """Everything in (from, to] that this reader may see; apply it only if ``from`` is yours."""

    start: str
    end: str
    events: tuple[AnyFact, ...]


Outgoing = (
    Welcome
    | Events
    | Reset
    | Result
    | Refused
    | Ephemeral
    | Lag
    | AuthSoon
    | Drain
    | Ping
    | Pong
)
