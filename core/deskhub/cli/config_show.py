"""``deskhub config show|set``: what holds, where it comes from, and one setting changed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from deskhub.cli.checked import read
from deskhub.cli.editing import DryRunOption, change
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, fail_config, say, table
from deskhub.config import Config, near
from deskhub.config.edit import Edit
from deskhub.config.located import Path as KeyPath
from deskhub.config.located import positions

KeyArgument = Annotated[str, typer.Argument(help="As in hub.listen or adapters.shop.enabled.")]
ValueArgument = Annotated[str, typer.Argument(help="A text, number, true, or a TOML value.")]

# Words of the program that no file holds.
_OURS = frozenset({"path", "root", "id", "secret_keys"})
HIDDEN = "••••"


def show(
    key: Annotated[str, typer.Argument(help="Only this table or key.")] = "",
    origin: Annotated[bool, typer.Option("--origin", help="Say where each stands.")] = False,  # noqa: FBT002
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show every setting that holds, defaults included; secrets are never shown."""
    settings, found = read(config, as_json=as_json)
    if settings is None:
        fail_config(found, as_json=as_json, nothing="nothing can be shown")
    places = positions(found.source)
    rows = [
        (path, value, f"{found.name}:{places[path].line}" if path in places else "default")
        for path, value in flat(settings)
    ]
    chosen = [row for row in rows if not key or f"{dotted(row[0])}.".startswith(f"{key}.")]
    if not chosen:
        known = {dotted(row[0]) for row in rows} | {row[0][0] for row in rows}
        guess = near(key, known)
        fail("DH118", f"there is no setting '{key}'", exit_code=Exit.NOT_FOUND,
             as_json=as_json, why="it is neither a table nor a key of hub.toml",
             fix=f"did you mean '{guess}'?" if guess else "deskhub config show lists all",
             )  # fmt: skip
    if as_json:
        document([
            {"key": dotted(path), "value": value, "origin": place}
            for path, value, place in chosen
        ])  # fmt: skip
    elif origin:
        table(("ORIGIN", "SETTING"), [(place, _line(path, one)) for path, one, place in chosen])
    else:
        for path, value, _ in chosen:
            say(_line(path, value))


def put(
    key: KeyArgument,
    value: ValueArgument,
    config: ConfigOption = Path("hub.toml"),
    dry_run: DryRunOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Change one setting of hub.toml, unless that would break it; comments stay."""
    path = _path(key)
    if path is None or len(path) < 2:
        fail("DH118", f"'{key}' is no key of hub.toml", exit_code=Exit.USAGE, as_json=as_json,
             why="a key stands in a table", fix="write for example hub.listen")  # fmt: skip
    change(config, [Edit(path, _value(value))], dry_run=dry_run, as_json=as_json)


def flat(settings: Config) -> Iterator[tuple[KeyPath, object]]:
    """Yield every setting with its path, in the order of the file's format."""
    for name in type(settings).model_fields:
        if name in _OURS:
            continue
        path: KeyPath = ("auth", "roles") if name == "roles" else (name,)
        yield from _below(path, getattr(settings, name))


def dotted(path: KeyPath) -> str:
    """Return *path* as TOML writes a key."""
    return ".".join(one if one.replace("-", "").replace("_", "").isalnum() else f'"{one}"'
                    for one in path)  # fmt: skip


def _below(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, object]]:
    fields = getattr(type(value), "model_fields", None)
    if fields is not None:
        secret: frozenset[str] = getattr(value, "secret_keys", frozenset())
        for name in fields:
            if name not in _OURS:
                yield from _below((*path, name), _without(getattr(value, name), name, secret))
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _below((*path, str(name)), one)
    else:
        shown = HIDDEN if isinstance(value, SecretStr) else value
        yield path, list(shown) if isinstance(shown, tuple) else shown


def _without(value: Any, name: str, secret: frozenset[str]) -> Any:  # noqa: ANN401  any setting
    """Return an adapter's settings without those that were references to secrets."""
    if name != "config":
        return value
    return {key: HIDDEN if key in secret else one for key, one in value.items()}


def _line(path: KeyPath, value: object) -> str:
    shown = "" if value is None else _written(value)
    return f"{dotted(path)} = {shown}".rstrip()


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace("'", '"') if isinstance(value, str | list) else str(value)


def _path(key: str) -> KeyPath | None:
    """Return a key as TOML reads it, or None when it is none."""
    try:
        found: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return None
    path: list[str] = []
    while isinstance(found, dict):
        name, found = next(iter(found.items()))
        path.append(name)
    return tuple(path)


def _value(given: str) -> object:
    """Return what a person typed as a TOML value; what is none is a text."""
    try:
        return tomllib.loads(f"value = {given}")["value"]
    except tomllib.TOMLDecodeError:
        return given
