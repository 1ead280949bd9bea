"""The person behind a conversation."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from deskhub.edge.auth import requires
from deskhub.edge.hub import Hub
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store import customers as queries

Reader = Annotated[Principal, Depends(requires(Permission.CUSTOMER_READ))]


def router(hub: Hub) -> APIRouter:
    """Return the route of customers."""
    routes = APIRouter(prefix="/api/v1", tags=["customers"])

    @routes.get("/customers/{customer}")
    async def customer(customer: str, principal: Reader) -> dict[str, Any]:
        """Return a customer with the conversations that the caller may see."""
        return await hub.store.read(lambda db: queries.read(db, principal, customer))

    return routes
