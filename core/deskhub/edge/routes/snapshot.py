"""The snapshot: what a client starts with, and the exact place where the stream goes on."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.responses import Response

from deskhub.builtin.canned import canned_replies
from deskhub.edge.answers import fragments, json_answer
from deskhub.edge.auth import Caller
from deskhub.edge.routes.macros import macro_views
from deskhub.edge.targets import sla_view
from deskhub.edge.views import agent_view, here_of, settings_view
from deskhub.errors import HubError
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize, in_scope
from deskhub.store import conversations, drafts, rows
from deskhub.store import log as event_log
from deskhub.store.tx import Connection
from deskhub.stream import cursor as cursors

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

log = logging.getLogger("deskhub.edge")

VISITOR_EVENTS = 200
# A widget shows its messages without waiting for the slowest business system.
CARDS_WITHIN_S = 1.5


def router(hub: Hub) -> APIRouter:
    """Return the route of the snapshot."""
    routes = APIRouter(prefix="/api/v1", tags=["stream"])

    @routes.get("/snapshot")
    async def snapshot(principal: Caller) -> Response:
        """Return the caller's state, read in one transaction with its cursor."""
        await hub.store.ensure(principal.tenant)
        if principal.kind == "visitor":
            return json_answer(await _visitor(hub, principal))
        return json_answer(await _agent(hub, principal))

    return routes


async def _agent(hub: Hub, principal: Principal) -> dict[str, Any]:
    authorize(principal, Permission.CONVERSATION_LIST, Scope(principal.tenant))

    def query(connection: Connection) -> dict[str, Any]:
        return {
            "cursor": _cursor(connection, principal),
            "conversations": conversations.active(connection, principal),
            "counts": conversations.counts(connection, principal),
            "drafts": drafts.all_of(connection, principal),
            "loads": conversations.loads(connection, principal.tenant),
        }

    found = await hub.store.read(query)
    loads = found.pop("loads")
    agents = await hub.identity.agents(principal.tenant)
    online = list(hub.streams.presence.online(principal.tenant))
    views = [
        agent_view(one).model_dump()
        | {"online": f"agent:{one.id}" in online, "load": loads.get(one.id, (0, None))[0]}
        for one in agents
    ]
    return found | {
        "me": next((view for view in views if view["id"] == principal.id), None),
        "agents": views,
        "inboxes": [
            {"id": inbox.id, "name": inbox.name, "sla": sla_view(inbox, hub.clock.now())}
            for inbox in hub.config.inboxes.values()
            if in_scope(principal, Scope(inbox.tenant, inbox.id))
        ],
        "online": online,
        "canned": canned_replies(),
        "macros": macro_views(hub, principal.tenant),
        "mail": hub.mail.is_on,
        "push": hub.push.is_on,
    }


async def _visitor(hub: Hub, principal: Principal) -> dict[str, Any]:
    (inbox,) = principal.inboxes or ("",)

    def query(connection: Connection) -> dict[str, Any]:
        cursor = _cursor(connection, principal)
        state = conversations.current_of_visitor(connection, principal)
        person = rows.customer_of_visitor(connection, principal.tenant, principal.id)
        shown: dict[str, Any] = {"conversation": None, "events": []}
        if state is not None:
            events, _ = conversations.events_before(
                connection, principal, state.id, limit=VISITOR_EVENTS
            )
            shown["conversation"] = conversations.view_of(connection, principal, state)
            shown["events"] = fragments(events)
        return shown | {
            "cursor": cursor,
            "visitor": principal.id,
            "customer": {"name": person[1]} if person else None,
            "here": here_of(connection, principal.tenant, inbox, principal.id),
        }

    found = await hub.store.read(query)
    here = found.pop("here")
    settings = hub.config.inboxes.get(inbox)
    agents = await hub.identity.agents(principal.tenant)
    conversation = found["conversation"]
    language = conversation["language"] if conversation else None
    return found | {
        "settings": settings_view(hub, settings, agents, language, here).model_dump()
        if settings
        else None,
        "cards": await _cards(hub, principal, conversation["id"]) if conversation else [],
    }


async def _cards(hub: Hub, principal: Principal, conversation: str) -> list[dict[str, Any]]:
    try:
        async with asyncio.timeout(CARDS_WITHIN_S):
            return await hub.panels.open(principal, conversation)
    except (TimeoutError, HubError) as error:
        log.info("snapshot_without_cards", extra={"why": type(error).__name__})
        return []


def _cursor(connection: Connection, principal: Principal) -> str:
    return cursors.written(*event_log.position(connection, principal.tenant))
