"""Tryton's habits, offline: each was measured on 8.2 and is repeated by the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from deskhub_erp_tryton import ErpTryton
from deskhub_erp_tryton.mapping import Sale
from deskhub_erp_tryton.polling import BOOKED, CHANGED, Poller
from deskhub_erp_tryton.returning import AwaitGoods, ExpectReturn, PostCreditNote
from deskhub_erp_tryton.settings import TrytonConfig
from deskhub_erp_tryton.simulator import Tryton
from deskhub_erp_tryton.wire import Moment, Number, moment, money
from deskhub_sdk import (
    AuthRequired,
    Fact,
    Malformed,
    NeedsPerson,
    OrderId,
    OutcomeUnknown,
    Preview,
    ProductId,
    Refusal,
    Rejected,
    StepCall,
    Unavailable,
    Waiting,
)
from deskhub_sdk.testing import given_context
from deskhub_sdk.testing.context import GivenContext
from deskhub_sdk.testing.samples import conversation, customer, step_call

ORDER = "1042"


@dataclass
class Rig:
    """An adapter that runs against the simulator."""

    erp: ErpTryton
    ctx: GivenContext
    tryton: Tryton

    def call(
        self, key: str, facts: Mapping[str, Fact] | None = None, order: str = ORDER
    ) -> StepCall:
        made = step_call(self.tryton.world, "order.return@1", key, (), order)
        return StepCall(
            action=made.action, run="r_1", key=key, subject=made.subject, facts=facts or {},
            customer=made.customer, conversation=made.conversation,
        )  # fmt: skip

    def kept(self, model: str) -> list[dict[str, Any]]:
        return list(self.tryton.records.models.get(model, {}).values())

    def press(self, model: str, button: str, record: dict[str, Any]) -> None:
        states = {
            "receive": "received",
            "do": "done",
            "cancel": "cancelled",
            "reject": "rejected",
        }
        record["state"] = states[button]
        at = datetime.now(UTC)
        record["write_date"] = moment(at)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with (
        Tryton(token="key").serving() as tryton,
        given_context(instance="erp", timeout_s=0.8) as ctx,
    ):
        erp = ErpTryton(TrytonConfig.model_validate(tryton.settings()))
        await erp.start(ctx)
        yield Rig(erp, ctx, tryton)
        await erp.stop()


async def test_a_hundred_orders_with_their_trees_are_one_call(rig: Rig) -> None:
    numbers = [
        one for one, order in rig.tryton.world.orders.items() if order.status != "cancelled"
    ]
    before = len(rig.ctx.http.calls)

    found = await rig.erp.sales.load_many(numbers[:100])

    assert len(rig.ctx.http.calls) - before == 1
    assert all(
        one and one.party and one.lines and one.lines[0].product for one in found.values()
    )


async def test_long_numbers_are_split_before_the_address_is_too_long(rig: Rig) -> None:
    before = len(rig.ctx.http.calls)

    found = await rig.erp.sales.load_many([f"{'x' * 180}-{at}" for at in range(100)])

    assert len(rig.ctx.http.calls) - before > 1
    assert set(found.values()) == {None}


async def test_an_unknown_product_fails_nobody(rig: Rig) -> None:
    item = next(iter(rig.tryton.world.items.values()))

    found = await rig.erp.get_products(
        [ProductId(item.id), ProductId(item.sku), ProductId("no")]
    )

    assert set(found) == {item.id, item.sku}
    assert found[ProductId(item.id)].sku == item.sku
    assert found[ProductId(item.sku)].price.amount == item.price.amount


async def test_the_simulators_batch_read_refuses_all_for_one_bad_id_as_tryton_does(
    rig: Rig,
) -> None:
    answer = await rig.erp.client.write(
        "/erp/rest/model/party.party/read",
        {"ids": [1], "fields_names": ["name"]}, repeatable=False,
    )  # fmt: skip
    with pytest.raises(AuthRequired):
        await rig.erp.client.write(
            "/erp/rest/model/party.party/read",
            {"ids": [1, 999_999], "fields_names": ["name"]}, repeatable=False,
        )  # fmt: skip

    assert answer.status == 200


async def test_the_panel_shows_what_is_stuck(rig: Rig) -> None:
    sale = next(one for one in rig.kept("sale.sale") if one["reference"] == ORDER)
    sale["shipment_state"] = "exception"
    world = rig.tryton.world

    (card,) = await rig.erp.conversation_cards(conversation(world), customer(world))

    assert card.badge is not None
    assert "8 orders" in card.fallback or "stuck" in card.fallback


async def test_a_return_goes_from_complaint_to_credit_note(rig: Rig) -> None:
    fact = await ExpectReturn(rig.erp).run(rig.call("k1"))
    facts = {"restocked": fact, "refunded": {"id": "re_1"}}
    waiting = await AwaitGoods(rig.erp).run(rig.call("k2", facts))
    (parcel,) = rig.kept("stock.shipment.out.return")
    rig.press("stock.shipment.out.return", "do", parcel)
    arrived = await AwaitGoods(rig.erp).run(rig.call("k2", facts))
    credited = await PostCreditNote(rig.erp).run(rig.call("k3", facts))
    again = await PostCreditNote(rig.erp).run(rig.call("k3", facts))
    told = await rig.erp.order_facts(OrderId(ORDER), None)

    assert isinstance(waiting, Waiting)
    assert waiting["waiting@1"]["wake_on"] == f"erp:return-{parcel['id']}"
    assert arrived["receipt"] == parcel["number"]
    assert credited == again
    assert rig.tryton.effects["credit_note"].total() == 1
    assert told is not None
    assert told.returned == 1
    assert told.credited == rig.call("k1").subject.amount


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
async def test_a_lost_answer_at_any_button_is_gone_on_with(rig: Rig, at: int) -> None:
    """Five calls change something: the complaint, two of its buttons, two of the return's."""
    expect = ExpectReturn(rig.erp)
    paths = ("*/sale.complaint", "*/wait", "*/approve", "*/quote", "*/confirm")
    rig.tryton.faults.add(
        {"kind": "timeout_after", "match": f"POST {paths[at - 1]}", "times": 1}
    )
    with pytest.raises(OutcomeUnknown):
        await expect.run(rig.call("k1"))
    found = await expect.lookup(rig.call("k1"))
    fact = await expect.run(rig.call("k1"))

    assert found is not None
    assert found["reference"] == fact["reference"] == "k1"
    assert rig.tryton.effects["complaint"].total() == 1
    assert rig.tryton.effects["return"].total() == 1
    assert len(rig.kept("stock.shipment.out.return")) == 1


