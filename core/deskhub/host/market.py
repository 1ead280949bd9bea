"""Which adapters there are: what is installed, and what the index that ships here knows."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint
from importlib.resources import files

from deskhub.host.manifests import manifest_at_hand
from deskhub_sdk.manifest import Manifest, ManifestInvalid

INDEX = "market.toml"


@dataclass(frozen=True, slots=True)
class Offer:
    """An adapter: *version* is None when it is not installed, *package* how it would be."""

    id: str
    name: str
    summary: str
    kind: str
    package: str
    version: str | None = None
    permissions: Mapping[str, tuple[str, ...]] | None = None
    languages: tuple[str, ...] = ()
    problem: str = ""


def offers(points: Mapping[str, EntryPoint]) -> list[Offer]:
    """Return every adapter that is installed or in the index, by id.

    One without a manifest is imported to know it: not for the event loop.
    """
    known = index()
    found = {name: _here(point, known.get(name)) for name, point in points.items()}
    return [found.get(name) or known[name] for name in sorted({*found, *known})]


@cache
def index() -> Mapping[str, Offer]:
    """Return what the index knows, by id."""
    told = tomllib.loads(files("deskhub.host").joinpath(INDEX).read_text(encoding="utf-8"))
    return {
        name: Offer(id=name, name=one["name"], summary=one["summary"], kind=one["kind"],
                    package=one["package"])
        for name, one in told.items()
    }  # fmt: skip


def _here(point: EntryPoint, known: Offer | None) -> Offer:
    """Return an installed adapter as its manifest says; one that cannot be read is told so."""
    version = point.dist.version if point.dist is not None else ""
    package = point.dist.name if point.dist is not None else ""
    try:
        manifest = manifest_at_hand(point)
    except ManifestInvalid as error:
        return _broken(point.name, package, version, str(error))
    # Importing an adapter may raise anything, SystemExit included.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return _broken(point.name, package, version, type(error).__name__)
    asks = manifest.permissions
    return Offer(
        id=point.name,
        name=manifest.name,
        summary=manifest.summary or (known.summary if known else ""),
        kind=known.kind if known else _kind(manifest),
        package=package,
        version=version,
        permissions={"net": asks.net, "reads": asks.reads, "writes": asks.writes},
        languages=manifest.languages,
    )


def _broken(name: str, package: str, version: str, problem: str) -> Offer:
    return Offer(id=name, name=name, summary="", kind="other", package=package,
                 version=version, problem=problem)  # fmt: skip


def _kind(manifest: Manifest) -> str:
    """Return what an adapter is about, by the first capability that it has."""
    if "sign_in_start" in manifest.hooks:
        return "sso"
    return next(iter(manifest.capabilities), "other").partition("@")[0]
