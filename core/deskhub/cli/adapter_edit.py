"""``deskhub adapter enable|disable|configure``: an adapter's table in hub.toml."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from deskhub.cli.checked import read
from deskhub.cli.editing import DryRunOption, change
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, table
from deskhub.config import Config
from deskhub.config.edit import Edit
from deskhub.config.secrets import KINDS, is_reference
from deskhub.host.discovery import installed
from deskhub.host.form import Field, form_of
from deskhub.host.manifests import manifest_at_hand
from deskhub.host.problems import did_you_mean

NameArgument = Annotated[str, typer.Argument(help="An instance in hub.toml, or an adapter.")]
SettingsArgument = Annotated[
    list[str] | None,
    typer.Argument(help="key=value; a secret is key=env:NAME, file:PATH or store:NAME."),
]
UseOption = Annotated[str, typer.Option("--use", help="The adapter, if named differently.")]
EnableOption = Annotated[bool, typer.Option("--enable", help="Switch it on, too.")]


def enable(
    name: NameArgument,
    config: ConfigOption = Path("hub.toml"),
    dry_run: DryRunOption = False,  # noqa: FBT002  a command line option
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Switch an adapter on in hub.toml; a running hub takes the change over.

    Refused, with what is missing, when it could not start.
    """
    known(name, config, as_json=as_json)
    change(config, [Edit(("adapters", name, "enabled"), value=True)], dry_run=dry_run,
           as_json=as_json)  # fmt: skip


def disable(
    name: NameArgument,
    config: ConfigOption = Path("hub.toml"),
    dry_run: DryRunOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Switch an adapter off in hub.toml; its settings stay."""
    settings = read(config, as_json=as_json)[0]
    if settings is None or name not in settings.adapters:
        known(name, config, as_json=as_json)
        hint("nothing to do: it is not in hub.toml")
        return
    change(config, [Edit(("adapters", name, "enabled"), value=False)], dry_run=dry_run,
           as_json=as_json)  # fmt: skip


def configure(
    name: NameArgument,
    settings: SettingsArgument = None,
    use: UseOption = "",
    config: ConfigOption = Path("hub.toml"),
    enabled: EnableOption = False,  # noqa: FBT002
    dry_run: DryRunOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Change an adapter's settings in hub.toml; without any, ask for them or list them."""
    point = known(use or name, config, as_json=as_json)
    present = read(config, as_json=as_json)[0]
    fields = form_of(manifest_at_hand(installed()[point]))
    instance = present.adapters.get(name) if present is not None else None
    values = dict(instance.config) if instance is not None else {}
    told = dict(pair(one, fields, name, as_json=as_json) for one in settings or [])
    if not told and not as_json and sys.stdin.isatty():
        told = _ask(name, fields, values)
    if not told and not enabled:
        _list(fields, values, as_json=as_json)
        return
    edits = [Edit(("adapters", name, "use"), use)] if use and use != name else []
    if instance is None or enabled:
        edits.append(Edit(("adapters", name, "enabled"), value=enabled))
    edits += [Edit(("adapters", name, "config", key), value) for key, value in told.items()]
    change(config, edits, dry_run=dry_run, as_json=as_json)


def known(name: str, path: Path, *, as_json: bool) -> str:
    """Return the adapter behind *name*, an instance or an adapter, or exit with 4."""
    points = installed()
    settings: Config | None = read(path, as_json=as_json)[0]
    instances = settings.adapters if settings is not None else {}
    use = instances[name].use if name in instances else name
    if use not in points:
        _unknown(name, {*points, *instances}, points, as_json=as_json)
    return use


def _unknown(name: str, known: set[str], points: Iterable[str], *, as_json: bool) -> NoReturn:
    here = ", ".join(sorted(points)) or "none"
    fail("DH543", f"there is no adapter '{name}'", exit_code=Exit.NOT_FOUND, as_json=as_json,
         why=f"installed: {here}",
         fix=f"install it, or correct the name.{did_you_mean(name, known)}",
         )  # fmt: skip


def pair(text: str, fields: Sequence[Field], name: str, *, as_json: bool) -> tuple[str, object]:
    """Return one ``key=value`` as key and TOML value; a secret in clear exits with 3."""
    key, sep, given = text.partition("=")
    if not sep:
        fail("DH105", f"'{text}' is no setting", exit_code=Exit.USAGE, as_json=as_json,
             fix=f"write key=value, as in: deskhub adapter configure {name} base_url=https://…",
             )  # fmt: skip
    field = next((one for one in fields if one.name == key), None)
    value = _value(given, field)
    # An adapter that is switched off is not checked, and a secret must not get in there either.
    if field is not None and field.is_secret and not is_reference(value):
        fail("DH301", f"'{key}' is a secret and was given in plain text",
             exit_code=Exit.CONFIGURATION, as_json=as_json,
             why="hub.toml is committed, backed up and shown in diagnostics",
             fix=f"write {key}=env:NAME, {key}=file:PATH or {key}=store:NAME")  # fmt: skip
    return key, value


def _value(given: str, field: Field | None) -> object:
    """Return what a person typed as the field's kind of value; a wrong one stays a text."""
    kind, _, target = given.partition(":")
    if field is not None and field.is_secret and kind in KINDS and target:
        return {kind: target}
    if field is None or field.kind in ("text", "choice"):
        return given
    try:
        return tomllib.loads(f"value = {given}")["value"]
    except tomllib.TOMLDecodeError:
        return given


def _ask(name: str, fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, object]:
    """Ask the person at the terminal for what is needed and not there yet."""
    told: dict[str, object] = {}
    for field in fields:
        if not field.is_required or field.name in values:
            continue
        hint(field.text)
        if field.is_secret:
            usual = f"{name}_{field.name}".upper().replace("-", "_")
            variable = typer.prompt(f"{field.name}: environment variable that holds it",
                                    default=usual, err=True)  # fmt: skip
            told[field.name] = {"env": variable}
        else:
            told[field.name] = _value(typer.prompt(field.name, err=True), field)
    return told


def _list(fields: Sequence[Field], values: Mapping[str, Any], *, as_json: bool) -> None:
    """Print every setting with what it is now."""
    rows = [(one, _shown(one, values)) for one in fields]
    if as_json:
        document([
            {"name": one.name, "kind": one.kind, "secret": one.is_secret,
             "required": one.is_required, "value": shown, "text": one.text}
            for one, shown in rows
        ])  # fmt: skip
        return
    table(
        ("SETTING", "VALUE", ""),
        [
            (one.name, "-" if shown is None else str(shown),
             ("needed. " if one.is_required and shown is None else "") + one.text)
            for one, shown in rows
        ],
    )  # fmt: skip


def _shown(field: Field, values: Mapping[str, Any]) -> object:
    """Return what a setting is now; of a secret only that there is one."""
    if field.is_secret:
        return "••••" if field.name in values else None
    return values.get(field.name, field.default)
