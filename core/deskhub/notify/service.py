"""One request to a push service, encrypted for one browser (RFC 8030, 8188, 8291, 8292).

pywebpush encrypts; the request goes out by the egress client's rules: addresses are checked on
the connection, redirects are not followed, everything has a deadline and a size.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Literal
from urllib.parse import urlsplit

import aiohttp

from deskhub import __version__
from deskhub.clock import Clock
from deskhub.config import PushSettings
from deskhub.errors import ExtraMissing
from deskhub.host.addresses import CheckedResolver, Refused
from deskhub.host.egress import retry_after
from deskhub.notify.endpoint import check_literal, origin
from deskhub.notify.vapid import Vapid
from deskhub.store.pushes import Device

Verdict = Literal["sent", "gone", "later", "refused", "unknown", "withdrawn"]

# Services take 4,096 encrypted bytes; the record around the text needs 103 of them.
PAYLOAD_BYTES = 3_000
REQUEST_S = 10.0
ENCRYPT_S = 5.0
CONNECTIONS = 8
# How long a service keeps a notice for a browser that is off.
TTL_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended, why in words, and after how long the service wants the next one."""

    verdict: Verdict
    why: str = ""
    after_s: float | None = None


class PushService:
    """Speaks to every push service. Close it when the hub ends."""

    def __init__(self, settings: PushSettings, vapid: Vapid, clock: Clock) -> None:
        """Sign with *vapid*; of private addresses reach those of *settings* only.

        Raises `ExtraMissing`.
        """
        try:
            from pywebpush import WebPusher  # noqa: PLC0415  an extra: most hubs send none
        except ModuleNotFoundError as error:
            raise ExtraMissing(
                "[push] needs one more package: pip install 'deskhub[push]'"
            ) from (error)
        self._pusher = WebPusher
        self._services = frozenset(settings.services)
        self._vapid = vapid
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def deliver(
        self, device: Device, payload: bytes, topic: str, leave: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        """Send *payload* to *device*; a newer one of the same *topic* takes its place.

        *leave* is asked right before the request: whatever it answers True to is either sent,
        refused, or unknown.
        """
        try:
            async with asyncio.timeout(ENCRYPT_S):
                body = await asyncio.to_thread(self._encrypted, device, payload)
            self._check(device.endpoint)
        except TimeoutError:
            return Outcome("later", "encryption took too long")
        except Refused as error:
            return Outcome("refused", str(error))
        if not await leave():
            return Outcome("withdrawn")
        return await self._post(device.endpoint, body, topic)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _encrypted(self, device: Device, payload: bytes) -> bytes:
        if len(payload) > PAYLOAD_BYTES:
            raise ValueError(f"a notice of {len(payload)} bytes")
        keys = {"p256dh": device.p256dh, "auth": device.auth}
        pusher = self._pusher({"endpoint": device.endpoint, "keys": keys})
        return bytes(pusher.encode(payload, "aes128gcm")["body"])

    def _check(self, endpoint: str) -> None:
        """Raise `Refused` for an address that was allowed when it was kept, and is no more."""
        if origin(endpoint) in self._services:
            return
        parts = urlsplit(endpoint)
        if parts.scheme != "https":
            raise Refused("not https")
        check_literal(parts.hostname or "")

    async def _post(self, endpoint: str, body: bytes, topic: str) -> Outcome:
        trace = SimpleNamespace(sent=False)
        headers = {
            "Authorization": self._vapid.authorization(origin(endpoint), self._clock.now()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_S),
            "Topic": topic,
            "Urgency": "high",
        }
        try:
            async with (
                asyncio.timeout(REQUEST_S),
                self._open().post(
                    endpoint, data=body, headers=headers, allow_redirects=False,
                    trace_request_ctx=trace,
                ) as answer,
            ):  # fmt: skip
                return self._outcome(answer.status, answer.headers)
        except Refused as error:
            return Outcome("refused", str(error))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            # The resolver's refusal comes wrapped.
            if isinstance(error.__cause__, Refused):
                return Outcome("refused", str(error.__cause__))
            return Outcome("unknown" if trace.sent else "later", type(error).__name__)

    def _outcome(self, status: int, headers: Mapping[str, str]) -> Outcome:
        why = f"it answered {status}"
        if 200 <= status < 300:
            return Outcome("sent")
        if status in (404, 410):
            return Outcome("gone", why)
        if status in (429, 503):
            lower = {name.lower(): value for name, value in headers.items()}
            return Outcome("later", why, retry_after(lower, self._clock.now()))
        # Another 5xx may have come after the service took it.
        return Outcome("unknown" if status >= 500 else "refused", why)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            tracing = aiohttp.TraceConfig()
            tracing.on_request_headers_sent.append(_mark_sent)
            hosts = {urlsplit(one).hostname or "" for one in self._services}
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=CheckedResolver(hosts),
                    limit=CONNECTIONS,
                    ttl_dns_cache=10,
                    # A closing connection would leave it open whether a notice arrived.
                    force_close=True,
                ),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"Deskhub/{__version__}"},
                trace_configs=[tracing],
                trust_env=False,
            )
        return self._session


async def _mark_sent(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    del session, params
    context.trace_request_ctx.sent = True
