"""Webhooks of the systems that adapters were written for, through the hub to one right card."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path

import aiohttp
import msgspec
import pytest

from deskhub.clock import SystemClock
from deskhub.config import Instance
from deskhub.signals.errors import WebhookForged
from deskhub.signals.reconcile import Reconciler
from deskhub.store.tables import hub as tables
from deskhub_orders_woocommerce.simulator import WooSimulator
from deskhub_payments_stripe.simulator import StripeSimulator
from deskhub_sdk.testing import Hook, Simulator
from deskhub_sdk.testing.world import build_world
from deskhub_tickets_zammad.simulator import ZammadSimulator
from tests.host.small_hub import SmallHub, eventually, small_hub
from tests.signals.test_signals import ANNA

WORLD = build_world()
WANG_FANG = "C-1001"
# What happens to one thing, in order, and the number of webhooks of it.
STORIES = {
    "payments-stripe": (
        StripeSimulator,
        [
            ("refund", {"payment_intent": "pi_1042", "amount": 100}),
            ("refund", {"payment_intent": "pi_1042", "amount": 200}),
            ("dispute", {"payment_intent": "pi_1042"}),
        ],
        "stripe.disputed",
    ),
    "orders-woocommerce": (
        WooSimulator,
        [("refund", {"order": 1042, "amount": "1.00"}), ("advance", {"order": 1042})],
        "woo.status.completed",
    ),
    "tickets-zammad": (
        ZammadSimulator,
        [
            ("work", {"ticket": 318, "state": one})
            for one in ("pending close", "open", "closed")
        ],
        "zammad.status.done",
    ),
}


@asynccontextmanager
async def told(
    folder: Path, name: str, *run: str
) -> AsyncIterator[tuple[SmallHub, Simulator, list[Hook]]]:
    """Yield a hub with the adapter *name*, its system, and the webhooks of a whole story."""
    kind, story, _ = STORIES[name]
    point = next(one for one in entry_points(group="deskhub.adapters") if one.name == name)
    async with kind(token="t", world=WORLD).serving() as system:
        system.caught = []
        settings = {
            name: Instance(id=name, use=name, isolation="inline", config=system.settings())
        }
        async with small_hub(
            folder, {}, settings=settings, points={name: point}, run=("host", *run)
        ) as hub:
            await hub.add_customer("cu_1", WANG_FANG, ANNA.id)
            await hub.open(ANNA)
            async with aiohttp.ClientSession() as http:
                for verb, wish in story:
                    async with http.post(f"{system.url}/_sim/{verb}", json=wish) as answer:
                        assert answer.status == 200
            yield hub, system, list(system.caught)


async def revisions(hub: SmallHub, badge: str) -> list[tuple[int, bool]]:
    """Return the revision of each card of the story's object, and whether it shows its end."""
    found = [msgspec.json.decode(one.data)["card"] for one in await hub.events("card.shown")]
    ends = [one["id"] for one in found if one["badge"]["text"]["t"] == badge]
    return [
        (one["rev"], one["badge"]["text"]["t"] == badge)
        for one in found
        if one["id"] in ends[:1]
    ]


async def quiet(hub: SmallHub) -> bool:
    rows = await hub.rows(tables.signal)
    return bool(rows) and all(row["state"] != "pending" for row in rows)


@pytest.mark.parametrize("name", STORIES)
async def test_shuffled_and_repeated_webhooks_end_in_one_right_card(
    tmp_path: Path, name: str
) -> None:
    async with told(tmp_path, name, "signals") as (hub, _, hooks):
        deliveries = hooks * 3
        random.Random(4).shuffle(deliveries)
        for one in deliveries:
            await hub.signals.receive(name, one.headers, one.body)
        await eventually(lambda: quiet(hub))
        shown = await revisions(hub, STORIES[name][2])

    # What polling saw on the way may come before; nothing comes twice, nothing goes back.
    assert shown[-1][1]
    assert shown == sorted(set(shown))


@pytest.mark.parametrize("name", STORIES)
async def test_forged_and_rewritten_webhooks_leave_nothing(tmp_path: Path, name: str) -> None:
    async with told(tmp_path, name) as (hub, _, hooks):
        for headers, body in (
            ({}, hooks[0].body),
            (hooks[0].headers, hooks[0].body + b"\n"),
            (hooks[0].headers, b" " * 2_000_000),
            (hooks[0].headers, hooks[0].body.decode().encode("utf-16")),
        ):
            with pytest.raises(WebhookForged):
                await hub.signals.receive(name, headers, body)
        kept = await hub.rows(tables.signal)

    assert kept == []


@pytest.mark.parametrize("name", STORIES)
async def test_polling_alone_ends_there_too_and_webhooks_after_it_add_nothing(
    tmp_path: Path, name: str
) -> None:
    async with told(tmp_path, name, "signals") as (hub, _, hooks):
        reconciler = Reconciler(hub.host, hub.store, SystemClock(), hub.inbox)
        await reconciler.turn(hub.host.instance(name))
        await eventually(lambda: quiet(hub))
        before = await revisions(hub, STORIES[name][2])
        for one in hooks:
            await hub.signals.receive(name, one.headers, one.body)
        await eventually(lambda: quiet(hub))
        after = await revisions(hub, STORIES[name][2])

    assert before[-1][1]
    assert after == before
