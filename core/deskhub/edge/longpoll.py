"""The stream as a long poll: same events, same cursor, same authorization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from deskhub.edge.auth import Caller
from deskhub.stream.polls import WAIT_MAX_S, Polls

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub


class EventView(BaseModel):
    """A fact of the log."""

    seq: int
    at: str
    kind: str
    conversation: str | None
    by: str
    data: dict[str, object]


class EventsView(BaseModel):
    """Everything in (from, to] that the caller may see; *cursor* is where to go on."""

    events: list[EventView]
    cursor: str


def router(hub: Hub) -> APIRouter:
    """Return the route of the long poll."""
    routes = APIRouter(prefix="/api/v1", tags=["stream"])
    polls = Polls(hub.streams, hub.identity)

    @routes.get("/events", response_model=EventsView)
    async def events(
        principal: Caller,
        cursor: Annotated[str | None, Query(max_length=128)] = None,
        wait: Annotated[float, Query(ge=0, le=WAIT_MAX_S)] = WAIT_MAX_S,
        sid: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Response:
        """Return what happened after *cursor*, waiting up to *wait* seconds for something.

        Without a cursor the answer is the present place. ``{"reset": why, "cursor": …}`` says
        that the snapshot must be loaded.
        """
        body = await polls.poll(principal, cursor, wait, sid)
        return Response(body, media_type="application/json")

    return routes
