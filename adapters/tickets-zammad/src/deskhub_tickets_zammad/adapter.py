"""Zammad beside the conversation: open tickets, their changes, new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from deskhub_sdk import (
    Adapter,
    Changes,
    Context,
    Conversation,
    ConversationId,
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
    WebhookRequest,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card
from deskhub_tickets_zammad.cards import changed_card, open_card
from deskhub_tickets_zammad.client import API, MAX_BATCH, PAGE, ZammadClient
from deskhub_tickets_zammad.mapping import Case, case_in, signal_of, ticket_of
from deskhub_tickets_zammad.settings import ZammadConfig
from deskhub_tickets_zammad.steps import Escalate, OpenCase
from deskhub_tickets_zammad.texts import TEXTS, text
from deskhub_tickets_zammad.webhook import signals_in


class TicketsZammad(Adapter[ZammadConfig]):
    """Tickets of a Zammad by id and by customer, followed live, opened once."""

    meta = Meta(
        id="tickets-zammad",
        name="Zammad",
        sdk=">=1.0,<2",
        summary="Open tickets of Zammad, live; one for each return and escalation.",
        permissions=Permissions(
            net=("{config.base_url}",),
            reads=("customer.subject", "customer.email", "conversation.id"),
            writes=("card",),
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = ZammadConfig
    steps = (OpenCase, Escalate)
    client: ZammadClient
    cases: Loader[str, Case]
    open_ids: Loader[str, Sequence[str]]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; a Zammad that is down now is asked again at the next look-up."""
        await super().start(ctx)
        self.client = ZammadClient(ctx, self.config)
        kept: dict[str, Any] = {"max_batch": MAX_BATCH, "ttl_s": self.config.tickets_ttl_s}
        self.cases = ctx.loader(self.client.cases, **kept)
        self.open_ids = ctx.loader(self.client.open_of, **kept)

    async def check_connection(self) -> Health:
        """Ask Zammad who this token belongs to."""
        ready = text(self.ctx.language, "zammad.healthy")
        return await self.client.health(f"{API}/users/me", ready)

    @capability("tickets@1")
    async def get_tickets(self, ids: Sequence[TicketId]) -> Mapping[TicketId, Ticket]:
        """Return the tickets that exist among *ids*, which are Zammad's own."""
        found = await self.cases.load_many(ids)
        return {
            TicketId(key): ticket_of(case, self.config.base_url)
            for key, case in found.items()
            if case is not None
        }

    @capability("tickets@1")
    async def tickets_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[TicketId]]:
        """Return the open tickets of each customer by login, at most 50 each."""
        found = await self.open_ids.load_many(subjects)
        return {
            login: tuple(TicketId(one) for one in ids) for login, ids in found.items() if ids
        }

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the customer's open tickets, under the shop's number or the address."""
        if customer is None:
            return ()
        cases = await self._open_cases(customer.subject, customer.email)
        if not cases:
            return ()
        now = self.ctx.clock.now()
        return (open_card(cases, self.config.base_url, self.ctx.language, now),)

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return which ticket to read again, if Zammad signed the webhook."""
        config = self.config
        return signals_in(
            request, self.ctx.instance, config.webhook_secrets, config.webhook_max_age_s
        )

    @hookimpl
    async def refetch_signals(self, signals: Sequence[Signal]) -> Sequence[Signal]:
        """Return each ticket as it stands, in one call; a deleted one is left out."""
        found = await self.client.cases([one.object.partition(":")[2] for one in signals])
        return self._told(found.values())

    @hookimpl
    async def changed_since(self, since: datetime, page: str) -> Changes:
        """Return the tickets that changed since *since*: Zammad gives up after five tries."""
        number = int(page or "1")
        found = await self.client.changed(since, number)
        more = str(number + 1) if len(found) == PAGE else ""
        return Changes(signals=tuple(self._told(found)), next=more)

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the ticket's customer, and the conversation it was opened from."""
        case = case_in(signal, self.ctx.instance)
        if case is None:
            return ()
        targets = [Target(subject=case.customer)] if case.customer else []
        conversation = case.left("conversation")
        if conversation:
            targets.append(Target(conversation=ConversationId(conversation)))
        return targets

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed ticket for agents; customers hear of it from an agent."""
        case = case_in(signal, self.ctx.instance)
        if case is None:
            return None
        return changed_card(case, self.config.base_url, self.ctx.language)

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return the customer's open tickets; a ticket is about a person, not an order."""
        del order
        cases = await self._open_cases(subject, None)
        keys = tuple(f"#{case.number}" for case in cases)
        return OrderFacts(system="Zammad", cases=keys) if keys else None

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls."""
        stats = self.cases.stats
        return {"loads": stats.loads, "calls": stats.calls, "failed": stats.failed}

    def forget(self, case: Case) -> None:
        """Read *case* and its customer's list anew next time: something changed them."""
        self.cases.forget(str(case.id))
        self.open_ids.forget(case.customer)

    async def _open_cases(self, *logins: str | None) -> Sequence[Case]:
        """Return the open tickets of one person under any of *logins*."""
        names = dict.fromkeys(one for one in logins if one)
        lists = await self.open_ids.load_many(list(names))
        ids = dict.fromkeys(one for own in lists.values() for one in own or ())
        found = await self.cases.load_many(list(ids))
        # A ticket may have been closed between the two calls.
        return [case for case in found.values() if case and case.status != "done"]

    def _told(self, cases: Iterable[Case]) -> list[Signal]:
        told: list[Signal] = []
        for case in cases:
            self.forget(case)
            told.append(signal_of(case, self.ctx.instance))
        return told
