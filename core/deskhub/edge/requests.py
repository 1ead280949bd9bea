"""The outermost layer of every request: its id, one log line, and the last net for faults."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskhub import log as logs
from deskhub.edge import problems
from deskhub.errors import HubError
from deskhub.ids import new_id

log = logging.getLogger("deskhub.edge")

_GIVEN = re.compile(rb"[A-Za-z0-9_.-]{8,64}")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})

Observe = Callable[[str, str, int, float], None]


class Requests:
    """Gives every request an id and ends it with one canonical line.

    *observe* gets (method, route, status, seconds). An exception that nobody translated
    becomes the problem ``internal``; its traceback goes to the log and nowhere else.
    """

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        token = logs.bound.set({**(logs.bound.get() or {}), "request": request_id})
        started = time.perf_counter()
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            # The last net: whatever was not foreseen is logged here, once, and told as 500.
            log.exception("request_failed", extra={"path": scope["path"]})
            await _apologize(scope, receive, note, request_id, begun=status != 0)
            status = status or 500
        finally:
            seconds = time.perf_counter() - started
            self._finish(scope, status, seconds)
            logs.bound.reset(token)

    def _finish(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or _unrouted(scope["path"])
        method = scope.get("method", "WEBSOCKET")
        self._observe(method, route, status, seconds)
        if scope["path"] in _QUIET:
            return
        principal = scope["state"].get("principal")
        log.info(
            "request_served",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "tenant": principal.tenant if principal else None,
                "by": principal.by if principal else None,
                "code": scope["state"].get("error_code"),
            },
        )


def request_id_of(scope: Scope) -> str:
    """Return the id that `Requests` gave."""
    state = scope.get("state") or {}
    return str(state.get("request_id", ""))


async def _apologize(
    scope: Scope, receive: Receive, send: Send, request_id: str, *, begun: bool
) -> None:
    if begun:
        return
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1011, "reason": ""})
        return
    await problems.response_of(HubError(), request_id)(scope, receive, send)


def _request_id(scope: Scope) -> str:
    """Return the caller's X-Request-Id when it is harmless, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN.fullmatch(value):
            return str(value.decode())
    return new_id("r")


def _unrouted(path: str) -> str:
    """Return a bounded label: addresses that nobody knows must not fill the metrics."""
    for prefix in ("/console", "/w/v1"):
        if path.startswith(prefix):
            return f"{prefix}/…"
    return "unknown"
