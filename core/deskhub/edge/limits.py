"""Every limit of the network side, enforced before anything is parsed or allocated."""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskhub.edge import problems
from deskhub.edge.buckets import Buckets
from deskhub.edge.errors import BadRequest, HeadersTooLarge, UnsupportedMedia
from deskhub.edge.requests import request_id_of
from deskhub.errors import Busy, HubError, Invalid, RateLimited, TooLarge, TooManyConnections
from deskhub.identity.model import Principal
from deskhub.stream.depth import DEPTH_MAX, too_deep
from deskhub.stream.errors import TooDeep
from deskhub.stream.limits import Rate

WEBHOOKS = "/api/v1/webhooks/"
# Its body goes past here piece by piece; `deskhub.files.spool` bounds it.
UPLOADS = "/api/v1/files"


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers. *sockets_per_address* may grow for an office behind one address.

    What one person may send and how many sockets they have stands in `deskhub.stream.limits`.
    """

    body_bytes: int = 1024 * 1024
    header_bytes: int = 16 * 1024
    json_depth: int = DEPTH_MAX
    body_within_s: float = 20.0
    address: Rate = field(default=Rate(per_s=200, burst=400))
    new_visitors: Rate = field(default=Rate(per_s=20, burst=200))
    agent: Rate = field(default=Rate(per_s=50, burst=200))
    visitor: Rate = field(default=Rate(per_s=10, burst=60))
    handshakes: Rate = field(default=Rate(per_s=300, burst=300))
    agent_uploads: Rate = field(default=Rate(per_s=1, burst=40))
    visitor_uploads: Rate = field(default=Rate(per_s=0.1, burst=20))
    webhooks: Rate = field(default=Rate(per_s=100, burst=300))
    sockets_per_address: int = 50


class Guard:
    """Counts what `Limits` bounds, for one process."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self.limits = limits
        self.sockets: Counter[str] = Counter()
        self.open_sockets = 0
        self._address = Buckets(limits.address, monotonic)
        self._new_visitors = Buckets(limits.new_visitors, monotonic)
        self._handshakes = Buckets(limits.handshakes, monotonic)
        self._agent_uploads = Buckets(limits.agent_uploads, monotonic)
        self._visitor_uploads = Buckets(limits.visitor_uploads, monotonic)
        self._webhooks = Buckets(limits.webhooks, monotonic)
        self._calls = {
            "agent": Buckets(limits.agent, monotonic),
            "visitor": Buckets(limits.visitor, monotonic),
            "token": Buckets(limits.agent, monotonic),
        }

    def request(self, address: str) -> None:
        """Count a request. Raises `RateLimited`."""
        refuse_until(self._address.take(address))

    def new_visitor(self, address: str) -> None:
        """Count a browser that wants a visitor. Raises `RateLimited`."""
        refuse_until(self._new_visitors.take(address))

    def webhook(self, address: str, path: str) -> None:
        """Count a webhook of one source to one instance. Raises `RateLimited`."""
        refuse_until(self._webhooks.take(f"{address} {path[:200]}"))

    def call(self, principal: Principal) -> None:
        """Count an authenticated request; sending is counted by the stream, for all transports.

        Raises `RateLimited`.
        """
        if principal.kind in self._calls:
            refuse_until(self._calls[principal.kind].take(f"{principal.tenant}/{principal.by}"))

    def upload(self, principal: Principal) -> None:
        """Count an upload, for one person over all connections. Raises `RateLimited`."""
        visits = principal.kind == "visitor"
        uploads = self._visitor_uploads if visits else self._agent_uploads
        refuse_until(uploads.take(f"{principal.tenant}/{principal.by}"))

    def handshake(self, address: str) -> None:
        """Count a WebSocket handshake. Raises `Busy` or `TooManyConnections`."""
        if self.sockets[address] >= self.limits.sockets_per_address:
            raise TooManyConnections(address, after_ms=10_000)
        if self._handshakes.take("") > 0:
            # Spread out, so that a storm does not come back as a storm.
            raise Busy("handshakes", after_ms=random.randint(1000, 5000))  # noqa: S311


