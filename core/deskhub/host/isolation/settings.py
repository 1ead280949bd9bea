"""A settings model made of a manifest's JSON Schema: checks hub.toml and imports no adapter.

What only the adapter's own code can check (a validator), its worker says when it starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, cast

from pydantic import Field, SecretStr, create_model

from deskhub_sdk import Config
from deskhub_sdk.manifest import Manifest

_PLAIN: Mapping[str, Any] = {
    "string": str, "integer": int, "number": float, "boolean": bool, "null": None,
}  # fmt: skip
_BOUNDS = {
    "minLength": "min_length", "maxLength": "max_length", "pattern": "pattern",
    "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt",
    "minItems": "min_length", "maxItems": "max_length",
}  # fmt: skip


def settings_model(manifest: Manifest) -> type[Config]:
    """Return a model with the settings of *manifest*, secrets as `SecretStr`."""
    schema = manifest.config
    required = frozenset(schema.get("required", ()))
    fields: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        default = ... if name in required else field.get("default")
        fields[name] = (
            _kind(field, schema.get("$defs", {})),
            Field(default=default, description=field.get("description")),
        )
    title = str(schema.get("title") or manifest.id)
    return cast("type[Config]", create_model(title, __base__=Config, **fields))


def in_clear(config: Config) -> dict[str, Any]:
    """Return the settings that were made, secrets in clear: for the adapter's worker only."""
    return {name: _reveal(getattr(config, name)) for name in sorted(config.model_fields_set)}


def _kind(field: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:  # noqa: ANN401  a type
    if "$ref" in field:
        return _kind(parts.get(str(field["$ref"]).rpartition("/")[2], {}), parts)
    if "enum" in field:
        return Literal[tuple(field["enum"])]
    if "const" in field:
        return Literal[field["const"]]
    if "anyOf" in field:
        return _union(_kind(one, parts) for one in field["anyOf"])
    if field.get("writeOnly") and field.get("format") == "password":
        return SecretStr
    kind: Any = _container(field, parts) or _PLAIN.get(str(field.get("type")), Any)
    bounds = {ours: field[theirs] for theirs, ours in _BOUNDS.items() if theirs in field}
    return Annotated[kind, Field(**bounds)] if bounds else kind


def _container(field: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if field.get("type") == "array":
        items = field.get("items")
        return tuple[_kind(items, parts) if isinstance(items, Mapping) else Any, ...]  # type: ignore[misc]  # made at run time
    if field.get("type") == "object":
        values = field.get("additionalProperties")
        return dict[str, _kind(values, parts) if isinstance(values, Mapping) else Any]  # type: ignore[misc]  # made at run time
    return None


def _union(kinds: Iterable[Any]) -> Any:  # noqa: ANN401
    return Union[tuple(kinds)]  # noqa: UP007  made at run time


def _reveal(value: Any) -> Any:  # noqa: ANN401  a setting
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: _reveal(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_reveal(one) for one in value]
    return value
