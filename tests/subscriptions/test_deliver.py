"""Messages to endpoints: signed, repeated on the schedule, and never told twice as two."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from aiohttp import web

from deskhub.errors import NotFound
from deskhub.store import subscriptions as rows
from deskhub.store.deliveries import TEST
from deskhub.subscriptions import feed, sender
from deskhub.subscriptions.errors import EndpointRefused, SubscriptionDisabled
from deskhub.subscriptions.subscriptions import Wanted
from tests.subscriptions.conftest import ADMIN, Desk, Endpoint, endpoint


def told(got: tuple[dict[str, str], bytes]) -> Any:
    return json.loads(got[1])


async def test_an_event_is_posted_as_standard_webhooks_says(desk: Desk, far: Endpoint) -> None:
    async with desk.telling():
        row, secret = await desk.subscribe(far)
        conversation = await desk.open()
        got = await far.until(2)
        (_, _) = await desk.settled(row, "done", "done")

    headers, body = next(one for one in got if told(one)["type"] == "message.posted")
    library = standardwebhooks.Webhook(secret)
    message = library.verify(body, headers)
    assert {told(one)["type"] for one in got} == {"conversation.opened", "message.posted"}
    assert set(message) == {"type", "timestamp", "data"}
    assert message["data"]["conversation"] == conversation
    assert message["data"]["data"]["text"] == "Where is it?"
    assert message["data"]["seq"] > 0
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"].startswith("msg_")
    assert len({one[0]["webhook-id"] for one in got}) == 2


async def test_the_body_holds_the_event_as_every_transport_sends_it(
    desk: Desk, far: Endpoint
) -> None:
    async with desk.telling():
        await desk.subscribe(far, "message.posted")
        await desk.open()
        ((_, body),) = await far.until(1)

    async with desk.hub.http("agent.a_1") as client:
        events = (await client.get("/api/v1/events", params={"wait": 0})).json()
    del events
    head, _, rest = body.partition(b',"data":')
    assert json.loads(head + b"}")["type"] == "message.posted"
    recent = desk.hub.store.tail.recent("main", 0) or []
    assert rest[:-1] in [event.encoded for event in recent]


async def test_who_asked_for_some_events_gets_those(desk: Desk, far: Endpoint) -> None:
    async with desk.telling():
        row, _ = await desk.subscribe(far, "conversation.closed")
        conversation = await desk.open()
        await desk.answer(conversation, "On Tuesday.", "a-1")
        await desk.close(conversation)
        await desk.settled(row, "done")

    assert [told(one)["type"] for one in far.got] == ["conversation.closed"]


async def test_who_subscribes_later_is_not_told_of_before(desk: Desk, far: Endpoint) -> None:
    async with desk.telling():
        conversation = await desk.open()
        await desk.caught_up()
        row, _ = await desk.subscribe(far)
        await desk.answer(conversation, "On Tuesday.", "a-1")
        await desk.settled(row, "done")

    assert [told(one)["type"] for one in far.got] == ["message.posted"]


@pytest.mark.parametrize("first", [500, 503, 404, 301, 401])
async def test_a_failure_is_repeated_under_the_same_id_and_a_new_signature(
    desk: Desk, far: Endpoint, first: int
) -> None:
    far.answers = [first, first]
    async with desk.telling(pauses_s=(1.1, 0.05)):
        row, secret = await desk.subscribe(far, "message.posted")
        await desk.open()
        (delivery,) = await desk.settled(row, "done")
        tried = await desk.attempts(delivery)

    ids = {headers["webhook-id"] for headers, _ in far.got}
    stamps = {headers["webhook-timestamp"] for headers, _ in far.got}
    assert (len(far.got), len(ids), len({body for _, body in far.got})) == (3, 1, 1)
    assert len(stamps) > 1, "each attempt has a time of its own"
    for headers, body in far.got:
        standardwebhooks.Webhook(secret).verify(body, headers)
    assert [one.status for one in tried] == [204, first, first]
    assert [one.n for one in tried] == [3, 2, 1]
    words = {500: "server", 503: "server", 404: "client", 301: "redirect", 401: "client"}
    assert [one.error for one in tried] == ["", words[first], words[first]]


async def test_after_the_last_attempt_it_failed_and_can_be_replayed(
    desk: Desk, far: Endpoint
) -> None:
    far.answers = [500] * 3
    async with desk.telling(pauses_s=(0.02, 0.02)) as told_of:
        row, _ = await desk.subscribe(far, "message.posted")
        await desk.open()
        (dead,) = await desk.settled(row, "failed")
        assert (dead.attempts, dead.status, dead.error) == (3, 500, "server")

        await told_of.replay(ADMIN, row.id, dead.id)
        (done,) = await desk.settled(row, "done")

    assert (done.id, done.attempts) == (dead.id, 4)
    assert len({headers["webhook-id"] for headers, _ in far.got}) == 1


async def test_everything_that_failed_is_replayed_at_once(desk: Desk, far: Endpoint) -> None:
    far.answers = [500] * 3
    async with desk.telling(pauses_s=()) as told_of:
        row, _ = await desk.subscribe(far, "message.posted")
        conversation = await desk.open()
        await desk.settled(row, "failed")
        for number in (1, 2):
            await desk.answer(conversation, "Soon.", f"a-{number}")
        await desk.settled(row, "failed", "failed", "failed")

        later = datetime.now(UTC) + timedelta(hours=1)
        assert await told_of.replay_failed(ADMIN, row.id, later) == 0
        assert await told_of.replay_failed(ADMIN, row.id, None) == 3
        await desk.settled(row, "done", "done", "done")


async def test_410_switches_the_endpoint_off_and_its_queue_waits_for_a_person(
    desk: Desk, far: Endpoint
) -> None:
    far.answers = [410]
    async with desk.telling() as told_of:
        row, _ = await desk.subscribe(far, "message.posted")
        conversation = await desk.open()
        await desk.settled(row, "failed")
        now = await desk.hub.store.read(lambda db: rows.get(db, "main", row.id))
        assert now is not None
        assert (now.state, now.why) == ("disabled", "gone")

        await desk.answer(conversation, "On Tuesday.", "a-1")
        await desk.caught_up()
        assert len(await desk.rows(row)) == 1, "who is off is told of nothing"
        with pytest.raises(SubscriptionDisabled):
            await told_of.test(ADMIN, row.id)

        await told_of.change(ADMIN, row.id, Wanted(is_active=True))
        await told_of.replay_failed(ADMIN, row.id, None)
        await desk.settled(row, "done")
    assert len(far.got) == 2


async def test_a_redirect_is_not_followed(desk: Desk, far: Endpoint) -> None:
    async with endpoint() as inside:
        far.answers = [lambda _: web.Response(status=307, headers={"Location": inside.url})]
        async with desk.telling(pauses_s=()):
            row, _ = await desk.subscribe(far, "message.posted")
            await desk.open()
            (delivery,) = await desk.settled(row, "failed")

        assert delivery.error == "redirect"
        assert inside.got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook", "https://127.0.0.1/hook", "https://10.0.0.8/", "ftp://x/",
        "https://[::1]/", "https://169.254.169.254/latest", "https://u:p@example.com/",
        "https://[::ffff:10.0.0.1]/", "https://", "https://100.64.0.1/",
    ],
)  # fmt: skip
async def test_an_address_inside_is_refused_unless_hub_toml_names_its_host(
    desk: Desk, url: str
) -> None:
    async with desk.telling(private=()):
        with pytest.raises(EndpointRefused) as refused:
            await desk.subscribe(url)
    assert refused.value.fields[0]["path"] == "url"


async def test_link_local_addresses_are_refused_even_then(desk: Desk) -> None:
    async with desk.telling(private=("169.254.169.254",)):
        with pytest.raises(EndpointRefused):
            await desk.subscribe("http://169.254.169.254/latest")


async def test_a_public_name_that_leads_inside_is_refused_when_it_is_dialled(
    desk: Desk, far: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    loop = asyncio.get_running_loop()
    port = int(far.url.rsplit(":", 1)[1].split("/")[0])

    async def inside(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", inside)
    async with desk.telling(pauses_s=()):
        row, _ = await desk.subscribe(f"https://innocent.example:{port}/", "message.posted")
        await desk.open()
        (delivery,) = await desk.settled(row, "failed")

    assert (delivery.error, far.got) == ("address", [])


async def test_what_went_wrong_is_said_in_a_word(desk: Desk, far: Endpoint) -> None:
    far.hold = asyncio.Event()
    async with desk.telling(pauses_s=(), timeout_s=0.3):
        slow, _ = await desk.subscribe(far, "message.posted")
        shut, _ = await desk.subscribe("http://127.0.0.1:9/", "message.posted")
        plain, _ = await desk.subscribe(far.url.replace("http:", "https:"), "message.posted")
        await desk.open()
        words = [(await desk.settled(one, "failed"))[0].error for one in (slow, shut, plain)]
        far.hold.set()

    assert words == ["timeout", "connection", "tls"]


async def test_an_answer_is_kept_cut_and_without_cookies(desk: Desk, far: Endpoint) -> None:
    far.answers = [
        lambda _: web.Response(
            body=b"x\x00" * 200_000, headers={"Set-Cookie": "s=1", "X-Why": "w" * 900}
        )
    ]
    async with desk.telling():
        row, _ = await desk.subscribe(far, "message.posted")
        await desk.open()
        (delivery,) = await desk.settled(row, "done")
        (one,) = await desk.attempts(delivery)

    assert len(one.body) <= sender.KEPT_BODY_CHARS
    assert "\x00" not in one.body
    assert "set-cookie" not in one.headers
    assert len(one.headers["x-why"]) == 500


async def test_retry_after_is_waited_for(desk: Desk, far: Endpoint) -> None:
    far.answers = [lambda _: web.Response(status=429, headers={"Retry-After": "2"})]
    async with desk.telling(pauses_s=(0.01,)):
        row, _ = await desk.subscribe(far, "message.posted")
        await desk.open()
        await far.until(1)
        async with asyncio.timeout(10):
            while (await desk.rows(row))[0].attempts == 0:
                await asyncio.sleep(0.01)
        (waiting,) = await desk.rows(row)
        (one,) = await desk.attempts(waiting)
        await desk.settled(row, "done")

    assert waiting.error == "throttled"
    assert (waiting.next_at - one.at).total_seconds() > 1.5


async def test_a_dead_endpoint_holds_nobody_else_up(desk: Desk, far: Endpoint) -> None:
    async with endpoint() as stuck:
        stuck.hold = asyncio.Event()
        async with desk.telling(timeout_s=30.0):
            await desk.subscribe(stuck)
            row, _ = await desk.subscribe(far, "message.posted")
            conversation = await desk.open()
            for number in range(15):
                await desk.answer(conversation, "Soon.", f"a-{number}")
            await desk.settled(row, *["done"] * 16)
            assert len(stuck.got) == sender.AT_ONCE, "only so many wait for one address"
            stuck.hold.set()


async def test_both_secrets_sign_while_one_is_changed(desk: Desk, far: Endpoint) -> None:
    async with desk.telling() as told_of:
        row, old = await desk.subscribe(far, "message.posted")
        changed, new = await told_of.rotate(ADMIN, row.id)
        await desk.open()
        ((headers, body),) = await far.until(1)

    assert old != new
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        standardwebhooks.Webhook(secret).verify(body, headers)
    assert changed.old_until is not None
    assert changed.old_until > datetime.now(UTC) + timedelta(hours=23)


async def test_after_the_rotation_only_the_new_one_signs(desk: Desk, far: Endpoint) -> None:
    async with desk.telling() as told_of:
        row, old = await desk.subscribe(far, "message.posted")
        _, new = await told_of.rotate(ADMIN, row.id)
        past = datetime.now(UTC) - timedelta(seconds=1)
        await desk.hub.store.transact(
            "main", lambda tx: rows.change(tx, row.id, old_until=past)
        )
        await desk.open()
        ((headers, body),) = await far.until(1)

    standardwebhooks.Webhook(new).verify(body, headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(old).verify(body, headers)


async def test_a_secret_lies_encrypted_and_opens_nowhere_else(
    desk: Desk, far: Endpoint
) -> None:
    async with desk.telling(pauses_s=()):
        first, secret = await desk.subscribe(far, "message.posted")
        second, _ = await desk.subscribe(far, "message.posted")
        assert secret.removeprefix("whsec_") not in first.secret
        await desk.hub.store.transact(
            "main", lambda tx: rows.change(tx, second.id, secret=first.secret)
        )
        await desk.open()
        await desk.settled(first, "done")
        (refused,) = await desk.settled(second, "failed")

    assert refused.error == "secret_lost"


async def test_a_test_message_is_verified_like_any_other(desk: Desk, far: Endpoint) -> None:
    async with desk.telling() as told_of:
        row, secret = await desk.subscribe(far, "conversation.closed")
        delivery = await told_of.test(ADMIN, row.id)
        await desk.settled(row, "done")
        shown = await told_of.delivery("main", row.id, delivery)

    ((headers, body),) = far.got
    assert standardwebhooks.Webhook(secret).verify(body, headers)["type"] == TEST
    assert shown.body.encode() == body
    assert shown.attempts[0].signature == headers["webhook-signature"]


async def test_one_tenants_endpoint_is_nothing_to_another(desk: Desk, far: Endpoint) -> None:
    from dataclasses import replace

    foreign = replace(ADMIN, tenant="apart")
    async with desk.telling() as told_of:
        row, _ = await desk.subscribe(far)
        for work in (
            told_of.rotate(foreign, row.id), told_of.remove(foreign, row.id),
            told_of.test(foreign, row.id), told_of.replay_failed(foreign, row.id, None),
            told_of.change(foreign, row.id, Wanted(name="mine")),
            told_of.deliveries("apart", row.id),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await work


async def test_a_full_queue_switches_the_endpoint_off(
    desk: Desk, far: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed.Feed.__init__, "__kwdefaults__", {"waiting_max": 2})
    far.answers = [500] * 99
    async with desk.telling(pauses_s=(60.0,) * 9):
        row, _ = await desk.subscribe(far, "message.posted")
        conversation = await desk.open()
        for number in range(4):
            await desk.answer(conversation, "Soon.", f"a-{number}")
            await desk.caught_up()
            await far.until(min(number + 2, 2))
        now = await desk.hub.store.read(lambda db: rows.get(db, "main", row.id))

    assert now is not None
    assert (now.state, now.why) == ("disabled", "full")
    assert len(await desk.rows(row)) <= 3


async def test_old_deliveries_are_forgotten_and_waiting_ones_kept(
    desk: Desk, far: Endpoint
) -> None:
    from deskhub.store import deliveries

    far.answers = [204, *[500] * 9]
    async with desk.telling(pauses_s=(60.0,) * 9):
        row, _ = await desk.subscribe(far, "message.posted")
        conversation = await desk.open()
        await desk.settled(row, "done")
        await desk.answer(conversation, "Soon.", "a-1")
        await far.until(2)
        future = datetime.now(UTC) + timedelta(days=1)
        gone = await desk.hub.store.transact("main", lambda tx: deliveries.sweep(tx, future))

    assert gone == 1
    assert [one.state for one in await desk.rows(row)] == ["waiting"]
