"""Posts to addresses that an admin gave, on the same way out as adapters, and says how it went.

Nothing is followed and nothing is repeated here. An address inside the network is refused
unless hub.toml names its host; whatever goes wrong becomes a word that a person understands.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import aiohttp

from deskhub.host.addresses import AllowList, Refused, origin_of
from deskhub.host.egress import Egress
from deskhub.host.guard import Figures

# What an endpoint says is for a person's eyes: more is cut off by whoever keeps it.
MAX_ANSWER_BYTES = 64 * 1024

# Why there is no answer, or none that counts: "" is a success.
Fault = Literal[
    "", "address", "dns", "tls", "connection", "timeout", "redirect", "client",
    "gone", "throttled", "server", "protocol",
    "event_gone", "secret_lost",
]  # fmt: skip


class UrlRefused(ValueError):
    """Not an address that may be posted to; the text says why, for the admin who typed it."""


@dataclass(frozen=True, slots=True)
class Posted:
    """How one post went. Without an answer *status* is None; *fault* is "" for a success."""

    ms: float
    fault: Fault
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def check_url(url: str, private_hosts: Collection[str]) -> None:
    """Return when *url* may be told of events. Raises `UrlRefused`.

    It must be https, except for the hosts inside the network that hub.toml names.
    """
    try:
        scheme, host, _ = origin_of(url)
        if scheme != "https" and host not in private_hosts:
            raise UrlRefused("must start with https://")
        _allowed(url, private_hosts).check(url)
    except Refused as error:
        raise UrlRefused(str(error)) from error


class Poster:
    """One address and its connections; `close` it when the address is told no more."""

    def __init__(self, url: str, private_hosts: Collection[str]) -> None:
        """Post to *url*; private addresses only where *private_hosts* names its host."""
        self.url = url
        self._egress = Egress(
            _allowed(url, private_hosts), Figures(), timeout_s=15.0,
            max_body_bytes=MAX_ANSWER_BYTES,
        )  # fmt: skip

    async def post(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Posted:
        """Post *body* once; a failure is an answer and not an exception."""
        began = time.perf_counter()
        try:
            answer = await self._egress.once(self.url, body, headers, timeout_s)
        except (Refused, aiohttp.ClientError, TimeoutError, OSError) as error:
            return Posted(_ms(began), _fault(error))
        return Posted(
            _ms(began), _fault_of(answer.status), answer.status, answer.headers, answer.body
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._egress.close()


def _allowed(url: str, private_hosts: Collection[str]) -> AllowList:
    if origin_of(url)[1] in private_hosts:
        return AllowList(["{config.url}"], {"url": url})
    return AllowList([url], {})


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


def _fault(error: Exception) -> Fault:
    """Return the word for what *error* is, looking through what the client wrapped around."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Refused):
            return "address"
        cause = cause.__cause__ or cause.__context__
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Fault], ...] = (
        (TimeoutError, "timeout"),
        ((aiohttp.ClientConnectorDNSError, socket.gaierror), "dns"),
        ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), "tls"),
        ((aiohttp.ClientPayloadError, aiohttp.ClientResponseError), "protocol"),
    )
    return next((word for kind, word in kinds if isinstance(error, kind)), "connection")


def _fault_of(status: int) -> Fault:
    if 200 <= status < 300:
        return ""
    if status == 410:
        return "gone"
    if status == 429:
        return "throttled"
    if 300 <= status < 400:
        return "redirect"
    return "client" if status < 500 else "server"
