"""Which network addresses an adapter may reach, decided on the address that is connected to.

A name is resolved once, every address is checked, and the connection goes to a checked one:
there is no second look-up that could answer differently.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from deskhub_sdk import NotSent

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Carrier-grade NAT is neither private nor global in the sense of the standard library.
_SHARED = ipaddress.ip_network("100.64.0.0/10")
# RFC 6052 and 8215: IPv4 behind a translator, the second kind inside one network only.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_PORTS = {"http": 80, "https": 443}

RESOLVE_S = 5.0


class Refused(NotSent):
    """The hub does not let this adapter go there. An admin can change what is allowed."""

    code = "egress_refused"


def origin_of(url: str) -> tuple[str, str, int]:
    """Return (scheme, host, port) of *url*. Raises `Refused` when it is no http address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Refused("the address cannot be read") from error
    if parts.scheme not in _PORTS or not host:
        raise Refused(f"not an http address: {parts.scheme or '(none)'}")
    if parts.username is not None or parts.password is not None:
        raise Refused("an address must not carry a user name")
    return parts.scheme, host.lower().rstrip("."), port or _PORTS[parts.scheme]


def is_public(address: Address) -> bool:
    """Return whether *address*, looked through every wrapping, is on the open internet."""
    inner = _unwrapped(address)
    if inner in _SHARED or inner in _LOCAL_NAT64:
        return False
    return inner.is_global and not inner.is_multicast


def check_address(address: str, *, private_ok: bool) -> None:
    """Return when *address* may be connected to.

    *private_ok* is for hosts that the admin wrote into hub.toml: such a system may stand in
    the house. Link-local addresses (cloud metadata) and the like are refused even then.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError as error:
        raise Refused("not an address") from error
    if is_public(parsed):
        return
    inner = _unwrapped(parsed)
    never = inner.is_link_local or inner.is_multicast or inner.is_unspecified
    if private_ok and not never:
        return
    raise Refused("the name leads to an address inside the network")


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one carries, or *address*."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo is not None else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


class CheckedResolver(AbstractResolver):
    """Resolves names for aiohttp and hands out checked addresses only."""

    def __init__(self, private_hosts: Collection[str]) -> None:
        """Allow private addresses for *private_hosts* only."""
        self._private = frozenset(private_hosts)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return *host*'s addresses. Raises `Refused` when one of them is not allowed.

        One bad address spoils the name: who mixes a public and a private address wants
        the second look-up to win.
        """
        async with asyncio.timeout(RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM
            )
        private_ok = host.lower().rstrip(".") in self._private
        results: list[ResolveResult] = []
        for kind, _, proto, _, place in found:
            address = str(place[0])
            check_address(address, private_ok=private_ok)
            results.append(
                ResolveResult(
                    hostname=host, host=address, port=port, family=kind, proto=proto,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
            )  # fmt: skip
        return results

    async def close(self) -> None:
        """Hold nothing, so free nothing."""


class AllowList:
    """The origins an adapter may reach: its manifest's, with its settings filled in."""

    def __init__(self, wanted: Sequence[str], settings: dict[str, object]) -> None:
        """Expand ``{config.x}`` in *wanted* with *settings*; an unset one adds nothing."""
        self._exact: set[tuple[str, str, int]] = set()
        self._below: set[tuple[str, str, int]] = set()
        self.private_hosts: set[str] = set()
        for entry in wanted:
            self._add(entry, settings)

    def check(self, url: str) -> None:
        """Return when *url* may be asked for. Raises `Refused`."""
        scheme, host, port = origin_of(url)
        below = any(
            (scheme, port) == (other, other_port) and host.endswith(f".{suffix}")
            for other, suffix, other_port in self._below
        )
        if (scheme, host, port) not in self._exact and not below:
            raise Refused(
                f"{scheme}://{host}:{port} is not among the addresses this adapter declared"
            )
        if _is_literal(host):
            # A literal never reaches the resolver.
            check_address(host, private_ok=host in self.private_hosts)

    def _add(self, entry: str, settings: dict[str, object]) -> None:
        from_settings = entry.startswith("{config.") and entry.endswith("}")
        url = str(settings.get(entry[8:-1]) or "") if from_settings else entry
        if not url:
            return
        scheme, host, port = origin_of(url)
        if from_settings:
            self.private_hosts.add(host)
        if host.startswith("*.") and not from_settings:
            self._below.add((scheme, host[2:], port))
        else:
            self._exact.add((scheme, host, port))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
