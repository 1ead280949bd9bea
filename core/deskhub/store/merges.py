"""Two records of one person become one, and two again when that was a mistake.

Conversations keep their log: a ``customer.linked`` event says whose each one is now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from deskhub.chat.commands import LinkCustomer
from deskhub.clock import rfc3339
from deskhub.errors import Conflict, Invalid, NotFound
from deskhub.identity.model import Principal, system
from deskhub.identity.policy import Permission
from deskhub.ids import new_id
from deskhub.store import audit, erasures, people
from deskhub.store.tables import actions as a
from deskhub.store.tables import chat as t
from deskhub.store.tables.customers import customer_merge, merged_customer
from deskhub.store.tx import Tx

# More than this is no person but a mistake of whoever signs identities.
CONVERSATIONS_MAX = 2_000

WHY = "Merged by {name}."
WHY_UNDONE = "Merging was undone by {name}."

_FACTS = ("name", "email", "phone", "language")
_C = t.customer.c
_M = customer_merge.c


def merge(tx: Tx, principal: Principal, kept: str, gone: str) -> dict[str, Any]:
    """Make *gone* a part of *kept* and return ``{id, kept, gone, …}``.

    Raises `NotFound`, `Forbidden`, and `Conflict` when either was merged or erased before.
    """
    if kept == gone:
        problem = {"path": "gone", "code": "same", "text": "That is the same customer."}
        raise Invalid("a customer cannot be merged with itself", fields=(problem,))
    stays = people.person(tx.connection, principal, Permission.CUSTOMER_MERGE, kept)
    goes = people.person(tx.connection, principal, Permission.CUSTOMER_MERGE, gone)
    for one in (kept, gone):
        _check_whole(tx, one)
    if len(goes.conversations) > CONVERSATIONS_MAX:
        raise Conflict(f"customer {gone} has more than {CONVERSATIONS_MAX} conversations")
    id_ = new_id("g")
    moved = {
        "customers": list(goes.ids),
        "visitors": list(goes.visitors),
        "conversations": list(goes.conversations),
        "runs": _runs_of(tx, goes.ids),
    }
    before, after = _facts(stays.row, goes.row)
    row = {
        "tenant": tx.tenant, "id": id_, "kept": kept, "gone": gone, "by": principal.by,
        "at": tx.now, "moved": moved, "before": {"was": before, "set": after},
    }  # fmt: skip
    tx.connection.execute(sa.insert(customer_merge).values(**row))
    _set_facts(tx, kept, after)
    _became(tx, goes.ids, kept)
    _move(tx, moved, kept, f"{id_}-to", WHY.format(name=principal.name))
    _audit(
        tx, principal, "customer.merged", kept, {"merge": id_, "gone": gone, **_counts(moved)}
    )
    return _view(row, undone=False)


def undo(tx: Tx, principal: Principal, id_: str) -> dict[str, Any]:
    """Give back what *id_* moved and nobody moved since; return the merger as it is now.

    Facts that were changed since stay. Raises `NotFound`, `Forbidden`, and `Conflict` when it
    was undone before, when a later merger stands on it, or after an erasure.
    """
    found = tx.connection.execute(
        sa.select(customer_merge).where(_M.tenant == tx.tenant, _M.id == id_)
    ).first()
    if found is None:
        raise NotFound(f"merge {id_}")
    person = people.person(tx.connection, principal, Permission.CUSTOMER_MERGE, found.kept)
    if found.undone_at is not None or not found.moved:
        raise Conflict(f"merge {id_} was undone, or erased")
    if people.became(tx.connection, tx.tenant, found.gone) != found.kept:
        raise Conflict(f"merge {id_} is part of a later one")
    _check_whole(tx, found.kept)
    moved = {
        **found.moved,
        "conversations": _still(tx, found.moved["conversations"], found.kept),
    }
    was, put = found.before["was"], found.before["set"]
    _set_facts(tx, found.kept, {
        name: was[name] for name in put if getattr(person.row, name) == put[name]
    })  # fmt: skip
    _set_became(tx, moved["customers"], found.gone)
    _move(tx, moved, found.gone, f"{id_}-back", WHY_UNDONE.format(name=principal.name))
    tx.connection.execute(
        sa.update(customer_merge)
        .where(_M.tenant == tx.tenant, _M.id == id_)
        .values(undone_at=tx.now)
    )
    _audit(
        tx, principal, "customer.merge_undone", found.kept,
        {"merge": id_, "gone": found.gone, **_counts(moved)},
    )  # fmt: skip
    return _view(dict(found._mapping), undone=True)  # noqa: SLF001  public in SQLAlchemy


def of(connection: sa.Connection, tenant: str, kept: str) -> Sequence[dict[str, Any]]:
    """Return the mergers into *kept* that stand, newest first, with the other one's name."""
    query = (
        sa.select(customer_merge, _C.name)
        .join(t.customer, sa.and_(_C.tenant == _M.tenant, _C.id == _M.gone))
        .where(_M.tenant == tenant, _M.kept == kept, _M.undone_at.is_(None))
        .order_by(_M.at.desc())
    )
    return [
        _view(dict(row._mapping), undone=False) | {"name": row.name or ""}  # noqa: SLF001  public
        for row in connection.execute(query)
        if row.moved
    ]


