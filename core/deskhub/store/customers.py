"""Customers as agents see them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from deskhub.errors import NotFound
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store import conversations
from deskhub.store.tables import chat as t
from deskhub.store.views import customer_view


def read(connection: sa.Connection, principal: Principal, customer: str) -> dict[str, Any]:
    """Return ``{customer, conversations}``. Raises `NotFound`, `Forbidden`."""
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
    return {"customer": customer_view(row), "conversations": own}
