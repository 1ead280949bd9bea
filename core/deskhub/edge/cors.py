"""Which pages may call what: the widget's calls, from the exact origins of an inbox."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskhub.config import Config, Inbox
from deskhub.identity.errors import OriginRefused
from deskhub.identity.model import Principal

# What a visitor's browser needs. The console's calls have no CORS at all.
_WIDGET = re.compile(
    r"/api/v1/(visitors|snapshot|events|stream|texts|contact|push(/[^/]+)?|conversations|files(/[^/]+)?"
    r"|conversations/[^/]+/(messages|read|rate|cards|transcript)|conversations/[^/]+)"
)
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, PUT, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key",
    "access-control-max-age": "600",
}


class Cors:
    """Answers preflights and marks answers for the origins that some inbox lists.

    Which inbox an origin belongs to is known only after authentication: `check_origin` is
    asked there.
    """

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app = app
        self._origins = {origin for box in config.inboxes.values() for origin in box.origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; only HTTP from another origin is touched."""
        origin = origin_of(scope) if scope["type"] == "http" else None
        if origin is None or not _WIDGET.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        listed = origin in self._origins
        if scope["method"] == "OPTIONS":
            headers = {"vary": "Origin"}
            if listed:
                headers |= {"access-control-allow-origin": origin} | _PREFLIGHT
            await Response(status_code=204, headers=headers)(scope, receive, send)
            return

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("vary", "Origin")
                if listed:
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = "Retry-After, X-Request-Id"
                    headers["cross-origin-resource-policy"] = "cross-origin"
            await send(message)

        await self._app(scope, receive, mark)


def origin_of(scope: Scope) -> str | None:
    """Return the page's origin; None from clients that are no browsers."""
    for name, value in scope["headers"]:
        if name == b"origin":
            return str(value.decode("latin-1"))
    return None


def check_origin(scope: Scope, inbox: Inbox | None, public_url: str) -> None:
    """Return when the calling page may use *inbox*. Raises `OriginRefused`.

    The hub's own pages may; a client without an Origin is no page of somebody else.
    """
    origin = origin_of(scope)
    if origin is None or origin == public_url or _same_host(scope, origin):
        return
    if inbox is None or origin not in inbox.origins:
        raise OriginRefused(f"{origin} is not an origin of {inbox.id if inbox else 'no inbox'}")


def check_caller(
    scope: Scope, principal: Principal, inboxes: Mapping[str, Inbox], public_url: str
) -> None:
    """Return when the page that uses a visitor's token is one of its inbox's.

    Agents' calls need no such check: without CORS no other page can read an answer, and a
    bearer token is never sent by itself.
    """
    if principal.kind == "visitor":
        name = next(iter(principal.inboxes or ()), "")
        check_origin(scope, inboxes.get(name), public_url)


def _same_host(scope: Scope, origin: str) -> bool:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return origin.partition("://")[2] == host.decode("latin-1")
