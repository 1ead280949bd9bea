"""Who calls: the bearer token of a request, and the permission a route demands."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from deskhub.edge import cors
from deskhub.edge.errors import TokenInUrl
from deskhub.edge.hub import Hub
from deskhub.edge.limits import refuse_until
from deskhub.errors import Forbidden, Unauthenticated
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, allowed

_SENDS = re.compile(r"/api/v1/conversations(/[^/]+/(messages|notes))?")
_IN_URL = frozenset({"token", "access_token", "refresh_token", "authorization", "password"})


def hub_of(connection: HTTPConnection) -> Hub:
    """Return the hub that serves *connection*."""
    hub: Hub = connection.app.state.hub
    return hub


def get_hub(request: Request) -> Hub:
    """Give a route the hub."""
    return hub_of(request)


HubOf = Annotated[Hub, Depends(get_hub)]


async def bearer(request: Request) -> Principal:
    """Return who calls, checked against revocation, origin and rate.

    Raises `Unauthenticated`, `OriginRefused`, `RateLimited`, and `TokenInUrl` for a token in
    the address.
    """
    if not _IN_URL.isdisjoint(key.lower() for key in request.query_params):
        raise TokenInUrl
    hub = hub_of(request)
    principal = await hub.identity.authenticate(token_of(request))
    request.state.principal = principal
    cors.check_caller(request.scope, principal, hub.config.inboxes, hub.config.hub.url)
    hub.guard.call(principal)
    if request.method == "POST" and _SENDS.fullmatch(request.url.path):
        # The same bucket as the stream's: nobody says more by changing the transport.
        refuse_until(hub.streams.sends_of(principal).take())
    return principal


async def bearer_if_any(request: Request) -> Principal | None:
    """Return who calls, or None when no token was sent; a bad token is still refused."""
    if "authorization" not in request.headers:
        return None
    return await bearer(request)


def token_of(connection: HTTPConnection) -> str:
    """Return the token of the Authorization header. Raises `Unauthenticated`."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("no bearer token")
    return token.strip()


class Requires:
    """A route's row in the authorization table: callers without *permission* are refused.

    The finer question, about one conversation, is asked by the code below the route; this is
    the wall in front of it. *agents_only* keeps visitors out of what they may do elsewhere.
    """

    def __init__(self, permission: Permission, *, agents_only: bool = False) -> None:
        self.permission = permission
        self.agents_only = agents_only

    async def __call__(self, principal: Annotated[Principal, Depends(bearer)]) -> Principal:
        """Return the caller. Raises `Forbidden`."""
        if self.permission not in allowed(principal):
            raise Forbidden(f"{principal.by} lacks {self.permission}")
        if self.agents_only and principal.kind != "agent":
            raise Forbidden(f"{principal.by} is no agent")
        return principal


def requires(permission: Permission, *, agents_only: bool = False) -> Requires:
    """Return the dependency that demands *permission* of the caller."""
    return Requires(permission, agents_only=agents_only)


Caller = Annotated[Principal, Depends(bearer)]
