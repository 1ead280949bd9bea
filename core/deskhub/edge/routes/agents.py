"""The people of the console: colleagues, oneself, and locking somebody out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from deskhub.edge.auth import requires
from deskhub.edge.fields import Input, Line
from deskhub.edge.hub import Hub
from deskhub.edge.views import AgentView, agent_view
from deskhub.errors import Conflict
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.identity.records import Status
from deskhub.store.conversations import loads

Self = Annotated[Principal, Depends(requires(Permission.SELF, agents_only=True))]
Colleague = Annotated[Principal, Depends(requires(Permission.CONVERSATION_LIST))]
Admin = Annotated[Principal, Depends(requires(Permission.USER_ADMIN))]


class ColleagueView(AgentView):
    """An agent with whether they are connected, and how many open conversations they hold."""

    online: bool
    load: int


class ColleaguesView(BaseModel):
    """Every active agent of the tenant, by name."""

    agents: list[ColleagueView]


class Profile(Input):
    """What an agent may change about themselves; what is left out stays."""

    status: Status | None = None
    name: Line | None = None


def router(hub: Hub) -> APIRouter:
    """Return the routes of agents."""
    routes = APIRouter(prefix="/api/v1", tags=["agents"])

    @routes.get("/agents")
    async def colleagues(principal: Colleague) -> ColleaguesView:
        """List the tenant's agents."""
        found = await hub.identity.agents(principal.tenant)
        held = await hub.store.read(lambda db: loads(db, principal.tenant))
        online = set(hub.streams.presence.online(principal.tenant))
        return ColleaguesView(
            agents=[
                ColleagueView(
                    **agent_view(one).model_dump(),
                    online=f"agent:{one.id}" in online,
                    load=held[one.id][0] if one.id in held else 0,
                )
                for one in found
            ]
        )

    @routes.get("/agents/me")
    async def me(principal: Self) -> AgentView:
        """Return oneself."""
        return agent_view(await hub.identity.agent(principal.tenant, principal.id))

    @routes.patch("/agents/me")
    async def change(body: Profile, principal: Self) -> AgentView:
        """Change one's status or name."""
        changed = await hub.identity.set_profile(principal, name=body.name, status=body.status)
        if body.status is not None:
            hub.streams.status_changed(principal.tenant, principal.id, changed.status)
        return agent_view(changed)

    @routes.delete("/users/{agent}", status_code=204)
    async def deactivate(agent: str, principal: Admin) -> Response:
        """Lock an agent out: at once here, everywhere within five seconds."""
        if agent == principal.id:
            raise Conflict("an admin cannot lock themselves out")
        await hub.identity.deactivate(principal.tenant, agent)
        return Response(status_code=204)

    return routes
