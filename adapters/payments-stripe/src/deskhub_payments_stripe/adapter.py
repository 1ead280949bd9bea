"""Stripe beside the conversation: payments, what became of them, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from deskhub_payments_stripe.cards import changed_card, payments_card
from deskhub_payments_stripe.client import MAX_BATCH, StripeClient
from deskhub_payments_stripe.mapping import Paid, paid_in, payment_of, signal_of
from deskhub_payments_stripe.settings import StripeConfig
from deskhub_payments_stripe.steps import (
    RefundCancelled,
    RefundDifference,
    RefundGoodwill,
    RefundReturn,
)
from deskhub_payments_stripe.texts import TEXTS, text
from deskhub_payments_stripe.webhook import signal_of as thin_of
from deskhub_payments_stripe.webhook import signals_in
from deskhub_sdk import (
    Adapter,
    Changes,
    Context,
    Conversation,
    Customer,
    Health,
    Loader,
    Meta,
    Order,
    OrderFacts,
    OrderId,
    Payment,
    Permissions,
    Signal,
    Target,
    WebhookRequest,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card


class PaymentsStripe(Adapter[StripeConfig]):
    """Payments of a Stripe account by order and customer, followed live, refunded once."""

    meta = Meta(
        id="payments-stripe",
        name="Stripe",
        sdk=">=1.0,<2",
        summary="Shows payments, refunds and disputes of Stripe, and refunds exactly once.",
        permissions=Permissions(
            net=("{config.base_url}",), reads=("customer.subject",), writes=("card",)
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = StripeConfig
    steps = (RefundReturn, RefundGoodwill, RefundCancelled, RefundDifference)
    client: StripeClient
    by_order: Loader[OrderId, Sequence[Paid]]
    by_customer: Loader[str, Sequence[Paid]]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; nothing is asked before somebody wants to know."""
        await super().start(ctx)
        self.client = StripeClient(ctx, self.config)
        kept: dict[str, Any] = {"max_batch": MAX_BATCH, "ttl_s": self.config.payments_ttl_s}
        self.by_order = ctx.loader(self.client.by_order, **kept)
        self.by_customer = ctx.loader(self.client.of_customers, **kept)

    async def check_connection(self) -> Health:
        """Ask Stripe whether the key may read payments."""
        ready = text(self.ctx.language, "stripe.healthy")
        return await self.client.health("/v1/payment_intents?limit=1", ready)

    @capability("payments@1")
    async def get_payments(self, orders: Sequence[OrderId]) -> Mapping[OrderId, Payment]:
        """Return the latest payment of each order that has one."""
        found = await self.by_order.load_many(orders)
        return {order: payment_of(paid[0]) for order, paid in found.items() if paid}

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the customer's latest payment with what went back."""
        if customer is None or customer.subject is None:
            return ()
        payments = await self.by_customer.load(customer.subject)
        return (payments_card(payments, self.ctx.language),) if payments else ()

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return which payment to read again, if Stripe signed the event just now."""
        config = self.config
        return signals_in(
            request, self.ctx.instance, config.webhook_secrets, config.webhook_max_age_s
        )

    @hookimpl
    async def refetch_signals(self, signals: Sequence[Signal]) -> Sequence[Signal]:
        """Return each payment as it stands; one that collected nothing is left out."""
        names = [signal.object.partition(":")[2] for signal in signals]
        payments = await self.client.payments(names)
        for paid in payments:
            self.forget(paid)
        return [signal_of(paid, self.ctx.instance) for paid in payments]

    @hookimpl
    async def changed_since(self, since: datetime, page: str) -> Changes:
        """Return the events since *since*: Stripe keeps them for thirty days."""
        events = await self.client.events(int(since.timestamp()), page)
        told = [thin_of(event, self.ctx.instance) for event in events.data]
        more = events.data[-1].id if events.has_more and events.data else ""
        return Changes(signals=tuple(one for one in told if one is not None), next=more)

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer whose payment it is, if the shop wrote that down."""
        paid = paid_in(signal, self.ctx.instance)
        return (Target(subject=paid.customer),) if paid and paid.customer else ()

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed payment, for agents."""
        paid = paid_in(signal, self.ctx.instance)
        return changed_card(paid, self.ctx.language) if paid else None

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return what was collected for *order* and what of it went back."""
        payments = await self.fresh(order)
        if not payments:
            return None
        records = [payment_of(one) for one in payments]
        paid, refunded = records[0].captured, records[0].refunded
        for one in records[1:]:
            if one.captured.currency == paid.currency:
                paid, refunded = paid + one.captured, refunded + one.refunded
        return OrderFacts(system="Stripe", status="captured", paid=paid, refunded=refunded)

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls."""
        stats = self.by_order.stats
        return {"loads": stats.loads, "calls": stats.calls, "failed": stats.failed}

    async def payments_of(self, order: Order) -> tuple[Paid, ...]:
        """Return the payments of *order* as they stand this moment.

        The shop's own note of the payment is taken where it is one of Stripe's; else a
        search finds them and each is read again.
        """
        if order.payment is not None and order.payment.startswith(("pi_", "ch_")):
            named = await self.client.payment(order.payment)
            return (named,) if named is not None else ()
        return await self.fresh(order.id)

    async def fresh(self, order: OrderId) -> tuple[Paid, ...]:
        """Return the payments that carry the number of *order*, each read by its id."""
        self.by_order.forget(order)
        found = await self.by_order.load(order) or ()
        return tuple(await self.client.payments([one.id for one in found]))

    def forget(self, paid: Paid) -> None:
        """Read *paid* anew next time: something just changed it."""
        self.by_order.forget(OrderId(paid.order))
        self.by_customer.forget(paid.customer)
