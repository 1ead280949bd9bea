"""The border to Stripe: search, payments with their refunds, and the one write, a refund."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from deskhub_payments_stripe.amounts import units_of
from deskhub_payments_stripe.mapping import (
    MARK,
    REASON,
    ChargeOf,
    Events,
    Intent,
    Intents,
    Paid,
    Refund,
    Refunds,
    paid_of,
)
from deskhub_payments_stripe.settings import StripeConfig
from deskhub_sdk import (
    AdapterError,
    BatchRefused,
    Conflict,
    Context,
    HttpAnswer,
    Money,
    NeedsPerson,
    NotFound,
    OrderId,
    OutcomeUnknown,
    Rejected,
)
from deskhub_sdk.rest import MAX_SAID, Rest, Wire

# What this adapter was written and tested for; Stripe answers in the shapes of that day.
VERSION = "2025-09-30.clover"
# A search takes many clauses but names no number of them, and its address has to stay short.
MAX_BATCH = 10
PAGE = 100
MAX_PAGES = 10
MAX_OF_CUSTOMER = 20
# So many reads are under way together; Stripe takes a hundred in a second.
AT_ONCE = 10
WITH = ("latest_charge.refunds",)
# Events of a payment. An endpoint at Stripe should be subscribed to the same ones.
TYPES = (
    "payment_intent.succeeded", "charge.refunded", "refund.updated", "refund.failed",
    "charge.dispute.created", "charge.dispute.closed",
)  # fmt: skip
# Codes of refusals that change nothing and that only a person can do something about.
FOR_A_PERSON = frozenset({
    "balance_insufficient", "charge_disputed", "refund_disputed_payment",
    "insufficient_funds",
})  # fmt: skip

W = TypeVar("W", bound=Wire)


class Fault(Wire, frozen=True):
    """Stripe's own words about a refusal."""

    type: str = ""
    code: str | None = None
    message: str | None = None


class Faulty(Wire, frozen=True):
    """A refusal."""

    error: Fault


