"""Who belongs to a customer: merged records, visitors, conversations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from deskhub.errors import NotFound
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store.tables import chat as t
from deskhub.store.tables import identity as i
from deskhub.store.tables.customers import merged_customer

_C = t.customer.c


@dataclass(frozen=True, slots=True)
class Person:
    """One customer with everything that is theirs.

    *ids* are the customer's own id and those of the records that were merged into it.
    """

    row: Any
    ids: Sequence[str]
    visitors: Sequence[str]
    conversations: Sequence[str]

    @property
    def names(self) -> Sequence[str]:
        """Return what a colleague may type to say that they mean this person."""
        known = [one for one in (self.row.name, self.row.subject) if one]
        return [*known, self.row.id]


def person(
    connection: sa.Connection, principal: Principal, permission: Permission, customer: str
) -> Person:
    """Return the customer when *principal* may do *permission* with all of it.

    Raises `NotFound`, also where the customer wrote to an inbox that is none of the
    caller's: a part of a person is not exported, merged or erased.
    """
    authorize(principal, permission, Scope(principal.tenant))
    found = of(connection, principal.tenant, customer)
    if found is None:
        raise NotFound(f"customer {customer}")
    for inbox in _inboxes(connection, principal.tenant, found.conversations):
        authorize(principal, permission, Scope(principal.tenant, inbox))
    return found


def of(connection: sa.Connection, tenant: str, customer: str) -> Person | None:
    """Return the customer with everything that is theirs, or None."""
    row = connection.execute(
        sa.select(t.customer).where(_C.tenant == tenant, _C.id == customer)
    ).first()
    if row is None:
        return None
    m = merged_customer.c
    merged = sa.select(m.customer).where(m.tenant == tenant, m.became == customer)
    ids = [customer, *sorted(connection.execute(merged).scalars())]
    v = t.customer_visitor.c
    visitors = sa.select(v.visitor).where(v.tenant == tenant, v.customer.in_(ids))
    known = sorted(connection.execute(visitors).scalars())
    return Person(row, ids, known, _conversations(connection, tenant, ids, known))


def became(connection: sa.Connection, tenant: str, customer: str) -> str:
    """Return who *customer* is today: itself, or the one it was merged into."""
    m = merged_customer.c
    query = sa.select(m.became).where(m.tenant == tenant, m.customer == customer)
    return connection.execute(query).scalar() or customer


def by_number(connection: sa.Connection, tenant: str, number: str) -> str | None:
    """Return the customer whom the shop knows under *number*, or None."""
    query = sa.select(_C.id).where(_C.tenant == tenant, _C.subject == number)
    found: str | None = connection.execute(query).scalar()
    return found and became(connection, tenant, found)


def records(connection: sa.Connection, tenant: str, ids: Collection[str]) -> Sequence[Any]:
    """Return the rows of the customers *ids*."""
    query = sa.select(t.customer).where(_C.tenant == tenant, _C.id.in_(list(ids)))
    return connection.execute(query.order_by(_C.since, _C.id)).all()


def visitor_rows(
    connection: sa.Connection, tenant: str, visitors: Collection[str]
) -> Sequence[Any]:
    """Return the rows of *visitors*, oldest first."""
    v = i.visitor.c
    query = sa.select(i.visitor).where(v.tenant == tenant, v.id.in_(list(visitors)))
    return connection.execute(query.order_by(v.created_at, v.id)).all()


def named(
    connection: sa.Connection, principal: Principal, words: str, limit: int
) -> Sequence[Any]:
    """Return customers whose name, e-mail, phone or number begins with or contains *words*.

    Those who were merged or erased are nobody any more. Raises `Forbidden`.
    """
    authorize(principal, Permission.CUSTOMER_MERGE, Scope(principal.tenant))
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    like = f"%{escaped}%"
    gone = sa.select(merged_customer.c.customer).where(
        merged_customer.c.tenant == principal.tenant, merged_customer.c.customer == _C.id
    )
    fits = sa.or_(
        *(column.ilike(like, escape="\\") for column in (_C.name, _C.email, _C.subject)),
        _C.phone.like(like, escape="\\"),
    )
    query = (
        sa.select(t.customer)
        .where(_C.tenant == principal.tenant, fits, ~gone.exists())
        .order_by(_C.name, _C.id)
        .limit(limit)
    )
    return connection.execute(query).all()


def _conversations(
    connection: sa.Connection, tenant: str, ids: Sequence[str], visitors: Sequence[str]
) -> Sequence[str]:
    c = t.conversation.c
    theirs = c.customer.in_(ids) | (c.customer.is_(None) & c.visitor.in_(visitors))
    query = sa.select(c.id).where(c.tenant == tenant, theirs).order_by(c.opened_at, c.id)
    return list(connection.execute(query).scalars())


def _inboxes(
    connection: sa.Connection, tenant: str, conversations: Collection[str]
) -> Sequence[str]:
    c = t.conversation.c
    query = sa.select(c.inbox).where(c.tenant == tenant, c.id.in_(list(conversations)))
    return sorted(set(connection.execute(query).scalars()))
