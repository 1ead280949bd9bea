"""The ERP adapter against a Tryton that nobody here wrote, from the registry's packages."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from deskhub_erp_tryton import ErpTryton
from deskhub_erp_tryton.polling import BOOKED, CHANGED, Poller
from deskhub_erp_tryton.returning import AwaitGoods, ExpectReturn, PostCreditNote
from deskhub_erp_tryton.settings import TrytonConfig
from deskhub_sdk import (
    Fact,
    NeedsPerson,
    OrderId,
    Preview,
    ProductId,
    Refusal,
    StepCall,
    Waiting,
)
from deskhub_sdk.testing import given_context
from deskhub_sdk.testing.samples import step_call
from deskhub_sdk.testing.world import build_world
from tests.support.lab import peer

pytestmark = [pytest.mark.lab, pytest.mark.slow]
SLOW_S = 60.0


@asynccontextmanager
async def adapter(told: Mapping[str, Any]) -> AsyncIterator[ErpTryton]:
    """Start the adapter against the Tryton of *told*."""
    settings = TrytonConfig(
        base_url=told["url"], database=told["database"], token=told["key"],
        posting_timeout_s=SLOW_S,
    )  # fmt: skip
    async with given_context(instance="erp", timeout_s=SLOW_S) as ctx:
        made = ErpTryton(settings)
        await made.start(ctx)
        try:
            yield made
        finally:
            await made.stop()


class Tryton:
    """The lab's Tryton as the warehouse sees it: the same key, other buttons."""

    def __init__(self, told: Mapping[str, Any], http: aiohttp.ClientSession) -> None:
        self._base = f"{told['url']}/{told['database']}/rest/model"
        self._http = http
        context = base64.urlsafe_b64encode(b'{"company": 1, "locations": [5]}').decode()
        self._headers = {"Authorization": f"bearer {told['key']}", "X-Tryton-Context": context}

    async def read(
        self, model: str, domain: Sequence[Any], *names: str
    ) -> list[dict[str, Any]]:
        packed = base64.urlsafe_b64encode(json.dumps(domain).encode()).decode()
        params = [("d", packed), *(("f", name) for name in names)]
        async with self._http.get(
            f"{self._base}/{model}", params=params, headers=self._headers
        ) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def press(self, model: str, record: int, button: str) -> tuple[int, str]:
        async with self._http.post(
            f"{self._base}/{model}/{record}/{button}?f=state", json={}, headers=self._headers
        ) as answer:
            return answer.status, await answer.text()

    async def stock(self, sku: str) -> float:
        found = await self.read("product.product", [["code", "=", sku]], "quantity")
        return float(found[0]["quantity"])


def call(
    number: str, key: str, facts: Mapping[str, Fact], *, action: str = "order.return@1"
) -> StepCall:
    made = step_call(build_world(), action, key, (), number)
    return StepCall(
        action=made.action, run="r_live", key=key, subject=made.subject, facts=facts,
        customer=made.customer, conversation=made.conversation,
    )  # fmt: skip


async def test_orders_and_products_arrive_in_batches_and_one_unknown_fails_nobody() -> None:
    async with peer("tryton") as told, adapter(told) as erp:
        before = erp.sales.stats.calls
        sales = await erp.sales.load_many([*told["orders"], "nobody-ordered-this"])
        made = erp.sales.stats.calls - before
        known = next(one for one in sales.values() if one)
        names = sorted(
            {name for line in known.lines if line.product for name in line.product.names()}
        )
        products = await erp.get_products([ProductId(one) for one in (*names, "NOPE-1")])
        health = await erp.check_connection()

    # One hundred and one numbers are two calls, and the tree comes with each of them.
    assert made == 2
    assert sum(one is not None for one in sales.values()) == len(told["orders"]) == 100
    assert sales["nobody-ordered-this"] is None
    assert known.party
    assert known.party.code
    assert known.lines[0].product
    assert set(products) == {*names}
    assert all(one.stock > 0 for one in products.values())
    assert health.ok, health.text


