"""Web push over REST: which of the caller's browsers are told when no page is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from deskhub.edge.auth import requires
from deskhub.edge.fields import Input
from deskhub.errors import Forbidden
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.notify.push import Subscription, Tested

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

Endpoint = Annotated[str, StringConstraints(min_length=10, max_length=2048)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[\w=-]+$")]
Language = Annotated[str, StringConstraints(max_length=20, pattern=r"^[A-Za-z0-9-]*$")]


async def _reader(
    principal: Annotated[Principal, Depends(requires(Permission.MESSAGE_MARK))],
) -> Principal:
    """Return a caller whom messages are for: a visitor or an agent, no program."""
    if principal.kind not in ("visitor", "agent"):
        raise Forbidden(f"{principal.by} reads no messages")
    return principal


Reader = Annotated[Principal, Depends(_reader)]
Agent = Annotated[Principal, Depends(requires(Permission.MESSAGE_MARK, agents_only=True))]


class PushView(BaseModel):
    """Whether browsers are told here, the key to subscribe with, and how many of one's own."""

    push: bool
    key: str | None
    devices: int


class Keys(Input):
    """What a message to the browser is encrypted with."""

    p256dh: Key
    auth: Key


class SubscribeBody(Input):
    """A browser's subscription, as its PushManager gives it."""

    endpoint: Endpoint
    keys: Keys
    language: Language | None = None


class DeviceView(BaseModel):
    """A browser that is told from now on."""

    device: str


class TestView(BaseModel):
    """How a test ended: ``gone`` says that the browser has ended its subscription."""

    test: Tested


class Nothing(Input):
    """A command without anything to say."""


def router(hub: Hub) -> APIRouter:
    """Return the routes of web push."""
    routes = APIRouter(prefix="/api/v1/push", tags=["push"])

    @routes.get("")
    async def about(principal: Reader) -> PushView:
        """Return what a browser needs to subscribe."""
        return PushView(
            push=hub.push.is_on, key=hub.push.key, devices=await hub.push.devices(principal)
        )

    @routes.put("")
    async def subscribe(body: SubscribeBody, principal: Reader) -> DeviceView:
        """Tell this browser of messages for the caller; asked again, it is the same device."""
        wanted = Subscription(
            body.endpoint, body.keys.p256dh, body.keys.auth, language=body.language
        )
        device = await hub.push.subscribe(principal, wanted)
        return DeviceView(device=device.id)

    @routes.delete("/{device}", status_code=204)
    async def unsubscribe(device: str, principal: Reader) -> Response:
        """Tell this browser no more."""
        await hub.push.unsubscribe(principal, device)
        return Response(status_code=204)

    @routes.post("/{device}/test")
    async def test(device: str, _: Nothing, principal: Agent) -> TestView:
        """Send a notice to one's own browser now, to see that it comes."""
        return TestView(test=await hub.push.test(principal, device))

    return routes
