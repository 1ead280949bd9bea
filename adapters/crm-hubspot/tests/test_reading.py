"""Contacts a hundred at a time, batches answered in part, limits, merged contacts."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from deskhub_crm_hubspot.pace import Pace
from deskhub_sdk import (
    AuthRequired,
    CustomerId,
    Malformed,
    TenantId,
    Throttled,
    Unavailable,
)
from deskhub_sdk.cards import encode_card
from deskhub_sdk.records import Customer, Identity
from deskhub_sdk.testing.samples import conversation, customer, identity


def someone(subject: str | None, email: str | None = None) -> Customer:
    return Customer(
        id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject, email=email
    )


async def test_a_contact_is_read_by_the_customers_number(given):
    found = (await given.adapter.get_customers(["C-1001"]))["C-1001"]

    assert (found.subject, found.name) == ("C-1001", "Wang Fang 王芳")
    assert (found.email, found.language) == ("fang.wang@example.com", "zh-cn")


async def test_forty_look_ups_are_one_call(given):
    people = list(given.hubspot.world.people)

    async with asyncio.TaskGroup() as group:
        for one in people:
            group.create_task(given.adapter.get_customers([one]))

    assert len(given.hubspot.asked) == 1
    assert given.hubspot.asked[0].body["idProperty"] == "customer_number"


async def test_who_is_missing_is_answered_207_and_spoils_nobody(given):
    found = await given.adapter.get_customers(["C-9999", "C-1001", "C-8888"])

    assert list(found) == ["C-1001"]
    assert given.hubspot.requests[-1]["status"] == 207


async def test_a_contact_that_fails_in_a_batch_fails_alone(given):
    given.hubspot.broken = {"C-1002": "INTERNAL_ERROR"}

    with pytest.raises(Malformed, match="INTERNAL_ERROR"):
        await given.adapter.get_customers(["C-1002"])
    assert (await given.adapter.get_customers(["C-1001"]))["C-1001"]


async def test_a_part_without_a_reason_is_no_answer(given):
    """A batch that failed without saying for whom must not look like people who are unknown."""
    body = '{"results": [], "errors": [{"category": "OBJECT_SERVICE", "message": "x"}]}'
    await odd_answer(given, body, status=207)

    with pytest.raises(Unavailable):
        await given.adapter.get_customers(["C-1001"])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("<!doctype html><title>Log in</title>", Malformed),
        ('{"results": [{"id": "1"}]}', Malformed),
        ('{"status": "error", "message": "no"}', Malformed),
        ("[]", Malformed),
    ],
)
async def test_what_is_no_answer_is_none(given, body, error):
    await odd_answer(given, body)

    with pytest.raises(error):
        await given.adapter.get_customers(["C-1001"])


async def odd_answer(given, body: str, status: int = 200) -> None:
    """Let the adapter ask an address that answers *body* to everything."""

    async def odd(_: web.Request) -> web.Response:
        return web.Response(text=body, status=status, content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", odd)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    given.adapter.client._base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    given.ctx.tasks.start(_end(runner), name="odd")


async def _end(runner: web.AppRunner) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def test_a_token_that_is_not_taken_is_said_so(given):
    given.fault("401")

    with pytest.raises(AuthRequired):
        await given.adapter.check_connection()


async def test_a_property_that_allows_a_number_twice_is_said_so(given):
    assert (await given.adapter.check_connection()).ok
    given.hubspot.unique = False

    health = await given.adapter.check_connection()

    assert (health.ok, "twice" in health.text) == (False, True)


async def test_every_card_keeps_the_format(given):
    world = given.hubspot.world
    for number in world.people:
        (card,) = await given.adapter.conversation_cards(
            conversation(world), customer(world, number)
        )
        assert encode_card(card)


async def test_a_signed_number_ends_the_search(given):
    (found,) = await given.adapter.find_customer(identity(given.hubspot.world))

    assert (found.subject, found.confidence) == ("C-1001", 1.0)
    assert [one.path.rpartition("/")[2] for one in given.hubspot.asked] == ["read"]


async def test_marks_that_agree_add_up_and_those_of_several_lose(given):
    twin = given.contact("C-1002")
    twin["properties"]["phone"] = given.contact()["properties"]["phone"]
    asked = Identity(
        inbox="shop", email="Fang.Wang@example.com", phone=twin["properties"]["phone"]
    )

    first, second = await given.adapter.find_customer(asked)

    assert (first.subject, second.subject) == ("C-1001", "C-1002")
    assert first.confidence > 0.6 > second.confidence
    assert "several" in second.why


async def test_six_searches_in_a_row_keep_the_pace_and_none_is_refused(given):
    began = time.monotonic()

    for _ in range(6):
        await given.adapter.client.search("email", "nobody@example.com")

    assert time.monotonic() - began > 1.0
    assert {one["status"] for one in given.hubspot.requests} == {200}


async def test_without_the_pace_searches_are_refused(given, monkeypatch):
    """The sabotaged twin: as fast as they come, HubSpot refuses the sixth."""
    monkeypatch.setattr("deskhub_crm_hubspot.pace.SEARCH_EVERY_S", 0.0)

    with suppress(Throttled):
        for _ in range(6):
            await given.adapter.client.search("email", "nobody@example.com")

    assert 429 in {one["status"] for one in given.hubspot.requests}


async def test_no_calls_left_are_waited_for_or_throttled():
    pace = Pace()
    span = "x-hubspot-ratelimit-interval-milliseconds"
    pace.learn({"x-hubspot-ratelimit-remaining": "0", span: "100"})
    began = time.monotonic()

    await pace.ready()
    waited = time.monotonic() - began
    pace.learn({"x-hubspot-ratelimit-remaining": "0", span: "10000"})

    assert waited >= 0.09
    with pytest.raises(Throttled) as caught:
        await pace.ready()
    assert 9 < caught.value.retry_after_s <= 10


@pytest.mark.parametrize("told", ["", "many", "-1", "9" * 30])
async def test_a_limit_that_is_no_number_says_nothing(told):
    pace = Pace()

    pace.learn({
        "x-hubspot-ratelimit-remaining": told,
        "x-hubspot-ratelimit-interval-milliseconds": told,
    })  # fmt: skip

    await pace.ready()
    assert pace.held_back == 0


async def test_what_changed_is_told_oldest_first_and_the_same_each_time(given):
    since = datetime.now(UTC) - timedelta(days=3650)

    first = await given.adapter.changed_since(since, "")
    again = await given.adapter.changed_since(since, "")

    assert first == again
    assert len(first.signals) == 40
    assert [one.at for one in first.signals] == sorted(one.at for one in first.signals)


async def test_a_changed_contact_that_the_search_knows_late_is_told_by_the_next_turn(given):
    before = datetime.now(UTC)
    contact = given.hubspot.touch(given.contact(), city="Suzhou")
    given.hubspot.unindexed.add(contact["id"])
    assert (await given.adapter.changed_since(before, "")).signals == ()

    given.hubspot.unindexed.clear()

    (told,) = (await given.adapter.changed_since(before, "")).signals
    assert told.subject == "C-1001"


async def test_export_has_the_notes_and_erasing_takes_the_contact(given):
    held = await given.adapter.export_customer(someone("C-1001"))
    done = await given.adapter.erase_customer(someone("C-1001"))
    again = await given.adapter.erase_customer(someone("C-1001"))

    assert held["contacts"][0]["properties"]["email"] == "fang.wang@example.com"
    assert "notes" in held["contacts"][0]
    assert (done.outcome, again.outcome) == ("erased", "absent")
    assert given.effects() == {"contact_erased": 1}
    assert await given.adapter.get_customers(["C-1001"]) == {}


async def test_who_cannot_be_read_now_is_not_said_to_be_absent(given):
    given.hubspot.broken = {"C-1001": "INTERNAL_ERROR"}

    for ask in (given.adapter.erase_customer, given.adapter.export_customer):
        with pytest.raises(Malformed):
            await ask(someone("C-1001"))


async def test_an_address_that_two_share_erases_nobody(given):
    given.contact("C-1002")["properties"]["email"] = "fang.wang@example.com"

    done = await given.adapter.erase_customer(someone(None, "fang.wang@example.com"))

    assert done.outcome == "kept"
    assert given.effects() == {}
