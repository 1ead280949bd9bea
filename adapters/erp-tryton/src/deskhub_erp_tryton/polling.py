"""Tryton sends no webhooks, so changes are looked for by the time they were written.

A record carries the moment its transaction began, and shows up when it ends. So each look
goes back a little further than the last one ended, and the hub drops what it has seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from deskhub_erp_tryton.client import TrytonClient
from deskhub_erp_tryton.mapping import Sale, Shipment
from deskhub_erp_tryton.wire import Moment
from deskhub_sdk import AdapterError, Context, Signal

CHANGED, BOOKED = "sale.changed", "return.booked"
OVERLAP = timedelta(seconds=60)
# After a long pause nobody wants the changes of last month as news.
OLDEST = timedelta(hours=24)
LOOK_S = 20.0
CURSOR = "polled"
RECENT = 20_000
_SALE = (
    "number", "reference", "state", "shipment_state", "invoice_state", "party.code",
    "write_date", "create_date",
)  # fmt: skip
_PARCEL = ("number", "state", "write_date", "create_date")


class Poller:
    """Looks for changed orders and booked parcels every few seconds, and tells the hub."""

    def __init__(self, ctx: Context, client: TrytonClient, every_s: float) -> None:
        """Take what it asks and whom it tells."""
        self._ctx = ctx
        self._client = client
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._ended = asyncio.Event()
        self._sent: dict[str, None] = {}
        self._failing = False
        self._told = 0

    def told(self) -> dict[str, Any]:
        """Return how many changes it told of, and whether it works."""
        return {"signals": self._told, "failing": self._failing}

    async def run(self) -> None:
        """Look until it is stopped. A failed look is made again, from the same place."""
        self._task = asyncio.current_task()
        try:
            while not self._stopping:
                await asyncio.sleep(self._every_s)
                await self._try()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """End, also in the middle of a look; nothing is lost by that."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def look(self) -> int:
        """Tell the hub what changed since the last look; return how many signals left."""
        now = self._ctx.clock.now()
        since = await self._since(now)
        sales = await self._client.changed(Sale, "sale.sale", since - OVERLAP, *_SALE)
        parcels = await self._client.changed(
            Shipment, "stock.shipment.out.return", since - OVERLAP, *_PARCEL
        )
        instance = self._ctx.instance
        found = [
            *(_of_sale(one, instance) for one in sales if one.reference),
            *(_of_parcel(one, instance) for one in parcels if one.state == "done"),
        ]
        fresh = [one for one in found if one.dedupe not in self._sent]
        for signal in fresh:
            await self._ctx.emit(signal)
            self._remember(signal.dedupe)
        await self._ctx.kv.put(CURSOR, now.isoformat().encode())
        self._told += len(fresh)
        return len(fresh)

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self.look()
        except (AdapterError, TimeoutError) as error:
            if not self._failing:
                code = getattr(error, "code", "timeout")
                self._ctx.log.warning("polling_failed", extra={"code": code})
            self._failing = True
        else:
            if self._failing:
                self._ctx.log.info("polling_works_again")
            self._failing = False

    async def _since(self, now: datetime) -> datetime:
        kept = await self._ctx.kv.get(CURSOR)
        if kept is None:
            return now
        return max(datetime.fromisoformat(kept.decode()), now - OLDEST)

    def _remember(self, dedupe: str) -> None:
        self._sent[dedupe] = None
        while len(self._sent) > RECENT:
            self._sent.pop(next(iter(self._sent)))


def _of_sale(sale: Sale, instance: str) -> Signal:
    at = _written(sale)
    version = _version(at)
    return Signal(
        kind=CHANGED,
        dedupe=f"sale.sale,{sale.id}@{version}",
        object=f"{instance}:{sale.reference}",
        version=version,
        at=at,
        subject=sale.party.code if sale.party is not None else None,
        data={
            "order": sale.shown, "state": sale.state,
            "shipment": sale.shipment_state or "none", "invoice": sale.invoice_state or "none",
        },
    )  # fmt: skip


def _of_parcel(parcel: Shipment, instance: str) -> Signal:
    at = _written(parcel)
    version = _version(at)
    return Signal(
        kind=BOOKED,
        dedupe=f"stock.shipment.out.return,{parcel.id}@{version}",
        object=parcel_object(instance, parcel),
        version=version,
        at=at,
        data={"parcel": parcel.number or ""},
    )


def parcel_object(instance: str, parcel: Shipment) -> str:
    """Return what a run waits for while *parcel* is on its way."""
    return f"{instance}:return-{parcel.id}"


def _written(record: Sale | Shipment) -> datetime:
    written: Sequence[Moment | None] = (record.write_date, record.create_date)
    found = next((one for one in written if one is not None), Moment(year=1970, month=1, day=1))
    return found.at()


def _version(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
