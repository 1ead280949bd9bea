"""Roundup beside the conversation: open cases, changes found by polling, new cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

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
    Permissions,
    Signal,
    Target,
    Ticket,
    TicketId,
    Unavailable,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card
from deskhub_tickets_roundup.cards import case_card, open_cases_card
from deskhub_tickets_roundup.client import MAX_BATCH, RoundupClient
from deskhub_tickets_roundup.mapping import CHANGED, Case, case_in, ticket_of
from deskhub_tickets_roundup.opening import Escalate, OpenCase
from deskhub_tickets_roundup.polling import Poller
from deskhub_tickets_roundup.settings import RoundupConfig
from deskhub_tickets_roundup.texts import TEXTS, text


class TicketsRoundup(Adapter[RoundupConfig]):
    """Cases by id and by customer, their changes, a case for each return and escalation."""

    meta = Meta(
        id="tickets-roundup",
        name="Roundup",
        sdk=">=1.0,<2",
        summary="Shows open cases of a Roundup tracker, follows them, and opens new ones once.",
        permissions=Permissions(
            net=("{config.base_url}",),
            reads=("customer.subject", "conversation.id"),
            writes=("card",),
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = RoundupConfig
    steps = (OpenCase, Escalate)
    client: RoundupClient
    cases: Loader[str, Case]
    open_ids: Loader[str, Sequence[str]]

    async def start(self, ctx: Context) -> None:
        """Learn the tracker's statuses; one that is down is asked again later."""
        await super().start(ctx)
        self.client = RoundupClient(ctx, self.config)
        self.cases = ctx.loader(self.client.cases, max_batch=MAX_BATCH)
        self.open_ids = ctx.loader(self.client.open_of, max_batch=MAX_BATCH)
        self._poller = Poller(ctx, self.client, self.config.poll_s)
        with suppress(Unavailable):
            await self.client.learn()
            await self._poller.begin()
        ctx.tasks.start(self._poller.run(), name="poll")

    async def stop(self) -> None:
        """End the polling."""
        await self._poller.stop()

    async def check_connection(self) -> Health:
        """Ask Roundup for the hub's own user."""
        ready = text(self.ctx.language, "health.ready")
        return await self.client.health(self.client.account, ready)

    @capability("tickets@1")
    async def get_tickets(self, ids: Sequence[TicketId]) -> Mapping[TicketId, Ticket]:
        """Return the cases that exist among *ids*."""
        found = await self.cases.load_many(ids)
        return {TicketId(one.id): ticket_of(one) for one in found.values() if one is not None}

    @capability("tickets@1")
    async def tickets_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[TicketId]]:
        """Return the ids of each customer's open cases, newest first, at most 50 each."""
        found = await self.open_ids.load_many(subjects)
        return {
            subject: tuple(TicketId(id_) for id_ in ids)
            for subject, ids in found.items()
            if ids is not None
        }

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the open cases of *customer*, or nothing when there are none."""
        if customer is None or customer.subject is None:
            return ()
        cases = await self._open(customer.subject)
        if not cases:
            return ()
        now = self.ctx.clock.now()
        return (open_cases_card(customer.subject, cases, self.ctx.language, now),)

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer whose case changed."""
        if not self._is_ours(signal) or signal.subject is None:
            return ()
        self.open_ids.forget(signal.subject)
        return (Target(subject=signal.subject),)

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed case for agents; customers hear of it from an agent."""
        return case_card(case_in(signal)) if self._is_ours(signal) else None

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return the customer's open cases; a case is about a person, not about one order."""
        del order
        cases = await self._open(subject) if subject is not None else ()
        return (
            OrderFacts(system="Roundup", cases=tuple(one.key for one in cases))
            if cases
            else None
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls, and how far polling is."""
        stats = self.cases.stats
        return {
            "loads": stats.loads, "calls": stats.calls, "failed": stats.failed,
            "polled": self._poller.told(),
        }  # fmt: skip

    async def _open(self, subject: str) -> Sequence[Case]:
        """Return the open cases of one customer."""
        ids = await self.open_ids.load(subject)
        if not ids:
            return ()
        found = await self.cases.load_many(ids)
        # A case may have been closed between the two calls.
        return tuple(one for one in found.values() if one and one.kind != "done")

    def _is_ours(self, signal: Signal) -> bool:
        return signal.kind == CHANGED and signal.object.startswith(f"{self.ctx.instance}:")
