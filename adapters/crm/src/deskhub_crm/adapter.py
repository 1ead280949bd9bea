"""The CRM beside the conversation: who somebody is, and where a return is noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, SecretStr

from deskhub_crm.cards import profile_card
from deskhub_crm.client import MAX_BATCH, CrmClient
from deskhub_crm.mapping import Contact, match_of
from deskhub_crm.matching import SURE, candidates
from deskhub_crm.rights import erased, held
from deskhub_crm.steps import NoteActivity, NoteCancel, NoteEscalation, NoteExchange, NoteRefund
from deskhub_crm.texts import TEXTS, text
from deskhub_sdk import (
    Adapter,
    Context,
    Conversation,
    Customer,
    CustomerMatch,
    ErasedCustomer,
    Health,
    Identity,
    Loader,
    Meta,
    Permissions,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card
from deskhub_sdk.rest import RestConfig


class CrmConfig(RestConfig):
    """Where the CRM is and the token of an account there."""

    token: SecretStr = Field(
        description="An access token that may read people and write activities."
    )
    profile_ttl_s: float = Field(
        default=30.0, ge=0, le=3600, description="How long a profile may be shown unread again."
    )


class Crm(Adapter[CrmConfig]):
    """Profiles by customer number, recognition of visitors, activities."""

    meta = Meta(
        id="crm",
        name="CRM",
        sdk=">=1.0,<2",
        summary="Shows who a customer is and notes returns on their record.",
        permissions=Permissions(
            net=("{config.base_url}",),
            reads=("customer.subject", "customer.email", "customer.phone"),
            writes=("card",),
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = CrmConfig
    steps = (NoteActivity, NoteCancel, NoteRefund, NoteExchange, NoteEscalation)
    client: CrmClient
    contacts: Loader[str, Contact]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; a CRM that is down now is asked again at the next look-up."""
        await super().start(ctx)
        self.client = CrmClient(ctx, self.config, "the CRM")
        self.contacts = ctx.loader(
            self.client.contacts, max_batch=MAX_BATCH, ttl_s=self.config.profile_ttl_s
        )

    async def check_connection(self) -> Health:
        """Ask the CRM who this token belongs to."""
        ready = text(self.ctx.language, "health.ready")
        return await self.client.health("/api/account", ready)

    @capability("customers@1")
    async def get_customers(self, subjects: Sequence[str]) -> Mapping[str, CustomerMatch]:
        """Return the records that exist among *subjects*."""
        why = text(self.ctx.language, "why.subject.verified")
        found = await self.contacts.load_many(subjects)
        return {
            subject: match_of(contact, SURE, why)
            for subject, contact in found.items()
            if contact is not None
        }

    @hookimpl
    async def find_customer(self, identity: Identity) -> Sequence[CustomerMatch]:
        """Return who *identity* may be, best first."""
        return await candidates(identity, self.contacts, self.client, self.ctx.language)

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the profile of *customer*; nobody identified means nothing to show."""
        if customer is None or customer.subject is None:
            return ()
        contact = await self.contacts.load(customer.subject)
        return (profile_card(contact, self.ctx.language),) if contact else ()

    @hookimpl
    async def export_customer(self, customer: Customer) -> Mapping[str, Any]:
        """Return the record of *customer* with its activities."""
        return await held(self.client, customer)

    @hookimpl
    async def erase_customer(self, customer: Customer) -> ErasedCustomer:
        """Remove the record of *customer* with its activities."""
        done = await erased(self.client, customer)
        if customer.subject is not None:
            self.forget(customer.subject)
        return done

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls."""
        stats = self.contacts.stats
        return {"loads": stats.loads, "calls": stats.calls, "failed": stats.failed}

    def forget(self, number: str) -> None:
        """Read *number* anew next time: this adapter just changed its record."""
        self.contacts.forget(number)
