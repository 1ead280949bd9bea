"""Outbound webhooks over REST: endpoints, their secrets, and every delivery to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints
from starlette.responses import Response

from deskhub.clock import rfc3339
from deskhub.edge.auth import requires
from deskhub.edge.fields import Id, Input, Line
from deskhub.edge.hub import Hub
from deskhub.errors import Invalid
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store.deliveries import Attempt, DeliveryRow, DeliveryState
from deskhub.store.subscriptions import ALL, SubscriptionRow, SubscriptionState, Why
from deskhub.subscriptions.message import KINDS
from deskhub.subscriptions.subscriptions import Wanted

PAGE_MAX = 200

Admin = Annotated[Principal, Depends(requires(Permission.WEBHOOK_ADMIN))]
Url = Annotated[str, StringConstraints(min_length=8, max_length=2_000, pattern=r"^[!-~]+$")]
Kinds = Annotated[list[Line], Field(min_length=1, max_length=len(KINDS))]


class NewSubscription(Input):
    """An address to be told; *kinds* are the events, or ``*`` for every one."""

    name: Line
    url: Url
    kinds: Kinds


class SubscriptionChange(Input):
    """What is to change; what is left out stays."""

    name: Line | None = None
    url: Url | None = None
    kinds: Kinds | None = None
    active: bool | None = None


class ReplayFailed(Input):
    """Send again what failed: everything, or what was made since a moment."""

    since: AwareDatetime | None = Field(default=None, strict=False)


class Nothing(Input):
    """A command without anything to say."""


class SubscriptionView(BaseModel):
    """An endpoint. *why* says who switched it off; *old_secret_until*, when a rotation ends.

    *waiting*, *done* and *failed* count the deliveries that are kept.
    """

    id: str
    name: str
    url: str
    kinds: list[str]
    state: SubscriptionState
    why: Why
    failing_since: str | None
    old_secret_until: str | None
    created_at: str
    waiting: int
    done: int
    failed: int


class SubscriptionsView(BaseModel):
    """Every endpoint, and the events that can be asked for."""

    subscriptions: list[SubscriptionView]
    kinds: list[str]


class SecretView(BaseModel):
    """An endpoint and its new secret, which is shown this once."""

    subscription: SubscriptionView
    secret: str


class DeliveryView(BaseModel):
    """One event on its way: *id* is the ``webhook-id`` of every attempt.

    *error* is why the last attempt failed, as a word; *next_at* when the next one is.
    """

    id: str
    kind: str
    seq: int | None
    conversation: str | None
    state: DeliveryState
    attempts: int
    status: int | None
    ms: float | None
    error: str
    created_at: str
    next_at: str | None


class DeliveriesView(BaseModel):
    """Deliveries, newest first; ask on with the last one's id as *before*."""

    deliveries: list[DeliveryView]


class AttemptView(BaseModel):
    """One request and what came back; the answer is cut to its beginning."""

    n: int
    at: str
    ms: float
    status: int | None
    error: str
    request: dict[str, str]
    headers: dict[str, str]
    body: str


class DeliveryPage(DeliveryView):
    """A delivery with its request's body as it is now, and its attempts, the last first."""

    url: str
    body: str
    tried: list[AttemptView]


class Queued(BaseModel):
    """The delivery that is on its way now."""

    delivery: str


class Replayed(BaseModel):
    """How many deliveries are on their way again."""

    count: int


def router(hub: Hub) -> APIRouter:
    """Return the routes of outbound webhooks."""
    routes = APIRouter(prefix="/api/v1/subscriptions", tags=["subscriptions"])
    _endpoints(hub, routes)
    _deliveries(hub, routes)
    return routes


