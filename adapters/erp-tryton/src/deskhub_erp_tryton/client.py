"""The border to Tryton: its REST interface with a user application key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from deskhub_erp_tryton.mapping import (
    Company,
    Complaint,
    Invoice,
    Item,
    Place,
    Sale,
    Shipment,
)
from deskhub_erp_tryton.settings import TrytonConfig
from deskhub_erp_tryton.wire import fields, many, moment, packed
from deskhub_sdk import ConfigInvalid, Context, NotFound, OutcomeUnknown
from deskhub_sdk.rest import Rest, Wire, parsed
from deskhub_sdk.steps import NO_MONEY

MAX_BATCH = 100
# A domain travels in the address, and proxies refuse addresses over eight kilobytes.
MAX_ADDRESS = 6000
MOST_OF_ONE = 50
PAGE, MAX_PAGES = 500, 20

W = TypeVar("W", bound=Wire)
PRODUCT = (
    "code", "identifiers.code", "template.name", "template.list_price", "quantity",
    "forecast_quantity",
)  # fmt: skip
# An order's total is not asked for: Tryton works out the taxes of a draft anew each time,
# which makes reading a hundred orders three times as slow.
SALE = (
    "number", "reference", "state", "shipment_state", "invoice_state", "currency.code",
    "party.code", "party.name", "lines.quantity", "lines.unit_price", "lines.product.code",
    "lines.product.identifiers.code", "write_date", "create_date",
)  # fmt: skip
RETURN = (
    *SALE, "shipment_returns.number", "shipment_returns.state", "invoices.number",
    "invoices.state", "invoices.total_amount",
)  # fmt: skip
COMPLAINT = ("number", "reference", "state", "actions.result")


class TrytonClient(Rest):
    """Tryton's models by name: batches by domain, trees by dotted fields, buttons."""

    def __init__(self, ctx: Context, config: TrytonConfig) -> None:
        """Call the database of *config*."""
        super().__init__(ctx, config, "Tryton")
        self._config = config
        self._models = f"/{config.database}/rest/model"
        self._lock = asyncio.Lock()
        self._kind: int | None = None
        self.company: Company | None = None

    async def learn(self) -> Company:
        """Return the company; from the first answer on every call names it and its stock."""
        async with self._lock:
            if self.company is None:
                company = await self.ask_company()
                await self._learn_places(company)
                self.company = company
            return self.company

    @property
    def currency(self) -> str:
        """Return what list prices are in; nothing is known before `learn`."""
        coded = self.company.currency if self.company is not None else None
        return (coded.code if coded is not None else None) or NO_MONEY.currency

    async def products(self, names: Sequence[str]) -> Mapping[str, Item]:
        """Return products by code or identifier; what Tryton does not know is absent.

        A search leaves out what is not there, where a read of ids refuses all of them.
        """
        await self.learn()
        wanted = ["OR", ["code", "in", [*names]], ["identifiers.code", "in", [*names]]]
        found = await self._search(Item, "product.product", wanted, *PRODUCT)
        return {name: item for name in names for item in found if name in item.names()}

    async def sales(self, references: Sequence[str]) -> Mapping[str, Sale]:
        """Return orders by the shop's number, with party, lines and products, in one call."""
        await self.learn()
        wanted = [["reference", "in", [*references]], ["state", "!=", "cancelled"]]
        found = await self._search(Sale, "sale.sale", wanted, *SALE, order=[["id", "DESC"]])
        return {one.reference: one for one in found if one.reference}

    async def sales_of(self, customers: Sequence[str]) -> Mapping[str, Sequence[Sale]]:
        """Return each customer's latest orders, newest first."""
        await self.learn()
        found = await self._search(
            Sale, "sale.sale",
            [["party.code", "in", [*customers]], ["state", "!=", "cancelled"]], *SALE,
            order=[["id", "DESC"]], limit=MOST_OF_ONE * len(customers),
        )  # fmt: skip
        by_code: dict[str, list[Sale]] = {code: [] for code in customers}
        for one in found:
            code = one.party.code if one.party is not None else None
            if code in by_code and len(by_code[code]) < MOST_OF_ONE:
                by_code[code].append(one)
        return by_code

    async def complaint(self, reference: str) -> Complaint | None:
        """Return the complaint that was opened under *reference*."""
        await self.learn()
        wanted = [["reference", "=", reference]]
        found = await self._search(Complaint, "sale.complaint", wanted, *COMPLAINT)
        return next(iter(found), None)

    async def returns_of(self, sale: int) -> Sequence[Sale]:
        """Return every return of an order, also those that were given up."""
        wanted = [["origin", "=", f"sale.sale,{sale}"]]
        found = await self._search(Complaint, "sale.complaint", wanted, *COMPLAINT)
        ids = [one.sale for one in found if one.sale is not None]
        if not ids:
            return ()
        return await self._search(Sale, "sale.sale", [["id", "in", ids]], *RETURN)

    async def sale(self, sale: int) -> Sale:
        """Return one order or return as it stands. Raises `NotFound`."""
        found = await self._search(Sale, "sale.sale", [["id", "=", sale]], *RETURN)
        if not found:
            raise NotFound(f"Tryton has no sale {sale}")
        return found[0]

    async def open_complaint(
        self, *, reference: str, sale: Sale, lines: Mapping[int, int], text: str
    ) -> Complaint:
        """Open a complaint about *lines* of *sale*. Tryton knows no keys: look up first."""
        company = await self.learn()
        wanted = [{"line": line, "quantity": float(count)} for line, count in lines.items()]
        action = {"action": "sale_return", "sale_lines": [["create", wanted]]}
        body = {
            "customer": sale.party.id if sale.party is not None else None,
            "type": await self._complaint_type(), "company": company.id,
            "origin": f"sale.sale,{sale.id}", "reference": reference, "description": text,
            "actions": [["create", [action]]],
        }  # fmt: skip
        path = f"{self._models}/sale.complaint?{urlencode(fields(*COMPLAINT))}"
        answer = await self.write(path, body, repeatable=False)
        return self.done(answer, Complaint, 200)

    async def press(
        self, shape: type[W], model: str, record: int, button: str, *names: str,
        timeout_s: float | None = None,
    ) -> W:  # fmt: skip
        """Press a *button* of a record and return it.

        What the button starts in Tryton's queue is not in the answer: read again. A button
        that does not fit the record's state is `Rejected`, so pressing twice does no harm.
        """
        path = f"{self._models}/{model}/{record}/{button}?{urlencode(fields(*names))}"
        answer = await self.write(path, {}, repeatable=False, timeout_s=timeout_s)
        self.expect(answer, 200)
        try:
            return parsed(answer.body, shape, "Tryton's answer")
        except Exception as error:
            raise OutcomeUnknown(str(error)) from error

    async def press_sale(self, sale: int, button: str) -> Sale:
        """Press a button of a sale."""
        return await self.press(Sale, "sale.sale", sale, button, *RETURN)

    async def cancel(self, parcels: Sequence[Shipment], notes: Sequence[Invoice]) -> None:
        """Take back parcels and notes that are only expected."""
        for parcel in parcels:
            await self.press(
                Shipment, "stock.shipment.out.return", parcel.id, "cancel", "state"
            )
        for note in notes:
            await self.press(Invoice, "account.invoice", note.id, "cancel", "state")

    async def changed(
        self, shape: type[W], model: str, since: datetime, *names: str
    ) -> Sequence[W]:
        """Return records that were written or made since *since*, at most 10,000."""
        await self.learn()
        at = moment(since)
        wanted = [
            "OR", ["write_date", ">=", at],
            [["write_date", "=", None], ["create_date", ">=", at]],
        ]  # fmt: skip
        found: list[W] = []
        for page in range(MAX_PAGES):
            more = await self._search(
                shape, model, wanted, *names, order=[["id", "ASC"]], limit=PAGE,
                offset=page * PAGE,
            )  # fmt: skip
            found += more
            if len(more) < PAGE:
                break
        return found

    async def ask_company(self) -> Company:
        """Return the company now. Raises `ConfigInvalid` when it is not clear which."""
        found = await self._search(Company, "company.company", [], "rec_name", "currency.code")
        wanted = self._config.company
        named = [one for one in found if wanted in (None, one.rec_name)]
        if len(named) != 1:
            raise ConfigInvalid(
                f"the key sees {len(found)} companies; set company to one's name"
            )
        return named[0]

    async def _learn_places(self, company: Company) -> None:
        wanted: list[Any] = [["type", "=", "warehouse"]]
        if self._config.warehouse is not None:
            wanted.append(["code", "=", self._config.warehouse])
        places = await self._search(Place, "stock.location", wanted)
        if not places:
            raise ConfigInvalid("Tryton knows no such warehouse; compare its code")
        context = {"company": company.id, "locations": [one.id for one in places]}
        self._headers = {**self._headers, "X-Tryton-Context": packed(context)}

    async def _complaint_type(self) -> int:
        """Return the kind of complaint that is about a whole order."""
        if self._kind is None:
            wanted = [["origin.name", "=", "sale.sale"]]
            found = await self._search(Place, "sale.complaint.type", wanted)
            if not found:
                raise ConfigInvalid("Tryton has no complaint type about sales; make one there")
            self._kind = found[0].id
        return self._kind

    async def _search(
        self,
        shape: type[W],
        model: str,
        domain: Sequence[Any],
        *names: str,
        order: Sequence[Sequence[str]] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[W, ...]:
        """Return the records in *domain*. What is not there, or not allowed, is left out."""
        params = [("d", packed(domain)), *fields(*names)]
        if order is not None:
            params.append(("o", packed(order)))
        if limit is not None:
            params += [("s", str(limit)), ("p", str(offset))]
        answer = await self.read(f"{self._models}/{model}", params)
        self.expect(answer, 200)
        return many(answer.body, shape)
