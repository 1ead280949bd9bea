"""The hub's state as the contract's records: frozen, serialisable, no more than was granted."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from deskhub.chat.model import Conversation as ChatConversation
from deskhub.store.surroundings import CustomerRow
from deskhub_sdk import (
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Identity,
    TenantId,
)

# What an adapter gets only when its permissions name it (``customer.email``).
GUARDED = ("email", "phone")


def conversation_record(state: ChatConversation) -> Conversation:
    """Return *state* as adapters see it."""
    return Conversation(
        id=ConversationId(state.id),
        tenant=TenantId(state.tenant),
        inbox=state.inbox,
        state=state.state,
        opened_at=state.opened_at,
        customer=CustomerId(state.customer) if state.customer is not None else None,
        assignee=state.assignee,
        tags=state.tags,
        language=state.language,
        links=state.links,
    )


def customer_record(row: CustomerRow) -> Customer:
    """Return the person as adapters see them, with everything the hub knows."""
    return Customer(
        id=CustomerId(row.id),
        tenant=TenantId(row.tenant),
        name=row.name,
        email=row.email,
        phone=row.phone,
        language=row.language,
        subject=row.subject,
        external=row.external,
        tags=row.tags,
    )


def granted(value: object, reads: Collection[str]) -> object:
    """Return *value* without the personal fields that *reads* does not name."""
    if not isinstance(value, Customer | Identity):
        return value
    hidden = {name: None for name in GUARDED if f"customer.{name}" not in reads}
    if all(getattr(value, name) is None for name in hidden):
        return value
    return msgspec.structs.replace(value, **hidden)
