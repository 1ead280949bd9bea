"""Business systems report facts; their adapter decides whether it was really them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from deskhub.edge.auth import requires
from deskhub.edge.hub import Hub
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store.signals import SignalRow, State

MAX_HEADERS = 100

Admin = Annotated[Principal, Depends(requires(Permission.WEBHOOK_ADMIN))]
States = Annotated[list[State], Query(max_length=4)]


class Accepted(BaseModel):
    """How many new facts were stored; a repetition adds none."""

    accepted: int


class ArrivedView(BaseModel):
    """A fact that a business system reported. *id* is its sender's own."""

    id: str
    instance: str
    kind: str
    object: str
    state: State
    attempts: int
    error: str
    received_at: datetime
    next_at: datetime | None


class ArrivedListView(BaseModel):
    """What arrived, newest first, at most 200."""

    signals: list[ArrivedView] = Field(max_length=200)


def router(hub: Hub) -> APIRouter:
    """Return the routes of inbound webhooks."""
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
        # The address that the sender was given, whatever a proxy made of it on the way.
        query = f"?{request.url.query}" if request.url.query else ""
        url = f"{hub.config.hub.url}{request.url.path}{query}"
        return Accepted(accepted=await hub.signals.receive(instance, headers, body, url))

    @routes.get("/webhooks")
    async def arrived(
        principal: Admin,
        state: States = ["pending", "done", "stale", "dead"],  # noqa: B006  FastAPI copies it
    ) -> ArrivedListView:
        """List what business systems reported lately, and what became of it."""
        found = await hub.signals.listed(principal.tenant, state)
        return ArrivedListView(signals=[_view(row) for row in found])

    return routes


def _view(row: SignalRow) -> ArrivedView:
    try:
        kind = str(orjson.loads(row.body).get("kind", ""))
    except orjson.JSONDecodeError:
        kind = ""
    return ArrivedView(
        id=row.dedupe, instance=row.instance, kind=kind, object=row.object, state=row.state,
        attempts=row.attempts, error=row.error, received_at=row.received_at,
        next_at=row.next_at if row.state == "pending" else None,
    )  # fmt: skip
