"""The tickets adapter against its simulator: lists, batches, faults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from deskhub_sdk import (
    AdapterError,
    AuthRequired,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    TenantId,
    Throttled,
    TicketId,
    Unavailable,
)
from deskhub_sdk.cards import Card, encode_card
from deskhub_sdk.testing import GivenContext, given_context
from deskhub_tickets import Tickets, TicketsConfig
from deskhub_tickets.simulator import TicketsSimulator
from deskhub_tickets.texts import TEXTS

TOKEN = "tickets-test-token"
CONVERSATION = Conversation(
    id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open",
    opened_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
)  # fmt: skip


@dataclass
class Desk:
    tickets: Tickets
    simulator: TicketsSimulator
    ctx: GivenContext

    async def cards(self, subject: str | None = "C-1001") -> tuple[Card, ...]:
        who = Customer(id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject)
        return tuple(await self.tickets.conversation_cards(CONVERSATION, who))

    def calls_to(self, start: str) -> int:
        return sum(call.startswith(start) for call in self.ctx.http.calls)


@asynccontextmanager
async def desk(language: str = "en", token: str = TOKEN, **options: Any) -> AsyncIterator[Desk]:
    async with (
        TicketsSimulator(token=TOKEN).serving() as simulator,
        given_context(instance="tickets", language=language, **options) as ctx,
    ):
        settings = {"base_url": simulator.url, "token": token, "webhook_secret": "w"}
        tickets = Tickets(TicketsConfig.model_validate(settings))
        await tickets.start(ctx)
        yield Desk(tickets, simulator, ctx)
        await tickets.stop()


async def test_the_panel_lists_open_cases_with_state_and_assignee() -> None:
    async with desk() as here:
        (card,) = await here.cards()

    shown = msgspec.to_builtins(card)
    (item,) = shown["blocks"][0]["items"]
    assert item["title"] == "Sole glue, batch B7"
    assert item["subtitle"]["args"] == {"key": "SUP-318", "assignee": "Li Wei"}
    assert item["badge"]["text"] == {"t": "tickets.status.in_progress"}
    assert (card.summary, card.audience) == ("1 open case", "agent")
    assert encode_card(card)


async def test_the_panel_speaks_chinese_and_its_texts_are_complete() -> None:
    async with desk(language="zh-CN") as here:
        (card,) = await here.cards()

    assert card.summary == "1 个未结工单"
    assert TEXTS["en"].keys() == TEXTS["zh-CN"].keys()


async def test_every_customer_of_the_world_gets_a_valid_card_or_none() -> None:
    async with desk() as here:
        for number in here.simulator.world.people:
            open_cases = [
                case for case in here.simulator.world.cases_of(number) if case.status != "done"
            ]
            found = await here.cards(number)
            assert len(found) == (1 if open_cases else 0)
            assert all(encode_card(card) for card in found)


async def test_a_long_list_is_cut_and_says_so() -> None:
    async with desk() as here:
        for at in range(12):
            here.simulator.records.open({"title": f"Case {at}", "customer": "C-1001"})
        (card,) = await here.cards()

    blocks = msgspec.to_builtins(card)["blocks"]
    assert len(blocks[0]["items"]) == 8
    assert blocks[1]["text"] == {"t": "tickets.more", "args": {"count": 5}}
    assert card.summary == "13 open cases"


async def test_strangers_and_customers_without_cases_draw_nothing() -> None:
    async with desk() as here:
        assert await here.cards(None) == ()
        assert await here.cards("C-9999") == ()
        assert await here.tickets.conversation_cards(CONVERSATION, None) == ()


async def test_three_hundred_ids_are_three_calls_and_missing_ones_are_absent() -> None:
    ids = [TicketId(str(at)) for at in range(301, 601)]

    async with desk() as here:
        found = await here.tickets.get_tickets(ids)

    assert here.calls_to("GET /api/issues") == 3
    assert sorted(found) == [str(at) for at in range(301, 331)]
    assert found[TicketId("318")].key == "SUP-318"


async def test_three_hundred_customers_are_three_calls() -> None:
    async with desk() as here:
        found = await here.tickets.tickets_of([f"C-{at}" for at in range(1001, 1301)])

    assert here.calls_to("POST /api/issues/by-customer") == 3
    assert found["C-1001"] == ("318",)
    assert "C-1300" not in found


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("500", {"times": 0}, Unavailable),
        ("429", {"after_s": 60, "times": 0}, Throttled),
        ("timeout_before", {"times": 0}, Unavailable),
        ("timeout_after", {"times": 0}, Unavailable),
    ],
)
async def test_a_system_that_fails_is_named_by_what_to_do(
    kind: str, more: dict[str, Any], expected: type[AdapterError]
) -> None:
    async with desk(timeout_s=0.4) as here:
        here.simulator.faults.add({"match": "/api/issues*", "kind": kind, **more})
        with pytest.raises(expected) as raised:
            await here.cards()
        here.simulator.faults.clear()

        assert type(raised.value) is expected
        assert TOKEN not in str(raised.value)
        assert len(await here.cards()) == 1


async def test_a_wrong_token_asks_for_an_admin() -> None:
    async with desk(token="an-old-token") as here:
        with pytest.raises(AuthRequired) as raised:
            await here.cards()
        with pytest.raises(AuthRequired) as checked:
            await here.tickets.check_connection()

    assert "an-old-token" not in f"{raised.value} {checked.value}"


async def test_a_good_connection_says_so() -> None:
    async with desk() as here:
        assert (await here.tickets.check_connection()).ok
        assert (await here.tickets.diagnostics())["failed"] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "tickets.example.com"},
        {"token": None},
        {"webhook_secret": None},
        {"webhook_max_age_s": 0},
        {"queue": ""},
        {"colour": "red"},
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any]) -> None:
    settings = {"base_url": "https://t.example.com", "token": "t", "webhook_secret": "w"}
    with pytest.raises(ValidationError):
        TicketsConfig.model_validate({**settings, **changes})


def test_settings_keep_their_secrets_secret() -> None:
    config = TicketsConfig.model_validate({
        "base_url": "https://t.example.com", "token": "token-1", "webhook_secret": "secret-1",
    })  # fmt: skip

    assert "token-1" not in repr(config)
    assert "secret-1" not in repr(config)
