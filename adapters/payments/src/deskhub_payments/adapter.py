"""The payment provider beside the conversation: payments, refunds, and the money's way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deskhub_payments.cancelling import CancelRefund, ExchangeRefund, GoodwillRefund
from deskhub_payments.cards import payments_card, refund_card
from deskhub_payments.client import MAX_BATCH, PaymentsClient
from deskhub_payments.mapping import Charge, charge_in, payment_of
from deskhub_payments.settings import PaymentsConfig
from deskhub_payments.steps import Refund
from deskhub_payments.texts import TEXTS, text
from deskhub_payments.webhook import signals_of, verify
from deskhub_sdk import (
    Adapter,
    Context,
    Conversation,
    Customer,
    Health,
    Loader,
    Meta,
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


class Payments(Adapter[PaymentsConfig]):
    """Payments by order and by customer, pushed refunds, refunding."""

    meta = Meta(
        id="payments",
        name="Payments",
        sdk=">=1.0,<2",
        summary="Shows what was paid and refunded, and refunds exactly once.",
        permissions=Permissions(
            net=("{config.base_url}",), reads=("customer.subject",), writes=("card",)
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = PaymentsConfig
    steps = (Refund, CancelRefund, GoodwillRefund, ExchangeRefund)
    client: PaymentsClient
    by_order: Loader[OrderId, Charge]
    by_customer: Loader[str, Sequence[Charge]]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; a provider that is down is asked again at the next look-up."""
        await super().start(ctx)
        self.client = PaymentsClient(ctx, self.config, "the provider")
        ttl_s = self.config.payments_ttl_s
        self.by_order = ctx.loader(self.client.by_order, max_batch=MAX_BATCH, ttl_s=ttl_s)
        self.by_customer = ctx.loader(
            self.client.of_customers, max_batch=MAX_BATCH, ttl_s=ttl_s
        )

    async def check_connection(self) -> Health:
        """Ask the provider whether it accepts the token."""
        ready = text(self.ctx.language, "payments.healthy")
        return await self.client.health("/v1/account", ready)

    @capability("payments@1")
    async def get_payments(self, orders: Sequence[OrderId]) -> Mapping[OrderId, Payment]:
        """Return the payment of each order that has one."""
        found = await self.by_order.load_many(orders)
        return {order: payment_of(c) for order, c in found.items() if c is not None}

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the customer's latest payment with what went back."""
        del conversation
        if customer is None or customer.subject is None:
            return ()
        charges = await self.by_customer.load(customer.subject)
        return (payments_card(charges, self.ctx.language),) if charges else ()

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return the refunds in a webhook that the provider signed."""
        verify(request, self.config.webhook_secrets, self.config.webhook_max_age_s)
        signals = signals_of(request, self.ctx.instance)
        for signal in signals:
            charge = charge_in(signal, self.ctx.instance)
            if charge is not None:
                self.forget(charge)
        return signals

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer whose payment it is."""
        charge = charge_in(signal, self.ctx.instance)
        return (Target(subject=charge.customer),) if charge else ()

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the payment with its refund, for agents."""
        charge = charge_in(signal, self.ctx.instance)
        return refund_card(charge, self.ctx.language) if charge else None

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return what was captured for *order* and what of it went back."""
        del subject
        charge = await self.fresh(order)
        if charge is None:
            return None
        payment = payment_of(charge)
        return OrderFacts(
            system="Payments",
            status="captured",
            paid=payment.captured,
            refunded=payment.refunded,
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls."""
        stats = self.by_order.stats
        return {"loads": stats.loads, "calls": stats.calls, "failed": stats.failed}

    async def fresh(self, order: OrderId) -> Charge | None:
        """Return the payment of *order* as the provider has it now."""
        self.by_order.forget(order)
        return await self.by_order.load(order)

    def forget(self, charge: Charge) -> None:
        """Read *charge* anew next time: something just changed it."""
        self.by_order.forget(OrderId(charge.order))
        self.by_customer.forget(charge.customer)
