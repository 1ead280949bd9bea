"""The chat's own page: for links, in-app browsers, and notices."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from deskhub.identity.errors import UnknownInbox

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

_HEADERS = {"cache-control": "no-cache", "x-robots-tag": "noindex"}


def router(hub: Hub) -> APIRouter:
    """Return the route of the chat's page."""
    routes = APIRouter()

    @routes.get("/c/{key}", response_class=HTMLResponse, include_in_schema=False)
    async def page(key: str) -> Response:
        """Return the page of the inbox with the public *key*. Nothing in it is secret."""
        inbox = hub.config.inbox_by_key(key)
        if inbox is None:
            raise UnknownInbox(key)
        about = " ".join(
            f'data-{name}="{escape(value)}"'
            for name, value in (
                ("inbox", inbox.key),
                ("accent", inbox.accent),
                ("origins", " ".join(inbox.origins)),
            )
        )
        return HTMLResponse(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1, '
            'viewport-fit=cover, interactive-widget=resizes-content">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{escape(inbox.name)}</title>"
            '<link rel="icon" href="/console/icon.svg" type="image/svg+xml">'
            f'<script src="/w/v1/page.js" {about} defer></script></head>'
            f"<body><main><h1>{escape(inbox.name)}</h1></main>"
            "<noscript>This chat needs JavaScript. / 此聊天需要 JavaScript。</noscript>"
            "</body></html>",
            headers=_HEADERS,
        )

    return routes
