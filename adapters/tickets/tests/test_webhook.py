"""Pushed changes: only what the ticket system signed, just now, counts."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from deskhub_sdk import AdapterError, Forged, Malformed, Signal, Target, WebhookRequest
from deskhub_sdk.cards import encode_card
from deskhub_sdk.testing import given_context
from deskhub_tickets import Tickets, TicketsConfig
from deskhub_tickets.simulator import TicketsSimulator
from deskhub_tickets.webhook import sign

SECRET = "a-webhook-secret"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ISSUE: dict[str, Any] = {
    "id": "318", "key": "SUP-318", "title": "Sole glue, batch B7", "status": "done",
    "version": 4, "updated_at": "2026-11-23T08:59:58Z", "customer": "C-1001",
    "assignee": "Li Wei", "conversation": "c_7", "reference": None,
}  # fmt: skip


@asynccontextmanager
async def adapter(**settings: Any) -> AsyncIterator[Tickets]:
    async with given_context(instance="tickets", now=NOW) as ctx:
        given = {"base_url": "http://127.0.0.1:9", "token": "t", "webhook_secret": SECRET}
        tickets = Tickets(TicketsConfig.model_validate({**given, **settings}))
        await tickets.start(ctx)
        yield tickets


def body(**changes: Any) -> bytes:
    told = {"event": "ticket.updated", "delivery": "dlv_1",
            "sent_at": "2026-11-23T08:59:59Z", "ticket": ISSUE}  # fmt: skip
    return json.dumps({**told, **changes}, ensure_ascii=False).encode()


def request(raw: bytes, secret: str = SECRET, **headers: str) -> WebhookRequest:
    sent = {"x-hub-signature-256": sign(secret, raw), "x-hub-delivery": "dlv_1"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    return WebhookRequest(instance="tickets", headers=sent, body=raw, received_at=NOW)


def test_the_signature_is_the_one_github_uses() -> None:
    mac = hmac.new(b"It's a Secret to Everybody", b"Hello, World!", hashlib.sha256).hexdigest()

    assert sign("It's a Secret to Everybody", b"Hello, World!") == f"sha256={mac}"
    # The vector of GitHub's documentation.
    assert mac == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


async def test_a_signed_change_becomes_one_signal() -> None:
    async with adapter() as tickets:
        (signal,) = await tickets.receive_webhook(request(body()))

    assert (signal.kind, signal.dedupe, signal.object) == (
        "ticket.updated", "dlv_1", "tickets:SUP-318",
    )  # fmt: skip
    assert (signal.version, signal.subject) == (4, "C-1001")
    assert signal.at == datetime(2026, 11, 23, 8, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=00", "sha1=00", sign("another", body()), sign(SECRET, body())[7:]],
)
async def test_a_forged_signature_is_refused(signature: str) -> None:
    async with adapter() as tickets:
        with pytest.raises(Forged):
            await tickets.receive_webhook(request(body(), x_hub_signature_256=signature))


async def test_a_missing_signature_is_refused() -> None:
    unsigned = WebhookRequest(instance="tickets", headers={}, body=body(), received_at=NOW)

    async with adapter() as tickets:
        with pytest.raises(Forged):
            await tickets.receive_webhook(unsigned)


@pytest.mark.parametrize("change", [b" ", b"\n"])
async def test_one_byte_more_breaks_the_signature(change: bytes) -> None:
    async with adapter() as tickets:
        with pytest.raises(Forged):
            await tickets.receive_webhook(
                request(body() + change, x_hub_signature_256=sign(SECRET, body()))
            )


async def test_nothing_is_parsed_before_the_signature_holds() -> None:
    async with adapter() as tickets:
        with pytest.raises(Forged):
            await tickets.receive_webhook(request(b"\xff not json", secret="another"))


async def test_both_secrets_count_while_they_are_changed() -> None:
    async with adapter(previous_webhook_secret="the-old-secret") as tickets:
        assert await tickets.receive_webhook(request(body(), secret="the-old-secret"))
        assert await tickets.receive_webhook(request(body()))
    async with adapter() as tickets:
        with pytest.raises(Forged):
            await tickets.receive_webhook(request(body(), secret="the-old-secret"))


@pytest.mark.parametrize("off", [timedelta(seconds=-301), timedelta(seconds=301)])
async def test_a_delivery_from_another_time_is_refused(off: timedelta) -> None:
    raw = body(sent_at=(NOW + off).isoformat())

    async with adapter() as tickets:
        with pytest.raises(Forged, match="just now"):
            await tickets.receive_webhook(request(raw))


async def test_a_replay_under_another_id_is_refused() -> None:
    async with adapter() as tickets:
        with pytest.raises(Forged, match="another id"):
            await tickets.receive_webhook(request(body(), x_hub_delivery="dlv_2"))


async def test_a_repeated_delivery_carries_the_same_dedupe_id() -> None:
    async with adapter() as tickets:
        (first,) = await tickets.receive_webhook(request(body()))
        (second,) = await tickets.receive_webhook(request(body()))

    assert first == second


async def test_other_events_hold_nothing_for_us() -> None:
    async with adapter() as tickets:
        assert list(await tickets.receive_webhook(request(body(event="project.created")))) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b"not json",
        body(ticket=None),
        body(ticket={**ISSUE, "status": "exploded"}),
        body(ticket={**ISSUE, "updated_at": "2026-11-23T08:59:58"}),
        body(delivery=""),
    ],
)
async def test_a_signed_body_of_another_shape_is_malformed(raw: bytes) -> None:
    async with adapter() as tickets:
        with pytest.raises(Malformed):
            await tickets.receive_webhook(request(raw))


async def test_the_signal_finds_its_customer_and_the_conversation_it_came_from() -> None:
    async with adapter() as tickets:
        (signal,) = await tickets.receive_webhook(request(body()))
        found = await tickets.find_conversations(signal)

    assert list(found) == [Target(subject="C-1001"), Target(conversation="c_7")]


async def test_the_card_shows_the_case_to_agents_at_its_version() -> None:
    async with adapter() as tickets:
        (signal,) = await tickets.receive_webhook(request(body()))
        card = await tickets.signal_card(signal)

    assert card is not None
    assert (card.id, card.rev, card.audience) == ("tickets.sup-318", 4, "agent")
    assert encode_card(card)


async def test_a_signal_of_another_system_is_left_to_it() -> None:
    other = Signal(
        kind="order.shipped", dedupe="1", object="orders:1042", version=1, at=NOW, data={"x": 1}
    )

    async with adapter() as tickets:
        assert await tickets.signal_card(other) is None
        assert list(await tickets.find_conversations(other)) == []


async def test_what_the_simulator_sends_is_accepted_and_changes_the_panel() -> None:
    received: list[WebhookRequest] = []

    async def take(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        received.append(
            WebhookRequest(
                instance=request.match_info["instance"], headers=headers,
                body=await request.read(), received_at=datetime.now(UTC),
            )
        )  # fmt: skip
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/api/v1/webhooks/{instance}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hub = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with (
            TicketsSimulator(hub=hub, webhook_secret=SECRET).serving() as simulator,
            given_context(instance="tickets") as ctx,
            aiohttp.ClientSession() as colleague,
        ):
            tickets = Tickets(
                TicketsConfig.model_validate(
                    {"base_url": simulator.url, "token": "t", "webhook_secret": SECRET}
                )
            )
            await tickets.start(ctx)
            assert await tickets.tickets_of(["C-1001"]) == {"C-1001": ("318",)}
            simulator.faults.add({"match": "ticket.updated", "kind": "duplicate"})
            simulator.faults.add({"match": "ticket.updated", "kind": "stale"})
            async with colleague.post(
                f"{simulator.url}/_sim/update",
                json={
                    "ticket": "SUP-318",
                    "status": "done",
                    "comment": "Fixed.",
                    "by": "Li Wei",
                },
            ) as said:
                delivered = (await said.json())["delivered"]
            signals = [(await tickets.receive_webhook(one))[0] for one in received]

            assert delivered == [202, 202, 202]
            assert await tickets.tickets_of(["C-1001"]) == {}
    finally:
        await runner.cleanup()

    first, again, stale = signals
    assert first.dedupe == again.dedupe != stale.dedupe
    assert stale.version == first.version - 1
    assert first.data["status"] == "done"


async def test_the_secret_is_in_no_error() -> None:
    async with adapter() as tickets:
        with pytest.raises(AdapterError) as raised:
            await tickets.receive_webhook(request(body(), secret="another"))

    assert SECRET not in repr(raised.value)
