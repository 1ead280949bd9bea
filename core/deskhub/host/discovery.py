"""Finds the adapters that hub.toml enables, imports only those, and explains what does not fit.

Every instance is looked at by itself: one that fails is set aside with its problems, and the
others do not notice.
"""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidationError

from deskhub.config import Instance
from deskhub.host.elsewhere import installed_in, packages_of
from deskhub.host.isolation.proxy import proxy_class
from deskhub.host.manifests import import_paths, manifest_of_point
from deskhub.host.problems import Problem, config_problems, did_you_mean
from deskhub_sdk import SDK_VERSION, SPECS, Adapter, Config, Hooks, HookSpec, Meta
from deskhub_sdk.hooks import PROJECT
from deskhub_sdk.manifest import ManifestInvalid, asked_by, hooks_in, manifest_of

GROUP = "deskhub.adapters"

_RANGE = re.compile(r"(>=|<=|==|!=|<|>)\s*([0-9]+(?:\.[0-9]+)*)\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """An enabled instance that was looked at; with problems it must not be started.

    *adapter* is None when not even the class could be had.
    """

    settings: Instance
    adapter: type[Adapter[Any]] | None
    config: Config | None
    version: str
    hooks: frozenset[str]
    problems: tuple[Problem, ...]


def installed() -> dict[str, EntryPoint]:
    """Return the entry points of every installed adapter, by name; imports nothing."""
    return {point.name: point for point in entry_points(group=GROUP)}


def look_at(settings: Instance, points: Mapping[str, EntryPoint]) -> Found:
    """Import the adapter that *settings* use and check it and its settings."""
    point = points.get(settings.use)
    packages = packages_of(settings.use)
    if point is None or len(packages) > 1:
        return _aside(settings, _not_one(settings, points, packages))
    version = point.dist.version if point.dist is not None else ""
    try:
        manifest = manifest_of_point(point)
    except ManifestInvalid as error:
        return _aside(settings, _bad_manifest(point, error), version)
    if manifest is not None and settings.isolation == "process":
        stand_in = proxy_class(manifest, import_paths(point))
        return check(settings, stand_in, version)
    try:
        loaded = point.load()
    except AttributeError as error:
        return _aside(settings, _points_nowhere(point, error), version)
    # An adapter's module may raise anything while it is imported, SystemExit included.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return _aside(settings, _import_failed(point, error), version)
    if not (inspect.isclass(loaded) and issubclass(loaded, Adapter)):
        return _aside(settings, _no_adapter(point, loaded), version)
    found = check(settings, loaded, version)
    if settings.isolation == "process" and not found.problems:
        made = manifest_of(loaded, entry=point.value, version=version)
        return check(settings, proxy_class(made, import_paths(point)), version)
    return found


def check(settings: Instance, adapter: type[Adapter[Any]], version: str) -> Found:
    """Check the class *adapter* and the settings of one instance of it."""
    problems = list(class_problems(adapter))
    config: Config | None = None
    model = getattr(adapter, "config_model", Config)
    try:
        config = model.model_validate(dict(settings.config))
    except ValidationError as error:
        problems += config_problems(settings.id, error, model.model_fields)
    return Found(settings, adapter, config, version, hooks_of(adapter), tuple(problems))


def class_problems(adapter: type[Adapter[Any]]) -> Iterable[Problem]:
    """Yield what in the class does not fit this hub."""
    meta = getattr(adapter, "meta", None)
    if not isinstance(meta, Meta):
        yield Problem(
            "DH508", "incompatible", f"{adapter.__name__} has no meta", _place(adapter),
            "the hub learns name, SDK range and permissions from it.",
            "add meta = Meta(id=…, name=…, sdk=…).",
        )  # fmt: skip
        return
    try:
        fits = sdk_fits(meta.sdk)
    except ValueError as error:
        yield Problem(
            "DH211", "incompatible", f"'{meta.sdk}' is not a range of versions",
            _place(adapter), f"{error}.", 'write for example sdk=">=1.0,<2".',
        )  # fmt: skip
    else:
        if not fits:
            yield Problem(
                "DH210", "incompatible", f"{meta.id} needs SDK {meta.sdk}", _place(adapter),
                f"this hub has SDK {SDK_VERSION}.", "install a release of it that fits.",
            )  # fmt: skip
    for hook, function in hooks_in(adapter):
        yield from _hook_problems(hook, function)


def leaving(adapter: type[Adapter[Any]], specs: Mapping[str, HookSpec] = SPECS) -> list[str]:
    """Return what *adapter* asks for that a later release will not offer any more."""
    return [
        f"{hook}() asks for '{argument}': {specs[hook].leaving[argument]}"
        for hook, function in hooks_in(adapter)
        if hook in specs
        for argument in asked_by(function)
        if argument in specs[hook].leaving
    ]


def sdk_fits(wanted: str, have: str = SDK_VERSION) -> bool:
    """Return whether the version *have* lies in *wanted* (``>=1.0,<2``).

    Raises `ValueError` when *wanted* is not such a list.
    """
    version = _parts(have)
    for part in wanted.split(","):
        match = _RANGE.match(part.strip())
        if match is None:
            raise ValueError(f"cannot read {part.strip()!r}")
        if not _COMPARE[match[1]](version, _parts(match[2])):
            return False
    return True


def hooks_of(adapter: type[Adapter[Any]]) -> frozenset[str]:
    """Return the hooks that *adapter* answers."""
    return frozenset(name for name, _ in hooks_in(adapter))


def _hook_problems(hook: str, function: Callable[..., Any]) -> Iterable[Problem]:
    where, name = _place(function), function.__name__
    if hook not in SPECS:
        yield Problem(
            "DH503", "incompatible", f"'{hook}' is not a hook", where,
            "it would never be called.",
            f"rename it or remove @hookimpl.{did_you_mean(hook, SPECS)}",
        )  # fmt: skip
        return
    options = getattr(function, f"{PROJECT}_impl")
    if options.get("wrapper") or options.get("hookwrapper"):
        yield Problem(
            "DH507", "incompatible", f"{hook}() is a wrapper", where,
            "adapters cannot wrap each other's answers.", "answer the hook itself.",
        )  # fmt: skip
    offered = asked_by(getattr(Hooks, hook))
    for argument in asked_by(function):
        if argument not in offered:
            yield Problem(
                "DH504", "incompatible", f"{hook}() asks for '{argument}'", where,
                f"it is offered: {', '.join(offered) or 'nothing'}.",
                f"rename the argument or leave it out.{did_you_mean(argument, offered)}",
            )  # fmt: skip
    spec: HookSpec = SPECS[hook]
    if spec.policy != "collect" and not inspect.iscoroutinefunction(function):
        yield Problem(
            "DH505", "incompatible", f"{hook}() is not async", where,
            "it would stop every chat while it works.", f"write async def {name}(…).",
        )  # fmt: skip


def _aside(settings: Instance, problem: Problem, version: str = "") -> Found:
    return Found(settings, None, None, version, frozenset(), (problem,))


def _not_one(
    settings: Instance, points: Mapping[str, EntryPoint], packages: Sequence[str]
) -> Problem:
    """Return the problem of an adapter that is not installed here, or more than once."""
    if len(packages) > 1:
        return Problem(
            "DH506", "incompatible", f"{len(packages)} packages offer '{settings.use}'",
            f"[adapters.{settings.id}] use",
            f"they are {', '.join(packages)}, and which would run is chance.",
            f"keep one: pip uninstall {packages[-1]}",
        )  # fmt: skip
    if (place := installed_in(settings.use)) is not None:
        return Problem(
            "DH205", "incompatible", f"'{settings.use}' is installed for another Python",
            f"[adapters.{settings.id}] use",
            f"it is in {place}, and Deskhub runs in {sys.prefix}.",
            f"{sys.executable} -m pip install deskhub-{settings.use}",
        )  # fmt: skip
    names = ", ".join(sorted(points)) or "none"
    return Problem(
        "DH201", "incompatible", f"the adapter '{settings.use}' is not installed",
        f"[adapters.{settings.id}] use", f"installed in this environment: {names}.",
        f"install deskhub-{settings.use} or correct the name."
        f"{did_you_mean(settings.use, points)}",
    )  # fmt: skip


def _points_nowhere(point: EntryPoint, error: AttributeError) -> Problem:
    return Problem(
        "DH501", "incompatible", f"the entry point '{point.name}' points nowhere",
        f"{point.name} = {point.value}", f"{error}.",
        "correct the entry point in the adapter's pyproject.toml and install it again.",
    )  # fmt: skip


def _bad_manifest(point: EntryPoint, error: ManifestInvalid) -> Problem:
    return Problem(
        "DH509", "incompatible", f"the manifest of '{point.name}' cannot be read",
        f"{point.name} = {point.value}", f"{error}.", "build and install the adapter again.",
    )  # fmt: skip


def _import_failed(point: EntryPoint, error: BaseException) -> Problem:
    # The deepest frame is where the adapter's author has to look.
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if "importlib" not in one.filename]
    where = f"{own[-1].filename}:{own[-1].lineno}" if own else point.value
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}:{error.lineno}"
    return Problem(
        "DH502", "incompatible", f"{point.module} cannot be imported", where,
        f"{type(error).__name__}: {error}.",
        "install what is missing or correct the module; the hub goes on without it.",
    )  # fmt: skip


def _no_adapter(point: EntryPoint, loaded: object) -> Problem:
    return Problem(
        "DH501", "incompatible", f"the entry point '{point.name}' is no adapter",
        f"{point.name} = {point.value}", f"it is a {type(loaded).__name__}.",
        "let it name a subclass of deskhub_sdk.Adapter.",
    )  # fmt: skip


def _place(thing: Any) -> str:  # noqa: ANN401  anything with source
    told = getattr(thing, "__deskhub_place__", None)
    if told is not None:
        return str(told)
    try:
        return f"{inspect.getsourcefile(thing)}:{inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):
        return str(getattr(thing, "__qualname__", thing))


def _parts(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


_COMPARE: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": lambda have, wanted: have >= wanted,
    "<=": lambda have, wanted: have <= wanted,
    "==": lambda have, wanted: have == wanted,
    "!=": lambda have, wanted: have != wanted,
    "<": lambda have, wanted: have < wanted,
    ">": lambda have, wanted: have > wanted,
}
