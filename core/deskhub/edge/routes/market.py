"""Which adapters there are, and what is out of order."""

from __future__ import annotations

import asyncio
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from deskhub.edge.hub import Hub
from deskhub.edge.routes.adapter_pages import Admin
from deskhub.edge.watching import Watch
from deskhub.host.market import Offer, offers
from deskhub.host.repairs import repairs
from deskhub.store import hookcursors, signals
from deskhub.store.mails import DEAD


class OfferView(BaseModel):
    """An adapter; *instances* use it here. Without a version it is not installed."""

    id: str
    name: str
    summary: str
    kind: str
    package: str
    version: str | None
    problem: str
    net: list[str]
    reads: list[str]
    writes: list[str]
    languages: list[str]
    instances: list[str]


class MarketView(BaseModel):
    """Every adapter that is installed or known."""

    offers: list[OfferView]


class RepairView(BaseModel):
    """Something out of order: how bad, whom it affects, and what mends it."""

    id: str
    severity: str
    what: str
    who: str
    fix: str
    remedy: str
    since: datetime
    instance: str
    code: str
    conversation: str


class RepairsView(BaseModel):
    """The worst first."""

    repairs: list[RepairView]


def router(hub: Hub, watch: Watch) -> APIRouter:
    """Return the routes of the market and of repairs."""
    routes = APIRouter(prefix="/api/v1", tags=["adapters"])

    @routes.get("/market")
    async def market(principal: Admin) -> MarketView:
        """List every adapter that is installed, and those that may be."""
        found = await asyncio.to_thread(offers, hub.host.points())
        running = hub.host.instances(principal.tenant)
        return MarketView(
            offers=[
                _offer(one, [other.id for other in running if other.use == one.id])
                for one in found
            ]
        )

    @routes.get("/repairs")
    async def out_of_order(principal: Admin) -> RepairsView:
        """List what is out of order and what mends it."""
        dead, missed = await hub.store.read(
            lambda db: (
                signals.dead(db, principal.tenant),
                hookcursors.dead(db, principal.tenant),
            )
        )
        unsent = await hub.mail.listed(principal.tenant, DEAD)
        found = repairs(
            hub.host.instances(principal.tenant),
            hub.reload.status,
            dead,
            missed,
            watch.refused_webhooks(),
            unsent,
        )
        return RepairsView(
            repairs=[
                RepairView(**{name: getattr(one, name) for name in one.__slots__})
                for one in found
            ]
        )

    return routes


def _offer(one: Offer, instances: list[str]) -> OfferView:
    asks = one.permissions or {}
    return OfferView(
        id=one.id, name=one.name, summary=one.summary, kind=one.kind, package=one.package,
        version=one.version, problem=one.problem, languages=list(one.languages),
        net=list(asks.get("net", ())), reads=list(asks.get("reads", ())),
        writes=list(asks.get("writes", ())), instances=instances,
    )  # fmt: skip
