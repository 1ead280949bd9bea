"""Bronze: it is what it says, starts, asks sparingly, and leaks no secret."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from deskhub_sdk.adapter import SDK_VERSION
from deskhub_sdk.cards import Card
from deskhub_sdk.errors import AdapterError, AuthRequired, ConfigInvalid, NotReady
from deskhub_sdk.hooks import SPECS, Hooks
from deskhub_sdk.manifest import (
    FILE_NAME,
    asked_by,
    decode_manifest,
    differences,
    hooks_in,
    import_entry,
)
from deskhub_sdk.testing.kit import sources
from deskhub_sdk.testing.kit.bench import TOKEN, Bench, Heard, Rig, as_context, card_problem
from deskhub_sdk.testing.kit.rules import Broken, rule
from deskhub_sdk.worker.wire import capability_shape, hook_shape

MANY = 300


@rule("bronze", "The manifest is valid and equal to the class.")
async def manifest(bench: Bench) -> None:
    """Compare the file with the class, and the class with the contract."""
    if import_entry(bench.entry) is not bench.cls:
        raise Broken(f"{bench.entry} is another class", where=bench.cls)
    for hook, function in hooks_in(bench.cls):
        _check_hook(hook, function)
    made = bench.manifest
    if not made.sdk.strip():
        raise Broken(f"no SDK range; this is SDK {SDK_VERSION}", where=bench.cls)
    file = bench.package / FILE_NAME
    if file.is_file() and not _is_old(file, bench):
        wrong = differences(decode_manifest(file.read_bytes()), bench.cls)
        if wrong:
            raise Broken(wrong[0], fix="build and install it again", where=file)


def _is_old(file: Path, bench: Bench) -> bool:
    """Return whether a module changed since; then the hub does not trust the file either."""
    made = file.stat().st_mtime
    return any(module.stat().st_mtime > made for module in bench.package.rglob("*.py"))


def _check_hook(hook: str, function: Any) -> None:  # noqa: ANN401  a method of the adapter
    if hook not in SPECS:
        raise Broken(f"{hook} is not a hook, so it would never be called", where=function)
    offered = asked_by(getattr(Hooks, hook))
    for argument in asked_by(function):
        if argument not in offered:
            raise Broken(
                f"{hook}() asks for '{argument}', which is not offered",
                fix=f"it is offered: {', '.join(offered) or 'nothing'}",
                where=function,
            )
    if not asyncio.iscoroutinefunction(function):
        raise Broken(f"{hook}() is not async", fix=f"write async def {hook}", where=function)


@rule("bronze", "It imports the SDK, its own dependencies, and no way out but ctx.http.")
async def imports(bench: Bench) -> None:
    """Read every import of the package."""
    own = {bench.package.name, "deskhub_sdk", *sources.declared(bench.folder)}
    sockets = bench.cls.meta.permissions.sockets
    for file, tree in sources.modules(bench.package):
        for module, line in sources.imports(tree):
            top = module.partition(".")[0]
            if top == sources.HUB or (top.startswith("deskhub_") and top not in own):
                raise Broken(
                    f"imports {module}",
                    where=(file, line),
                    fix="an adapter knows the SDK and nothing else of Deskhub",
                )
            own_client = top in sources.CLIENTS or module.startswith("urllib.request")
            if own_client and not sockets and module != "http.HTTPStatus":
                raise Broken(
                    f"imports {module}, a network client of its own",
                    where=(file, line),
                    fix="use ctx.http",
                )
            known = sources.is_standard(module) or top in own or _comes_along(top)
            if not known and not sockets:
                raise Broken(
                    f"imports {module}, which is not among its dependencies",
                    where=(file, line),
                    fix="declare it in pyproject.toml",
                )


def _comes_along(top: str) -> bool:
    """Return whether the SDK brings *top* along."""
    return top in ("pydantic", "pydantic_core", "msgspec", "pluggy", "typing_extensions")


@rule("bronze", "Every setting is described; wrong settings have a message.")
async def config(bench: Bench) -> None:
    """Look at the schema, and give the model nonsense."""
    model = bench.cls.config_model
    for name, field in model.model_fields.items():
        if not field.description:
            raise Broken(
                f"the setting '{name}' has no description",
                where=model,
                fix=f'{name}: … = Field(description="…")',
            )
    try:
        model.model_validate({"surely_not_a_setting": 1})
    except ValidationError as error:
        if not all(one["msg"] for one in error.errors()):
            raise Broken("a wrong setting has no message", where=model) from None
    else:
        raise Broken(
            "unknown settings are accepted",
            where=model,
            fix="derive the settings from deskhub_sdk.Config",
        )


@rule("bronze", "It starts and stops.")
async def lifecycle(bench: Bench) -> None:
    """Start it against its simulator, ask for its health, stop it."""
    async with bench.rig() as rig:
        health = await rig.ask.check()
    if not health.ok:
        raise Broken(f"it says it is not well: {health.text}", where=bench.cls.check_connection)


@rule("bronze", "Refused credentials are AuthRequired, or said by its health.")
async def auth_typed(bench: Bench) -> None:
    """Let the system answer 401."""
    async with bench.rig() as rig:
        rig.fault("401")
        await _typed(rig, bench, (AuthRequired, ConfigInvalid))


@rule("bronze", "A system that is not there is a typed answer, at the start too.")
async def not_ready_typed(bench: Bench) -> None:
    """Stop the system, then start the adapter."""
    async with bench.system() as simulator:
        settings = bench.settings(simulator)
    from deskhub_sdk.testing.context import given_context  # noqa: PLC0415

    async with given_context(timeout_s=0.5) as ctx:
        adapter = bench.cls(bench.config(settings))
        try:
            await adapter.start(as_context(ctx))
        except (NotReady, AdapterError):
            return
        try:
            health = await adapter.check_connection()
        except AdapterError:
            health = None
        finally:
            await adapter.stop()
    if health is not None and health.ok and bench.reaches_out:
        raise Broken(
            "it says all is well while its system is gone", where=bench.cls.check_connection
        )


async def _typed(rig: Rig, bench: Bench, kinds: tuple[type[Exception], ...]) -> None:
    """Ask for the health and every reading; failures must be of the contract."""
    try:
        health = await rig.ask.check()
    except kinds:
        health = None
    if health is not None and health.ok and bench.reaches_out:
        raise Broken(
            "it says all is well while its system refuses it", where=bench.cls.check_connection
        )
    for method, ids in {m: i for m, i in (await _ids(rig)).items() if i}.items():
        try:
            await rig.ask.read(method, ids[:3])
        except AdapterError:
            continue
        raise Broken(
            f"{method} answers as if nothing were wrong", where=getattr(bench.cls, method)
        )


async def _ids(rig: Rig) -> dict[str, list[str]]:
    try:
        return await rig.ask.ids()
    except AdapterError:
        return {}


@rule("bronze", "300 ids are ⌈300 ÷ max_batch⌉ calls.")
async def batching(bench: Bench) -> None:
    """Read 300 ids with each method that takes ids, and count what leaves."""
    bench.needs(capabilities=True)
    async with bench.rig() as rig:
        for method, known in (await rig.ask.ids()).items():
            ids = known[:MANY]
            ids += [_like(known[0], number) for number in range(MANY - len(ids))]
            before = len(rig.ctx.http.calls)
            await asyncio.gather(*(rig.ask.read(method, [one]) for one in ids))  # noqa: TID251  all in one turn
            made = len(rig.ctx.http.calls) - before
            most = math.ceil(MANY / bench.cls.meta.max_batch)
            if made > most:
                raise Broken(
                    f"{method}: {MANY} ids are {made} calls, {most} would do",
                    fix="read through ctx.loader(…)",
                    where=getattr(bench.cls, method),
                )


def _like(known: str, number: int) -> str:
    """Return an id in the shape of *known*, so that no system stumbles over its form."""
    return re.sub(r"[0-9]+\Z", lambda old: str(number).zfill(len(old[0])), known)


@rule("bronze", "Ids that do not exist are absent, the others are there.")
async def missing_ids(bench: Bench) -> None:
    """Mix ids that exist with one that does not."""
    bench.needs(capabilities=True)
    async with bench.rig() as rig:
        for method, ids in (await rig.ask.ids()).items():
            absent = _like(ids[0], 0)
            wanted = [*ids[:5], absent]
            try:
                found = await rig.ask.read(method, wanted)
            except AdapterError as error:
                raise Broken(
                    f"{method} fails for one unknown id: {error}",
                    where=getattr(bench.cls, method),
                ) from error
            if absent in found:
                raise Broken(
                    f"{method} answers for an id that does not exist",
                    where=getattr(bench.cls, method),
                )
            if not found:
                raise Broken(
                    f"{method} answers nothing for ids that exist",
                    where=getattr(bench.cls, method),
                )


@rule("bronze", "Answers are the contract's records: times with zone, money as decimal.")
async def records(bench: Bench) -> None:
    """Send every answer through the format that crosses processes."""
    async with bench.rig() as rig:
        told = await rig.ask.everything()
    shapes = {name: hook_shape(name) for name in bench.manifest.hooks if name in SPECS}
    for capability, methods in bench.manifest.capabilities.items():
        shapes |= {method: capability_shape(capability, method) for method in methods}
    for name, value in told.items():
        where = getattr(bench.cls, name, bench.cls)
        for card in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
            if name == "conversation_cards" and (problem := card_problem(card)):
                raise Broken(f"a card breaks the format: {problem}", where=where)
        if name in shapes:
            try:
                shapes[name].decode_answer(bytes(shapes[name].encode_answer(value)))
            except AdapterError as error:
                raise Broken(f"{name}: {error}", where=where) from error
    _check_clock(bench)


def _check_clock(bench: Bench) -> None:
    for file, tree in sources.modules(bench.package):
        for call, node in sources.calls(tree):
            naive = call in ("datetime.now", "datetime.datetime.now") and not node.args
            if (naive and not node.keywords) or call.endswith("utcnow"):
                raise Broken(
                    f"{call}() has no zone",
                    fix="use ctx.clock.now()",
                    where=(file, node.lineno),
                )


@rule("bronze", "Secrets are in no log, card, error, or diagnosis.")
async def secrets(bench: Bench) -> None:
    """Ask everything, then make it fail, and look for the secret in what came out."""
    heard = Heard()
    root = logging.getLogger()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    seen: list[str] = []
    try:
        async with bench.rig() as rig:
            canaries = {TOKEN, *_secret_values(bench, rig)}
            seen.append(_text(await rig.ask.everything()))
            for kind in ("401", "500", "malformed"):
                rig.fault(kind)
                seen += await rig.ask.failures()
                rig.mend()
    finally:
        root.removeHandler(heard)
        root.setLevel(level)
    for where, texts in (("an answer or error", seen), ("the log", heard.lines)):
        for text in texts:
            if any(secret in text for secret in canaries if secret):
                raise Broken(
                    f"a secret stands in {where}",
                    where=bench.cls,
                    fix="never put settings into texts",
                )


def _secret_values(bench: Bench, rig: Rig) -> set[str]:
    config = rig.adapter.config
    return {
        value.get_secret_value()
        for name in bench.cls.config_model.model_fields
        if hasattr(value := getattr(config, name), "get_secret_value")
    }


def _text(told: Any) -> str:  # noqa: ANN401
    return msgspec.json.encode(told, enc_hook=str).decode()


@rule("bronze", "A README and a docstring say what it does.")
async def documented(bench: Bench) -> None:
    """Look for README.md and the class's docstring."""
    readme = bench.folder / "README.md"
    if not readme.is_file() or len(readme.read_text(encoding="utf-8").split()) < 20:
        raise Broken(
            "README.md is missing or says next to nothing",
            where=bench.folder / "README.md",
            fix="say what it shows and changes, and what it needs",
        )
    if not bench.cls.__doc__ or bench.cls.__doc__ == bench.cls.__mro__[1].__doc__:
        raise Broken(f"{bench.cls.__name__} has no docstring", where=bench.cls)


@rule("bronze", "It answers the same in a process of its own.")
async def in_a_process(bench: Bench) -> None:
    """Start it in a worker and compare."""
    async with bench.rig() as rig:
        inline = await rig.ask.everything()
        health = await rig.ask.check()
        async with bench.apart(rig.simulator) as apart:
            remote = await apart.everything()
            there = await apart.check()
    if there.ok != health.ok:
        raise Broken(f"in a process it says: {there.text}", where=bench.cls.check_connection)
    for name, value in inline.items():
        if name != "diagnostics" and _comparable(value) != _comparable(remote[name]):
            raise Broken(
                f"{name} answers something else in a process",
                where=getattr(bench.cls, name, bench.cls),
            )


def _comparable(value: Any) -> Any:  # noqa: ANN401
    """Return *value* as data; the moment a card was made is not compared."""
    if isinstance(value, Sequence) and value and isinstance(value[0], Card):
        value = [msgspec.structs.replace(card, as_of=None, rev=0) for card in value]
    return msgspec.json.decode(msgspec.json.encode(value))