def _endpoints(hub: Hub, routes: APIRouter) -> None:
    @routes.get("")
    async def listed(principal: Admin) -> SubscriptionsView:
        """List every endpoint that is told of events."""
        rows, counts = await hub.subscriptions.listed(principal.tenant)
        views = [_view(row, counts.get(row.id, {})) for row in rows]
        return SubscriptionsView(subscriptions=views, kinds=list(KINDS))

    @routes.post("", status_code=201)
    async def create(body: NewSubscription, principal: Admin) -> SecretView:
        """Tell an address of events from now on; its secret is shown this once."""
        row, secret = await hub.subscriptions.create(
            principal, body.name, body.url, _kinds(body.kinds)
        )
        return SecretView(subscription=_view(row, {}), secret=secret)

    @routes.patch("/{subscription}")
    async def change(
        subscription: str, body: SubscriptionChange, principal: Admin
    ) -> SubscriptionView:
        """Change an endpoint, or switch it off and on."""
        kinds = None if body.kinds is None else _kinds(body.kinds)
        wanted = Wanted(body.name, body.url, kinds, body.active)
        row = await hub.subscriptions.change(principal, subscription, wanted)
        _, counts = await hub.subscriptions.listed(principal.tenant)
        return _view(row, counts.get(row.id, {}))

    @routes.post("/{subscription}/rotate")
    async def rotate(subscription: str, _: Nothing, principal: Admin) -> SecretView:
        """Make a new secret; the one before signs beside it for a day."""
        row, secret = await hub.subscriptions.rotate(principal, subscription)
        counts = (await hub.subscriptions.listed(principal.tenant))[1]
        return SecretView(subscription=_view(row, counts.get(row.id, {})), secret=secret)

    @routes.delete("/{subscription}", status_code=204)
    async def remove(subscription: str, principal: Admin) -> Response:
        """Remove an endpoint with everything that is known of its deliveries."""
        await hub.subscriptions.remove(principal, subscription)
        return Response(status_code=204)

    @routes.post("/{subscription}/test", status_code=202)
    async def test(subscription: str, _: Nothing, principal: Admin) -> Queued:
        """Send a message of type ``webhook.test``."""
        return Queued(delivery=await hub.subscriptions.test(principal, subscription))


def _deliveries(hub: Hub, routes: APIRouter) -> None:
    @routes.get("/{subscription}/deliveries")
    async def deliveries(
        subscription: str,
        principal: Admin,
        state: DeliveryState | None = None,
        before: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    ) -> DeliveriesView:
        """Return deliveries to an endpoint, newest first."""
        rows = await hub.subscriptions.deliveries(
            principal.tenant, subscription, state=state, before=before, limit=limit
        )
        return DeliveriesView(deliveries=[DeliveryView(**_told(row)) for row in rows])

    @routes.get("/{subscription}/deliveries/{delivery}")
    async def delivery(subscription: str, delivery: str, principal: Admin) -> DeliveryPage:
        """Return one delivery with its request, and what came back at each attempt."""
        rows, _ = await hub.subscriptions.listed(principal.tenant)
        url = next((row.url for row in rows if row.id == subscription), "")
        told = await hub.subscriptions.delivery(principal.tenant, subscription, delivery)
        return DeliveryPage(
            **_told(told.row), url=url, body=told.body,
            tried=[_attempt(told.row.id, one) for one in told.attempts],
        )  # fmt: skip

    @routes.post("/{subscription}/deliveries/{delivery}/replay", status_code=202)
    async def replay(subscription: str, delivery: Id, _: Nothing, principal: Admin) -> Queued:
        """Send an ended delivery again, under its own id and with all its attempts."""
        await hub.subscriptions.replay(principal, subscription, delivery)
        return Queued(delivery=delivery)

    @routes.post("/{subscription}/replay", status_code=202)
    async def replay_failed(
        subscription: str, body: ReplayFailed, principal: Admin
    ) -> Replayed:
        """Send everything that failed again."""
        count = await hub.subscriptions.replay_failed(principal, subscription, body.since)
        return Replayed(count=count)


def _kinds(kinds: list[str]) -> list[str]:
    """Return *kinds* without repetitions. Raises `Invalid` for one that does not exist."""
    for number, one in enumerate(kinds):
        if one != ALL and one not in KINDS:
            text = f"There is no event {one}."
            fault = {"path": f"kinds.{number}", "code": "unknown", "text": text}
            raise Invalid("kinds", fields=(fault,))
    return [ALL] if ALL in kinds else list(dict.fromkeys(kinds))


def _view(row: SubscriptionRow, counts: dict[str, int]) -> SubscriptionView:
    return SubscriptionView(
        id=row.id, name=row.name, url=row.url, kinds=list(row.kinds), state=row.state,
        why=row.why, failing_since=_time(row.failing_since),
        old_secret_until=_time(row.old_until), created_at=rfc3339(row.created_at),
        waiting=counts.get("waiting", 0), done=counts.get("done", 0),
        failed=counts.get("failed", 0),
    )  # fmt: skip


def _told(row: DeliveryRow) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "seq": row.seq, "conversation": row.conversation,
        "state": row.state, "attempts": row.attempts, "status": row.status, "ms": row.ms,
        "error": row.error, "created_at": rfc3339(row.created_at),
        "next_at": rfc3339(row.next_at) if row.state == "waiting" else None,
    }  # fmt: skip


def _attempt(delivery: str, one: Attempt) -> AttemptView:
    request = {
        "content-type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(int(one.at.timestamp())),
        "webhook-signature": one.signature,
    }
    return AttemptView(
        n=one.n, at=rfc3339(one.at), ms=one.ms, status=one.status, error=one.error,
        request=request, headers=dict(one.headers), body=one.body,
    )  # fmt: skip


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
