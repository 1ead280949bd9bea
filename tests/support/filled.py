"""A desk with a past: many conversations, or one very long one, written without the hub."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from tests.support.desk import Desk

_EVENT = "INSERT INTO event (tenant, seq, at, kind, conversation, audience, by, inbox, visitor, data) VALUES ('main', ?, ?, ?, ?, ?, ?, 'shop', ?, ?)"
_CONVERSATION = "INSERT INTO conversation VALUES ('main', ?, 'shop', ?, ?, 'en', ?, ?, 'open', NULL, ?, ?, ?, '[]', ?, ?, 'text', ?, ?, NULL, 0, 0, ?, ?, ?, '')"
_STEP = 1_000_000
_TAGS = ("return", "vip", "late-reply", "invoice", "size")


@dataclass(frozen=True)
class Talk:
    """A conversation of the past: *spoken* messages, the last by the customer."""

    id: str
    name: str
    spoken: int = 1
    assignee: tuple[str, str] | None = None
    tags: Sequence[str] = ()


def talks(count: int, agent: tuple[str, str]) -> list[Talk]:
    """Return *count* conversations; every tenth is *agent*'s, every fourth has a tag."""
    return [
        Talk(
            f"c_past{number:06}",
            f"Customer {number}",
            assignee=agent if number % 10 == 0 else None,
            tags=(_TAGS[number % len(_TAGS)],) if number % 4 == 0 else (),
        )
        for number in range(count)
    ]


def put(desk: Desk, past: Sequence[Talk]) -> None:
    """Stop *desk*'s hub, write *past* into its database, and start it again."""
    assert desk.stop() == 0
    file = desk.folder / "data/deskhub.db"
    with closing(sqlite3.connect(file)) as db:
        (head,) = db.execute("SELECT head FROM tenant WHERE tenant = 'main'").fetchone()
        began = int(time.time() * 1e6) - (head + sum(one.spoken + 1 for one in past)) * _STEP
        for one in past:
            head = _write(db, one, head, began)
        db.execute("UPDATE tenant SET head = ? WHERE tenant = 'main'", (head,))
        db.commit()
    desk.start()


def _write(db: sqlite3.Connection, one: Talk, head: int, began: int) -> int:
    """Write *one* after event *head*; return its last event's number."""
    visitor = f"v_{one.id}"
    db.executemany(_EVENT, _events(one, visitor, head, began))
    last = head + one.spoken + 1
    opened, spoke = began + (head + 1) * _STEP, began + last * _STEP
    agent, name = one.assignee or (None, None)
    asked = (one.spoken + 1) // 2
    db.execute(
        _CONVERSATION,
        (one.id, visitor, one.name, opened, spoke, agent, name, json.dumps(one.tags), last,
         f"visitor:{visitor}", _said(one, one.spoken), spoke, asked, last, last),
    )  # fmt: skip
    return last


def _events(one: Talk, visitor: str, head: int, began: int) -> Iterator[tuple[object, ...]]:
    opened = {"inbox": "shop", "visitor": visitor, "language": "en", "name": one.name}
    for number in range(one.spoken + 1):
        seq = head + 1 + number
        # Counted from the end, so that the customer has the last word.
        is_theirs = (one.spoken - number) % 2 == 0
        by = f"visitor:{visitor}" if is_theirs or not number else "agent:a_past"
        data = {"text": _said(one, number), "name": one.name if is_theirs else "Li Wei"}
        kind = "message.posted" if number else "conversation.opened"
        told = json.dumps(data if number else opened).encode()
        yield seq, began + seq * _STEP, kind, one.id, "all", by, visitor, told


def _said(one: Talk, number: int) -> str:
    """Return the text of a message: some are a word, some a paragraph."""
    words = [
        "and",
        "the",
        "sole",
        "of",
        "my",
        "shoe",
        "came",
        "off",
        "on",
        "the",
        "second",
        "day",
    ]
    count = (number * 7) % 23 + 1
    said = " ".join(words[at % len(words)] for at in range(count))
    return f"{number}: {said} ({one.name})"
