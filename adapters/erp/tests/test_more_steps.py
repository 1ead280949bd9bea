"""Goodwill in the books, and a return that waits for its parcel."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from deskhub_erp import Erp, ErpConfig
from deskhub_erp.more_steps import AwaitGoods, CreditGoodwill
from deskhub_erp.simulator import Erp as System
from deskhub_erp.steps import ExpectReceipt
from deskhub_erp.webhook import SIGNATURE
from deskhub_sdk import (
    Forged,
    Money,
    Order,
    OrderId,
    Rejected,
    ReturnLine,
    StepCall,
    Subject,
    WebhookRequest,
)
from deskhub_sdk.steps import WAITING
from deskhub_sdk.testing.context import given_context

SECRET = "hook"


@pytest.fixture
async def system():
    async with System(token="key", webhook_secret=SECRET).serving() as running:
        yield running


@pytest.fixture
async def erp(system):
    async with given_context(instance="erp", timeout_s=1.0) as ctx:
        adapter = Erp(ErpConfig(base_url=system.url, token="key", webhook_secret=SECRET))
        await adapter.start(ctx)
        yield adapter
        await adapter.stop()


def call(system, facts, key="dh_r1_s") -> StepCall:
    now, zero = datetime.now(UTC), Money("0.00", "CNY")
    order = Order(
        id=OrderId("1042"), number="1042", customer="C-1001", status="delivered", placed_at=now,
        updated_at=now, version=6, total=Money("428.00", "CNY"), refunded=zero, lines=(),
    )  # fmt: skip
    shoe = system.world.orders["1042"].lines[0].sku
    line = ReturnLine(
        line="L1", sku=shoe, title="Shoe", quantity=1, amount=Money("399.00", "CNY")
    )
    subject = Subject(about=order, lines=(line,), amount=line.amount, reason="damaged")
    return StepCall(action="order.return@1", run="r1", key=key, subject=subject, facts=facts)


async def test_a_return_waits_for_its_parcel_and_goes_on_when_it_is_booked(erp, system):
    announced = await ExpectReceipt(erp).run(call(system, {"authorized": {"rma_id": "R-1"}}))
    step, waits = AwaitGoods(erp), call(system, {"restocked": announced})

    first = await step.run(waits)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{system.url}/_sim/book", json={"order": "1042"}) as answer,
    ):
        assert answer.status == 200
    second = await step.run(waits)

    assert first[WAITING]["wake_on"] == f"erp:{announced['receipt']}"
    until = datetime.fromisoformat(first[WAITING]["until"])
    assert until - erp.ctx.clock.now() <= timedelta(days=14)
    assert second["receipt"] == announced["receipt"]
    await step.undo(waits, second)
    assert system.effects.keys() == {"receipt", "receipt_booked"}


async def test_a_booked_receipt_is_told_signed_and_a_forged_one_is_refused(erp, system):
    await ExpectReceipt(erp).run(call(system, {"authorized": {"rma_id": "R-1"}}))
    hook = system.hook(next(iter(system.receipts.values())))
    headers = {name.lower(): value for name, value in hook.headers.items()}
    now = datetime.now(UTC)
    request = WebhookRequest(instance="erp", headers=headers, body=hook.body, received_at=now)

    (signal,) = await erp.receive_webhook(request)

    assert (signal.kind, signal.object) == ("receipt.booked", "erp:REC-0001")
    forged = WebhookRequest(
        instance="erp", headers=headers | {SIGNATURE: "0" * 64}, body=hook.body, received_at=now
    )
    with pytest.raises(Forged):
        await erp.receive_webhook(forged)
    assert json.loads(hook.body)["order"] == "1042"


async def test_a_parcel_nobody_announced_cannot_be_waited_for(erp, system):
    with pytest.raises(Rejected):
        await AwaitGoods(erp).run(call(system, {"restocked": {"receipt": "REC-9"}}))


async def test_goodwill_is_credited_once(erp, system):
    step, made = CreditGoodwill(erp), call(system, {})

    fact = await step.run(made)
    assert await step.run(made) == fact
    await step.undo(made, fact)
    await step.undo(made, fact)

    counted = {kind: sum(keys.values()) for kind, keys in system.effects.items()}
    assert counted == {"credit_note": 1, "credit_note_cancelled": 1}
