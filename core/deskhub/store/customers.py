"""Customers as agents see them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from deskhub.errors import NotFound
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store import conversations, erasures, merges, people
from deskhub.store.tables import chat as t
from deskhub.store.views import customer_view


def read(connection: sa.Connection, principal: Principal, customer: str) -> dict[str, Any]:
    """Return ``{customer, conversations, merges, merged_into, erased}``.

    *merges* are the records that became a part of this one, *merged_into* the one that this
    one is a part of, *erased* whether and when it was forgotten. Raises `NotFound`,
    `Forbidden`.
    """
    authorize(principal, Permission.CUSTOMER_READ, Scope(principal.tenant))
    query = sa.select(t.customer).where(
        t.customer.c.tenant == principal.tenant, t.customer.c.id == customer
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"customer {customer}")
    own = conversations.of_customer(connection, principal, customer)
    if not own and principal.inboxes is not None:
        # A customer of other inboxes only: who may not see those does not learn of the person.
        raise NotFound(f"customer {customer}")
    became = people.became(connection, principal.tenant, customer)
    return {
        "customer": customer_view(row),
        "conversations": own,
        "merges": merges.of(connection, principal.tenant, customer),
        "merged_into": None if became == customer else became,
        "erased": erasures.told(connection, principal.tenant, customer),
    }
