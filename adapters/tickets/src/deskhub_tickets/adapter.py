"""The ticket system beside the conversation: open cases, pushed changes, new cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, SecretStr

from deskhub_sdk import (
    Adapter,
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
from deskhub_sdk.rest import PushingConfig
from deskhub_tickets.cards import case_card, open_cases_card
from deskhub_tickets.client import MAX_BATCH, TicketsClient
from deskhub_tickets.escalate import Escalate
from deskhub_tickets.mapping import Issue, issue_of, ticket_of
from deskhub_tickets.steps import OpenCase
from deskhub_tickets.texts import TEXTS, text
from deskhub_tickets.webhook import signals_of, verify


class TicketsConfig(PushingConfig):
    """Where the ticket system is, the token of an account there, and its webhook's secret."""

    token: SecretStr = Field(description="An access token that may read and open cases.")
    queue: str = Field(
        default="Returns", min_length=1, max_length=80, description="Where returns are opened."
    )
    escalations: str = Field(
        default="Escalations", min_length=1, max_length=80, description="Where agents escalate."
    )


class Tickets(Adapter[TicketsConfig]):
    """Cases by id and by customer, live changes, a case for each return."""

    meta = Meta(
        id="tickets",
        name="Tickets",
        sdk=">=1.0,<2",
        summary="Shows open cases, follows them live, and opens one for each return.",
        permissions=Permissions(
            net=("{config.base_url}",),
            reads=("customer.subject", "conversation.id"),
            writes=("card",),
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = TicketsConfig
    steps = (OpenCase, Escalate)
    client: TicketsClient
    issues: Loader[str, Issue]
    open_ids: Loader[str, Sequence[str]]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; a system that is down now is asked again at the next look-up."""
        await super().start(ctx)
        self.client = TicketsClient(ctx, self.config, "the ticket system")
        self.issues = ctx.loader(self.client.issues, max_batch=MAX_BATCH)
        self.open_ids = ctx.loader(self.client.open_of, max_batch=MAX_BATCH)

    async def check_connection(self) -> Health:
        """Ask the ticket system who this token belongs to."""
        ready = text(self.ctx.language, "health.ready")
        return await self.client.health("/api/account", ready)

    @capability("tickets@1")
    async def get_tickets(self, ids: Sequence[TicketId]) -> Mapping[TicketId, Ticket]:
        """Return the tickets that exist among *ids*."""
        found = await self.issues.load_many(ids)
        return {
            TicketId(issue.id): ticket_of(issue)
            for issue in found.values()
            if issue is not None
        }

    @capability("tickets@1")
    async def tickets_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[TicketId]]:
        """Return the ids of each customer's open tickets, newest first, at most 50 each."""
        found = await self.open_ids.load_many(subjects)
        return {
            subject: tuple(TicketId(id_) for id_ in ids[:50])
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
        ids = await self.open_ids.load(customer.subject)
        if not ids:
            return ()
        found = await self.issues.load_many(ids)
        # A case may have been closed between the two calls.
        issues = [issue for issue in found.values() if issue and issue.status != "done"]
        if not issues:
            return ()
        now = self.ctx.clock.now()
        return (open_cases_card(customer.subject, issues, self.ctx.language, now),)

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return the changes in a webhook that the ticket system signed."""
        verify(request, self.config.webhook_secrets)
        signals = signals_of(request, self.config.webhook_max_age_s)
        for signal in signals:
            self._learn(signal)
        return signals

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer a case is about, and the conversation it was opened from."""
        issue = issue_of(signal)
        if issue is None:
            return ()
        targets = [Target(subject=issue.customer)] if issue.customer else []
        if issue.conversation:
            targets.append(Target(conversation=ConversationId(issue.conversation)))
        return targets

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed case for agents; customers hear of it from an agent."""
        issue = issue_of(signal)
        return case_card(issue) if issue else None

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return the customer's open cases; a case is about a person, not about one order."""
        del order
        ids = await self.open_ids.load(subject) if subject is not None else None
        if not ids:
            return None
        found = await self.issues.load_many(ids)
        keys = tuple(one.key for one in found.values() if one and one.status != "done")
        return OrderFacts(system="Tickets", cases=keys) if keys else None

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls."""
        stats = self.issues.stats
        return {"loads": stats.loads, "calls": stats.calls, "failed": stats.failed}

    def _learn(self, signal: Signal) -> None:
        """Let the next panel read what this signal changed."""
        issue = issue_of(signal)
        if issue is not None:
            self.issues.forget(issue.id)
            if issue.customer:
                self.open_ids.forget(issue.customer)
