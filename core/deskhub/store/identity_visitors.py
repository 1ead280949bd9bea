"""Queries of visitors and the customers behind them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from deskhub.chat.commands import LinkCustomer
from deskhub.identity.model import system
from deskhub.identity.records import Claim, Known, Visitor
from deskhub.identity.tokens import digest as hashed
from deskhub.store.people import became
from deskhub.store.store import Store
from deskhub.store.tables import chat
from deskhub.store.tables import identity as t
from deskhub.store.tx import Tx

WHY_VERIFIED = "Signed by the shop."
ENRICHED = ("name", "email", "phone", "language")

# A person on more devices than this signs in again on the one unused longest.
TOKENS_MAX = 10

_VISITOR = sa.select(t.visitor, chat.customer_visitor.c.customer).outerjoin(
    chat.customer_visitor,
    (chat.customer_visitor.c.tenant == t.visitor.c.tenant)
    & (chat.customer_visitor.c.visitor == t.visitor.c.id),
)


class SqlVisitors:
    """Visitors by id and by the hash of their token."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def visitor_by_digest(self, digest: str) -> Visitor | None:
        """Return the visitor whose token has *digest*."""
        query = _VISITOR.join(
            t.visitor_token,
            (t.visitor_token.c.tenant == t.visitor.c.tenant)
            & (t.visitor_token.c.visitor == t.visitor.c.id),
        ).where(t.visitor_token.c.digest == digest)
        return await self._store.read(lambda db: _visitor(db.execute(query).first()))

    async def visitor(self, tenant: str, visitor: str) -> Visitor | None:
        """Return a visitor."""
        query = _VISITOR.where(t.visitor.c.tenant == tenant, t.visitor.c.id == visitor)
        return await self._store.read(lambda db: _visitor(db.execute(query).first()))

    async def add_visitor(self, visitor: Visitor, digest: str) -> None:
        """Store a new visitor."""

        def work(tx: Tx) -> None:
            insert_visitor(tx, visitor)
            _add_token(tx, visitor.id, digest)

        await self._store.transact(visitor.tenant, work)

    async def identify(
        self,
        visitor: Visitor,
        claim: Claim,
        *,
        new_digest: str,
        old_digest: str | None,
        new_id: str,
    ) -> Visitor:
        """Bind *claim* to a visitor and its conversations, in one transaction."""

        def work(tx: Tx) -> Visitor:
            customer = _customer(tx, claim, new_id)
            here = _settled(tx, visitor)
            if old_digest is not None:
                _drop_token(tx, old_digest)
            _add_token(tx, here, new_digest)
            _bind(tx, here, customer)
            _link_conversations(tx, here, customer, claim.name)
            stored = _get(tx, here)
            if stored is None:
                raise RuntimeError(f"visitor {here} vanished inside its transaction")
            return stored

        return await self._store.transact(visitor.tenant, work)

    async def enrich(self, tenant: str, customer: str, known: Known) -> None:
        """Fill what the customer's record lacks; what stands there stays. Tags are added."""
        table = chat.customer
        where = (table.c.tenant == tenant) & (table.c.id == customer)

        def work(tx: Tx) -> None:
            row = tx.connection.execute(sa.select(table).where(where)).first()
            if row is None:
                return
            missing = [name for name in ENRICHED if getattr(row, name) is None]
            values: dict[str, Any] = {
                name: known.facts[name] for name in missing if name in known.facts
            }
            tags = list(dict.fromkeys([*row.tags, *known.tags]))
            if tags != row.tags:
                values["tags"] = tags
            if values:
                tx.connection.execute(sa.update(table).where(where).values(**values))

        await self._store.transact(tenant, work)


def _visitor(row: sa.Row[Any] | None) -> Visitor | None:
    if row is None:
        return None
    return Visitor(
        tenant=row.tenant, id=row.id, inbox=row.inbox, version=row.version, subject=row.subject,
        customer=row.customer, name=row.name, language=row.language,
    )  # fmt: skip


def _get(tx: Tx, visitor: str) -> Visitor | None:
    query = _VISITOR.where(t.visitor.c.tenant == tx.tenant, t.visitor.c.id == visitor)
    return _visitor(tx.connection.execute(query).first())


def _settled(tx: Tx, visitor: Visitor) -> str:
    """Return the id of the visitor that the identified *visitor* is from now on.

    A browser that brings a conversation along stays who it was. One that brings nothing
    becomes the visitor this person is elsewhere, so that every device shows the same talk.
    """
    known = _get(tx, visitor.id)
    if known is None or not _has_talked(tx, visitor.id):
        elsewhere = _same_person(tx, visitor)
        if elsewhere is not None:
            return elsewhere
    if known is None:
        insert_visitor(tx, visitor)
    else:
        _rebind(tx, visitor, changed=known.subject != visitor.subject)
    return visitor.id


def _has_talked(tx: Tx, visitor: str) -> bool:
    table = chat.conversation
    query = sa.select(table.c.id).where(table.c.tenant == tx.tenant, table.c.visitor == visitor)
    return tx.connection.execute(query.limit(1)).first() is not None


