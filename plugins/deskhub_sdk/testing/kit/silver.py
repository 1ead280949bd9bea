"""Silver: it leaks nothing, keeps deadlines, and survives a bad day of its far side."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from time import monotonic
from typing import Any

from deskhub_sdk.errors import AdapterError, Throttled
from deskhub_sdk.testing.kit import sources
from deskhub_sdk.testing.kit.bench import Bench, Rig, as_context, settled
from deskhub_sdk.testing.kit.rules import Broken, NotApplicable, rule

CYCLES = 20
LATE_S = 3.0
MOST_OF_ONE = 50
BLOCKED_S = 0.25
FAULTS = ("500", "malformed", "reset", "timeout_before")


@rule("silver", "20 starts and stops leave no task, thread or file behind.")
async def no_leaks(bench: Bench) -> None:
    """Start and stop again and again on one context."""
    async with bench.system() as simulator:
        config = bench.config(bench.settings(simulator))
        await _cycle(bench, config)
        before = await _left_over()
        for _ in range(CYCLES):
            await _cycle(bench, config)
        after = await _left_over()
    for name, was in before.items():
        if after[name] > was + (2 if name == "files" else 0):
            raise Broken(
                f"{name}: {was} became {after[name]} after {CYCLES} starts and stops",
                fix="free in stop() what start() took",
                where=bench.cls.stop,
            )


async def _cycle(bench: Bench, config: Any) -> None:  # noqa: ANN401
    from deskhub_sdk.testing.context import given_context  # noqa: PLC0415

    async with given_context(timeout_s=0.8) as ctx:
        adapter = bench.cls(config)
        await adapter.start(as_context(ctx))
        await adapter.check_connection()
        await adapter.stop()
        own = set(ctx.tasks.running)
    if any(not task.done() for task in own):
        raise Broken("a background task does not end", where=bench.cls.start)


async def _left_over() -> dict[str, int]:
    await settled()
    await asyncio.sleep(0.05)
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "files": _open_files(),
    }


def _open_files() -> int:
    """Return how many files this process has open, where the system tells."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


async def _reading(rig: Rig) -> Callable[[], Awaitable[Any]]:
    """Return one question that asks the far side every time."""
    ids = await rig.ask.ids()
    if ids:
        method, known = next((m, i) for m, i in ids.items())
        numbers = iter(range(10**6))

        async def ask() -> Any:  # noqa: ANN401
            return await rig.ask.read(method, [*known[:1], f"fresh-{next(numbers)}"])

        return ask
    return rig.ask.check


@rule("silver", "A cancelled question hurts nobody.")
async def cancel_safe(bench: Bench) -> None:
    """Cancel while the far side is slow, then ask again."""
    async with bench.rig() as rig:
        ask = await _reading(rig)
        rig.fault("slow", after_s=0.3)
        try:
            async with asyncio.timeout(0.05):
                await ask()
        except TimeoutError:
            pass
        except AdapterError:
            pass
        rig.mend()
        try:
            await ask()
        except AdapterError as error:
            raise Broken(
                f"after a cancelled question the next one fails: {error}", where=bench.cls
            ) from error


@rule("silver", "No answer takes longer than the deadline of its context.")
async def deadline(bench: Bench) -> None:
    """Let the far side never answer."""
    async with bench.rig() as rig:
        ask = await _reading(rig)
        rig.fault("timeout_before")
        began = monotonic()
        try:
            async with asyncio.timeout(LATE_S):
                await ask()
        except (AdapterError, TimeoutError):
            pass
        took = monotonic() - began
    if took >= LATE_S:
        raise Broken(
            f"an answer takes {LATE_S:g} s or more while the far side is silent",
            where=bench.cls,
            fix="let ctx.http keep the time",
        )


@rule("silver", "It never blocks the loop.")
async def never_blocks(bench: Bench) -> None:
    """Look for blocking calls in the source, and for a loop that stands still."""
    for file, tree in sources.modules(bench.package):
        for call, node in sources.calls(tree):
            if call in sources.BLOCKING:
                raise Broken(
                    f"{call}() stops every chat while it works",
                    fix=f"use {sources.BLOCKING[call]}",
                    where=(file, node.lineno),
                )
    async with bench.rig() as rig:
        await rig.ask.everything()
        pauses = [await _longest_pause(rig.ask.everything) for _ in range(3)]
    if min(pauses) > BLOCKED_S:
        raise Broken(f"the loop stood still for {min(pauses):.2f} s", where=bench.cls)


async def _longest_pause(work: Callable[[], Awaitable[Any]]) -> float:
    longest = 0.0
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        last = monotonic()
        while not done.is_set():
            await asyncio.sleep(0.01)
            longest, last = max(longest, monotonic() - last), monotonic()

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        try:
            await work()
        finally:
            done.set()
    return longest


@rule("silver", "Retry-After is waited for, or handed on.")
async def retry_after(bench: Bench) -> None:
    """Let the far side answer 429 and ask for a long pause."""
    async with bench.rig() as rig:
        ask = await _reading(rig)
        before = len(rig.ctx.http.calls)
        rig.fault("429", after_s=7)
        try:
            await ask()
        except Throttled as error:
            if error.retry_after_s != 7:
                raise Broken(
                    f"Retry-After: 7 became {error.retry_after_s}", where=bench.cls
                ) from error
        except AdapterError:
            pass
        made = len(rig.ctx.http.calls) - before
    if made > 3:
        raise Broken(f"429 was answered with {made} calls at once", where=bench.cls)


