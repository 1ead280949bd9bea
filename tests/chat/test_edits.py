"""Correcting one's own last message or note, one rule each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deskhub.chat.commands import Edit, Rate
from deskhub.chat.decide import decide
from deskhub.chat.errors import (
    EditConflict,
    NotEditable,
    NotRateable,
    TextEmpty,
    TextTooLong,
)
from deskhub.chat.model import Closing, Conversation, Decision, Facts, Said
from deskhub.errors import Forbidden
from deskhub.identity.model import Principal, adapter, system

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
VISITOR = Principal("main", "visitor", "v_1", "Ann", inboxes=frozenset({"web"}))
AGENT = Principal("main", "agent", "a_1", "Li Wei", role="agent")
OTHER = Principal("main", "agent", "a_2", "Chen", role="agent")
TALK = Conversation(
    "main", "c_1", "web", "v_1", "Ann", None, NOW, NOW, head=9, last_seq=7, last_by=AGENT.by,
    last_kind="text", last_text="Helo", waiting_since=None,
)  # fmt: skip
SAID = Said(7, "message.posted", AGENT.by, NOW, "Helo", 0, is_last=True)


def edited(
    said: Said | None = SAID,
    by: Principal = AGENT,
    talk: Conversation = TALK,
    **asked: Any,
) -> Decision:
    command = Edit(**{"conversation": "c_1", "seq": 7, "text": "Hello", "version": 0} | asked)
    return decide(talk, command, by, Facts("main", NOW, 9, cid="k1", said=said))


def test_the_last_message_gets_another_text_by_an_event_of_its_own() -> None:
    decision = edited()

    (event,) = decision.events
    assert (event.kind, event.audience, event.main) == ("message.edited", "all", True)
    assert event.data == {"of": 7, "version": 1, "text": "Hello", "name": "Li Wei"}
    assert (decision.state.last_text, decision.state.head) == ("Hello", 10)
    assert decision.state.last_seq == 7


def test_an_edited_note_stays_among_agents() -> None:
    (event,) = edited(replace(SAID, kind="note.posted")).events

    assert (event.kind, event.audience) == ("note.edited", "agents")


def test_the_second_edit_counts_on() -> None:
    (event,) = edited(replace(SAID, version=3, text="Hallo"), version=3).events

    assert event.data["version"] == 4


def test_what_the_customer_said_since_stays_the_last_text() -> None:
    decision = edited(talk=replace(TALK, last_seq=8, last_by=VISITOR.by, last_text="Hi"))

    assert decision.state.last_text == "Hi"
    assert decision.events


def test_an_edit_opens_nothing_and_answers_nobody() -> None:
    closed = replace(TALK, state="closed", waiting_since=NOW)

    after = edited(talk=closed).state

    assert (after.state, after.waiting_since) == ("closed", NOW)


@pytest.mark.parametrize(
    "said",
    [
        None,
        replace(SAID, by=OTHER.by),
        replace(SAID, is_last=False),
        replace(SAID, is_erased=True),
        replace(SAID, at=NOW - timedelta(minutes=15, seconds=1)),
    ],
)
def test_only_ones_own_last_young_message_can_be_edited(said: Said | None) -> None:
    with pytest.raises(NotEditable):
        edited(said)


def test_fifteen_minutes_are_young() -> None:
    assert edited(replace(SAID, at=NOW - timedelta(minutes=15))).events


@pytest.mark.parametrize("seen", [0, 2])
def test_an_edit_of_another_version_overwrites_nothing(seen: int) -> None:
    with pytest.raises(EditConflict):
        edited(replace(SAID, version=1), version=seen)


def test_the_same_text_is_no_edit() -> None:
    assert edited(text="Helo").events == ()


@pytest.mark.parametrize(("text", "error"), [("  \n", TextEmpty), ("x" * 16_385, TextTooLong)])
def test_an_edit_is_a_text_like_any_other(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        edited(text=text)


@pytest.mark.parametrize(
    "by",
    [
        VISITOR, adapter("main", "orders", frozenset({"message"})), system("main", "test"),
        Principal("main", "agent", "a_3", "Au", role="auditor"),
    ],
)  # fmt: skip
def test_nobody_but_agents_edits(by: Principal) -> None:
    with pytest.raises(Forbidden):
        edited(replace(SAID, by=by.by), by=by)


def test_an_inbox_that_does_not_ask_takes_no_rating() -> None:
    closing = Closing(9, NOW, is_rated=False)
    facts = Facts("main", NOW, 9, closing=closing, is_asked=False)

    with pytest.raises(NotRateable):
        decide(replace(TALK, state="closed"), Rate("c_1", 5), VISITOR, facts)
