"""Adapters that are installed, but not as the hub needs them: in another Python, or twice."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import distributions, entry_points
from pathlib import Path

GROUP = "deskhub.adapters"


def installed_in(name: str) -> Path | None:
    """Return the other Python environment on this machine that has the adapter *name*."""
    for folder in _others():
        for dist in distributions(path=[str(folder)]):
            points = dist.entry_points.select(group=GROUP, name=name)
            if points:
                return folder
    return None


def packages_of(name: str) -> list[str]:
    """Return the packages of this environment that each offer an adapter called *name*."""
    found = {
        point.dist.name
        for point in entry_points(group=GROUP, name=name)
        if point.dist is not None
    }
    return sorted(found)


def _others() -> Iterator[Path]:
    """Yield where else people install: the shell's and the folder's venv, the system."""
    own = {Path(place).resolve() for place in sys.path if place}
    roots = [Path(sys.base_prefix), Path("/usr"), Path("/usr/local"), Path(".venv")]
    if venv := os.environ.get("VIRTUAL_ENV"):
        roots.insert(0, Path(venv))
    places = [found for root in roots for found in sorted(root.glob("lib/python3*/*-packages"))]
    places.append(Path(sysconfig.get_path("purelib", sysconfig.get_preferred_scheme("user"))))
    for place in dict.fromkeys(one.resolve() for one in places):
        if place not in own and place.is_dir():
            yield place
