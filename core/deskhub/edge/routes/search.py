"""Searching messages and notes."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query

from deskhub.edge.auth import requires
from deskhub.edge.hub import Hub
from deskhub.errors import Invalid
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission

Searcher = Annotated[Principal, Depends(requires(Permission.SEARCH))]


def router(hub: Hub) -> APIRouter:
    """Return the route of search."""
    routes = APIRouter(prefix="/api/v1", tags=["conversations"])

    @routes.get("/search")
    async def search(
        principal: Searcher,
        q: Annotated[str, Query(min_length=1, max_length=200)],
        before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
        limit: Annotated[int, Query(ge=1, le=50)] = 20,
        zone: Annotated[str, Query(max_length=64)] = "UTC",
    ) -> dict[str, Any]:
        """Return messages and notes with the words of *q*, newest first, best of a page first.

        Filters in *q*: ``from:`` ``with:`` ``mentions:`` ``tag:`` ``before:`` ``after:``
        (2026-11-30, in *zone*) and ``has:note``. *before* goes on where the last page ended.
        """
        found = await hub.search.find(principal, q, _zone(zone), before=before, limit=limit)
        return {
            "hits": list(found.hits),
            "before": found.before,
            "behind": found.behind,
            "narrowed": found.narrowed,
        }

    return routes


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            "search: zone",
            fields=(
                {"path": "zone", "code": "unknown", "text": "An IANA zone, as Asia/Shanghai."},
            ),
        ) from error
