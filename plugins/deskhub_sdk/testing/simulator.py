"""The base of simulators: a small business system on its own port, with faults on demand.

A simulator keeps real state, counts its effects, asks for its token, and answers its control
address ``/_sim/``. Adapters reach it over HTTP like any other system.
"""

from __future__ import annotations

import asyncio
import json
import random
from argparse import ArgumentParser, Namespace
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from deskhub_sdk.testing.answers import Answer, body_of, refuse
from deskhub_sdk.testing.control import Control
from deskhub_sdk.testing.faults import Fault, FaultBook
from deskhub_sdk.testing.process import serve_until_stopped
from deskhub_sdk.testing.world import World, build_world

# How long an answer is held back by the time-out faults; far beyond any adapter's patience.
HELD_S = 60.0
_INCOMING = frozenset({
    "429", "500", "401", "malformed", "reset", "slow", "timeout_before", "timeout_after",
    "duplicate",
})  # fmt: skip
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
S = TypeVar("S", bound="Simulator")

__all__ = ["Answer", "Hook", "Simulator", "body_of", "refuse"]


@dataclass(frozen=True, slots=True)
class Hook:
    """A signed webhook, ready to leave. *kind* is what faults match (``order.shipped``)."""

    kind: str
    url: str
    body: bytes
    headers: Mapping[str, str]


