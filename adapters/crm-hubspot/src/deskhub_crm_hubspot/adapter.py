"""HubSpot beside the conversation: who somebody is, live, and where actions are noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from deskhub_crm_hubspot.cards import contact_card
from deskhub_crm_hubspot.client import MAX_BATCH, HubspotClient, sound
from deskhub_crm_hubspot.mapping import Contact, match_of
from deskhub_crm_hubspot.matching import SURE, candidates
from deskhub_crm_hubspot.rights import erased, held
from deskhub_crm_hubspot.settings import HubspotConfig
from deskhub_crm_hubspot.steps import (
    NoteCancel,
    NoteEscalation,
    NoteExchange,
    NoteRefund,
    NoteReturn,
)
from deskhub_crm_hubspot.texts import TEXTS, text
from deskhub_crm_hubspot.webhook import CHANGED, signals_of, verify
from deskhub_sdk import (
    Adapter,
    AdapterError,
    AuthRequired,
    Changes,
    Context,
    Conversation,
    Customer,
    CustomerMatch,
    ErasedCustomer,
    Health,
    Identity,
    Loader,
    Malformed,
    Meta,
    Permissions,
    Signal,
    Target,
    WebhookRequest,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card


class CrmHubspot(Adapter[HubspotConfig]):
    """Contacts by customer number in batches of 100, recognition, pushed changes, notes."""

    meta = Meta(
        id="crm-hubspot",
        name="HubSpot",
        sdk=">=1.0,<2",
        summary="Shows who a customer is in HubSpot and notes there what was done.",
        permissions=Permissions(
            net=("{config.base_url}",),
            reads=("customer.subject", "customer.email", "customer.phone"),
            writes=("card",),
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = HubspotConfig
    steps = (NoteReturn, NoteCancel, NoteRefund, NoteExchange, NoteEscalation)
    client: HubspotClient
    contacts: Loader[str, Contact]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; a HubSpot that is down is asked again at the next look-up."""
        await super().start(ctx)
        self.client = HubspotClient(ctx, self.config)
        self.contacts = ctx.loader(
            self.client.contacts, max_batch=MAX_BATCH, ttl_s=self.config.profile_ttl_s
        )

    async def check_connection(self) -> Health:
        """Ask whether the token is taken and the number's property can be looked up by."""
        now, language, name = self.ctx.clock.now(), self.ctx.language, self.config.id_property
        try:
            found = await self.client.number_property()
        except AuthRequired:
            raise
        except AdapterError as error:
            return Health(ok=False, text=str(error), checked_at=now)
        if found is None:
            told = text(language, "health.missing", name=name)
        elif not found.has_unique_value:
            told = text(language, "health.not_unique", name=name)
        else:
            return Health(ok=True, text=text(language, "health.ready"), checked_at=now)
        return Health(ok=False, text=told, checked_at=now)

    @capability("customers@1")
    async def get_customers(self, subjects: Sequence[str]) -> Mapping[str, CustomerMatch]:
        """Return the contacts that exist among *subjects*."""
        why = text(self.ctx.language, "why.signed")
        found = await self.contacts.load_many(subjects)
        return {
            subject: match_of(contact, subject, SURE, why)
            for subject, contact in found.items()
            if contact is not None
        }

    @hookimpl
    async def find_customer(self, identity: Identity) -> Sequence[CustomerMatch]:
        """Return who *identity* may be, best first."""
        name = self.config.id_property
        return await candidates(identity, self.contacts, self.client, name, self.ctx.language)

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the contact of *customer*; nobody identified means nothing to show."""
        del conversation
        if customer is None or customer.subject is None:
            return ()
        contact = await self.contacts.load(customer.subject)
        return (self._card(contact),) if contact else ()

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return which contacts a webhook is about that HubSpot signed just now."""
        verify(request, self.config.webhook_secrets, self.config.webhook_max_age_s)
        return signals_of(request.body, self.ctx.instance)

    @hookimpl
    async def refetch_signals(self, signals: Sequence[Signal]) -> Sequence[Signal]:
        """Return the contacts as they are now; who was merged away is who they became."""
        asked = {one.object.partition(":")[2]: one for one in signals if self._is_ours(one)}
        found = sound(await self.client.contacts_by_id(list(asked)))
        return tuple(
            self._signal(contact, asked[key].dedupe, key) for key, contact in found.items()
        )

    @hookimpl
    async def changed_since(self, since: datetime, page: str) -> Changes:
        """Return the contacts that changed, for what no webhook told."""
        found = await self.client.changed(since, page)
        signals = [
            self._signal(one, f"changed:{one.id}@{one.version}", one.id)
            for one in found.results
        ]
        return Changes(signals=tuple(signals), next=found.after)

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer whose contact changed; one without a number is nobody here."""
        if not self._is_ours(signal) or not signal.subject:
            return ()
        return (Target(subject=signal.subject),)

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed contact, for agents."""
        if not self._is_ours(signal) or "contact" not in signal.data:
            return None
        try:
            contact = msgspec.convert(signal.data["contact"], Contact)
        except msgspec.ValidationError as error:
            raise Malformed(f"signal {signal.dedupe}: {error}") from error
        return self._card(contact)

    @hookimpl
    async def export_customer(self, customer: Customer) -> Mapping[str, Any]:
        """Return the contact of *customer* with its notes."""
        return await held(self.client, customer)

    @hookimpl
    async def erase_customer(self, customer: Customer) -> ErasedCustomer:
        """Erase the contact of *customer* for good."""
        done = await erased(self.client, customer)
        if customer.subject is not None:
            self.contacts.forget(customer.subject)
        return done

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls, and what the day has left."""
        stats, pace = self.contacts.stats, self.client.pace
        return {
            "loads": stats.loads, "calls": stats.calls, "held_back": pace.held_back,
            "daily_left": pace.daily_left,
        }  # fmt: skip

    def _card(self, contact: Contact) -> Card:
        return contact_card(contact, self.config.portal, self.ctx.language)

    def _signal(self, contact: Contact, dedupe: str, asked: str) -> Signal:
        number = contact.told(self.config.id_property)
        if number is not None:
            self.contacts.prime(number, contact)
        return Signal(
            kind=CHANGED,
            dedupe=dedupe,
            object=f"{self.ctx.instance}:{asked}",
            version=contact.version,
            at=contact.updated_at,
            subject=number,
            data={"contact": msgspec.to_builtins(contact)},
        )

    def _is_ours(self, signal: Signal) -> bool:
        return signal.kind == CHANGED and signal.object.startswith(f"{self.ctx.instance}:")
