"""How the business systems are doing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from deskhub.edge.auth import requires
from deskhub.edge.hub import Hub
from deskhub.edge.processes import Processes
from deskhub.edge.together import Felt, together
from deskhub.host.running import Running
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission

Reader = Annotated[Principal, Depends(requires(Permission.ADAPTER_READ))]


class AdapterView(BaseModel):
    """One instance: *state* in a word, *text* in a sentence that says who can fix it."""

    instance: str
    adapter: str
    name: str
    version: str
    state: str
    text: str
    since: datetime
    calls: int
    errors: int
    p95_ms: float
    hooks: list[str]
    steps: list[str]
    capabilities: list[str]


class AdaptersView(BaseModel):
    """Every instance of the tenant, by name."""

    adapters: list[AdapterView]


def router(hub: Hub, processes: Processes) -> APIRouter:
    """Return the routes of adapters."""
    routes = APIRouter(prefix="/api/v1", tags=["adapters"])

    @routes.get("/adapters")
    async def adapters(principal: Reader) -> AdaptersView:
        """List the configured instances and how they feel, in all processes together."""
        felt = await processes.of_all(principal.tenant)
        views = [
            adapter_view(one, together(felt[one.id]))
            for one in hub.host.instances(principal.tenant)
            if one.id in felt
        ]
        return AdaptersView(adapters=sorted(views, key=lambda one: one.instance))

    return routes


def adapter_view(one: Running, felt: Felt | None = None) -> AdapterView:
    """Return *one* as the console lists it, as it *felt* in every process or feels in this."""
    figures = one.guard.figures
    return AdapterView(
        instance=one.id,
        adapter=one.use,
        name=one.name,
        version=one.version,
        state=felt.state if felt else one.state,
        text=felt.text if felt else one.words,
        since=one.since,
        calls=felt.calls if felt else figures.calls,
        errors=felt.errors if felt else figures.errors,
        p95_ms=felt.p95_ms if felt else round(figures.p95_ms, 1),
        hooks=sorted(one.hooks),
        steps=[f"{step.spec.action} {step.spec.provides}" for step in one.steps],
        capabilities=sorted(one.capabilities),
    )