class Simulator:
    """Base of simulators. A subclass names itself and adds its routes.

    *token* is what ``Authorization: Bearer`` must carry (None: nobody is asked). *latency_ms*
    is the middle of a small random pause before each answer. With *state* a restarted
    simulator still knows what it did. *public* are patterns of paths that ask for no token.
    Webhooks go into *caught*, instead of to the hub, once that is a list.
    """

    name: ClassVar[str] = "simulator"
    public: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        token: str | None = None,
        world: World | None = None,
        latency_ms: float = 0.0,
        state: Path | None = None,
        seed: int = 7,
    ) -> None:
        """Build the system from *world* (default: the demo world as of now)."""
        self.token = token
        self.latency_ms = latency_ms
        self.caught: list[Hook] | None = None
        self.faults = FaultBook()
        self.effects: dict[str, Counter[str]] = {}
        self.requests: deque[dict[str, Any]] = deque(maxlen=1000)
        self.url = ""
        self._dice = random.Random(seed)
        self._kept: dict[str, tuple[str, Answer]] = {}
        self._stopping = asyncio.Event()
        self._state = state
        self._given = world
        self.world = world or build_world()
        self._session: ClientSession | None = None
        self._background: set[asyncio.Task[object]] = set()
        self.reset()

    def routes(self, app: web.Application) -> None:
        """Add the system's own addresses, and control verbs under ``/_sim/``."""

    def reset(self) -> None:
        """Put the system's own state back to the world's."""

    def dump(self) -> dict[str, Any]:
        """Return the system's own state as JSON, for ``/_sim/state`` and ``--state``."""
        return {}

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Add the system's own command-line options."""

    @classmethod
    def made(cls: type[S], options: Namespace) -> S:
        """Build the simulator from its command line."""
        return cls(**cls.common(options))

    @classmethod
    def guarded(cls: type[S], secret: str) -> S:
        """Return a system that lets nobody in without *secret*."""
        return cls(token=secret)

    def settings(self) -> dict[str, Any]:
        """Return what the adapter's settings have to be to reach this system."""
        return {"base_url": self.url, "token": self.token or ""}

    def trigger(self) -> tuple[str, dict[str, Any]] | None:
        """Return the control verb, with its body, that makes this system send a webhook."""
        return None

    def count(self, kind: str, key: str = "") -> None:
        """Count one effect: something outside changed, under *key* if there was one."""
        self.effects.setdefault(kind, Counter())[key or "-"] += 1

    def once(
        self, request: web.Request, body: object, work: Callable[[], Answer], *, key: str = ""
    ) -> web.Response:
        """Do *work* once per idempotency key, and answer the same to each repetition.

        The key is the ``Idempotency-Key`` header unless given; without any, every call has
        its effect. The same key with another *body* is refused with 409. What *work* raises
        is not kept: a refusal may be repeated.
        """
        name = key or request.headers.get("Idempotency-Key", "")
        if not name:
            answer = work()
            return web.json_response(answer.body, status=answer.status)
        digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        kept = self._kept.get(f"{request.path} {name}")
        if kept is not None:
            if kept[0] != digest:
                refuse(409, "idempotency_conflict", "this key was used with another body")
            headers = {"Idempotent-Replayed": "true"}
            return web.json_response(kept[1].body, status=kept[1].status, headers=headers)
        answer = work()
        self._kept[f"{request.path} {name}"] = (digest, answer)
        return web.json_response(answer.body, status=answer.status)

    def check_batch(self, request: web.Request, ids: Sequence[str]) -> None:
        """Refuse the whole batch with 400 when a ``bad_id`` fault names one of its ids."""
        fault = self.faults.take(_subject(request), frozenset({"bad_id"}))
        if fault is None or not ids:
            return
        bad = fault.id or ids[0]
        if bad in ids:
            refuse(400, "bad_id", f"cannot read id {bad}", id=bad)

    def forget_keys(self) -> None:
        """Forget every idempotency key, as real systems do after a day."""
        self._kept.clear()

    def in_background(self, work: Coroutine[Any, Any, object]) -> None:
        """Run *work* beside the request, as a real system sends its webhooks."""
        loop = asyncio.get_running_loop()
        # Owned: loop. Leaving `serving` cancels it and waits for it.
        task = loop.create_task(work, name=f"{self.name}-background")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def send(self, hook: Hook, *, stale: Hook | None = None) -> list[int]:
        """Deliver a webhook, at most three times until it is taken; return the statuses.

        The ``duplicate`` fault delivers it twice; ``stale`` delivers *stale*, what the
        object looked like before, afterwards. 0 stands for "nobody there".
        """
        statuses = [await self._deliver(hook)]
        if self.faults.take(hook.kind, frozenset({"duplicate"})):
            statuses.append(await self._deliver(hook))
        if stale is not None and self.faults.take(hook.kind, frozenset({"stale"})):
            statuses.append(await self._deliver(stale))
        return statuses

    @classmethod
    def common(cls, options: Namespace) -> dict[str, Any]:
        """Return the arguments that every simulator takes from its command line."""
        return {
            "token": options.token,
            "latency_ms": options.latency_ms,
            "state": options.state,
        }

    @classmethod
    def main(cls, argv: Sequence[str] | None = None) -> int:
        """Run as a process until SIGTERM or the parent's end; print a JSON line when ready."""
        # A subclass may declare an option anew, with its own default and help.
        parser = ArgumentParser(
            prog=f"python -m deskhub_{cls.name}.simulator", conflict_handler="resolve"
        )
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
        parser.add_argument("--token", help="what adapters must send as bearer token")
        parser.add_argument("--hub", default="", help="the hub's address, for webhooks")
        parser.add_argument("--instance", default=cls.name, help="its name in hub.toml")
        parser.add_argument("--latency-ms", type=float, default=25.0)
        parser.add_argument("--state", type=Path, help="keep state and effects in this file")
        parser.add_argument("--stay", action="store_true", help="outlive the parent process")
        parser.add_argument("--parent-pipe", action="store_true", help="end when stdin ends")
        cls.arguments(parser)
        return serve_until_stopped(cls.made, parser.parse_args(argv))

    @asynccontextmanager
    async def serving(self: S, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[S]:
        """Serve while the block runs; ``self.url`` is the address."""
        self._restore()
        app = web.Application(middlewares=[self._observe, self._misbehave, self._admit])
        Control(self).routes(app)
        self.routes(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        self.url = f"http://{host}:{runner.addresses[0][1]}"
        try:
            async with ClientSession(timeout=ClientTimeout(total=5)) as self._session:
                try:
                    yield self
                finally:
                    self._stopping.set()
                    await runner.cleanup()
                    for task in self._background:
                        task.cancel()
                    if self._background:
                        await asyncio.wait(self._background)
        finally:
            self._keep()

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log each request and save the state after each that may have changed it."""
        started = monotonic()
        status = 0
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as refusal:
            status = refusal.status
            raise
        finally:
            if not request.path.startswith("/_sim/"):
                self.requests.append({
                    "method": request.method, "path": request.path_qs, "status": status,
                    "key": request.headers.get("Idempotency-Key"),
                    "ms": round((monotonic() - started) * 1000, 1),
                })  # fmt: skip
            if request.method != "GET":
                self._keep()
        return response

    @web.middleware
    async def _misbehave(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Apply the fault that hits this request, if any."""
        if request.path.startswith("/_sim/"):
            return await handler(request)
        if self.latency_ms > 0:
            await asyncio.sleep(self.latency_ms * self._dice.uniform(0.4, 1.6) / 1000)
        fault = self.faults.take(_subject(request), _INCOMING)
        return await (self._failing(fault, request, handler) if fault else handler(request))

    async def _failing(
        self, fault: Fault, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        if fault.kind == "429":
            headers = {"Retry-After": f"{fault.after_s:g}"}
            return web.json_response({"error": "rate_limited"}, status=429, headers=headers)
        if fault.kind in _BROKEN:
            return _broken(fault.kind, request)
        if fault.kind == "timeout_before":
            return await self._silence(request)
        if fault.kind == "slow":
            await asyncio.sleep(fault.after_s)
            return await handler(request)
        # What is left does the work first: an answer that gets lost, or a request that a
        # proxy on the way sends twice.
        await request.read()
        with suppress(web.HTTPException):
            await handler(request)
        if fault.kind == "duplicate":
            return await handler(request)
        self._keep()
        return await self._silence(request)

    async def _silence(self, request: web.Request) -> web.StreamResponse:
        """Never answer: hold the connection until the caller gives up, then cut it."""
        ends = monotonic() + HELD_S
        while request.transport is not None and not request.transport.is_closing():
            if self._stopping.is_set() or monotonic() > ends:
                request.transport.abort()
                break
            await asyncio.sleep(0.02)
        return web.Response()

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a wrong token with 401; control and public addresses ask for none."""
        free = any(fnmatchcase(request.path, open_to) for open_to in ("/_sim/*", *self.public))
        if self.token is not None and not free:
            shown = request.headers.get("Authorization", "")
            if not compare_digest(shown.encode(), f"Bearer {self.token}".encode()):
                refuse(401, "unauthorized", "send the API token as bearer")
        return await handler(request)

    def start_over(self) -> None:
        """Forget effects, faults, requests and everything that happened."""
        self.faults.clear()
        self.effects.clear()
        self.requests.clear()
        self._kept.clear()
        self.world = self._given or build_world()
        self.reset()

    async def _deliver(self, hook: Hook) -> int:
        if self.caught is not None:
            self.caught.append(hook)
            return 202
        if self._session is None or not hook.url:
            return 0
        status = 0
        for pause_s in (0.0, 0.3, 1.0):
            await asyncio.sleep(pause_s)
            try:
                async with self._session.post(
                    hook.url, data=hook.body, headers=hook.headers
                ) as answer:
                    status = answer.status
            except (ClientError, TimeoutError):
                status = 0
            if 0 < status < 500:
                break
        return status

    def _keep(self) -> None:
        if self._state is None:
            return
        kept = {key: [digest, a.status, a.body] for key, (digest, a) in self._kept.items()}
        whole = {
            "now": self.world.now.isoformat(), "effects": self.effects, "kept": kept,
            "own": self.dump(),
        }  # fmt: skip
        draft = self._state.with_suffix(".new")
        draft.write_text(json.dumps(whole), "utf-8")
        draft.replace(self._state)

    def _restore(self) -> None:
        if self._state is None or not self._state.exists():
            return
        whole = json.loads(self._state.read_text("utf-8"))
        self.world = build_world(datetime.fromisoformat(whole["now"]).astimezone(UTC))
        self.reset()
        self.effects = {kind: Counter(keys) for kind, keys in whole["effects"].items()}
        self._kept = {key: (k[0], Answer(k[1], k[2])) for key, k in whole["kept"].items()}
        self.load(whole["own"])


_BROKEN = frozenset({"500", "401", "malformed", "reset"})


def _broken(kind: str, request: web.Request) -> web.Response:
    """Return the answer of a system that is out of order, or none at all."""
    if kind == "malformed":
        return web.Response(text="<html>Sign in</html>", content_type="application/json")
    if kind == "reset" and request.transport is not None:
        request.transport.abort()
    return web.json_response({"error": "internal"}, status=401 if kind == "401" else 500)


def _subject(request: web.Request) -> str:
    return f"{request.method} {request.path}"