@pytest.mark.parametrize("at", range(5))
async def test_undo_takes_back_a_return_from_wherever_it_got(rig: Rig, at: int) -> None:
    expect = ExpectReturn(rig.erp)
    paths = ("*/sale.complaint", "*/wait", "*/approve", "*/quote", "*/confirm")
    rig.tryton.faults.add({"kind": "timeout_after", "match": f"POST {paths[at]}", "times": 1})
    with pytest.raises(OutcomeUnknown):
        await expect.run(rig.call("k1"))

    await expect.undo(rig.call("k1"), {})
    await expect.undo(rig.call("k1"), {})

    assert await expect.lookup(rig.call("k1")) is None or at == 2
    open_ones = [
        one
        for model in ("stock.shipment.out.return", "account.invoice")
        for one in rig.kept(model)
        if one["state"] != "cancelled"
    ]
    assert open_ones == []


async def test_goods_that_are_in_cannot_be_undone(rig: Rig) -> None:
    expect = ExpectReturn(rig.erp)
    fact = await expect.run(rig.call("k1"))
    (parcel,) = rig.kept("stock.shipment.out.return")
    rig.press("stock.shipment.out.return", "do", parcel)

    with pytest.raises(Rejected, match="booked"):
        await expect.undo(rig.call("k1"), fact)

    assert rig.kept("account.invoice")[0]["state"] == "draft"


async def test_a_similar_complaint_is_for_a_person(rig: Rig) -> None:
    expect = ExpectReturn(rig.erp)
    await expect.undo(rig.call("k1"), await expect.run(rig.call("k1")))

    with pytest.raises(NeedsPerson, match="similar"):
        await expect.run(rig.call("k2"))

    # Somebody submits it in Tryton, and the run goes on.
    rig.kept("sale.complaint")[1]["state"] = "waiting"
    assert (await expect.run(rig.call("k2")))["reference"] == "k2"


async def test_more_than_was_sold_is_refused_here_because_tryton_would_not(rig: Rig) -> None:
    expect = ExpectReturn(rig.erp)
    await expect.run(rig.call("k1"))

    refused = await expect.preview(rig.call("k2"))

    assert isinstance(refused, Refusal)
    assert refused.code == "too_many"


