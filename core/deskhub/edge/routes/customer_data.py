"""A customer's data as a whole: export it, erase it, merge two records of one person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from deskhub.edge.auth import requires
from deskhub.edge.fields import Id, Input, Line
from deskhub.edge.hub import Hub
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.privacy import exported
from deskhub.store import merges, people
from deskhub.store.views import customer_view

FOUND_MAX = 20

Exporter = Annotated[Principal, Depends(requires(Permission.CUSTOMER_EXPORT, agents_only=True))]
Merger = Annotated[Principal, Depends(requires(Permission.CUSTOMER_MERGE, agents_only=True))]
Admin = Annotated[Principal, Depends(requires(Permission.CUSTOMER_ADMIN, agents_only=True))]


class CustomerView(BaseModel):
    """The person behind visitors, as agents see them."""

    id: str
    name: str
    email: str | None
    phone: str | None
    language: str | None
    tags: list[str]


class CustomersView(BaseModel):
    """Customers that fit what was asked, by name."""

    customers: list[CustomerView]


class Erase(Input):
    """*confirm* is the customer's name or number, typed by whoever means it."""

    confirm: Line


class SystemView(BaseModel):
    """What a business system did: waiting, erased, absent, kept by law, or failed for good."""

    instance: str
    state: str
    text: str
    attempts: int
    at: str | None


class ErasureView(BaseModel):
    """An erasure: ``running`` until nothing is left here and every system answered."""

    customer: str
    state: str
    by: str
    at: str
    ended_at: str | None
    conversations: int
    files: int
    systems: list[SystemView]


class Merge(Input):
    """*gone* is the other record of this person: it becomes a part of the one that stays."""

    gone: Id


class MergeView(BaseModel):
    """A merger of two customers, and whether it was undone."""

    id: str
    kept: str
    gone: str
    by: str
    at: str
    conversations: int
    undone: bool


def router(hub: Hub) -> APIRouter:
    """Return the routes of customers' data."""
    routes = APIRouter(prefix="/api/v1", tags=["customers"])

    @routes.get("/customers")
    async def customers(
        principal: Merger, q: Annotated[str, Query(min_length=1, max_length=200)]
    ) -> CustomersView:
        """Return at most 20 customers by a part of their name, e-mail, phone or number."""
        found = await hub.store.read(lambda db: people.named(db, principal, q, FOUND_MAX))
        return CustomersView(customers=[CustomerView(**customer_view(row)) for row in found])

    @routes.post("/customers/{customer}/export")
    async def export(customer: str, principal: Exporter) -> StreamingResponse:
        """Return everything known of a customer; the audit trail notes who asked."""
        parts = await exported(hub.store, principal, customer, hub.systems)
        saved_as = f'attachment; filename="{customer}.json"'
        return StreamingResponse(
            parts, media_type="application/json", headers={"content-disposition": saved_as}
        )

    @routes.post("/customers/{customer}/erase")
    async def erase(customer: str, body: Erase, principal: Admin) -> ErasureView:
        """Forget a customer for good; asked again, the answer is the same."""
        return ErasureView(**await hub.eraser.erase(principal, customer, body.confirm))

    @routes.post("/customers/{customer}/merge", status_code=201)
    async def merge(customer: str, body: Merge, principal: Merger) -> MergeView:
        """Make another record of this person a part of this one."""
        done = await hub.store.transact(
            principal.tenant, lambda tx: merges.merge(tx, principal, customer, body.gone)
        )
        return MergeView(**done)

    @routes.post("/merges/{merge}/undo")
    async def undo(merge: str, principal: Merger) -> MergeView:
        """Make two customers again of those that were merged."""
        done = await hub.store.transact(
            principal.tenant, lambda tx: merges.undo(tx, principal, merge)
        )
        return MergeView(**done)

    return routes
