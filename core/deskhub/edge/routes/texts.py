"""The words of adapters' cards, in the reader's language; no secret and no person in them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from deskhub.edge.hub import Hub

FALLBACK = "en"


class TextsView(BaseModel):
    """Every text by its key, with placeholders such as ``{count}``."""

    lang: str
    texts: dict[str, str]


def router(hub: Hub) -> APIRouter:
    """Return the route of texts."""
    routes = APIRouter(prefix="/api/v1", tags=["texts"])

    @routes.get("/texts")
    async def texts(
        response: Response,
        lang: Annotated[str, Query(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = FALLBACK,
    ) -> TextsView:
        """Return the texts of all adapters; what is missing in *lang* is in English."""
        found: dict[str, str] = {}
        for wanted in (FALLBACK, lang):
            for one in hub.host.all_instances():
                if one.meta is not None and one.state != "disabled":
                    found |= one.meta.texts.get(wanted, {})
        response.headers["cache-control"] = "public, max-age=60"
        return TextsView(lang=lang, texts=found)

    return routes