def _check_whole(tx: Tx, customer: str) -> None:
    if people.became(tx.connection, tx.tenant, customer) != customer:
        raise Conflict(f"customer {customer} was merged into another one")
    if erasures.load(tx.connection, tx.tenant, customer) is not None:
        raise Conflict(f"customer {customer} was erased")


def _runs_of(tx: Tx, ids: Sequence[str]) -> list[str]:
    c = a.action_run.c
    query = sa.select(c.id).where(c.tenant == tx.tenant, c.customer_id.in_(list(ids)))
    return list(tx.connection.execute(query).scalars())


def _facts(stays: Any, goes: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401  rows
    """Return what of the one who stays is written over, and with what: only what it lacks."""
    after: dict[str, Any] = {
        name: getattr(goes, name)
        for name in _FACTS
        if getattr(stays, name) is None and getattr(goes, name) is not None
    }
    tags = list(dict.fromkeys([*stays.tags, *goes.tags]))
    if tags != list(stays.tags):
        after["tags"] = tags
    external = {**goes.external, **stays.external}
    if external != stays.external:
        after["external"] = external
    return {name: getattr(stays, name) for name in after}, after


def _set_facts(tx: Tx, customer: str, values: Mapping[str, Any]) -> None:
    if values:
        tx.connection.execute(
            sa.update(t.customer)
            .where(_C.tenant == tx.tenant, _C.id == customer)
            .values(**values)
        )


def _became(tx: Tx, ids: Sequence[str], kept: str) -> None:
    c = merged_customer.c
    tx.connection.execute(
        sa.delete(merged_customer).where(c.tenant == tx.tenant, c.customer.in_(list(ids)))
    )
    rows = [{"tenant": tx.tenant, "customer": one, "became": kept} for one in ids]
    tx.connection.execute(sa.insert(merged_customer), rows)


def _set_became(tx: Tx, ids: Sequence[str], gone: str) -> None:
    """Let *gone* be somebody again, with those who were merged into it before."""
    c = merged_customer.c
    mine = (c.tenant == tx.tenant, c.customer.in_(list(ids)))
    tx.connection.execute(sa.delete(merged_customer).where(*mine, c.customer == gone))
    tx.connection.execute(sa.update(merged_customer).where(*mine).values(became=gone))


def _move(tx: Tx, moved: Mapping[str, Any], to: str, cid: str, why: str) -> None:
    """Give visitors, runs and conversations to the customer *to*."""
    v, r = t.customer_visitor.c, a.action_run.c
    tx.connection.execute(
        sa.update(t.customer_visitor)
        .where(v.tenant == tx.tenant, v.visitor.in_(moved["visitors"]))
        .values(customer=to)
    )
    tx.connection.execute(
        sa.update(a.action_run)
        .where(r.tenant == tx.tenant, r.id.in_(moved["runs"]))
        .values(customer_id=to)
    )
    by = system(tx.tenant, "customers")
    for number, conversation in enumerate(moved["conversations"]):
        command = LinkCustomer(conversation, to, why=why)
        tx.chat(by, command, f"{cid}-{number}")


def _still(tx: Tx, conversations: Sequence[str], kept: str) -> list[str]:
    """Return those of *conversations* that belong to *kept* today."""
    c = t.conversation.c
    query = sa.select(c.id).where(
        c.tenant == tx.tenant, c.id.in_(conversations), c.customer == kept
    )
    found = set(tx.connection.execute(query).scalars())
    return [one for one in conversations if one in found]


def _counts(moved: Mapping[str, Sequence[str]]) -> dict[str, int]:
    return {name: len(ids) for name, ids in moved.items() if name != "customers"}


def _view(row: Mapping[str, Any], *, undone: bool) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kept": row["kept"],
        "gone": row["gone"],
        "by": row["by"],
        "at": rfc3339(row["at"]),
        "conversations": len(row["moved"].get("conversations", ())),
        "undone": undone,
    }


def _audit(
    tx: Tx, principal: Principal, what: str, customer: str, data: dict[str, Any]
) -> None:
    audit.record(
        tx.connection, tx.tenant, tx.now, actor=principal.by, what=what,
        object_=f"customer:{customer}", data=data,
    )  # fmt: skip
