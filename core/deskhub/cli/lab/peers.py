"""What the lab can start: what each peer needs, what it is made of, how it runs."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deskhub.cli.lab import oidc, roundup, tryton
from deskhub.cli.lab.cache import Cache, LabFailed, resource


@dataclass(frozen=True, slots=True)
class Site:
    """Where a peer runs this time: its port, a folder of its own, the hub it knows."""

    port: int
    scratch: Path
    hub: str

    @property
    def url(self) -> str:
        """Return the peer's address."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Started:
    """How a peer is started, where it first answers, and what people are told about it."""

    command: tuple[str, ...]
    ready: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Peer:
    """One system: *make* fills its part of the cache, *start* says how to run it."""

    name: str
    title: str
    version: str
    licence: str
    made_of: Callable[[], tuple[str, ...]]
    make: Callable[[Path], Awaitable[None]]
    start: Callable[[Path, Site], Started]
    programs: tuple[str, ...] = ()

    def place(self, cache: Cache) -> Path:
        """Return this peer's part of *cache*."""
        return cache.place(self.name, *self.made_of())

    def is_ready(self, cache: Cache) -> bool:
        """Return whether this peer can start without being made first."""
        return cache.has(self.place(cache)) and not self.missing()

    def missing(self) -> tuple[str, ...]:
        """Return the programs that this machine lacks for this peer."""
        return tuple(name for name in self.programs if shutil.which(name) is None)


def _tryton(place: Path, site: Site) -> Started:
    command = tryton.command(place, site.scratch, site.port)
    return Started(command, f"{site.url}/", tryton.told(place, site.url))


def _roundup(place: Path, site: Site) -> Started:
    command = roundup.command(place, site.scratch, site.port)
    return Started(command, f"{site.url}/", roundup.told(site.url))


def _oidc(place: Path, site: Site) -> Started:
    return Started(
        ("node", str(place / "server.mjs"), str(site.port), site.hub),
        f"{site.url}/jwks",
        {
            "issuer": site.url, "client_id": "deskhub", "client_secret": oidc.SECRET,
            "registration": f"{site.url}/reg", "people": ["ann", "bob", "eve"],
            "password": "anything",
        },
    )  # fmt: skip


def _iam(place: Path, site: Site) -> Started:
    # It knows itself by this name, and its issuer has to be what clients call.
    url = f"http://localhost:{site.port}"
    return Started(
        (str(place / "venv/bin/python"), str(resource("iam_serve.py")), str(site.port)),
        f"{url}/oauth/jwks.json",
        {
            "issuer": url, "registration": f"{url}/oauth/register", "people": ["ann", "bob"],
            "password": "deskhub-lab",
        },
    )  # fmt: skip


def _texts(*names: str) -> Callable[[], tuple[str, ...]]:
    return lambda: tuple(resource(name).read_text(encoding="utf-8") for name in names)


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer(
            "tryton", "Tryton", "8.2.1", "GPL-3.0-or-later",
            lambda: (*_texts("tryton.txt", "tryton_seed.py")(), tryton.SHAPE),
            tryton.make, _tryton,
        ),
        Peer(
            "roundup", "Roundup", "2.6.0", "MIT and ZPL-2.0",
            lambda: (*_texts("roundup.txt")(), roundup.SHAPE), roundup.make, _roundup,
        ),
        Peer(
            "oidc", "oidc-provider", "9.13.3", "MIT",
            _texts("oidc/package.json", "oidc/package-lock.json", "oidc/server.mjs"),
            oidc.make, _oidc, programs=("node", "npm"),
        ),
        Peer(
            "iam", "Canaille (pytest-iam)", "0.3.6", "MIT", _texts("iam.txt"), oidc.make_iam,
            _iam,
        ),
    )
}  # fmt: skip


def chosen(names: list[str]) -> list[Peer]:
    """Return the peers called *names*, or all. Raises `LabFailed` for an unknown name."""
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise LabFailed(f"there is no {', '.join(unknown)}; there are {', '.join(PEERS)}")
    return [PEERS[name] for name in names] if names else list(PEERS.values())
