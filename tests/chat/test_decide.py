"""The rules of a conversation, one sentence each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deskhub.chat import commands as c
from deskhub.chat.decide import decide
from deskhub.chat.errors import AlreadyAssigned, NotRateable, TextEmpty, TextTooLong
from deskhub.chat.model import Closing, Conversation, Decision, Facts, Mark
from deskhub.errors import Forbidden, Invalid, NotFound, TooLarge
from deskhub.identity.model import Principal, adapter, system

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
VISITOR = Principal("main", "visitor", "v_1", "Ann", inboxes=frozenset({"web"}))
AGENT = Principal("main", "agent", "a_1", "Li Wei", role="agent")
OTHER = Principal("main", "agent", "a_2", "Chen", role="agent")
SHOP = adapter("main", "orders", frozenset({"message", "card"}))


def facts(head: int = 10, **more: Any) -> Facts:
    return Facts("main", NOW, head, cid="k1", new_id="c_new", **more)


def conversation(**changed: Any) -> Conversation:
    standard: dict[str, Any] = {
        "tenant": "main", "id": "c_1", "inbox": "web", "visitor": "v_1", "name": "Ann",
        "language": None, "opened_at": NOW, "last_at": NOW, "head": 10,
    }  # fmt: skip
    return Conversation(**standard | changed)


def kinds(decision: Decision) -> list[str]:
    return [event.kind for event in decision.events]


def test_a_first_message_opens_a_conversation() -> None:
    decision = decide(None, c.OpenConversation("web", "Hello", "en"), VISITOR, facts())

    assert kinds(decision) == ["conversation.opened", "message.posted"]
    assert decision.state.id == "c_new"
    assert decision.state.head == 12
    assert decision.state.waiting_since == NOW
    assert [event.main for event in decision.events] == [False, True]


def test_a_recognised_visitor_brings_their_customer() -> None:
    known = facts(customer=("u_1", "Wang Fang"))

    decision = decide(None, c.OpenConversation("web", "Hello"), VISITOR, known)

    assert kinds(decision) == ["conversation.opened", "customer.linked", "message.posted"]
    assert (decision.state.customer, decision.state.name) == ("u_1", "Wang Fang")


def test_an_open_conversation_is_continued_and_not_doubled() -> None:
    decision = decide(conversation(), c.OpenConversation("web", "More"), VISITOR, facts())

    assert kinds(decision) == ["message.posted"]
    assert decision.state.id == "c_1"


def test_nobody_but_a_visitor_opens_a_conversation() -> None:
    with pytest.raises(Forbidden):
        decide(None, c.OpenConversation("web", "Hello"), AGENT, facts())


def test_a_visitor_cannot_open_in_an_inbox_that_is_not_theirs() -> None:
    with pytest.raises(NotFound):
        decide(None, c.OpenConversation("other", "Hello"), VISITOR, facts())


def test_a_visitors_message_reopens_a_closed_conversation() -> None:
    decision = decide(
        conversation(state="closed"), c.PostMessage("c_1", "Still"), VISITOR, facts()
    )

    assert kinds(decision) == ["conversation.reopened", "message.posted"]
    assert decision.state.state == "open"


def test_a_visitors_message_wakes_a_snoozed_conversation_without_telling_them() -> None:
    asleep = conversation(state="snoozed", snoozed_until=NOW + timedelta(hours=1))

    decision = decide(asleep, c.PostMessage("c_1", "Hello?"), VISITOR, facts())

    assert kinds(decision) == ["conversation.woken", "message.posted"]
    assert decision.events[0].audience == "agents"
    assert decision.state.snoozed_until is None


def test_an_adapters_message_leaves_a_closed_conversation_closed() -> None:
    decision = decide(
        conversation(state="closed"), c.PostMessage("c_1", "Shipped"), SHOP, facts()
    )

    assert kinds(decision) == ["message.posted"]
    assert decision.state.state == "closed"


def test_a_conversation_waits_until_an_agent_answers() -> None:
    asked = decide(conversation(), c.PostMessage("c_1", "Hello?"), VISITOR, facts()).state
    informed = decide(asked, c.PostMessage("c_1", "Shipped"), SHOP, facts(11)).state
    answered = decide(informed, c.PostMessage("c_1", "Yes"), AGENT, facts(12)).state

    assert asked.waiting_since == informed.waiting_since == NOW
    assert answered.waiting_since is None


def test_whoever_answers_has_read() -> None:
    asked = decide(conversation(), c.PostMessage("c_1", "Hello?"), VISITOR, facts()).state

    decision = decide(asked, c.PostMessage("c_1", "Yes"), AGENT, facts(11))

    assert decision.mark == Mark(seq=12, seen=1)
    assert decision.state.agent_read_seq == 12


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", TextEmpty),
        (" \n\t", TextEmpty),
        ("x" * (16 * 1024 + 1), TextTooLong),
        ("退" * (16 * 1024 // 3 + 1), TextTooLong),
        ("a\x00b", Invalid),
        ("\ud800", Invalid),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        decide(conversation(), c.PostMessage("c_1", text), VISITOR, facts())


@pytest.mark.parametrize("size", [16 * 1024 - 1, 16 * 1024])
def test_a_text_up_to_the_limit_is_sent(size: int) -> None:
    assert decide(conversation(), c.PostMessage("c_1", "x" * size), VISITOR, facts()).events


def test_another_visitors_conversation_does_not_exist() -> None:
    with pytest.raises(NotFound):
        decide(conversation(visitor="v_2"), c.PostMessage("c_1", "Hi"), VISITOR, facts())


def test_a_conversation_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        decide(None, c.PostMessage("c_9", "Hi"), AGENT, facts())


def test_a_visitor_writes_no_notes() -> None:
    with pytest.raises(Forbidden):
        decide(conversation(), c.AddNote("c_1", "psst"), VISITOR, facts())


def test_a_note_is_for_agents_and_answers_nobody() -> None:
    waiting = conversation(waiting_since=NOW)

    decision = decide(waiting, c.AddNote("c_1", "VIP"), AGENT, facts())

    assert decision.events[0].audience == "agents"
    assert decision.state.waiting_since == NOW


def test_an_adapter_does_only_what_it_was_granted() -> None:
    with pytest.raises(Forbidden):
        decide(conversation(), c.AddNote("c_1", "VIP"), SHOP, facts())


def test_routing_takes_only_what_nobody_has() -> None:
    routing = system("main", "routing")

    assert decide(conversation(), c.Assign("c_1", "a_1", "routing"), routing, facts()).events
    with pytest.raises(AlreadyAssigned):
        decide(
            conversation(assignee="a_2"), c.Assign("c_1", "a_1", "routing"), routing, facts()
        )


def test_a_person_may_take_over() -> None:
    decision = decide(conversation(assignee="a_2"), c.Assign("c_1", "a_1"), AGENT, facts())

    assert decision.events[0].data == {
        "assignee": "a_1", "name": "Li Wei", "previous": "a_2", "how": "manual",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ({"state": "closed"}, c.Close("c_1")),
        ({}, c.Reopen("c_1")),
        ({}, c.Wake("c_1")),
        ({"assignee": "a_1"}, c.Assign("c_1", "a_1")),
        ({"tags": ("vip",)}, c.Tag("c_1", add=("vip",), remove=("late",))),
        ({"customer": "u_1"}, c.LinkCustomer("c_1", "u_1")),
        ({"links": ("orders:1042",)}, c.LinkObject("c_1", "orders:1042")),
    ],
)
def test_what_is_so_already_makes_no_event(
    before: dict[str, Any], command: c.ChatCommand
) -> None:
    decision = decide(conversation(**before), command, AGENT, facts())

    assert decision.events == ()


def test_closing_ends_waiting_and_snoozing() -> None:
    busy = conversation(
        state="snoozed", snoozed_until=NOW + timedelta(hours=1), waiting_since=NOW
    )

    after = decide(busy, c.Close("c_1"), AGENT, facts()).state

    assert (after.state, after.snoozed_until, after.waiting_since) == ("closed", None, None)


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(seconds=1), datetime(2027, 1, 1)])  # noqa: DTZ001
def test_snoozing_needs_a_time_to_come_with_its_zone(until: datetime) -> None:
    with pytest.raises(Invalid):
        decide(conversation(), c.Snooze("c_1", until), AGENT, facts())


def test_tags_keep_their_order_and_are_told_whole() -> None:
    tagged = conversation(tags=("vip", "late"))

    decision = decide(
        tagged, c.Tag("c_1", add=("return", "vip"), remove=("late",)), AGENT, facts()
    )

    assert decision.events[0].data == {
        "tags": ["vip", "return"], "added": ["return"], "removed": ["late"],
    }  # fmt: skip


@pytest.mark.parametrize("tag", ["", " ", "x" * 41, "a\nb"])
def test_a_tag_is_one_short_line(tag: str) -> None:
    with pytest.raises(Invalid):
        decide(conversation(), c.Tag("c_1", add=(tag,)), AGENT, facts())


def test_tags_and_links_are_bounded() -> None:
    with pytest.raises(TooLarge):
        decide(
            conversation(), c.Tag("c_1", add=tuple(f"t{i}" for i in range(31))), AGENT, facts()
        )
    full = conversation(links=tuple(f"orders:{i}" for i in range(100)))
    with pytest.raises(TooLarge):
        decide(full, c.LinkObject("c_1", "orders:new"), AGENT, facts())


def test_a_visitors_read_mark_only_grows() -> None:
    read = decide(conversation(), c.MarkRead("c_1", 7), VISITOR, facts()).state

    assert read.visitor_read_seq == 7
    assert decide(read, c.MarkRead("c_1", 5), VISITOR, facts(11)).events == ()


def test_a_read_mark_stops_at_the_last_event() -> None:
    decision = decide(conversation(head=9), c.MarkRead("c_1", 9_999), VISITOR, facts())

    assert decision.events[0].data == {"seq": 9, "side": "visitor"}


def test_the_second_agent_who_reads_is_news_to_agents_only() -> None:
    first = decide(conversation(), c.MarkRead("c_1", 10), AGENT, facts())
    second = decide(first.state, c.MarkRead("c_1", 10), OTHER, facts(11))

    assert first.events[0].audience == "all"
    assert second.events[0].audience == "agents"


def test_unread_again_counts_one_message() -> None:
    talked = conversation(visitor_messages=3, visitor_last_seq=9)
    read = Mark(seq=10, seen=3)

    decision = decide(talked, c.MarkUnread("c_1"), AGENT, facts(mark=read))

    assert decision.mark == Mark(seq=8, seen=2)
    assert decision.events[0].audience == "agents"


@pytest.mark.parametrize(
    ("audience", "seen_by"), [("agent", "agents"), ("customer", "all"), ("both", "all")]
)
def test_a_card_is_shown_to_its_audience(audience: Any, seen_by: str) -> None:
    command = c.ShowCard("c_1", b'{"id":"o"}', audience, "orders")

    decision = decide(conversation(), command, SHOP, facts())

    assert decision.events[0].audience == seen_by
    assert decision.events[0].data == {"card": {"id": "o"}, "source": "orders"}


@pytest.mark.parametrize("card", [b"{", b"\xff"])
def test_a_card_that_is_no_json_is_refused(card: bytes) -> None:
    with pytest.raises(Invalid):
        decide(conversation(), c.ShowCard("c_1", card, "agent", "orders"), SHOP, facts())


def test_the_fingerprint_tells_commands_apart_and_knows_the_same_again() -> None:
    first = c.PostMessage("c_1", "Hello 您好", reply_to=4)

    assert c.fingerprint(first) == c.fingerprint(c.PostMessage("c_1", "Hello 您好", reply_to=4))
    assert c.fingerprint(first) != c.fingerprint(c.PostMessage("c_1", "Hello 您好"))
    assert c.fingerprint(c.Close("c_1")) != c.fingerprint(c.Reopen("c_1"))


@pytest.mark.parametrize(
    ("command", "digest"),
    [
        (
            c.PostMessage("c_1", 'Hello 您好 "q" \n', ("f_1",), 4),
            "ddd72200723fa079912ee9bb765368c1",
        ),
        (c.OpenConversation("web", "hi", "de"), "f729ee88b6f142e02b04194aabe3c31e"),
        (
            c.Snooze("c_1", datetime(2026, 1, 2, tzinfo=UTC)),
            "3111dfd7cb09d1c774bb680c38165292",
        ),
        (
            c.ShowCard("c_1", b'{"a":1}', "agent", "orders", {"b": 1, "a": [2]}),
            "2bc5565fc18a0ef9e20425e5d85af44a",
        ),
    ],
)
def test_a_stored_fingerprint_is_the_same_in_every_version(
    command: c.ChatCommand, digest: str
) -> None:
    assert c.fingerprint(command).hex() == digest


def test_a_changed_display_name_is_the_same_command() -> None:
    assert c.fingerprint(c.Assign("c_1", "a_1", name="Li")) == c.fingerprint(
        c.Assign("c_1", "a_1")
    )


def closed(days: int = 0, *, is_rated: bool = False) -> Facts:
    return facts(closing=Closing(9, NOW - timedelta(days=days), is_rated=is_rated))


def test_the_visitor_rates_a_closing_once() -> None:
    done = conversation(state="closed")

    decision = decide(done, c.Rate("c_1", 4, " Quick "), VISITOR, closed())

    assert kinds(decision) == ["conversation.rated"]
    assert decision.events[0].data == {
        "score": 4, "comment": "Quick", "closing": 9, "name": "Ann",
    }  # fmt: skip
    with pytest.raises(NotRateable):
        decide(done, c.Rate("c_1", 5), VISITOR, closed(is_rated=True))


@pytest.mark.parametrize("state", ["open", "snoozed"])
def test_what_goes_on_cannot_be_rated(state: Any) -> None:
    with pytest.raises(NotRateable):
        decide(conversation(state=state), c.Rate("c_1", 5), VISITOR, closed())


def test_a_rating_comes_within_a_week() -> None:
    done = conversation(state="closed")

    assert decide(done, c.Rate("c_1", 1), VISITOR, closed(days=7)).events
    with pytest.raises(NotRateable):
        decide(done, c.Rate("c_1", 1), VISITOR, closed(days=8))


@pytest.mark.parametrize("by", [AGENT, SHOP, system("main", "test")])
def test_nobody_but_the_visitor_rates(by: Principal) -> None:
    with pytest.raises(Forbidden):
        decide(conversation(state="closed"), c.Rate("c_1", 5), by, closed())


def test_another_visitors_conversation_cannot_be_rated() -> None:
    with pytest.raises(NotFound):
        decide(conversation(state="closed", visitor="v_2"), c.Rate("c_1", 5), VISITOR, closed())


@pytest.mark.parametrize(
    ("rating", "error"),
    [
        (c.Rate("c_1", 0), Invalid),
        (c.Rate("c_1", 6), Invalid),
        (c.Rate("c_1", 3, "x" * 1_001), TooLarge),
        (c.Rate("c_1", 3, "\x00 no"), Invalid),
    ],
)
def test_a_rating_has_a_range(rating: c.Rate, error: type[Exception]) -> None:
    with pytest.raises(error):
        decide(conversation(state="closed"), rating, VISITOR, closed())
