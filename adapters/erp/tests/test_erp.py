"""The ERP adapter against its simulator on loopback."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import pytest

from deskhub_erp import Erp, ErpConfig
from deskhub_erp.simulator import Erp as System
from deskhub_erp.texts import TEXTS
from deskhub_sdk import (
    Customer,
    CustomerId,
    Money,
    Order,
    OrderId,
    OutcomeUnknown,
    Preview,
    ProductId,
    Refusal,
    Rejected,
    ReturnLine,
    StepCall,
    Subject,
    TenantId,
    Unavailable,
)
from deskhub_sdk.cards import encode_card
from deskhub_sdk.testing.context import given_context

AUTHORIZED = {"authorized": {"rma_id": "R-77"}}


@pytest.fixture
async def system() -> AsyncIterator[System]:
    async with System(token="key").serving() as running:
        yield running


@pytest.fixture
async def erp(system: System) -> AsyncIterator[Erp]:
    async with given_context(instance="erp", timeout_s=1.0) as ctx:
        adapter = Erp(ErpConfig(base_url=system.url, token="key"))
        await adapter.start(ctx)
        yield adapter
        await adapter.stop()


def the_return(
    system: System, *, sku: str = "", facts: Mapping = AUTHORIZED, key: str = "dh_r1_s"
) -> StepCall:
    now, zero = datetime.now(UTC), Money("0.00", "CNY")
    order = Order(
        id=OrderId("1042"), number="1042", customer="C-1001", status="delivered", placed_at=now,
        updated_at=now, version=6, total=Money("428.00", "CNY"), refunded=zero, lines=(),
    )  # fmt: skip
    shoe = sku or system.world.orders["1042"].lines[0].sku
    line = ReturnLine(
        line="L1", sku=shoe, title="Trail Shoe 42", quantity=1, amount=Money("399.00", "CNY")
    )
    subject = Subject(about=order, lines=(line,), amount=line.amount, reason="damaged")
    return StepCall(action="order.return@1", run="r1", key=key, subject=subject, facts=facts)


def receive(erp: Erp):
    return erp.steps[0](erp)


def credit(erp: Erp):
    return erp.steps[1](erp)


async def test_300_look_ups_are_three_calls(erp: Erp, system: System) -> None:
    customer = Customer(id=CustomerId("u"), tenant=TenantId("main"), subject="C-1007")

    (card,) = await erp.conversation_cards(None, customer)

    reads = [one for one in system.requests if one["path"] == "/api/products/read"]
    # The one more is the customer's own record.
    assert (erp.articles.stats.loads, len(reads)) == (301, 3)
    assert encode_card(card)


async def test_one_bad_id_does_not_spoil_the_others(erp: Erp) -> None:
    found = await erp.get_products(
        [ProductId("P-0101"), ProductId("nope"), ProductId("P-0102")]
    )

    assert sorted(found) == ["P-0101", "P-0102"]


async def test_a_batch_that_the_erp_refuses_even_leniently_is_halved(
    erp: Erp, system: System
) -> None:
    system.faults.add(
        {"match": "/api/products/read", "kind": "bad_id", "id": "P-0101", "times": 1}
    )

    found = await erp.get_products([ProductId("P-0101"), ProductId("P-0102")])

    assert "P-0102" in found


async def test_a_preview_shows_what_the_warehouse_would_expect(
    erp: Erp, system: System
) -> None:
    preview = await receive(erp).preview(the_return(system, facts={}))

    assert isinstance(preview, Preview)
    assert preview.title == "Expect 1 piece at Hangzhou"
    assert [(one.before, one.after) for one in preview.changes] == [
        ("0", "1"),
        (None, "SF Express, paid by us"),
    ]
    assert system.effects == {}


async def test_an_article_that_the_warehouse_does_not_know_is_refused(
    erp: Erp, system: System
) -> None:
    refusal = await receive(erp).preview(the_return(system, sku="XX-1"))

    assert isinstance(refusal, Refusal)


async def test_a_lost_answer_is_looked_up_before_it_is_repeated(
    erp: Erp, system: System
) -> None:
    system.faults.add({"match": "POST /api/receipts", "kind": "timeout_after"})
    step, call = receive(erp), the_return(system)

    with pytest.raises(OutcomeUnknown):
        await step.run(call)
    found = await step.lookup(call)

    assert found["label"].startswith("SF15")
    assert system.effects["receipt"].total() == 1


async def test_undo_puts_the_warehouse_back_and_may_be_repeated(
    erp: Erp, system: System
) -> None:
    step, call = receive(erp), the_return(system)
    before = dict(system.inbound)

    fact = await step.run(call)
    await step.undo(call, fact)
    await step.undo(call, fact)

    assert {sku: count for sku, count in system.inbound.items() if count} == before
    assert system.effects["receipt_cancelled"].total() == 1
    assert await step.lookup(call) is None


async def test_goods_without_an_authorization_are_not_announced(
    erp: Erp, system: System
) -> None:
    with pytest.raises(Rejected):
        await receive(erp).run(the_return(system, facts={}))

    assert system.effects == {}


async def test_the_same_key_drafts_one_credit_note(erp: Erp, system: System) -> None:
    step, call = credit(erp), the_return(system)

    assert await step.run(call) == await step.run(call)
    assert system.effects["credit_note"].total() == 1


async def test_undo_cancels_the_draft_also_when_nobody_knows_its_number(
    erp: Erp, system: System
) -> None:
    step, call = credit(erp), the_return(system)
    await step.run(call)

    await step.undo(call, {})
    await step.undo(call, {})

    assert [note["state"] for note in system.credit_notes.values()] == ["cancelled"]
    assert system.effects["credit_note_cancelled"].total() == 1


async def test_a_read_that_fails_is_unavailable_and_never_unknown(
    erp: Erp, system: System
) -> None:
    system.faults.add({"match": "*", "kind": "500", "times": 0})

    with pytest.raises(Unavailable):
        await erp.get_products([ProductId("P-0101")])


def test_english_and_chinese_have_the_same_texts() -> None:
    assert TEXTS["en"].keys() == TEXTS["zh-CN"].keys()
