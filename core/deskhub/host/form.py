"""An adapter's settings as a form: one field for each, made of its manifest's JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deskhub_sdk.manifest import Manifest

Kind = Literal["text", "number", "switch", "choice", "list", "other"]
_KINDS: Mapping[str, Kind] = {
    "string": "text", "integer": "number", "number": "number", "boolean": "switch",
    "array": "list",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. A secret is never asked for itself, but where it stands."""

    name: str
    kind: Kind
    text: str
    is_secret: bool
    is_required: bool
    default: Any = None
    choices: tuple[str, ...] = ()


def form_of(manifest: Manifest) -> tuple[Field, ...]:
    """Return the settings of *manifest* in the order they were declared."""
    required = frozenset(manifest.config.get("required", ()))
    parts: Mapping[str, Any] = manifest.config.get("$defs", {})
    secrets = manifest.secrets
    return tuple(
        _field(name, field, parts, is_secret=name in secrets, is_required=name in required)
        for name, field in manifest.config.get("properties", {}).items()
    )


def _field(
    name: str,
    field: Mapping[str, Any],
    parts: Mapping[str, Any],
    *,
    is_secret: bool,
    is_required: bool,
) -> Field:
    real = _real(field, parts)
    choices = tuple(str(one) for one in real.get("enum", ()))
    return Field(
        name=name,
        kind="choice" if choices else _KINDS.get(str(real.get("type")), "other"),
        text=str(field.get("description") or ""),
        is_secret=is_secret,
        is_required=is_required,
        default=None if is_secret else field.get("default"),
        choices=choices,
    )


def _real(field: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema that a value has to fit, behind references and "or nothing"."""
    if "$ref" in field:
        return _real(parts.get(str(field["$ref"]).rpartition("/")[2], {}), parts)
    for one in field.get("anyOf", ()):
        if one.get("type") != "null":
            return _real(one, parts)
    return field