async def test_an_order_that_the_erp_does_not_know_or_has_not_confirmed_is_refused(
    rig: Rig,
) -> None:
    expect = ExpectReturn(rig.erp)
    sale = next(one for one in rig.kept("sale.sale") if one["reference"] == ORDER)
    sale["state"] = "draft"
    unconfirmed = await expect.preview(rig.call("k1"))
    sale["reference"] = "other"
    unknown = await expect.preview(rig.call("k1"))

    assert isinstance(unconfirmed, Refusal)
    assert isinstance(unknown, Refusal)
    assert (unconfirmed.code, unknown.code) == ("not_confirmed", "unknown_order")


async def test_a_complaint_that_was_rejected_ends_the_run(rig: Rig) -> None:
    expect = ExpectReturn(rig.erp)
    rig.tryton.faults.add({"kind": "timeout_after", "match": "POST */wait", "times": 1})
    with pytest.raises(OutcomeUnknown):
        await expect.run(rig.call("k1"))
    rig.press("sale.complaint", "reject", rig.kept("sale.complaint")[0])

    with pytest.raises(Rejected, match="rejected"):
        await expect.run(rig.call("k1"))
    assert await expect.lookup(rig.call("k1")) is None


async def test_polling_tells_a_change_once_and_goes_on_after_a_failure(rig: Rig) -> None:
    poller = Poller(rig.ctx, rig.erp.client, 1.0)
    await poller.look()
    fact = await ExpectReturn(rig.erp).run(rig.call("k1"))
    (parcel,) = rig.kept("stock.shipment.out.return")
    rig.press("stock.shipment.out.return", "do", parcel)
    sale = next(one for one in rig.kept("sale.sale") if one["reference"] == "1017")
    sale.update(shipment_state="sent", write_date=moment(datetime.now(UTC)))
    rig.tryton.faults.add({"kind": "500", "match": "*sale.sale*", "times": 0})
    with pytest.raises(Unavailable):
        await poller.look()
    rig.tryton.faults.clear()

    first, second = await poller.look(), await poller.look()

    told = {one.object: one.kind for one in rig.ctx.emitted}
    assert second == 0
    assert first == len(rig.ctx.emitted)
    assert told["erp:1017"] == CHANGED
    assert told[f"erp:return-{parcel['id']}"] == BOOKED
    assert fact["receipt"] == parcel["number"]


async def test_a_new_process_begins_where_the_old_one_was(rig: Rig) -> None:
    await Poller(rig.ctx, rig.erp.client, 1.0).look()
    sale = next(one for one in rig.kept("sale.sale") if one["reference"] == "1017")
    sale.update(write_date=moment(datetime.now(UTC)))

    await Poller(rig.ctx, rig.erp.client, 1.0).look()

    assert "erp:1017" in {one.object for one in rig.ctx.emitted}


async def test_a_changed_order_has_a_card_for_agents(rig: Rig) -> None:
    poller = Poller(rig.ctx, rig.erp.client, 1.0)
    await poller.look()
    sale = next(one for one in rig.kept("sale.sale") if one["reference"] == "1017")
    sale.update(shipment_state="some module's own", write_date=moment(datetime.now(UTC)))
    await poller.look()
    signal = next(one for one in rig.ctx.emitted if one.object == "erp:1017")

    card = await rig.erp.signal_card(signal)
    targets = await rig.erp.find_conversations(signal)

    assert card is not None
    assert card.audience == "agent"
    assert card.rev == signal.version
    assert [one.subject for one in targets] == [signal.subject]


def test_money_is_rounded_as_on_invoices_and_nonsense_is_malformed() -> None:
    assert money(Number(decimal="12.3450"), "EUR").amount == "12.35"
    assert money(Number(decimal="-12.5"), "JPY").amount == "-13"
    assert money(None, "EUR").amount == "0.00"
    with pytest.raises(Malformed):
        money(Number(decimal="twelve"), "EUR")
    with pytest.raises(Malformed):
        Moment(year=2026, month=13, day=1).at()


def test_a_sale_without_a_number_still_has_a_name() -> None:
    assert Sale(id=7, state="draft").shown == "#7"


async def test_a_preview_changes_nothing(rig: Rig) -> None:
    preview = await ExpectReturn(rig.erp).preview(rig.call(""))

    assert isinstance(preview, Preview)
    assert rig.tryton.effects == {}
