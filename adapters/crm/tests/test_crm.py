"""The CRM adapter against its simulator: profiles, recognition, batches, faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest
from pydantic import ValidationError

from deskhub_crm import Crm, CrmConfig
from deskhub_crm.simulator import CrmSimulator
from deskhub_crm.texts import TEXTS
from deskhub_sdk import (
    AdapterError,
    AuthRequired,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Identity,
    Malformed,
    TenantId,
    Throttled,
    Unavailable,
)
from deskhub_sdk.cards import Card, encode_card
from deskhub_sdk.testing import GivenContext, given_context

TOKEN = "crm-test-token"
CONVERSATION = Conversation(
    id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open",
    opened_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
)  # fmt: skip


@dataclass
class Desk:
    crm: Crm
    simulator: CrmSimulator
    ctx: GivenContext

    async def fault(self, match: str, kind: str, **more: Any) -> None:
        self.simulator.faults.add({"match": match, "kind": kind, **more})

    def calls_to(self, path: str) -> int:
        return sum(path in call for call in self.ctx.http.calls)


@asynccontextmanager
async def desk(language: str = "en", token: str = TOKEN, **options: Any) -> AsyncIterator[Desk]:
    async with (
        CrmSimulator(token=TOKEN).serving() as simulator,
        given_context(instance="crm", language=language, **options) as ctx,
    ):
        crm = Crm(CrmConfig.model_validate({"base_url": simulator.url, "token": token}))
        await crm.start(ctx)
        yield Desk(crm, simulator, ctx)
        await crm.stop()


def customer(subject: str | None) -> Customer:
    return Customer(id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject)


async def cards(here: Desk, subject: str | None = "C-1001") -> tuple[Card, ...]:
    return tuple(await here.crm.conversation_cards(CONVERSATION, customer(subject)))


async def test_the_profile_shows_who_it_is_and_hides_the_phone() -> None:
    async with desk() as here:
        (card,) = await cards(here)

    shown = encode_card(card).decode()
    assert card.title == "Wang Fang 王芳"
    assert card.id == "crm.contact.c-1001"
    assert "138****2211" in shown
    assert "13800132211" not in shown
    assert "crm.tier.vip" in shown
    assert card.summary.startswith("VIP · since 20")


async def test_the_lifetime_value_carries_the_spending_of_twelve_months() -> None:
    async with desk() as here:
        (card,) = await cards(here)

    metric = msgspec.to_builtins(card)["blocks"][0]["metrics"][0]
    assert metric["value"]["currency"] == "CNY"
    assert len(metric["series"]) == 12
    assert sum(metric["series"]) > 0


async def test_every_profile_of_the_world_is_a_valid_card() -> None:
    async with desk() as here:
        for number in here.simulator.world.people:
            for card in await cards(here, number):
                assert len(encode_card(card)) < 8_000


async def test_an_unknown_customer_and_a_stranger_draw_nothing() -> None:
    async with desk() as here:
        assert await cards(here, "C-9999") == ()
        assert await cards(here, None) == ()
        assert await here.crm.conversation_cards(CONVERSATION, None) == ()


async def test_texts_are_complete_in_both_languages() -> None:
    async with desk(language="zh-CN") as here:
        (card,) = await cards(here)

    assert TEXTS["en"].keys() == TEXTS["zh-CN"].keys()
    assert "年至今" in card.summary
    for key in _text_keys(msgspec.to_builtins(card)):
        assert key in TEXTS["en"]


async def test_three_hundred_customers_are_three_calls() -> None:
    numbers = [f"C-{at}" for at in range(1001, 1301)]

    async with desk() as here:
        found = await here.crm.get_customers(numbers)

    assert here.calls_to("/batch/read") == 3
    assert len(found) == 40
    assert found["C-1001"].name == "Wang Fang 王芳"


async def test_look_ups_of_many_panels_leave_together() -> None:
    async with desk() as here:
        async with asyncio.TaskGroup() as group:
            panels = [group.create_task(cards(here, f"C-{1001 + at}")) for at in range(40)]
        await cards(here, "C-1001")

    assert all(panel.result() for panel in panels)
    assert here.calls_to("/batch/read") == 1


async def test_missing_customers_are_simply_absent() -> None:
    async with desk() as here:
        found = await here.crm.get_customers(["C-1001", "C-0000", "nonsense"])

    assert list(found) == ["C-1001"]


async def test_a_signed_customer_number_is_certain_and_ends_the_search() -> None:
    async with desk() as here:
        (match,) = await here.crm.find_customer(
            Identity(
                inbox="shop", subject="C-1001", email="john.smith@example.com", verified=True
            )
        )

    assert (match.subject, match.confidence) == ("C-1001", 1.0)
    assert match.why == "customer number signed by the shop"
    assert here.calls_to("/search") == 0


async def test_what_a_visitor_typed_is_only_a_hint() -> None:
    async with desk() as here:
        (match,) = await here.crm.find_customer(
            Identity(inbox="shop", email=" Fang.Wang@Example.com ")
        )

    assert (match.subject, match.confidence) == ("C-1001", 0.6)


async def test_marks_that_agree_are_worth_more_and_strangers_come_after() -> None:
    async with desk() as here:
        first, second = await here.crm.find_customer(
            Identity(inbox="shop", subject="C-1003", email="fang.wang@example.com",
                     phone="+86 138 0013 2211".replace("+86 ", ""))
        )  # fmt: skip

    assert (first.subject, first.confidence) == ("C-1001", 0.8)
    assert first.why == "same e-mail address; same phone number"
    assert (second.subject, second.confidence) == ("C-1003", 0.5)


async def test_nobody_is_an_empty_answer() -> None:
    async with desk() as here:
        assert list(await here.crm.find_customer(Identity(inbox="shop"))) == []
        assert (
            list(await here.crm.find_customer(Identity(inbox="shop", email="no@example.net")))
            == []
        )


async def test_a_short_throttle_is_waited_out() -> None:
    async with desk() as here:
        await here.fault("/api/contacts/*", "429", after_s=0)

        assert len(await cards(here)) == 1


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("500", {}, Unavailable),
        ("429", {"after_s": 60, "times": 0}, Throttled),
        ("timeout_before", {"times": 0}, Unavailable),
        ("timeout_after", {"times": 0}, Unavailable),
    ],
)
async def test_a_crm_that_fails_is_named_by_what_to_do(
    kind: str, more: dict[str, Any], expected: type[AdapterError]
) -> None:
    async with desk(timeout_s=0.4) as here:
        await here.fault("/api/contacts/*", kind, **more)
        with pytest.raises(expected) as raised:
            await cards(here)
        here.simulator.faults.clear()

        assert type(raised.value) is expected
        assert TOKEN not in str(raised.value)
        assert len(await cards(here)) == 1


async def test_a_wrong_token_asks_for_an_admin() -> None:
    async with desk(token="an-old-token") as here:
        with pytest.raises(AuthRequired) as raised:
            await cards(here)
        with pytest.raises(AuthRequired) as checked:
            await here.crm.check_connection()

    assert "an-old-token" not in f"{raised.value} {checked.value}"


async def test_a_customer_gets_what_the_crm_holds_of_them() -> None:
    async with desk() as here:
        await here.crm.client.record_activity(
            reference="r-1", contact="ct_1001", subject="Return", body="One box."
        )
        held = await here.crm.export_customer(customer("C-1001"))
        nobody = await here.crm.export_customer(customer("C-9999"))

    (record,) = held["contacts"]
    assert (record["number"], record["activities"][0]["subject"]) == ("C-1001", "Return")
    assert b'"Return"' in msgspec.json.encode(held)
    assert nobody == {}


async def test_erasing_removes_the_record_once_and_says_so_again() -> None:
    async with desk() as here:
        assert len(await cards(here)) == 1
        first = await here.crm.erase_customer(customer("C-1001"))
        again = await here.crm.erase_customer(customer("C-1001"))
        shown = await cards(here)

        assert (first.outcome, again.outcome, shown) == ("erased", "absent", ())
        assert "Wang" not in first.text
        assert here.simulator.dump()["erased"] == ["C-1001"]


async def test_an_address_that_is_shared_erases_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with desk() as here:
        people = dict(here.simulator.world.people)
        shared = people["C-1001"].email
        people["C-1002"] = replace(people["C-1002"], email=shared)
        monkeypatch.setattr(
            here.simulator.records, "world", replace(here.simulator.world, people=people)
        )
        asked = msgspec.structs.replace(customer(None), email=shared)
        done = await here.crm.erase_customer(asked)

        assert (done.outcome, here.simulator.dump()["erased"]) == ("kept", [])


async def test_a_crm_that_fails_is_asked_again_later() -> None:
    async with desk() as here:
        await here.fault("*", "500", times=0)
        with pytest.raises(AdapterError):
            await here.crm.erase_customer(customer("C-1001"))


async def test_a_good_connection_says_so() -> None:
    async with desk() as here:
        assert (await here.crm.check_connection()).ok
        assert (await here.crm.diagnostics())["failed"] == 0


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"results": [{"id": "1"}]}', b'{"results": [{"tier": "platinum"}]}'],
)
async def test_an_answer_of_another_shape_is_malformed(body: bytes) -> None:
    async def odd(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(body=body, content_type="application/json")

    app = aiohttp.web.Application()
    app.router.add_post("/api/contacts/batch/read", odd)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with given_context() as ctx:
            crm = Crm(CrmConfig.model_validate({"base_url": url, "token": TOKEN}))
            await crm.start(ctx)
            with pytest.raises(Malformed):
                await crm.get_customers(["C-1001"])
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "crm.example.com", "token": "t"},
        {"base_url": "https://crm.example.com"},
        {"base_url": "https://crm.example.com", "token": "t", "colour": "red"},
        {"base_url": "https://crm.example.com", "token": "t", "profile_ttl_s": -1},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CrmConfig.model_validate(settings)


def _text_keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["t"]} if isinstance(value.get("t"), str) else set()
        return own.union(*(_text_keys(part) for part in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(_text_keys(part) for part in value))
    return set()
