"""Agents sign in, stay signed in, and sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from deskhub.edge.auth import requires
from deskhub.edge.fields import Email, Id, Input, Password, Token
from deskhub.edge.hub import Hub
from deskhub.edge.limits import address_of
from deskhub.edge.views import Named, SessionView, WaysView, session_view
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission

Self = Annotated[Principal, Depends(requires(Permission.SELF, agents_only=True))]


class SignIn(Input):
    """E-mail and password; *tenant* only where one e-mail is in several."""

    email: Email
    password: Password
    tenant: Id | None = None


class Refresh(Input):
    """The refresh token; it is used up."""

    refresh: Token


class Exchange(Input):
    """The one-time code that single sign-on ended with."""

    code: Token


def router(hub: Hub) -> APIRouter:
    """Return the routes of sessions."""
    routes = APIRouter(prefix="/api/v1", tags=["sessions"])

    @routes.get("/sign-in")
    async def ways() -> WaysView:
        """Say how one can sign in here."""
        found = hub.sso.providers()
        return WaysView(sso=[Named(instance=one.instance, name=one.name) for one in found])

    @routes.post("/sessions")
    async def sign_in(body: SignIn, request: Request) -> SessionView:
        """Sign an agent in with a password."""
        tokens = await hub.identity.sign_in(
            body.email, body.password, address=address_of(request.scope), tenant=body.tenant
        )
        return session_view(tokens)

    @routes.post("/sessions/refresh")
    async def refresh(body: Refresh) -> SessionView:
        """Rotate: give new tokens for a refresh token. One used twice ends the session."""
        return session_view(await hub.identity.refresh(body.refresh))

    @routes.post("/sessions/exchange")
    async def exchange(body: Exchange) -> SessionView:
        """Turn the code of single sign-on into a session, once."""
        return session_view(await hub.identity.exchange(body.code))

    @routes.delete("/sessions/current", status_code=204)
    async def sign_out(principal: Self) -> Response:
        """End the session; its access token stops working at once."""
        await hub.identity.sign_out(principal)
        return Response(status_code=204)

    return routes
