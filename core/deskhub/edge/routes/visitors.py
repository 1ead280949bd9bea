"""A browser comes in at an inbox."""

from __future__ import annotations

import logging
import random

from fastapi import APIRouter, BackgroundTasks, Request
from pydantic import BaseModel

from deskhub.config import Inbox
from deskhub.edge.cors import check_origin
from deskhub.edge.fields import Id, Input, Token
from deskhub.edge.hub import Hub
from deskhub.edge.limits import address_of
from deskhub.edge.views import (
    Person,
    SettingsView,
    here_of,
    preferred_language,
    settings_view,
)
from deskhub.errors import Busy, HubError
from deskhub.host.recognise import recognise
from deskhub.identity.errors import UnknownInbox
from deskhub.identity.records import Claim, Visitor
from deskhub.identity.visitors import Entrance
from deskhub.store.conversations import current_of_visitor
from deskhub.store.rows import customer_of_visitor

log = logging.getLogger("deskhub.edge")


class Arrive(Input):
    """*inbox* is the public key; *token* what this browser got last time."""

    inbox: Id
    identity: Token | None = None
    token: Token | None = None


class ArrivalView(BaseModel):
    """Who the browser is from now on; *token* replaces the one it had."""

    visitor: str
    token: str
    conversation: str | None
    customer: Person | None
    settings: SettingsView


def router(hub: Hub) -> APIRouter:
    """Return the route that visitors come in by."""
    routes = APIRouter(prefix="/api/v1", tags=["visitors"])

    @routes.post("/visitors")
    async def arrive(body: Arrive, request: Request, after: BackgroundTasks) -> ArrivalView:
        """Let a browser in: anonymous, continued with its token, or vouched for by the shop."""
        inbox = hub.config.inbox_by_key(body.inbox)
        if inbox is None:
            raise UnknownInbox(body.inbox)
        check_origin(request.scope, inbox, hub.config.hub.url)
        hub.guard.new_visitor(address_of(request.scope))
        if body.token is None and hub.streams.shedding.leaves_out("visitors"):
            raise Busy("new visitors", after_ms=random.randint(1000, 5000))  # noqa: S311
        offered = request.headers.get("accept-language", "")
        arrival = await hub.identity.visitors.arrive(
            entrance(inbox),
            identity=body.identity,
            token=body.token,
            language=preferred_language(offered, inbox.languages),
        )
        visitor = arrival.visitor
        if arrival.claim is not None:
            # After the answer: no business system makes a customer wait for the chat.
            after.add_task(_recognise, hub, visitor, arrival.claim)
        principal = visitor.principal()
        current = await hub.store.read(lambda db: current_of_visitor(db, principal))
        person = await hub.store.read(
            lambda db: customer_of_visitor(db, visitor.tenant, visitor.id)
        )
        here = await hub.store.read(lambda db: here_of(db, inbox.tenant, inbox.id, visitor.id))
        agents = await hub.identity.agents(inbox.tenant)
        return ArrivalView(
            visitor=visitor.id,
            token=arrival.token,
            conversation=current.id if current else None,
            customer=Person(name=person[1]) if person else None,
            settings=settings_view(hub, inbox, agents, visitor.language, here),
        )

    return routes


async def _recognise(hub: Hub, visitor: Visitor, claim: Claim) -> None:
    try:
        known = await recognise(hub.host, visitor.tenant, visitor.inbox, claim)
        await hub.identity.visitors.enrich(visitor, known)
    except HubError as error:
        log.warning("recognition_failed", extra={"code": error.code})


def entrance(inbox: Inbox) -> Entrance:
    """Return what identity has to know about *inbox*."""
    secret = inbox.identity_secret
    return Entrance(inbox.tenant, inbox.id, secret.get_secret_value() if secret else None)
