"""Views of the inbox that agents keep."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, StringConstraints

from deskhub.edge.auth import requires
from deskhub.edge.fields import Input
from deskhub.edge.hub import Hub
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store import saved_views

Lister = Annotated[Principal, Depends(requires(Permission.CONVERSATION_LIST, agents_only=True))]
# What follows /inbox/ in the console's address: a view, and its filters.
Address = Annotated[
    str,
    StringConstraints(
        max_length=500,
        pattern=r"^(mine|queue|team|all|snoozed|closed)(\?[A-Za-z0-9=&%._~+*:-]*)?$",
    ),
]
Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=60, strip_whitespace=True, pattern=r"^[^\x00-\x1f]*$"
    ),
]


class SavedView(BaseModel):
    """A view under its name; *removable* says whether the caller may remove it."""

    id: str
    name: str
    address: str
    shared: bool
    mine: bool
    removable: bool


class SavedViews(BaseModel):
    """The caller's views and the shared ones, by name."""

    views: list[SavedView]


class NewView(Input):
    """A view to keep; the same name again replaces it."""

    name: Name
    address: Address
    shared: bool = False


def router(hub: Hub) -> APIRouter:
    """Return the routes of saved views."""
    routes = APIRouter(prefix="/api/v1", tags=["conversations"])

    @routes.get("/views")
    async def views(principal: Lister) -> SavedViews:
        """Return the caller's saved views and the shared ones."""
        found = await hub.store.read(lambda db: saved_views.seen_by(db, principal))
        return SavedViews(views=[SavedView(**view) for view in found])

    @routes.post("/views", status_code=201)
    async def save(body: NewView, principal: Lister) -> SavedView:
        """Keep a view under a name."""
        saved = await hub.store.transact(
            principal.tenant,
            lambda tx: saved_views.add(
                tx, principal, body.name, body.address, is_shared=body.shared
            ),
        )
        return SavedView(**saved)

    @routes.delete("/views/{view}", status_code=204)
    async def remove(view: str, principal: Lister) -> Response:
        """Remove a view: one's own, or as an admin a shared one."""
        await hub.store.transact(
            principal.tenant, lambda tx: saved_views.remove(tx, principal, view)
        )
        return Response(status_code=204)

    return routes
