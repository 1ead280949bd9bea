"""What asking costs: nobody listens, ten adapters answer, and pluggy alone with ten plugins."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pluggy

from deskhub.host.asking import Listener
from deskhub.host.discovery import hooks_of
from deskhub.host.errors import NotRunning
from deskhub.host.guard import Guard
from deskhub.host.runner import HookRunner
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import hookimpl
from tests.load.rates import Plan, Told
from tests.load.report import Row

ADAPTERS = 10
ROUNDS = 7
_spec, _impl = pluggy.HookspecMarker("plain"), pluggy.HookimplMarker("plain")


class Quick:
    """Answers at once."""

    @hookimpl
    async def conversation_cards(self) -> Sequence[Any]:
        return ()


class PlainSpec:
    @_spec
    def conversation_cards(self) -> Sequence[Any]:
        """Answer."""
        return ()


class PlainQuick:
    @_impl
    def conversation_cards(self) -> Sequence[Any]:
        return ()


async def hooks(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the row of the hook runner."""
    owner = TaskOwner()
    nobody, ten = HookRunner(owner), HookRunner(owner)
    for number in range(ADAPTERS):
        ten.expect(
            Listener(
                f"a{number}", "main", Guard(time.monotonic), hooks_of(Quick),
                NotRunning("starting", ""), lambda _: None,
            )
        )  # fmt: skip
        ten.attach(f"a{number}", Quick())
    manager = pluggy.PluginManager("plain")
    manager.add_hookspecs(PlainSpec)
    for number in range(ADAPTERS):
        manager.register(PlainQuick(), name=f"p{number}")

    async def plain() -> None:
        manager.hook.conversation_cards()

    asked = await ten.gather("conversation_cards", "main", conversation=None).all()
    if [answer.state for answer in asked] != ["ok"] * ADAPTERS:
        raise RuntimeError("not every adapter answered")
    find_us = _each(lambda: nobody.listeners("conversation_cards", "main"), 100_000)
    none_us = await _each_awaited(lambda: _all(nobody), 20_000)
    ten_us = await _each_awaited(lambda: _all(ten), 1_000)
    plain_us = await _each_awaited(plain, 5_000)
    await owner.close(0.1)
    yield Row(
        f"hook runner: is anybody there / nobody asked / {ADAPTERS} adapters",
        f"{find_us:.2f} / {none_us:.2f} / {ten_us:.0f} µs (pluggy alone {plain_us:.1f} µs)",
        "0.06 µs / 41 µs",
        find_us <= 0.12 and ten_us <= 82,
        {"find_us": find_us, "nobody_us": none_us, "ten_us": ten_us, "pluggy_us": plain_us},
    )


async def _all(runner: HookRunner) -> None:
    # As the hub does it: a hook without listeners is not asked at all.
    if runner.listeners("conversation_cards", "main"):
        await runner.gather("conversation_cards", "main", conversation=None).all()


def _each(do: Callable[[], object], times: int) -> float:
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(times):
            do()
        rounds.append((time.perf_counter() - began) / times * 1e6)
    return statistics.median(rounds)


async def _each_awaited(do: Callable[[], Awaitable[object]], times: int) -> float:
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(times):
            await do()
        rounds.append((time.perf_counter() - began) / times * 1e6)
    return statistics.median(rounds)
