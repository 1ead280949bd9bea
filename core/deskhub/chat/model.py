"""A conversation as the rules see it, and what a decided command leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from deskhub.chat.forms import Form

State = Literal["open", "snoozed", "closed"]
Audience = Literal["all", "agents"]

TEXT_BYTES = 16 * 1024
CARD_BYTES = 64 * 1024
EXCERPT_CHARS = 160
TAGS_MAX = 30
TAG_CHARS = 40
LINKS_MAX = 100
FILES_MAX = 10
SCORE_MIN, SCORE_MAX = 1, 5
COMMENT_CHARS = 1_000
# Nobody remembers longer how it was.
RATE_WITHIN = timedelta(days=7)
# A slip is noticed at once; what was said longer ago was acted upon.
EDIT_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The state of one conversation; changed only by `deskhub.chat.decide`.

    *head* is the seq of its latest event. *visitor_messages* counts what the visitor said, so
    that an agent's unread number is a subtraction. *waiting_since* is the time of the oldest
    visitor message that no agent has answered.
    """

    tenant: str
    id: str
    inbox: str
    visitor: str
    name: str
    language: str | None
    opened_at: datetime
    last_at: datetime
    state: State = "open"
    customer: str | None = None
    assignee: str | None = None
    assignee_name: str | None = None
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    last_seq: int = 0
    last_by: str = ""
    last_kind: str = ""
    last_text: str = ""
    waiting_since: datetime | None = None
    snoozed_until: datetime | None = None
    visitor_read_seq: int = 0
    agent_read_seq: int = 0
    visitor_messages: int = 0
    visitor_last_seq: int = 0
    head: int = 0
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one agent has read one conversation.

    *seen* is how many of the visitor's messages that covers.
    """

    seq: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a message's sender uploaded before. Pixels are None without a picture."""

    id: str
    name: str
    media: str
    bytes: int
    width: int | None = None
    height: int | None = None
    thumb_width: int | None = None
    thumb_height: int | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """The latest closing of a conversation: its event, and whether the visitor rated it."""

    seq: int
    at: datetime
    is_rated: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A message or note as it stands before an edit.

    *kind* is that of its event, *version* counts its edits, *text* is the latest one.
    *is_last* says that its author said nothing more of this kind in the conversation.
    """

    seq: int
    kind: str
    by: str
    at: datetime
    text: str
    version: int
    is_last: bool
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that a decision made; the log gives it its number.

    Exactly one event of a decision is *main*: it carries the command's cid, and a repetition
    of the command is answered with it.
    """

    kind: str
    audience: Audience
    data: Mapping[str, Any]
    main: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision may know beyond the conversation itself.

    *head* is the tenant's last seq; *customer* is who the visitor is known to be, as
    (id, name); *mark* is the calling agent's; *visitor_after* is how many messages of the
    visitor lie after the seq that is being marked as read. *closing* is what the command
    rates, *said* what it
    edits. *files* are those of the command that its sender uploaded and no message uses, by
    id. *is_asked* says whether the inbox asks for ratings. *form* is what the inbox asks before
    a first message, *answers* what this visitor has answered.
    """

    tenant: str
    now: datetime
    head: int
    cid: str = ""
    new_id: str = ""
    customer: tuple[str, str | None] | None = None
    mark: Mark = Mark()
    visitor_after: int = 0
    closing: Closing | None = None
    is_asked: bool = True
    said: Said | None = None
    files: Mapping[str, Attachment] = field(default_factory=dict)
    form: Form | None = None
    answers: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a command: the new state, the events in order, and a moved mark."""

    state: Conversation
    events: tuple[NewEvent, ...] = ()
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender of a command gets after the commit.

    *event* is the command's main event as the wire shows it; None when nothing changed.
    """

    seq: int
    dup: bool
    conversation: str
    event: bytes | None = None
