"""Every policy of hooks, for whatever adapters do: the answer is that of a few plain lines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import pluggy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskhub.host.asking import Listener
from deskhub.host.errors import Crashed, NotRunning, TooLate
from deskhub.host.guard import Guard
from deskhub.host.runner import HookRunner
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import AdapterError, HookSpec, Policy, Unavailable, hookimpl
from deskhub_sdk.hooks import PROJECT
from tests.support.idle_clock import run

Does = Literal["value", "none", "fails", "crashes", "silent", "deaf", "down"]
DEADLINE_S = 1.0
DOES = st.sampled_from(["value", "none", "fails", "crashes", "silent", "deaf", "down"])
# Who is there and what each does; the names decide the order where hub.toml does not.
DESKS = st.dictionaries(st.sampled_from("abcdefg"), DOES, max_size=6)
ORDERS = st.lists(st.sampled_from("abcdefg"), unique=True)
STATES = {
    "value": "ok", "none": "ok", "fails": "failed", "crashes": "failed",
    "silent": "late", "deaf": "late", "down": "failed",
}  # fmt: skip


class Specs:
    @pluggy.HookspecMarker(PROJECT)
    async def ask(self, value: str) -> str | None:
        raise AssertionError(value)

    @pluggy.HookspecMarker(PROJECT)
    def declare(self) -> str | None:
        raise AssertionError


def policies(policy: Policy, error: str = "skip") -> dict[str, HookSpec]:
    return {
        "ask": HookSpec(name="ask", policy=policy, deadline_s=DEADLINE_S, error=error),
        "declare": HookSpec(name="declare", policy=Policy.COLLECT, deadline_s=DEADLINE_S),
    }


class Actor:
    """An adapter that does one thing, well or badly."""

    def __init__(self, name: str, does: Does, over: asyncio.Event) -> None:
        self.name = name
        self.does = does
        self.over = over

    @hookimpl
    async def ask(self, value: str) -> str | None:
        match self.does:
            case "fails":
                raise Unavailable("no")
            case "crashes":
                raise ZeroDivisionError
            case "silent":
                await self.over.wait()
            case "deaf":
                while not self.over.is_set():
                    try:
                        await self.over.wait()
                    except asyncio.CancelledError:
                        continue
        return f"{value}{self.name}" if self.does == "value" else None

    @hookimpl
    def declare(self) -> str | None:
        if self.does in ("fails", "crashes"):
            raise ZeroDivisionError
        return self.name


def on_a_desk(
    desk: dict[str, Does],
    order: Sequence[str],
    specs: dict[str, HookSpec],
    work: Callable[[HookRunner], Awaitable[Any]],
) -> tuple[Any, float]:
    """Return what *work* gives with the adapters of *desk*, and how long it took."""

    async def done() -> tuple[Any, float]:
        owner, over = TaskOwner(), asyncio.Event()
        runner = HookRunner(owner, specs=Specs, policies=specs, order={"ask": order})
        loop = asyncio.get_running_loop()
        for name, does in desk.items():
            listener = Listener(
                name, "main", Guard(loop.time), frozenset({"ask", "declare"}),
                NotRunning("backoff", "It is down."), lambda _: None,
            )  # fmt: skip
            runner.expect(listener)
            if does != "down":
                runner.attach(name, Actor(name, does, over))
        began = loop.time()
        found = await work(runner)
        took = loop.time() - began
        over.set()
        await owner.close()
        assert owner.running == 0
        return found, took

    return run(done)


def asked_in(desk: dict[str, Does], order: Sequence[str]) -> list[str]:
    return [name for name in order if name in desk] + sorted(desk.keys() - set(order))


@settings(deadline=None)
@given(DESKS, ORDERS)
def test_gather_has_one_named_answer_for_each_by_the_deadline(
    desk: dict[str, Does], order: list[str]
) -> None:
    answers, took = on_a_desk(
        desk, order, policies(Policy.GATHER), lambda r: r.gather("ask", "main", value="").all()
    )

    assert [one.instance for one in answers] == asked_in(desk, order)
    assert {one.instance: one.state for one in answers} == {
        name: STATES[does] for name, does in desk.items()
    }
    assert {one.value for one in answers if one.value} == {
        name for name, does in desk.items() if does == "value"
    }
    assert took <= DEADLINE_S + 1e-6


@settings(deadline=None)
@given(DESKS, ORDERS)
def test_first_is_the_first_in_order_that_has_something_to_say(
    desk: dict[str, Does], order: list[str]
) -> None:
    answer, _ = on_a_desk(
        desk, order, policies(Policy.FIRST), lambda r: r.first("ask", "main", value="")
    )

    says = [name for name in asked_in(desk, order) if desk[name] == "value"]
    assert (answer.instance if answer else None) == (says[0] if says else None)


@settings(deadline=None)
@given(DESKS, ORDERS, st.sampled_from(["allow", "refuse"]))
def test_any_refusal_wins_and_trouble_means_what_the_hook_says(
    desk: dict[str, Does], order: list[str], error: str
) -> None:
    refused, took = on_a_desk(
        desk, order, policies(Policy.VETO, error), lambda r: r.veto("ask", "main", value="")
    )

    against = [
        name
        for name in asked_in(desk, order)
        if desk[name] == "value" or (error == "refuse" and STATES[desk[name]] != "ok")
    ]
    assert (refused.instance if refused else None) == (against[0] if against else None)
    assert took <= DEADLINE_S + 1e-6


@settings(deadline=None)
@given(DESKS, ORDERS)
def test_a_chain_passes_each_result_on_and_leaves_the_failing_out(
    desk: dict[str, Does], order: list[str]
) -> None:
    value, _ = on_a_desk(
        desk,
        order,
        policies(Policy.CHAIN),
        lambda r: r.chain("ask", "main", "value", value="<"),
    )

    assert value == "<" + "".join(n for n in asked_in(desk, order) if desk[n] == "value")


@settings(deadline=None)
@given(DESKS)
def test_collecting_asks_who_runs_and_waits_for_nobody(desk: dict[str, Does]) -> None:
    async def collect(runner: HookRunner) -> Any:
        return runner.collect("declare", "main")

    answers, took = on_a_desk(desk, [], policies(Policy.GATHER), collect)

    assert [(one.instance, one.state) for one in answers] == [
        (name, "failed" if desk[name] in ("fails", "crashes") else "ok")
        for name in sorted(desk)
        if desk[name] != "down"
    ]
    assert took == 0


@pytest.mark.parametrize(
    ("does", "error"),
    [
        ("fails", Unavailable), ("crashes", ZeroDivisionError), ("silent", TooLate),
        ("deaf", TooLate), ("down", NotRunning),
    ],
)  # fmt: skip
def test_a_direct_question_ends_with_its_answer_or_its_error(
    does: Does, error: type[Exception]
) -> None:
    async def ask(runner: HookRunner) -> Any:
        try:
            return await runner.direct("a", "ask", value="")
        except (AdapterError, Crashed, ZeroDivisionError) as raised:
            return type(raised)

    found, _ = on_a_desk({"a": does, "b": "value"}, [], policies(Policy.DIRECT), ask)
    good, _ = on_a_desk(
        {"a": does, "b": "value"}, [], policies(Policy.DIRECT),
        lambda r: r.direct("b", "ask", value=""),
    )  # fmt: skip

    assert found is error
    assert good == "b"


@settings(deadline=None)
@given(DESKS, ORDERS)
def test_waiting_for_each_adapter_itself_would_miss_the_deadline_or_hang(
    desk: dict[str, Does], order: list[str]
) -> None:
    """The twin: one after the other, each with the whole deadline."""

    async def one_by_one(runner: HookRunner) -> Any:
        for listener in runner.listeners("ask", "main"):
            await runner.ask(listener, "ask", {"value": ""})

    _, took = on_a_desk(desk, order, policies(Policy.GATHER), one_by_one)

    silent = sum(STATES[does] == "late" for does in desk.values())
    assert took == pytest.approx(silent * DEADLINE_S)