@rule("silver", "500, malformed, silent and broken connections are typed.")
async def faults_typed(bench: Bench) -> None:
    """Let the far side fail in each way, and ask."""
    async with bench.rig() as rig:
        ask = await _reading(rig)
        for kind in FAULTS:
            rig.fault(kind)
            for question in (ask, rig.ask.check):
                await _expect_typed(bench, kind, question)
            rig.mend()


async def _expect_typed(bench: Bench, kind: str, ask: Callable[[], Awaitable[Any]]) -> None:
    from deskhub_sdk.worker.failures import place_of  # noqa: PLC0415

    try:
        async with asyncio.timeout(LATE_S * 2):
            answer = await ask()
    except AdapterError:
        return
    except Exception as error:
        file, _, line = place_of(error).rpartition(":")
        raise Broken(
            f"'{kind}' becomes {type(error).__name__}",
            fix="raise an error of the contract",
            where=(file, line or 0),
        ) from error
    if getattr(answer, "ok", True) and bench.reaches_out:
        raise Broken(f"'{kind}' is answered as if nothing were wrong", where=bench.cls)


@rule("silver", "It recovers by itself when its far side does.")
async def reconnects(bench: Bench) -> None:
    """Let the far side fail, mend it, ask again."""
    async with bench.rig() as rig:
        ask = await _reading(rig)
        for kind in ("500", "reset"):
            rig.fault(kind)
            with suppress(AdapterError):
                await ask()
            rig.mend()
            try:
                await ask()
                health = await rig.ask.check()
            except AdapterError as error:
                raise Broken(
                    f"after '{kind}' it stays broken: {error}", where=bench.cls
                ) from error
            if not health.ok:
                raise Broken(f"after '{kind}' it says: {health.text}", where=bench.cls)


@rule("silver", "Two instances do not mix.")
async def isolated(bench: Bench) -> None:
    """Run two against two systems, and fail one."""
    async with bench.rig(instance="one") as one, bench.rig(instance="two") as two:
        first, second = await _reading(one), await _reading(two)
        one.fault("500")
        with suppress(AdapterError):
            await first()
        try:
            await second()
        except AdapterError as error:
            raise Broken(
                f"one instance's trouble is the other's: {error}", where=bench.cls
            ) from error


@rule("silver", "New settings hold beside the old ones, whose calls end in peace.")
async def reloads(bench: Bench) -> None:
    """Start one beside another of the same name, stop the older one, ask the newer one."""
    async with AsyncExitStack() as newer:
        async with bench.rig() as old:
            new = await newer.enter_async_context(bench.rig())
            before, after = await _reading(old), await _reading(new)
            await after()
            try:
                await before()
            except AdapterError as error:
                raise Broken(
                    f"with a new one beside it the old one fails: {error}",
                    where=bench.cls.start,
                    fix="keep nothing in the class or the module",
                ) from error
        try:
            await after()
        except Exception as error:
            raise Broken(
                f"when the old one stops the new one fails: {error}",
                where=bench.cls.stop,
                fix="free in stop() only what this object took",
            ) from error


@rule("silver", "Lists of one customer are bounded.")
async def bounded(bench: Bench) -> None:
    """Ask for everything of every customer of the demo world."""
    methods = [m for many in bench.manifest.capabilities.values() for m in many]
    lists = [method for method in methods if method.endswith("_of")]
    if not lists:
        raise NotApplicable("it lists nothing")
    async with bench.rig() as rig:
        for method in lists:
            found = await rig.ask.read(method, list(rig.simulator.world.people))
            longest = max((len(ids) for ids in found.values()), default=0)
            if longest > MOST_OF_ONE:
                raise Broken(
                    f"{method} answers {longest} ids for one customer, at most {MOST_OF_ONE}",
                    where=getattr(bench.cls, method),
                )


@rule("silver", "English and Chinese are complete.")
async def languages(bench: Bench) -> None:
    """Compare keys and placeholders of the texts."""
    texts = bench.cls.meta.texts
    if not texts:
        if "conversation_cards" in bench.manifest.hooks:
            raise Broken(
                "it shows cards and has no texts",
                where=bench.cls,
                fix='Meta(texts={"en": {…}, "zh-CN": {…}})',
            )
        raise NotApplicable("it shows nothing")
    missing = [language for language in ("en", "zh-CN") if language not in texts]
    if missing:
        raise Broken(f"there are no texts in {', '.join(missing)}", where=bench.cls)
    english, chinese = texts["en"], texts["zh-CN"]
    for key in english.keys() ^ chinese.keys():
        raise Broken(f"the text '{key}' is in one language only", where=bench.cls)
    for key, text in english.items():
        if _slots(text) != _slots(chinese[key]):
            raise Broken(
                f"the text '{key}' fills {_slots(text)} in English and"
                f" {_slots(chinese[key])} in Chinese",
                where=bench.cls,
            )


def _slots(text: str) -> list[str]:
    return sorted(set(re.findall(r"{(\w+)", text)))