def _same_person(tx: Tx, visitor: Visitor) -> str | None:
    """Return the visitor of the same subject and inbox who wrote last, if there is one."""
    last = (
        sa.select(sa.func.max(chat.conversation.c.last_at))
        .where(
            chat.conversation.c.tenant == t.visitor.c.tenant,
            chat.conversation.c.visitor == t.visitor.c.id,
        )
        .scalar_subquery()
    )
    found: str | None = tx.connection.execute(
        sa.select(t.visitor.c.id)
        .where(
            t.visitor.c.tenant == tx.tenant,
            t.visitor.c.inbox == visitor.inbox,
            t.visitor.c.subject == visitor.subject,
        )
        .order_by(sa.func.coalesce(last, 0).desc(), t.visitor.c.created_at.desc())
        .limit(1)
    ).scalar()
    return found


def insert_visitor(tx: Tx, visitor: Visitor) -> None:
    """Store a new visitor without a token: nobody comes in as them."""
    tx.connection.execute(
        sa.insert(t.visitor).values(
            tenant=visitor.tenant, id=visitor.id, inbox=visitor.inbox,
            version=visitor.version, subject=visitor.subject, name=visitor.name,
            language=visitor.language, created_at=tx.now,
        )
    )  # fmt: skip


def _add_token(tx: Tx, visitor: str, digest: str) -> None:
    """Store a token; the oldest beyond `TOKENS_MAX` end."""
    table = t.visitor_token
    tx.connection.execute(
        sa.insert(table).values(
            tenant=tx.tenant, digest=digest, visitor=visitor, created_at=tx.now
        )
    )
    mine = sa.select(table.c.digest).where(
        table.c.tenant == tx.tenant, table.c.visitor == visitor
    )
    newest_first = mine.order_by(table.c.created_at.desc(), table.c.digest)
    digests = tx.connection.execute(newest_first).scalars().all()
    for old in digests[TOKENS_MAX:]:
        _drop_token(tx, old)


def _drop_token(tx: Tx, digest: str) -> None:
    table = t.visitor_token
    tx.connection.execute(
        sa.delete(table).where(table.c.tenant == tx.tenant, table.c.digest == digest)
    )


def _rebind(tx: Tx, visitor: Visitor, *, changed: bool) -> None:
    """Give a known visitor its newest facts; a new subject ends what was open before."""
    values: dict[str, Any] = {
        "subject": visitor.subject, "name": visitor.name, "language": visitor.language,
    }  # fmt: skip
    if changed:
        values["version"] = t.visitor.c.version + 1
    tx.connection.execute(
        sa.update(t.visitor)
        .where(t.visitor.c.tenant == visitor.tenant, t.visitor.c.id == visitor.id)
        .values(**values)
    )


def _customer(tx: Tx, claim: Claim, new_id: str) -> str:
    """Return the id of the one customer with the claim's subject, with the newest facts.

    For a subject that was merged that is the one it became.
    """
    where = (chat.customer.c.tenant == tx.tenant) & (chat.customer.c.subject == claim.subject)
    facts = {
        "name": claim.name,
        "email": claim.email,
        "phone": claim.phone,
        "language": claim.language,
    }
    known: str | None = tx.connection.execute(
        sa.select(chat.customer.c.id).where(where)
    ).scalar()
    if known is None:
        tx.connection.execute(
            sa.insert(chat.customer).values(
                tenant=tx.tenant, id=new_id, subject=claim.subject, tags=[], external={},
                since=tx.now, **facts,
            )
        )  # fmt: skip
        return new_id
    newer = {key: value for key, value in facts.items() if value is not None}
    if newer:
        tx.connection.execute(sa.update(chat.customer).where(where).values(**newer))
    return became(tx.connection, tx.tenant, known)


def _bind(tx: Tx, visitor: str, customer: str) -> None:
    table = chat.customer_visitor
    where = (table.c.tenant == tx.tenant) & (table.c.visitor == visitor)
    updated = tx.connection.execute(sa.update(table).where(where).values(customer=customer))
    if not updated.rowcount:
        tx.connection.execute(
            sa.insert(table).values(tenant=tx.tenant, visitor=visitor, customer=customer)
        )


def _link_conversations(tx: Tx, visitor: str, customer: str, name: str | None) -> None:
    found = tx.connection.execute(
        sa.select(chat.conversation.c.id)
        .where(
            chat.conversation.c.tenant == tx.tenant,
            chat.conversation.c.visitor == visitor,
            chat.conversation.c.customer.is_(None) | (chat.conversation.c.customer != customer),
        )
        .limit(100)
    )
    for conversation in found.scalars().all():
        command = LinkCustomer(conversation, customer, name=name, why=WHY_VERIFIED)
        cid = "identified-" + hashed(f"{customer} {conversation}")[:40]
        tx.chat(system(tx.tenant, "identity"), command, cid)
