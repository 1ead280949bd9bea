"""The control address ``/_sim/`` of a simulator: state, effects, faults, latency, reset."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Protocol

from aiohttp import web

from deskhub_sdk.testing.answers import body_of, refuse
from deskhub_sdk.testing.faults import FaultBook


class Controlled(Protocol):
    """What the control address needs of a simulator."""

    faults: FaultBook
    effects: dict[str, Counter[str]]
    requests: deque[dict[str, Any]]
    latency_ms: float

    def dump(self) -> Mapping[str, Any]:
        """Return the system's state as JSON."""
        ...

    def start_over(self) -> None:
        """Forget effects, faults, requests and everything that happened."""
        ...


class Control:
    """Answers ``/_sim/`` for one simulator; it asks for no token."""

    def __init__(self, simulator: Controlled) -> None:
        """Control *simulator*."""
        self._simulator = simulator

    def routes(self, app: web.Application) -> None:
        """Add the addresses that every simulator has."""
        app.router.add_get("/_sim/state", self._state)
        app.router.add_get("/_sim/effects", self._effects)
        app.router.add_get("/_sim/requests", self._requests)
        app.router.add_get("/_sim/faults", self._faults)
        app.router.add_post("/_sim/faults", self._add_fault)
        app.router.add_delete("/_sim/faults", self._clear_faults)
        app.router.add_post("/_sim/reset", self._reset)
        app.router.add_post("/_sim/latency", self._latency)

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(self._simulator.dump())

    async def _effects(self, request: web.Request) -> web.Response:
        """Answer effects by kind, or with ``?by=key`` by kind and key."""
        effects = self._simulator.effects
        if request.query.get("by") == "key":
            return web.json_response(effects)
        return web.json_response({kind: sum(keys.values()) for kind, keys in effects.items()})

    async def _requests(self, _request: web.Request) -> web.Response:
        return web.json_response({"requests": list(self._simulator.requests)})

    async def _faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": self._simulator.faults.listed()})

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            self._simulator.faults.add(await body_of(request))
        except (TypeError, ValueError) as error:
            refuse(400, "bad_fault", str(error))
        return web.json_response({"faults": self._simulator.faults.listed()}, status=201)

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._simulator.faults.clear()
        return web.json_response({"faults": []})

    async def _reset(self, _request: web.Request) -> web.Response:
        self._simulator.start_over()
        return web.json_response({"reset": True})

    async def _latency(self, request: web.Request) -> web.Response:
        self._simulator.latency_ms = float((await body_of(request)).get("ms", 0))
        return web.json_response({"ms": self._simulator.latency_ms})