async def test_a_return_moves_stock_once_and_leaves_one_credit_note() -> None:
    async with (
        peer("tryton") as told,
        aiohttp.ClientSession() as http,
        adapter(told) as erp,
    ):
        warehouse = Tryton(told, http)
        number = told["shipped"][0]
        begin = call(number, "dh_live_1", {"authorized": {"id": "RMA-1"}})
        sku = begin.subject.lines[0].sku
        stock = await warehouse.stock(sku)
        expect, wait, post = ExpectReturn(erp), AwaitGoods(erp), PostCreditNote(erp)

        preview = await expect.preview(begin)
        fact = await expect.run(begin)
        again = await expect.run(begin)
        facts = {"restocked": fact, "refunded": {"id": "re_1"}}
        waiting = await wait.run(call(number, "dh_live_2", facts))
        (parcel,) = await warehouse.read(
            "stock.shipment.out.return", [["number", "=", fact["receipt"]]], "state"
        )
        for button in ("receive", "do"):
            status, said = await warehouse.press(
                "stock.shipment.out.return", parcel["id"], button
            )
            assert status == 200, said
        repeated, _ = await warehouse.press("stock.shipment.out.return", parcel["id"], "do")
        arrived = await wait.run(call(number, "dh_live_2", facts))
        last = call(number, "dh_live_3", facts)
        credited = await post.run(last)
        credited_again = await post.run(last)
        looked_up = await post.lookup(last)
        after = await warehouse.stock(sku)
        notes = await warehouse.read(
            "account.invoice", [["state", "=", "posted"], ["total_amount", "<", 0]], "number"
        )
        complaints = await warehouse.read("sale.complaint", [], "reference", "state")
        told_facts = await erp.order_facts(OrderId(number), None)
        second = await expect.preview(call(number, "dh_live_9", {}))

    assert isinstance(preview, Preview), preview
    assert again == fact
    assert isinstance(waiting, Waiting)
    assert repeated == 400
    assert arrived["receipt"] == fact["receipt"]
    assert credited == credited_again == looked_up
    assert credited["credit_note"] == notes[0]["number"]
    assert len(notes) == 1
    assert [one["reference"] for one in complaints] == ["dh_live_1"]
    assert after == stock + begin.subject.lines[0].quantity
    assert told_facts is not None
    assert told_facts.returned == 1
    assert told_facts.credited is not None
    # The lab's books are in dollars; the number is what counts.
    assert told_facts.credited.amount == begin.subject.amount.amount
    # Tryton would take the same shoe back twice; the preview does not.
    assert isinstance(second, Refusal)
    assert second.code == "too_many"


async def test_undoing_a_return_leaves_nothing_expected_and_asks_a_person_for_another() -> None:
    async with (
        peer("tryton") as told,
        aiohttp.ClientSession() as http,
        adapter(told) as erp,
    ):
        warehouse = Tryton(told, http)
        number = told["shipped"][1]
        begin = call(number, "dh_undo_1", {"authorized": {"id": "RMA-1"}})
        expect = ExpectReturn(erp)
        before = await expect.preview(begin)
        fact = await expect.run(begin)
        await expect.undo(begin, fact)
        await expect.undo(begin, fact)
        after = await expect.preview(begin)
        found = await expect.lookup(begin)
        parcels = await warehouse.read("stock.shipment.out.return", [], "state")
        notes = await warehouse.read("account.invoice", [["total_amount", "<", 0]], "state")
        with pytest.raises(NeedsPerson, match="similar") as warned:
            await expect.run(call(number, "dh_undo_2", {"authorized": {"id": "RMA-2"}}))

    assert isinstance(before, Preview)
    assert isinstance(after, Preview)
    assert before.changes == after.changes
    assert found is None
    assert {one["state"] for one in (*parcels, *notes)} == {"cancelled"}
    assert "complaint" in str(warned.value)


async def test_polling_tells_each_change_once() -> None:
    async with peer("tryton") as told, aiohttp.ClientSession() as http, adapter(told) as erp:
        warehouse = Tryton(told, http)
        poller = Poller(erp.ctx, erp.client, 1.0)
        await poller.look()
        number = told["shipped"][2]
        fact = await ExpectReturn(erp).run(call(number, "dh_poll_1", {}))
        (parcel,) = await warehouse.read(
            "stock.shipment.out.return", [["number", "=", fact["receipt"]]], "state"
        )
        for button in ("receive", "do"):
            await warehouse.press("stock.shipment.out.return", parcel["id"], button)
        (sale,) = await warehouse.read(
            "sale.sale", [["state", "=", "draft"], ["id", "=", 50]], "reference"
        )
        await warehouse.press("sale.sale", sale["id"], "cancel")
        first = await poller.look()
        second = await poller.look()
        signals = list(erp.ctx.emitted)

    assert first >= 2
    assert second == 0
    assert len({one.dedupe for one in signals}) == len(signals)
    changed = [one for one in signals if one.kind == CHANGED]
    assert [
        one.data["state"] for one in changed if one.object == f"erp:{sale['reference']}"
    ] == ["cancelled"]
    assert [one.object for one in signals if one.kind == BOOKED] == [
        f"erp:return-{parcel['id']}"
    ]


async def test_a_key_that_is_not_valid_is_said_by_its_health() -> None:
    async with peer("tryton") as told:
        try:
            async with adapter({**told, "key": "not-a-key"}) as erp:
                health = await erp.check_connection()
                said = health.text if not health.ok else ""
        except Exception as error:
            said = getattr(error, "code", "")

    assert said == "auth_required" or "401" in said
