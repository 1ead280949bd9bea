"""The cards beside a conversation."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from deskhub.edge.auth import requires
from deskhub.edge.hub import Hub
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission

Reader = Annotated[Principal, Depends(requires(Permission.CARDS_READ))]


def router(hub: Hub) -> APIRouter:
    """Return the route of cards."""
    routes = APIRouter(prefix="/api/v1", tags=["conversations"])

    @routes.get("/conversations/{conversation}/cards")
    async def cards(
        conversation: str,
        principal: Reader,
        refresh: Annotated[int, Query(ge=0, le=1)] = 0,
    ) -> dict[str, Any]:
        """Return what each business system knows about this conversation's customer.

        Panels that are late come over the stream; ``refresh=1`` asks the systems anew.
        """
        panels = await hub.panels.open(principal, conversation, refresh=bool(refresh))
        return {"cards": panels}

    return routes
