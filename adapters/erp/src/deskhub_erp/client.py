"""The border to the ERP: its calls, as this adapter's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deskhub_erp.mapping import (
    Article,
    Articles,
    CreditNote,
    CreditNotes,
    Receipt,
    Receipts,
    Refused,
    Reservation,
    SoldBy,
    VariantsOf,
)
from deskhub_sdk import BatchRefused, HttpAnswer, ReturnLine
from deskhub_sdk.rest import Rest

MAX_BATCH = 100


class ErpClient(Rest):
    """The ERP's HTTP interface with one application key."""

    async def articles(self, ids: Sequence[str]) -> Mapping[str, Article]:
        """Return at most 100 products; unknown ones are absent.

        The ERP refuses a whole batch for one id it cannot read; the batch is then asked for
        leniently, which is slower there. Raises `BatchRefused` when that fails too.
        """
        answer = await self._products(ids, lenient=False)
        if answer.status == 400:
            answer = await self._products(ids, lenient=True)
            if answer.status == 400:
                refused = self.parse(answer.body, Refused)
                raise BatchRefused(f"the ERP refuses {refused.id}")
        self.expect(answer, 200)
        return {article.id: article for article in self.parse(answer.body, Articles).products}

    async def sold_to(self, customers: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the product ids that each customer bought, newest first."""
        asked = {"customers": [*customers]}
        found = (await self.found(SoldBy, "/api/sales/by-customer", json=asked)).customers
        return {customer: sold.product_ids for customer, sold in found.items()}

    async def expect_goods(
        self, *, reference: str, order: str, rma: str, lines: Sequence[ReturnLine]
    ) -> Receipt:
        """Announce goods that come back. The ERP has no idempotency keys: look up first."""
        body = {
            "reference": reference,
            "order": order,
            "rma": rma,
            "lines": [{"sku": line.sku, "quantity": line.quantity} for line in lines],
        }
        answer = await self.write("/api/receipts", body, repeatable=False)
        return self.done(answer, Receipt)

    async def receipt(self, reference: str) -> Receipt | None:
        """Return the receipt that was announced under *reference*, unless it was cancelled."""
        found = await self.found(Receipts, "/api/receipts", {"reference": reference})
        return next((one for one in found.receipts if one.state != "cancelled"), None)

    async def receipt_by_id(self, receipt: str) -> Receipt | None:
        """Return a receipt as it stands, or None when there is none."""
        found = await self.found(Receipts, "/api/receipts", {"id": receipt})
        return next(iter(found.receipts), None)

    async def of_order(self, order: str) -> tuple[Sequence[Receipt], Sequence[CreditNote]]:
        """Return every receipt and credit note of an order."""
        receipts = await self.found(Receipts, "/api/receipts", {"order": order})
        notes = await self.found(CreditNotes, "/api/credit-notes", {"order": order})
        return receipts.receipts, notes.credit_notes

    async def cancel_receipt(self, receipt: str) -> None:
        """Cancel an announced receipt; a cancelled one stays cancelled."""
        answer = await self.write(f"/api/receipts/{receipt}/cancel", {}, repeatable=False)
        self.done(answer, Receipt, 200)

    async def variants(self, ids: Sequence[str]) -> Mapping[str, Sequence[Article]]:
        """Return every size and colour of at most 100 products; unknown ones are absent."""
        asked = {"ids": [*ids]}
        return (await self.found(VariantsOf, "/api/products/variants", json=asked)).variants

    async def reserve(
        self, *, key: str, order: str, lines: Sequence[ReturnLine], hours: int
    ) -> Reservation:
        """Set articles aside once under the idempotency *key*, for at most *hours*.

        Raises `Conflict` when there are not enough of them.
        """
        wanted = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
        body = {"order": order, "lines": wanted, "hours": hours}
        answer = await self.write("/api/reservations", body, key=key, repeatable=True)
        return self.done(answer, Reservation)

    async def release(self, reservation: str) -> None:
        """Put articles back; what was released or has run out stays so."""
        path = f"/api/reservations/{reservation}/release"
        self.done(await self.write(path, {}, repeatable=False), Reservation, 200)

    async def draft_credit(
        self, *, key: str, order: str, customer: str, amount: str, currency: str, account: str
    ) -> CreditNote:
        """Draft a credit note once under the idempotency *key*."""
        body = {
            "order": order, "customer": customer, "amount": amount, "currency": currency,
            "account": account,
        }  # fmt: skip
        answer = await self.write("/api/credit-notes", body, key=key, repeatable=True)
        return self.done(answer, CreditNote)

    async def cancel_credit(self, note: str) -> None:
        """Cancel a draft; a cancelled one stays cancelled. A posted one is refused."""
        answer = await self.write(f"/api/credit-notes/{note}/cancel", {}, repeatable=False)
        self.done(answer, CreditNote, 200)

    async def _products(self, ids: Sequence[str], *, lenient: bool) -> HttpAnswer:
        body = {"ids": list(ids), "lenient": lenient}
        return await self.read("/api/products/read", json=body)
