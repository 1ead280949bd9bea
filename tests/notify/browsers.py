"""A push service and browsers of the tests' own: real HTTP, real keys, real decryption."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """What a browser makes when somebody wants to be told: an endpoint and two keys."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"0123456789abcdef"

    @property
    def subscription(self) -> dict[str, Any]:
        """Return it as `PushSubscription.toJSON` does."""
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": b64(point), "auth": b64(self.auth)}
        return {"endpoint": self.endpoint, "keys": keys}

    def read(self, body: bytes) -> dict[str, Any]:
        """Decrypt what arrived for this browser; what was meant for another one fails."""
        text = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return dict(json.loads(text))


@dataclass
class Arrived:
    """One request: whose, what it says, and its headers."""

    browser: str
    notice: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Pushery:
    """The service. *answers* are taken one by one: a status, ``hang up`` or ``stall``.

    A status may carry headers: ``(429, {"Retry-After": "1"})``. What is answered 2xx, and what
    is hung up on or stalled, counts as arrived.
    """

    url: str = ""
    answers: list[Any] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)
    arrived: list[Arrived] = field(default_factory=list)
    visits: int = 0
    on_visit: Callable[[], None] = lambda: None

    def browser(self, name: str) -> Browser:
        """Return a new browser of that name."""
        return self.browsers.setdefault(name, Browser(f"{self.url}/push/{name}"))

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.visits += 1
        name = request.match_info["name"]
        body = await request.read()
        answer = self.answers.pop(0) if self.answers else 201
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        self._check(request)
        if not isinstance(status, int) or 200 <= status < 300:
            notice = self.browsers[name].read(body)
            self.arrived.append(Arrived(name, notice, dict(request.headers)))
        self.on_visit()
        if status == "stall":
            await asyncio.sleep(3600)
        if status == "hang up":
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        return web.Response(status=status, headers=headers)

    def _check(self, request: web.Request) -> None:
        """Be as strict as a real service: RFC 8292, a TTL, at most 4,096 bytes."""
        scheme, _, rest = request.headers["Authorization"].partition(" ")
        parts = dict(one.strip().split("=", 1) for one in rest.split(","))
        assert scheme == "vapid"
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(parts["k"]))
        claims = jwt.decode(parts["t"], point, algorithms=["ES256"], audience=self.url)
        assert claims["sub"].startswith(("mailto:", "http"))
        assert int(request.headers["TTL"]) > 0
        assert len(request.headers["Topic"]) <= 32
        assert (request.content_length or 0) <= 4096
        assert request.headers["Content-Encoding"] == "aes128gcm"

    async def until(self, count: int, within_s: float = 30.0) -> Arrived:
        """Return the last notice when *count* arrived."""
        async with asyncio.timeout(within_s):
            while len(self.arrived) < count:
                await asyncio.sleep(0.01)
        assert len(self.arrived) == count, self.arrived
        return self.arrived[-1]


@contextlib.asynccontextmanager
async def pushery() -> AsyncIterator[Pushery]:
    """Run a push service on loopback."""
    here = Pushery()
    app = web.Application()
    app.router.add_post("/push/{name}", here.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    here.url = f"http://{host}:{port}"
    try:
        yield here
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def pushery_beside() -> Iterator[Pushery]:
    """Run a push service in a thread, for tests without a loop of their own."""
    found: queue.Queue[tuple[Pushery, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def run() -> None:
        ended = asyncio.Event()
        async with pushery() as here:
            found.put((here, asyncio.get_running_loop(), ended))
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    here, loop, ended = found.get(timeout=20)
    try:
        yield here
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
