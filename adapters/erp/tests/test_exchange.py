"""What goes out is set aside once, given back, and never promised twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deskhub_erp import Erp, ErpConfig
from deskhub_erp.exchange import CreditDifference, SetAside
from deskhub_erp.simulator import Erp as System
from deskhub_sdk import (
    Conflict,
    Money,
    Order,
    OrderId,
    Preview,
    Refusal,
    ReturnLine,
    StepCall,
    Subject,
)
from deskhub_sdk.testing.context import given_context


@pytest.fixture
async def system():
    async with System(token="key").serving() as running:
        yield running


@pytest.fixture
async def erp(system):
    async with given_context(instance="erp", timeout_s=1.0) as ctx:
        adapter = Erp(ErpConfig(base_url=system.url, token="key"))
        await adapter.start(ctx)
        yield adapter
        await adapter.stop()


def shoe(system):
    return next(one for one in system.world.items.values() if one.sku == "TS-42")


def call(system, quantity=1, amount="0.00", key="dh_r1_reserved"):
    now, zero, item = datetime.now(UTC), Money("0.00", "CNY"), shoe(system)
    order = Order(
        id=OrderId("1042"), number="1042", customer="C-1001", status="delivered", placed_at=now,
        updated_at=now, version=6, total=Money("428.00", "CNY"), refunded=zero, lines=(),
    )  # fmt: skip
    line = ReturnLine(
        line=item.id, sku=item.sku, title=item.name, quantity=quantity,
        amount=item.price.times(quantity),
    )  # fmt: skip
    subject = Subject(
        about=order, instead=(line,), amount=Money(amount, "CNY"), reason="does_not_fit"
    )
    return StepCall(action="order.exchange@1", run="r1", key=key, subject=subject, facts={})


async def test_every_size_is_offered_with_what_is_left(erp, system):
    found = await erp.variants_of([shoe(system).id, "P-9999"])

    (sizes,) = found.values()
    assert {one.sku: one.stock for one in sizes}["TS-42"] == 14
    assert len(sizes) > 3


async def test_twice_is_one_reservation_and_undo_gives_it_back(erp, system):
    step, asked = SetAside(erp), call(system, 2)
    shown = await step.preview(asked)
    assert isinstance(shown, Preview)
    assert (shown.changes[0].before, shown.changes[0].after) == ("14", "12")

    fact = await step.run(asked)
    assert await step.run(asked) == fact
    left = await step.preview(asked)
    await step.undo(asked, fact)
    await step.undo(asked, fact)

    assert isinstance(left, Preview)
    assert left.changes[0].before == "12"
    counted = {kind: sum(keys.values()) for kind, keys in system.effects.items()}
    assert counted == {"reservation": 1, "reservation_released": 1}


async def test_more_than_there_is_cannot_be_set_aside(erp, system):
    step, asked = SetAside(erp), call(system, 15)

    assert isinstance(await step.preview(asked), Refusal)
    with pytest.raises(Conflict):
        await step.run(asked)


async def test_what_ran_out_is_free_again(erp, system):
    await SetAside(erp).run(call(system, 14))
    system.reservations["RES-0001"]["until"] = "2020-01-01T00:00:00+00:00"

    shown = await SetAside(erp).preview(call(system, 14))

    assert isinstance(shown, Preview)


@pytest.mark.parametrize(("amount", "notes"), [("0.00", 0), ("20.00", 1)])
async def test_only_a_difference_is_credited(erp, system, amount, notes):
    step, asked = CreditDifference(erp), call(system, amount=amount, key="dh_r1_credited")

    await step.preview(asked)
    fact = await step.run(asked)
    await step.undo(asked, fact)

    assert len(system.credit_notes) == notes
    assert {one["state"] for one in system.credit_notes.values()} <= {"cancelled"}