class StripeClient(Rest):
    """Stripe's REST interface with one account's key."""

    def __init__(self, ctx: Context, config: StripeConfig) -> None:
        """Call the account of *config*."""
        super().__init__(ctx, config, "Stripe")
        self._headers = {**self._headers, "Stripe-Version": VERSION}
        self._order, self._customer = config.order_metadata, config.customer_metadata
        self._refund_s = config.refund_timeout_s

    async def by_order(self, orders: Sequence[OrderId]) -> Mapping[OrderId, Sequence[Paid]]:
        """Return the payments of each of at most ten *orders* that has one, newest first."""
        found: dict[OrderId, list[Paid]] = {}
        async for paid in self._searched(self._order, orders):
            found.setdefault(OrderId(paid.order), []).append(paid)
        return {order: _newest_first(own) for order, own in found.items()}

    async def of_customers(self, customers: Sequence[str]) -> Mapping[str, Sequence[Paid]]:
        """Return the latest payments of each of at most ten *customers*, newest first."""
        found: dict[str, list[Paid]] = {}
        async for paid in self._searched(self._customer, customers):
            found.setdefault(paid.customer, []).append(paid)
        return {one: _newest_first(own)[:MAX_OF_CUSTOMER] for one, own in found.items()}

    async def payment(self, name: str) -> Paid | None:
        """Return the payment *name* (``pi_…`` or ``ch_…``) as it stands this moment.

        A search may be a minute old, and after an incident an hour: what money depends on
        is read by its id.
        """
        try:
            if name.startswith("ch_"):
                charge = await self.found(ChargeOf, f"/v1/charges/{quote(name, safe='')}")
                if charge.payment_intent is None:
                    return None
                name = charge.payment_intent
            asked = [("expand[]", one) for one in WITH]
            path = f"/v1/payment_intents/{quote(name, safe='')}"
            intent = await self.found(Intent, path, asked)
        except NotFound:
            return None
        return self._paid(intent)

    async def payments(self, names: Sequence[str]) -> Sequence[Paid]:
        """Return the payments *names* as they stand; Stripe reads them one by one."""
        found: list[Paid] = []
        for start in range(0, len(names), AT_ONCE):
            try:
                async with asyncio.TaskGroup() as group:
                    some = names[start : start + AT_ONCE]
                    asked = [group.create_task(self.payment(name)) for name in some]
            except BaseExceptionGroup as broken:
                raise broken.exceptions[0] from None
            found += [paid for task in asked if (paid := task.result()) is not None]
        return found

    async def refunds_of(self, payment: str) -> Sequence[Refund]:
        """Return every refund of *payment*, newest first.

        Raises `NeedsPerson` beyond a thousand: whoever looks for one must see all.
        """
        found: list[Refund] = []
        for _ in range(MAX_PAGES):
            asked = {"payment_intent": payment, "limit": str(PAGE)}
            if found:
                asked["starting_after"] = found[-1].id
            page = await self.found(Refunds, "/v1/refunds", asked)
            found += page.data
            if not page.has_more or not page.data:
                return found
        raise NeedsPerson(f"{payment} has more refunds than can be looked through")

    async def refund(self, payment: str, amount: Money, *, reason: str, key: str) -> Refund:
        """Send *amount* back under the idempotency *key*.

        Stripe gives the first answer again for the same key, also an error, for at least a
        day. Raises `Conflict` when the key was used for something else or the payment has
        less left, `NeedsPerson` for an empty balance or a dispute, `Rejected` when Stripe
        refuses for good, `OutcomeUnknown` when nobody can tell.
        """
        try:
            units = units_of(amount)
        except ValueError as error:
            raise Rejected(str(error)) from error
        body = urlencode({
            "payment_intent": payment, "amount": str(units),
            "reason": "requested_by_customer",
            f"metadata[{MARK}]": key, f"metadata[{REASON}]": reason[:500],
        })  # fmt: skip
        answer = await self.ctx.http.request(
            "POST", f"{self._base}/v1/refunds", data=body.encode(),
            headers={
                **self._headers, "Idempotency-Key": key,
                "Content-Type": "application/x-www-form-urlencoded",
            },
            repeatable=False, timeout_s=self._refund_s,
        )  # fmt: skip
        made = self.done(answer, Refund, 200)
        if (made.key, made.amount, made.payment_intent) != (key, units, payment):
            raise OutcomeUnknown(f"Stripe answered with another refund: {made.id}")
        if made.status in ("failed", "canceled"):
            raise Rejected(f"refund {made.id} is {made.status}: {made.failure_reason or '–'}")
        return made

    async def events(self, since: int, after: str) -> Events:
        """Return a page of the events of payments since *since*, in seconds since 1970."""
        asked = [("created[gte]", str(since)), ("limit", str(PAGE))]
        asked += [("types[]", one) for one in TYPES]
        if after:
            asked.append(("starting_after", after))
        return await self.found(Events, "/v1/events", asked)

    def refusal(self, answer: HttpAnswer) -> AdapterError:
        """Return what an unexpected *answer* means, by Stripe's type and code."""
        fault = _fault(answer)
        said = f"Stripe answered {answer.status} {self.said(answer)}".strip()
        if fault.code == "idempotency_key_in_use" or answer.status == 409:
            # The same request is being worked on at this moment.
            return OutcomeUnknown(said)
        if fault.type == "idempotency_error":
            return Conflict(said)
        if fault.code == "charge_already_refunded":
            return Conflict(said)
        if fault.code in FOR_A_PERSON:
            return NeedsPerson(said)
        return super().refusal(answer)

    def said(self, answer: HttpAnswer) -> str:
        """Return Stripe's message, after its code."""
        fault = _fault(answer)
        told = [part for part in (fault.code or fault.type, fault.message) if part]
        return ": ".join(told)[:MAX_SAID]

    async def _searched(self, name: str, values: Sequence[str]) -> AsyncIterator[Paid]:
        """Yield the payments that carry one of *values* under *name*, newest first.

        Clauses are joined by OR, which Stripe does not mix with AND: what was not collected
        is left out here. Raises `BatchRefused` when Stripe refuses all because of one.
        """
        query = " OR ".join(f'metadata["{name}"]:"{_quoted(one)}"' for one in values)
        page = ""
        for _ in range(MAX_PAGES):
            asked = [("query", query), ("limit", str(PAGE))]
            asked += [("expand[]", f"data.{one}") for one in WITH]
            if page:
                asked.append(("page", page))
            answer = await self.read("/v1/payment_intents/search", asked)
            if answer.status == 400 and len(values) > 1:
                raise BatchRefused(f"Stripe refused a search for {len(values)} values")
            if answer.status == 400:
                # A number that cannot be searched for is no payment's.
                self.ctx.log.warning("payment_unsearchable", extra={"value": values[0]})
                return
            self.expect(answer, 200)
            found = self.parse(answer.body, Intents)
            for intent in found.data:
                paid = self._paid(intent)
                # A search of text knows no capitals; numbers of orders may.
                if paid is not None and intent.metadata.get(name) in values:
                    yield paid
            page = found.next_page or ""
            if not found.has_more or not page:
                return

    def _paid(self, intent: Intent) -> Paid | None:
        return paid_of(intent, self._order, self._customer)


def _newest_first(payments: Sequence[Paid]) -> tuple[Paid, ...]:
    return tuple(sorted(payments, key=lambda paid: paid.at, reverse=True))


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _fault(answer: HttpAnswer) -> Fault:
    try:
        return msgspec.json.decode(answer.body, type=Faulty).error
    except (msgspec.ValidationError, msgspec.DecodeError):
        return Fault()
