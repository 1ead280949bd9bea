"""Secrets stand outside hub.toml, which only refers to them.

``{ env = "NAME" }``, ``{ file = "path" }`` or ``{ store = "name" }``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deskhub import log
from deskhub.config.located import Path as KeyPath
from deskhub.config.located import Problem
from deskhub.config.secret_store import SecretStore, SecretStoreError

KINDS = frozenset({"env", "file", "store"})


def is_reference(value: object) -> bool:
    """Return whether *value* refers to a secret instead of being one."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in KINDS


@dataclass(frozen=True, slots=True)
class Places:
    """Where references lead: files are relative to *base*, the store is in *data*."""

    base: Path
    data: Path


def resolve(
    value: Mapping[str, Any], path: KeyPath, places: Places, tenant: str = "main"
) -> tuple[str, list[Problem]]:
    """Return the secret that *value* refers to, or the problem.

    It is hidden from every log line from now on.
    """
    kind, target = next(iter(value.items()))
    if not isinstance(target, str) or not target:
        what = f"{kind} must name something, got {target!r}"
        return "", [Problem("DH105", path, what, fix=f'write: {{ {kind} = "NAME" }}')]
    if kind == "env":
        found, problems = _from_env(target, path)
    elif kind == "file":
        found, problems = _from_file(target, path, places.base)
    else:
        found, problems = _from_store(target, path, places.data, tenant)
    log.conceal(found)
    return found, problems


def _from_store(name: str, path: KeyPath, data: Path, tenant: str) -> tuple[str, list[Problem]]:
    try:
        return SecretStore(data).get(tenant, name), []
    except SecretStoreError as error:
        why = "the store is encrypted in the hub's data folder"
        return "", [Problem("DH304", path, str(error), why, f"deskhub secret set {name}")]


def _from_env(name: str, path: KeyPath) -> tuple[str, list[Problem]]:
    found = os.environ.get(name)
    if found:
        return found, []
    return "", [
        Problem(
            "DH302", path, f"environment variable {name} is not set",
            "it is read in the server's own environment; systemd and Docker do not see your"
            " shell's",
            f"export {name}=… before the start, or use {{ file = … }}",
        )
    ]  # fmt: skip


def _from_file(name: str, path: KeyPath, base: Path) -> tuple[str, list[Problem]]:
    file = base / name
    try:
        return file.read_text(encoding="utf-8").strip(), []
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        what = f"the secret file {name} cannot be read: {reason}"
        fix = "create it readable for the server's user only (chmod 600)"
        return "", [Problem("DH303", path, what, fix=fix)]
