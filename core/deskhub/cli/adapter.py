"""``deskhub adapter``: what is installed and what hub.toml makes of it; no server is asked."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import typer

from deskhub.cli.checked import read
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail_config, hint, located, say
from deskhub.config import Config, ConfigProblems, Instance, Problem
from deskhub.host.discovery import installed
from deskhub.host.examined import FILE_FAULTS, settings_problems

adapter_app = typer.Typer(help="See what connects to business systems.", no_args_is_help=True)


@adapter_app.callback()
def adapters() -> None:
    """See what connects to business systems."""


@adapter_app.command("list")
def show(config: ConfigOption = Path("hub.toml"), as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List the adapters of hub.toml and those that are installed and not used.

    Exits with 3 when one that is enabled could not start.
    """
    settings, found = read(config, as_json=as_json)
    if settings is None:
        fail_config(found, as_json=as_json)
    rows = _rows(settings, found)
    if as_json:
        document(rows)
    else:
        _print(rows)
    if any(row["enabled"] and row["problems"] for row in rows):
        raise SystemExit(Exit.CONFIGURATION)


def _rows(settings: Config, found: ConfigProblems) -> list[dict[str, Any]]:
    points = installed()
    named = sorted({one.path[1] for one in found.problems if one.path[:1] == ("adapters",)}
                   | set(settings.adapters))  # fmt: skip
    rows = [_row(name, settings.adapters.get(name), points, found) for name in named]
    used = {row["use"] for row in rows}
    rows += [
        {"id": None, "use": name, "version": _version(points, name), "enabled": False,
         "problems": []}
        for name in sorted(points)
        if name not in used
    ]  # fmt: skip
    return rows


def _row(
    name: str,
    instance: Instance | None,
    points: dict[str, EntryPoint],
    found: ConfigProblems,
) -> dict[str, Any]:
    """Return one instance; None means that its table could not be read."""
    own = [one for one in found.problems if one.path[:2] == ("adapters", name)]
    problems = [located(one, found) for one in own]
    if instance is not None and instance.enabled:
        problems += [
            located(
                Problem(
                    one.code, ("adapters", name), f"{one.what} ({one.where})", one.why, one.fix
                ),
                found,
            )
            for one in settings_problems(instance, points)[0].problems
            if one.code not in FILE_FAULTS
        ]
    use = instance.use if instance else name
    return {
        "id": name, "use": use, "version": _version(points, use),
        "enabled": instance.enabled if instance else True, "problems": problems,
    }  # fmt: skip


def _version(points: dict[str, EntryPoint], name: str) -> str | None:
    point = points.get(name)
    return point.dist.version if point is not None and point.dist is not None else None


def _print(rows: list[dict[str, Any]]) -> None:
    if not rows:
        hint("no adapter is installed here; see docs/adapters/ for those that exist")
        return
    say(f"{'INSTANCE':16} {'ADAPTER':12} {'VERSION':9} STATE")
    for row in rows:
        say(f"{row['id'] or '-':16} {row['use']:12} {row['version'] or '-':9} {_state(row)}")
        for problem in row["problems"]:
            say(f"  {problem['code']} {problem['what']}   fix: {problem['fix']}")


def _state(row: dict[str, Any]) -> str:
    if row["id"] is None:
        return "installed, not in hub.toml"
    if row["problems"]:
        return "cannot start"
    return "enabled" if row["enabled"] else "disabled"
