"""NATS between processes and machines: core subjects only, since the log keeps everything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from deskhub.bus.listeners import Listeners
from deskhub.bus.port import OnCast, OnWake
from deskhub.errors import ExtraMissing

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

log = logging.getLogger("deskhub.bus")

CASTS_MAX = 2_000
CONNECT_S = 2
AGAIN_S = 0.5
PING_S = 5
PUBLISH_S = 2.0


class NatsBus:
    """One process's end: ``PREFIX.TENANT.wake`` carries heads, ``….cast`` what is passing.

    While there is no connection everything is dropped: what is missed is found in the log.
    """

    def __init__(self, url: str, password: str | None = None) -> None:
        """Connect to *url* (``nats://[user@]host:port[/prefix]``) when `run` runs.

        The prefix, "deskhub" unless given, keeps installations on one server apart. Raises
        `ExtraMissing`.
        """
        try:
            from nats.aio.client import Client  # noqa: PLC0415  an extra: most hubs are alone
        except ModuleNotFoundError as error:
            raise ExtraMissing(
                "NATS needs one more package: pip install 'deskhub[scale]'"
            ) from error
        self._new: Callable[[], Client] = Client
        parts = urlsplit(url)
        self._user = unquote(parts.username) if parts.username else None
        self._password = password
        self._prefix = parts.path.strip("/") or "deskhub"
        self._server = urlunsplit(("nats", parts.netloc.rpartition("@")[2], "", "", ""))
        self._listeners = Listeners()
        self._heads: dict[str, int] = {}
        self._casts: deque[tuple[str, bytes]] = deque(maxlen=CASTS_MAX)
        self._waiting = asyncio.Event()
        self._client: Client | None = None

    @property
    def is_connected(self) -> bool:
        """Return whether others can be reached at this moment."""
        return self._client is not None and self._client.is_connected

    def wake(self, tenant: str, head: int) -> None:
        """Tell the others that *tenant*'s log reached *head*; only the newest is sent."""
        if self.is_connected:
            self._heads[tenant] = head
            self._waiting.set()

    def cast(self, tenant: str, what: bytes) -> None:
        """Tell the others *what*; the oldest are dropped when too many wait."""
        if self.is_connected:
            self._casts.append((tenant, what))
            self._waiting.set()

    def listen(
        self, on_wake: OnWake | None = None, on_cast: OnCast | None = None
    ) -> Callable[[], None]:
        """Call back for what the others send."""
        return self._listeners.add(on_wake, on_cast)

    async def run(self) -> None:
        """Stay connected until cancelled, however often the server goes away."""
        is_told = False
        while True:
            client = self._new()
            try:
                await self._connect(client)
                is_told = False
                log.info("bus_connected")
                await self._send_forever(client)
            except asyncio.CancelledError:
                # "I am gone" is worth a moment: the others need not wait to find out.
                with contextlib.suppress(Exception):
                    await self._send(client)
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, the log has everything
                if not is_told:
                    is_told = True
                    log.warning("bus_lost", extra={"why": type(error).__name__})
            finally:
                self._client = None
                self._heads.clear()
                self._casts.clear()
                await _closed(client)
            await asyncio.sleep(AGAIN_S)

    async def _connect(self, client: Client) -> None:
        async with asyncio.timeout(2 * CONNECT_S):
            await client.connect(
                servers=[self._server],
                name="deskhub",
                user=self._user,
                password=self._password,
                no_echo=True,
                allow_reconnect=False,
                connect_timeout=CONNECT_S,
                ping_interval=PING_S,
                max_outstanding_pings=2,
                error_cb=_quiet,
            )
            await client.subscribe(f"{self._prefix}.*.wake", cb=self._on_wake)
            await client.subscribe(f"{self._prefix}.*.cast", cb=self._on_cast)
            await client.flush(CONNECT_S)
        self._client = client

    async def _send_forever(self, client: Client) -> None:
        """Send what waits; raises when the connection is gone."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._waiting.wait()
            self._waiting.clear()
            if not client.is_connected:
                raise ConnectionError("the bus closed the connection")
            await self._send(client)

    async def _send(self, client: Client) -> None:
        heads, self._heads = self._heads, {}
        async with asyncio.timeout(PUBLISH_S):
            for tenant, head in heads.items():
                await client.publish(f"{self._prefix}.{tenant}.wake", b"%d" % head)
            while self._casts:
                tenant, what = self._casts.popleft()
                await client.publish(f"{self._prefix}.{tenant}.cast", what)

    async def _on_wake(self, message: Msg) -> None:
        with contextlib.suppress(ValueError):
            self._listeners.woken(_tenant(message), int(message.data))

    async def _on_cast(self, message: Msg) -> None:
        self._listeners.told(_tenant(message), message.data)


def _tenant(message: Msg) -> str:
    return message.subject.split(".")[-2]


async def _closed(client: Client) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(1):
            await client.close()


async def _quiet(_error: Exception) -> None:
    """Say nothing: `run` notices a lost connection by itself."""