class Limiter:
    """Answers what is over a limit; what passes is small, shallow and real JSON."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request or connection on, or refuse it."""
        try:
            if scope["type"] == "http":
                receive = await self._checked(scope, receive)
            elif scope["type"] == "websocket":
                await self._socket(scope, receive, send)
                return
        except HubError as error:
            await refuse(scope, receive, send, error)
            return
        except _GoneError:
            return
        await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope)
        self._headers(scope)
        self._guard.request(address)
        self._guard.handshake(address)
        self._guard.sockets[address] += 1
        self._guard.open_sockets += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._guard.sockets[address] -= 1
            self._guard.open_sockets -= 1
            if not self._guard.sockets[address]:
                del self._guard.sockets[address]

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        length = self._headers(scope)
        path = scope["path"]
        if path not in ("/healthz", "/readyz", "/metrics"):
            self._guard.request(address_of(scope))
        if path.startswith(WEBHOOKS):
            self._guard.webhook(address_of(scope), path)
            _require_plain(scope)
        if length == 0 or (path == UPLOADS and scope["method"] == "POST"):
            return receive
        body = await self._body(receive, length)
        if body and path.startswith("/api/") and not path.startswith(WEBHOOKS):
            _require_json(scope, body, self._guard.limits.json_depth)
        return _replay(body, receive)

    def _headers(self, scope: Scope) -> int | None:
        """Return the announced length of the body; None when it comes in chunks."""
        size = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
        length: int | None = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value) + 4
            if name == b"content-length":
                length = int(value) if value.isdigit() else self._malformed()
            elif name == b"transfer-encoding":
                length = None
        if size > self._guard.limits.header_bytes:
            raise HeadersTooLarge(f"{size} bytes")
        return length

    @staticmethod
    def _malformed() -> int:
        raise BadRequest("content-length")

    async def _body(self, receive: Receive, length: int | None) -> bytes:
        limit = self._guard.limits.body_bytes
        if length is not None and length > limit:
            raise TooLarge(f"{length} bytes announced")
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._guard.limits.body_within_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _GoneError
                    part = message.get("body", b"")
                    size += len(part)
                    if size > limit:
                        raise TooLarge(f"more than {limit} bytes")
                    parts.append(part)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError as error:
            raise BadRequest("the body did not come in time") from error


async def refuse(scope: Scope, receive: Receive, send: Send, error: HubError) -> None:
    """Answer *error* over HTTP, also to a WebSocket handshake that is not accepted."""
    scope.setdefault("state", {})["error_code"] = error.code
    response = problems.response_of(error, request_id_of(scope))
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013, "reason": ""})
        return
    start = {"status": response.status_code, "headers": response.raw_headers}
    await send({"type": "websocket.http.response.start", **start})
    await send({"type": "websocket.http.response.body", "body": bytes(response.body)})


def address_of(scope: Scope) -> str:
    """Return whom to count: the IPv4 address, or an IPv6 /64, which is one household."""
    client = scope.get("client")
    if not client:
        return "unknown"
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return str(client[0])
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _require_plain(scope: Scope) -> None:
    """Refuse a compressed webhook unread: what is signed are the bytes, and nobody unpacks."""
    for name, value in scope["headers"]:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise UnsupportedMedia(value.decode("latin-1")[:80])


def _require_json(scope: Scope, body: bytes, depth: int) -> None:
    """Refuse what is not JSON; the standard parser would let NaN and half characters in."""
    kind = next((v for name, v in scope["headers"] if name == b"content-type"), b"")
    if kind.split(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedMedia(kind.decode("latin-1")[:80])
    if too_deep(body, depth):
        raise TooDeep
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        fault = {"path": "body", "code": "json_invalid", "text": "This is not JSON."}
        raise Invalid("json", fields=(fault,)) from error


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def refuse_until(wait_s: float) -> None:
    """Raise `RateLimited` when a bucket says to wait."""
    if wait_s > 0:
        raise RateLimited(f"{wait_s:.2f} s", after_ms=max(1, int(wait_s * 1000)))


class _GoneError(Exception):
    """The client went away while its request was read."""
