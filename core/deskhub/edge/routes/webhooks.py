"""Business systems report facts; their adapter decides whether it was really them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from deskhub.edge.hub import Hub

MAX_HEADERS = 100


class Accepted(BaseModel):
    """How many new facts were stored; a repetition adds none."""

    accepted: int


def router(hub: Hub) -> APIRouter:
    """Return the route of inbound webhooks."""
    routes = APIRouter(prefix="/api/v1", tags=["webhooks"])

    @routes.post(
        "/webhooks/{instance}",
        status_code=202,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/octet-stream": {}}}
        },
    )
    async def receive(instance: str, request: Request) -> Accepted:
        """Store what a business system reports; answered once it is on disk."""
        body = await request.body()
        headers = dict(list(request.headers.items())[:MAX_HEADERS])
        return Accepted(accepted=await hub.signals.receive(instance, headers, body))

    return routes
