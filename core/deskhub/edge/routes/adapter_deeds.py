"""What an admin does to an adapter that runs: test, reconnect, read, trigger, replay."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from deskhub.edge.fields import Id, Input, Line
from deskhub.edge.hub import Hub
from deskhub.edge.routes.adapter_pages import Admin, instance_of
from deskhub.edge.routes.adapters import AdapterView, adapter_view
from deskhub.errors import NotFound
from deskhub.host import asked

IDS = 50


class CheckView(BaseModel):
    """How a connection check went."""

    ok: bool
    text: str
    code: str
    ms: float
    adapter: AdapterView


class Call(Input):
    """A read of the adapter: a method of one of its capabilities, and for which ids."""

    method: Line
    ids: Annotated[list[Id], Field(min_length=1, max_length=IDS)]


class CallView(BaseModel):
    """What the adapter gave, by id."""

    method: str
    found: Any


class Trigger(Input):
    """An event as if the far side had sent it."""

    kind: Line
    object: Line
    subject: Line | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class Replay(Input):
    """Which event is to be tried again: its id of the events list."""

    id: Id


class Done(BaseModel):
    """The event's id, and whether something was done."""

    id: str
    done: bool


def router(hub: Hub) -> APIRouter:
    """Return the routes of what is done to an adapter."""
    routes = APIRouter(prefix="/api/v1/adapters", tags=["adapters"])

    @routes.post("/{instance}/test")
    async def test(instance: str, principal: Admin) -> CheckView:
        """Ask the far side now whether it answers with these settings."""
        one = instance_of(hub, principal, instance)
        found = await asked.check(hub.host, one)
        return CheckView(
            ok=found.ok,
            text=found.text,
            code=found.code,
            ms=found.ms,
            adapter=adapter_view(one),
        )

    @routes.post("/{instance}/restart")
    async def restart(instance: str, principal: Admin) -> AdapterView:
        """Start one instance anew: its secrets or its far side were put in order."""
        one = instance_of(hub, principal, instance)
        hub.host.restart(one.id)
        return adapter_view(one)

    @routes.post("/{instance}/call")
    async def call(instance: str, body: Call, principal: Admin) -> CallView:
        """Read from the far side as panels do; nothing is changed there."""
        one = instance_of(hub, principal, instance)
        found = await asked.read(hub.host, one, body.method, body.ids)
        return CallView(method=body.method, found=found)

    @routes.post("/{instance}/events", status_code=202)
    async def trigger(instance: str, body: Trigger, principal: Admin) -> Done:
        """Take an event in as if the far side had sent it."""
        one = instance_of(hub, principal, instance)
        made = await hub.signals.trigger(
            one.tenant, one.id, kind=body.kind, about=body.object, subject=body.subject,
            data=body.data,
        )  # fmt: skip
        return Done(id=made, done=True)

    @routes.post("/{instance}/events/replay", status_code=202)
    async def replay(instance: str, body: Replay, principal: Admin) -> Done:
        """Give a dead event all its attempts again."""
        one = instance_of(hub, principal, instance)
        kind, _, number = body.id.partition(":")
        if kind == "log" and number.isdigit():
            done = await hub.announcer.replay(one.tenant, one.id, int(number))
        else:
            done = await hub.signals.replay(one.tenant, one.id, body.id)
        if not done:
            raise NotFound(f"dead event {body.id}")
        return Done(id=body.id, done=True)

    return routes
