"""hub.toml with everything that can be known before a start, adapters' settings included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

from pydantic import SecretStr

from deskhub.config import (
    Config,
    ConfigProblems,
    Instance,
    Market,
    Problem,
    literal_secret,
    parse,
)
from deskhub.host.discovery import Found, installed, look_at
from deskhub.host.problems import Problem as HostProblem

# An adapter that cannot be imported is set aside alone; wrong settings are the file's fault.
FILE_FAULTS = frozenset({"DH201", "DH202", "DH203", "DH204", "DH205"})


def examine(
    path: Path, source: str, points: Mapping[str, EntryPoint] | None = None
) -> tuple[Config | None, ConfigProblems]:
    """Return what could be read of *source*, the text of *path*, and every problem in it.

    The configuration is None when the text is no TOML. What has problems is left out of it.
    *points* replaces the installed entry points.
    """
    problems: list[Problem] = []
    config: Config | None
    try:
        config = parse(path, source)
    except ConfigProblems as found:
        config, problems = found.config, list(found.problems)
    if config is not None:
        known = {one.path for one in problems}
        # A secret that is not there cannot fit either; a key that is not known is worth saying.
        problems += [
            one
            for one in _further(config, points)
            if one.code == "DH203" or one.path not in known
        ]
    return config, ConfigProblems(problems, source, path.name, config)


def settings_problems(
    instance: Instance, points: Mapping[str, EntryPoint]
) -> tuple[Found, list[Problem]]:
    """Return what the adapter behind *instance* is, and what is wrong with its settings."""
    found = look_at(instance, points)
    problems = [_located(instance, one) for one in found.problems if one.code in FILE_FAULTS]
    problems += _literal_secrets(instance, found)
    return found, problems


def _further(config: Config, points: Mapping[str, EntryPoint] | None) -> Iterable[Problem]:
    """Yield what the file alone does not show: missing features, adapters' own settings."""
    yield from _not_here(config)
    points = installed() if points is None else points
    for instance in config.adapters.values():
        if instance.enabled:
            yield from settings_problems(instance, points)[1]


def _not_here(config: Config) -> Iterable[Problem]:
    """Yield settings that the file's format knows and this version does not have.

    Ignoring them would be worse than refusing: a hub that was told to use another database
    would quietly write to none.
    """
    why = "it would be ignored, and you would believe that it holds"
    if config.market != Market():
        yield Problem("DH109", ("market",), "this version installs nothing by itself", why,
                      "remove [market]; install adapters with pip")  # fmt: skip


def _located(instance: Instance, problem: HostProblem) -> Problem:
    """Return a problem of the host as one of the file; it says ``[adapters.x.config] key``."""
    path: tuple[str, ...] = ("adapters", instance.id)
    table, _, key = problem.where.partition("] ")
    if key and table.endswith(".config"):
        path = (*path, "config", *key.split("."))
    elif key:
        path = (*path, key)
    what = problem.what
    if problem.code not in ("DH201", "DH205"):
        what = f"{what} in [adapters.{instance.id}.config]"
    why = problem.why.rstrip(".")
    why = f"{why[:1].lower()}{why[1:]}"
    return Problem(problem.code, path, what, why, problem.fix.rstrip("."))


def _literal_secrets(instance: Instance, found: Found) -> list[Problem]:
    """Return the settings that the adapter declares secret and that stand in the file."""
    if found.adapter is None:
        return []
    fields = found.adapter.config_model.model_fields
    return [
        literal_secret(("adapters", instance.id, "config", key))
        for key in instance.config
        if key not in instance.secret_keys
        and key in fields
        and SecretStr in (fields[key].annotation, *_parts(fields[key].annotation))
    ]


def _parts(annotation: object) -> tuple[object, ...]:
    found = getattr(annotation, "__args__", ())
    return (*found, *(part for one in found for part in getattr(one, "__args__", ())))
