"""What an operator asks: is it alive, can it work, and how is it doing."""

from __future__ import annotations

import asyncio

import orjson
from fastapi import APIRouter
from prometheus_client import generate_latest
from starlette.responses import Response

from deskhub import __version__
from deskhub.edge.errors import NotReady
from deskhub.edge.hub import Hub
from deskhub.edge.metrics import Metrics
from deskhub.errors import HubError
from deskhub.stream.asyncapi import document

# The answer comes within three seconds, whatever the database does.
READY_WITHIN_S = 2.5
# A commit says for so long that the next one will work: probes must not become the load.
GOOD_FOR_S = 1.0


class Writable:
    """Whether a commit works now; many who ask at a time cost one commit."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._good_until = 0.0
        self._asking = asyncio.Lock()

    async def check(self) -> None:
        """Write and take it durable. Raises `NotReady`."""
        hub = self._hub
        try:
            async with asyncio.timeout(READY_WITHIN_S), self._asking:
                if hub.clock.monotonic() >= self._good_until:
                    await hub.store.check_writable(hub.config.tenants[0])
                    self._good_until = hub.clock.monotonic() + GOOD_FOR_S
        except (TimeoutError, HubError) as error:
            raise NotReady("the database cannot be written", after_ms=2000) from error


def router(hub: Hub, metrics: Metrics) -> APIRouter:
    """Return the operator's routes."""
    routes = APIRouter(tags=["operation"])
    writable = Writable(hub)

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process answers at all."""
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> dict[str, object]:
        """Say whether requests should come here: it can store, and does not leave."""
        if hub.draining:
            raise NotReady("draining", after_ms=2000)
        await writable.check()
        running = hub.host.all_instances()
        return {
            "status": "ready",
            "adapters": {one.id: one.state for one in running if not one.built_in},
        }

    @routes.get("/metrics", response_class=Response)
    async def figures() -> Response:
        """Return the figures in Prometheus text."""
        text = generate_latest(metrics.registry)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    @routes.get("/asyncapi.json")
    async def stream() -> Response:
        """Return the AsyncAPI document of the stream."""
        return Response(orjson.dumps(document(__version__)), media_type="application/json")

    return routes
