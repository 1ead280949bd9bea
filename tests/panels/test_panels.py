"""Panels: answers as they arrive, old cards in a bad minute, no secrets for visitors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deskhub.clock import SystemClock
from deskhub.errors import Forbidden, NotFound
from deskhub.host.asking import Answer
from deskhub.host.errors import Crashed, InstanceBusy, NotRunning, TooLate
from deskhub.host.guard import Guard
from deskhub.host.running import Running
from deskhub.panels.answers import Kept, panel_of
from deskhub.panels.kept import KeptCards
from deskhub.panels.model import Shown
from deskhub_sdk import (
    AuthRequired,
    Conversation,
    Customer,
    Malformed,
    Meta,
    Permissions,
    Throttled,
    Unavailable,
    hookimpl,
)
from deskhub_sdk import (
    NotFound as NoSuchThing,
)
from deskhub_sdk.cards import Card, NoticeBlock, TextBlock
from tests.host.small_hub import AGENT, Plain, eventually, small_hub, visitor

ANNA, BERT = visitor("v_anna"), visitor("v_bert")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def card(name: str = "order:1", **more: Any) -> Card:
    return Card(id=name, title="Order 1", blocks=(TextBlock("paid"),), **more)


ONE = (card(),)


class Cards(Plain):
    """Answers what its class says."""

    answer: Any = ONE
    seconds = 0.0
    asked: int

    def __init_subclass__(cls) -> None:
        cls.asked = 0

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        type(self).asked += 1
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


def adapter(answer: Any = ONE, seconds: float = 0.0) -> type[Cards]:
    class Mine(Cards):
        pass

    Mine.answer, Mine.seconds = answer, seconds
    return Mine


async def test_every_instance_has_its_panel_in_order_and_each_is_pushed(
    tmp_path: Path,
) -> None:
    adapters = {"orders": adapter(), "crm": adapter([]), "erp": adapter(Unavailable("x"))}
    async with small_hub(tmp_path, adapters) as hub:
        conversation = await hub.open(ANNA)
        panels = await hub.panels.open(AGENT, conversation)

    assert [(one["instance"], one["state"]) for one in panels] == [
        ("crm", "empty"),
        ("erp", "failed"),
        ("orders", "ok"),
    ]
    assert sorted(panel["instance"] for of, panel in hub.pushed if of == conversation) == [
        "crm",
        "erp",
        "orders",
    ]
    orders = panels[2]
    assert orders["cards"][0]["id"] == "order:1"
    assert (orders["title"], orders["adapter"], orders["error"]) == ("Plain", "orders", None)
    assert panels[1]["error"]["code"] == "unavailable"


async def test_a_late_panel_is_named_and_pushed_when_it_comes(tmp_path: Path) -> None:
    adapters = {"slow": adapter(seconds=1.1), "quick": adapter()}
    async with small_hub(tmp_path, adapters) as hub:
        conversation = await hub.open(ANNA)
        panels = {one["instance"]: one for one in await hub.panels.open(AGENT, conversation)}
        assert (panels["quick"]["state"], panels["slow"]["state"]) == ("ok", "late")

        late = await eventually(
            lambda: [one for _, one in hub.pushed if one["instance"] == "slow"][1:]
        )

    assert late[0]["state"] == "ok"
    assert late[0]["ms"] > 1_000


async def test_in_a_bad_minute_the_last_good_cards_are_shown_with_their_age(
    tmp_path: Path,
) -> None:
    kind = adapter()
    async with small_hub(tmp_path, {"orders": kind}) as hub:
        conversation = await hub.open(ANNA)
        (good,) = await hub.panels.open(AGENT, conversation)
        kind.answer = Unavailable("down")
        (stale,) = await hub.panels.open(AGENT, conversation, refresh=True)
        kind.answer = (card(rev=2),)
        (back,) = await hub.panels.open(AGENT, conversation, refresh=True)

    assert (stale["state"], stale["cards"], stale["at"]) == (
        "stale",
        good["cards"],
        good["at"],
    )
    assert stale["error"]["code"] == "unavailable"
    assert (back["state"], back["cards"][0]["rev"], back["error"]) == ("ok", 2, None)


async def test_a_visitor_sees_only_their_cards_and_nothing_of_how_they_came_about(
    tmp_path: Path,
) -> None:
    cards = [
        card("order:1", audience="both"),
        card("margin:1"),
        card("p:1", audience="customer"),
    ]
    adapters = {"orders": adapter(cards), "erp": adapter([card("stock:1")])}
    async with small_hub(tmp_path, adapters) as hub:
        conversation = await hub.open(ANNA)
        panels = await hub.panels.open(ANNA, conversation)
        with pytest.raises(NotFound):
            await hub.panels.open(BERT, conversation)
        with pytest.raises(NotFound):
            await hub.panels.open(replace(AGENT, tenant="acme"), conversation)
        with pytest.raises(Forbidden):
            await hub.panels.open(replace(AGENT, role="auditor"), conversation)

    (orders,) = panels
    assert [one["id"] for one in orders["cards"]] == ["order:1", "p:1"]
    assert (orders["ms"], orders["calls"], orders["error"]) == (0.0, 0, None)


async def test_a_visitors_page_cannot_make_the_systems_busy(tmp_path: Path) -> None:
    kind = adapter()
    async with small_hub(tmp_path, {"orders": kind}) as hub:
        conversation = await hub.open(ANNA)
        for _ in range(20):
            await hub.panels.open(ANNA, conversation, refresh=True)

    assert kind.asked == 1


async def test_a_card_that_breaks_the_format_becomes_its_fallback_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = Card(
        id="order:1", title="Order 1", fallback="Order 1, paid",
        blocks=(NoticeBlock(text="x", tone="pink"),),  # type: ignore[arg-type]
    )  # fmt: skip
    async with small_hub(tmp_path, {"orders": adapter([bad, card("order:2")])}) as hub:
        conversation = await hub.open(ANNA)
        (panel,) = await hub.panels.open(AGENT, conversation)

    assert panel["state"] == "ok"
    assert panel["cards"][0]["blocks"][0]["text"] == "Order 1, paid"
    assert panel["cards"][1]["id"] == "order:2"
    assert panel["error"]["code"] == "card_invalid"
    (told,) = [record for record in caplog.records if record.message == "card_invalid"]
    assert "$.blocks[0].tone" in told.why  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", [7, "text", {"title": "x"}, [{"title": "x"}], object()])
async def test_an_answer_that_is_no_cards_is_a_fallback_and_no_exception(
    tmp_path: Path, answer: object
) -> None:
    async with small_hub(tmp_path, {"orders": adapter(answer)}) as hub:
        conversation = await hub.open(ANNA)
        (panel,) = await hub.panels.open(AGENT, conversation)

    assert panel["error"]["code"] == "card_invalid"
    assert panel["cards"][0]["blocks"][0]["text"] == "This card cannot be shown."


async def test_look_ups_calls_and_saved_calls_are_counted_for_the_panel(
    tmp_path: Path,
) -> None:
    class Basket(Plain):
        @hookimpl
        async def conversation_cards(self, customer: Customer | None) -> Sequence[Card]:
            products = self.ctx.loader(self.get_products, max_batch=100)
            await products.load_many(range(300))
            return [card(summary="300 products")]

        async def get_products(self, ids: Sequence[int]) -> Mapping[int, str]:
            await asyncio.sleep(0.005)
            return dict.fromkeys(ids, "x")

    async with small_hub(tmp_path, {"erp": Basket, "other": adapter()}) as hub:
        conversation = await hub.open(ANNA)
        erp, other = await hub.panels.open(AGENT, conversation)
        (again,) = [
            one
            for one in await hub.panels.open(AGENT, conversation, refresh=True)
            if one["instance"] == "erp"
        ]

    assert (erp["lookups"], erp["calls"], erp["saved"]) == (300, 3, 297)
    assert (other["lookups"], other["calls"]) == (0, 0)
    assert again["calls"] == 3, "refresh asks the far side anew"


async def test_the_conversation_gets_a_summary_line(tmp_path: Path) -> None:
    adapters = {
        "crm": adapter([card("c:1", summary="VIP")]),
        "orders": adapter([card("o:1", summary="#1042 shipped"), card("o:2", summary="old")]),
    }
    async with small_hub(tmp_path, adapters) as hub:
        conversation = await hub.open(ANNA)
        await hub.panels.open(AGENT, conversation)
        from deskhub.store.tables.chat import conversation as table

        (row,) = await hub.rows(table)

    assert row["summary"] == "VIP · #1042 shipped"


async def test_the_customer_is_the_hubs_record_with_no_more_than_was_granted(
    tmp_path: Path,
) -> None:
    seen: dict[str, Customer | None] = {}

    class Trusted(Plain):
        meta = Meta(
            id="trusted", name="Trusted", sdk=">=1.0,<2",
            permissions=Permissions(reads=("customer.email",)),
        )  # fmt: skip

        @hookimpl
        async def conversation_cards(self, customer: Customer | None) -> Sequence[Card]:
            seen[self.ctx.instance] = customer
            return []

    class Other(Trusted):
        meta = Plain.meta

    async with small_hub(tmp_path, {"trusted": Trusted, "other": Other}) as hub:
        await hub.add_customer(
            "cu_1", "C-1001", ANNA.id, name="Wang Fang", email="w@example.com", phone="138"
        )
        await hub.panels.open(AGENT, await hub.open(ANNA))

    other = seen["other"]
    assert other is not None
    assert (other.subject, other.name, other.email, other.phone) == (
        "C-1001",
        "Wang Fang",
        None,
        None,
    )
    trusted = seen["trusted"]
    assert trusted is not None
    assert (trusted.email, trusted.phone) == ("w@example.com", None)


async def test_two_agents_who_open_it_together_ask_once(tmp_path: Path) -> None:
    kind = adapter()
    async with small_hub(tmp_path, {"orders": kind}) as hub:
        conversation = await hub.open(ANNA)
        await hub.panels.open(AGENT, conversation)
        await hub.panels.open(replace(AGENT, id="a_2"), conversation)

    assert kind.asked == 1


async def test_an_adapter_that_went_is_not_shown_from_memory(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"orders": adapter(), "crm": adapter()}) as hub:
        conversation = await hub.open(ANNA)
        before = await hub.panels.open(AGENT, conversation)
        await hub.host.change("crm", None)
        after = await hub.panels.open(AGENT, conversation)

    assert sorted(panel["instance"] for panel in before) == ["crm", "orders"]
    assert [panel["instance"] for panel in after] == ["orders"]


def instance() -> Running:
    clock = SystemClock()
    return Running(
        "eu-shop", "main", use="orders", clock=clock, guard=Guard(clock.monotonic), cls=Cards
    )


@pytest.mark.parametrize(
    ("error", "state", "code", "who"),
    [
        (AuthRequired("401"), "auth", "auth_required", "admin"),
        (NotRunning("auth_required", ""), "auth", "auth_required", "admin"),
        (NotRunning("config_invalid", ""), "failed", "config_invalid", "admin"),
        (NotRunning("starting", ""), "failed", "not_running", "by itself"),
        (InstanceBusy("full"), "busy", "busy", "by itself"),
        (TooLate("x"), "late", "late", "when it comes"),
        (Throttled("x"), "failed", "throttled", "minute"),
        (Unavailable("x"), "failed", "unavailable", "admin"),
        (Malformed("x"), "failed", "malformed_answer", "author"),
        (NoSuchThing("x"), "failed", "not_found", "admin"),
        (Crashed("x"), "failed", "adapter_crashed", "author"),
        (KeyError("x"), "failed", "adapter_crashed", "author"),
    ],
)
def test_every_failure_has_words_and_names_who_can_fix_it(
    error: Exception, state: str, code: str, who: str
) -> None:
    panel = panel_of(instance(), Answer("eu-shop", "failed", error=error), None, NOW)

    assert panel.error is not None
    assert (panel.state, panel.error.code) == (state, code)
    assert who in panel.error.fix
    assert "Plain" in panel.error.text


def test_a_locked_out_panel_keeps_its_old_cards() -> None:
    kept = Kept((Shown(b"{}", "agent"),), NOW - timedelta(minutes=2))
    answer = Answer("eu-shop", "failed", error=AuthRequired("401"))

    panel = panel_of(instance(), answer, kept, NOW)

    assert (panel.state, panel.at, len(panel.cards)) == ("auth", kept.at, 1)


def test_kept_cards_are_bounded_by_number_and_bytes() -> None:
    kept = KeptCards(max_entries=3, max_bytes=100)
    small, large = (
        Kept((Shown(b"x" * 10, "agent"),), NOW),
        Kept((Shown(b"x" * 80, "agent"),), NOW),
    )

    for name in "abcd":
        kept.put("main", name, "orders", small)
    assert (len(kept), kept.get("main", "a", "orders")) == (3, None)
    kept.put("main", "e", "orders", large)

    assert kept.get("main", "e", "orders") is large
    assert len(kept) == 3
    kept.put("main", "f", "orders", large)
    assert len(kept) == 1
