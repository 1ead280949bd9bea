"""Finds the manifest of an installed adapter; imports nothing of it."""

from __future__ import annotations

import json
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from deskhub_sdk.manifest import FILE_NAME, Manifest, decode_manifest, manifest_of


def manifest_of_point(point: EntryPoint) -> Manifest | None:
    """Return the manifest beside the modules of *point*; None when there is none to trust.

    An editable install's manifest is trusted while no module is newer. Raises
    `deskhub_sdk.manifest.ManifestInvalid`.
    """
    folder = _package(point)
    if folder is None:
        return None
    file = folder / FILE_NAME
    if not file.is_file() or (_is_editable(point) and _is_old(file)):
        return None
    return decode_manifest(file.read_bytes())


def manifest_at_hand(point: EntryPoint) -> Manifest:
    """Return the manifest of *point*, made from its class where no file can be trusted."""
    found = manifest_of_point(point)
    if found is not None:
        return found
    version = point.dist.version if point.dist is not None else ""
    return manifest_of(point.load(), entry=point.value, version=version)


def manifest_as_json(manifest: Manifest) -> dict[str, Any]:
    """Return *manifest* as plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(manifest)
    return plain


def import_paths(point: EntryPoint) -> tuple[str, ...]:
    """Return the folder that has to be on the import path for *point*."""
    folder = _package(point)
    if folder is not None:
        return (str(folder.parent),)
    spec = _spec(point)
    return (str(Path(spec.origin).parent),) if spec is not None and spec.origin else ()


def _package(point: EntryPoint) -> Path | None:
    """Return the folder of the top-level package of *point*."""
    spec = _spec(point)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _spec(point: EntryPoint) -> ModuleSpec | None:
    """Return where the top-level package is; finding it imports nothing."""
    try:
        return find_spec(point.module.partition(".")[0])
    except (ImportError, ValueError):
        return None


def _is_editable(point: EntryPoint) -> bool:
    told = point.dist.read_text("direct_url.json") if point.dist is not None else None
    if told is None:
        return False
    return bool(json.loads(told).get("dir_info", {}).get("editable"))


def _is_old(file: Path) -> bool:
    made = file.stat().st_mtime
    return any(module.stat().st_mtime > made for module in file.parent.rglob("*.py"))
