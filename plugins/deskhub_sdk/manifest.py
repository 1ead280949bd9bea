"""What an adapter is, as a file: the hub reads it and imports nothing.

The build writes it into the wheel (`deskhub_sdk.hatch`); `manifest_of` makes it from the class.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from deskhub_sdk.actions import ActionSpec
from deskhub_sdk.adapter import Adapter, Permissions, capabilities_of
from deskhub_sdk.hooks import PROJECT
from deskhub_sdk.steps import StepSpec

FILE_NAME = "deskhub-adapter.json"
SCHEMA = 1


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter says about its far side: how many ids one call takes."""

    max_batch: int = 100


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One adapter without its code.

    *entry* is ``module:Class``. *capabilities* maps each to its methods, *hooks* each to the
    arguments it asks for. *config* is the settings' JSON Schema, *languages* are those of the
    adapter's *texts*, which the hub hands to clients without asking the adapter.
    """

    schema: int = SCHEMA
    id: str
    name: str
    version: str
    sdk: str
    entry: str
    summary: str = ""
    permissions: Permissions = Permissions()
    capabilities: Mapping[str, tuple[str, ...]] = {}
    hooks: Mapping[str, tuple[str, ...]] = {}
    steps: tuple[StepSpec, ...] = ()
    actions: tuple[ActionSpec, ...] = ()
    limits: Limits = Limits()
    config: Mapping[str, Any] = {}
    languages: tuple[str, ...] = ()
    texts: Mapping[str, Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        """Refuse actions in another adapter's name."""
        for action in self.actions:
            if action.adapter != self.id:
                raise ValueError(f"{action.id} is not an action of {self.id}")

    @property
    def secrets(self) -> frozenset[str]:
        """Return the settings that hold secrets."""
        fields: Mapping[str, Any] = self.config.get("properties", {})
        return frozenset(name for name, field in fields.items() if _is_secret(field))


class ManifestInvalid(ValueError):
    """A file that is not a manifest this SDK can read; the text ends in the path."""


def manifest_of(adapter: type[Adapter[Any]], *, entry: str = "", version: str = "") -> Manifest:
    """Return the manifest of the class *adapter*; calls nothing of it."""
    meta = adapter.meta
    return Manifest(
        id=meta.id,
        name=meta.name,
        version=version,
        sdk=meta.sdk,
        entry=entry or f"{adapter.__module__}:{adapter.__qualname__}",
        summary=meta.summary,
        permissions=meta.permissions,
        capabilities=capabilities_of(adapter),
        hooks={name: asked_by(function) for name, function in hooks_in(adapter)},
        steps=tuple(step.spec for step in adapter.steps),
        actions=adapter.actions,
        limits=Limits(max_batch=meta.max_batch),
        config=adapter.config_model.model_json_schema(),
        languages=tuple(sorted(meta.texts)),
        texts={language: dict(texts) for language, texts in meta.texts.items()},
    )


def hooks_in(adapter: type) -> list[tuple[str, Callable[..., Any]]]:
    """Return each hook that *adapter* answers, with the function that does."""
    found = []
    for name in dir(adapter):
        function = inspect.getattr_static(adapter, name, None)
        options = getattr(function, f"{PROJECT}_impl", None)
        if isinstance(options, dict) and callable(function):
            found.append((str(options.get("specname") or name), function))
    return found


def asked_by(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the arguments a hook's *function* asks for."""
    return tuple(name for name in inspect.signature(function).parameters if name != "self")


def differences(manifest: Manifest, adapter: type[Adapter[Any]]) -> list[str]:
    """Return what *manifest* says and the class does not, or the other way round."""
    own = msgspec.to_builtins(manifest_of(adapter, entry=manifest.entry))
    told = msgspec.to_builtins(manifest)
    return [
        f"{name}: the manifest says {_short(told[name])}, the class {_short(own[name])}"
        for name in own
        if name not in ("version", "schema") and own[name] != told[name]
    ]


def encode_manifest(manifest: Manifest) -> bytes:
    """Return *manifest* as the JSON that stands in the wheel."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode_manifest(data: bytes) -> Manifest:
    """Return the manifest in *data*. Raises `ManifestInvalid`."""
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ManifestInvalid(str(error)) from error
    if found.schema != SCHEMA:
        raise ManifestInvalid(f"schema {found.schema} is not {SCHEMA} - at $.schema")
    return found


def import_entry(entry: str) -> type[Adapter[Any]]:
    """Return the class that *entry* (``module:Class``) names. Raises what importing does."""
    module, _, name = entry.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not (inspect.isclass(found) and issubclass(found, Adapter)):
        raise TypeError(f"{entry} is no subclass of deskhub_sdk.Adapter")
    adapter: type[Adapter[Any]] = found
    return adapter


def main(argv: Sequence[str]) -> int:
    """Write the manifest of ``module:Class`` to a file: ENTRY VERSION FILE [PATH …]."""
    entry, version, target, *paths = argv
    sys.path[:0] = paths
    made = manifest_of(import_entry(entry), entry=entry, version=version)
    Path(target).write_bytes(encode_manifest(made))
    return 0


def _is_secret(field: Mapping[str, Any]) -> bool:
    parts = [field, *field.get("anyOf", ())]
    return any(part.get("writeOnly") and part.get("format") == "password" for part in parts)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
