"""The hook runner: policies, one deadline, named answers, and nothing that can hang it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pluggy
import pytest

from deskhub.host.asking import Answer, Listener
from deskhub.host.errors import InstanceBusy, NotRunning, TooLate, UnknownHook
from deskhub.host.guard import Guard
from deskhub.host.runner import HookRunner
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import (
    Conversation,
    ConversationId,
    Hooks,
    HookSpec,
    Identity,
    Message,
    Policy,
    Signal,
    TenantId,
    Unavailable,
    hookimpl,
)
from deskhub_sdk.cards import Card
from deskhub_sdk.hooks import PROJECT

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CONVERSATION = Conversation(
    id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open", opened_at=NOW
)
MESSAGE = Message(
    conversation=ConversationId("c_1"), seq=1, author="visitor:v_1", text="hi", at=NOW
)
SIGNAL = Signal(kind="order.shipped", dedupe="e1", object="orders:1", version=1, at=NOW)


def card(name: str) -> Card:
    return Card(id=name, title=name, blocks=())


class Quick:
    def __init__(self, name: str = "quick") -> None:
        self.name = name

    @hookimpl
    async def conversation_cards(self, conversation: Conversation) -> Sequence[Card]:
        return [card(self.name)]


class Slow:
    """Answers after *seconds*."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @hookimpl
    async def conversation_cards(self) -> Sequence[Card]:
        await asyncio.sleep(self.seconds)
        return [card("slow")]


class Broken:
    @hookimpl
    async def conversation_cards(self) -> Sequence[Card]:
        raise Unavailable("down")


class Swallower:
    """Ignores its cancellation, as badly written code does."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()

    @hookimpl
    async def conversation_cards(self) -> Sequence[Card]:
        while not self.stop.is_set():
            try:
                await self.stop.wait()
            except asyncio.CancelledError:
                continue
        return []


@pytest.fixture
def short(owner: TaskOwner) -> HookRunner:
    """A runner whose cards have 50 ms, and then half a second."""
    policies = {
        "conversation_cards": HookSpec(
            name="conversation_cards", policy=Policy.GATHER, deadline_s=0.05
        )
    }
    return HookRunner(owner, policies=policies, late_s=0.5)


async def gather(runner: HookRunner, on_late: Any = None) -> list[Answer]:
    return await runner.gather(
        "conversation_cards", "main", on_late=on_late, conversation=CONVERSATION, customer=None
    ).all()


async def test_everybody_answers_under_their_own_name(runner: HookRunner, attach: Any) -> None:
    attach("orders", Quick("orders"))
    attach("crm", Quick("crm"))

    answers = await gather(runner)

    assert [(one.instance, one.state, one.value[0].id) for one in answers] == [
        ("crm", "ok", "crm"),
        ("orders", "ok", "orders"),
    ]


async def test_an_adapter_may_leave_arguments_out(runner: HookRunner, attach: Any) -> None:
    attach("slow", Slow(0))

    assert (await gather(runner))[0].state == "ok"


async def test_one_failure_is_one_answer_and_harms_nobody(
    runner: HookRunner, attach: Any
) -> None:
    attach("a-broken", Broken())
    attach("b-quick", Quick())

    broken, quick = await gather(runner)

    assert (broken.state, type(broken.error)) == ("failed", Unavailable)
    assert quick.state == "ok"


async def test_answers_come_in_the_order_they_arrive(short: HookRunner, attach: Any) -> None:
    attach("a-slow", Slow(0.02), to=short)
    attach("b-quick", Quick(), to=short)
    gathering = short.gather(
        "conversation_cards", "main", conversation=CONVERSATION, customer=None
    )

    arrived = [answer.instance async for answer in gathering]

    assert arrived == ["b-quick", "a-slow"]


async def test_the_silent_are_named_at_the_deadline(short: HookRunner, attach: Any) -> None:
    attach("a-slow", Slow(60), to=short)
    attach("b-quick", Quick(), to=short)
    started = time.monotonic()

    slow, quick = await gather(short)

    assert time.monotonic() - started < 1
    assert (slow.state, type(slow.error), quick.state) == ("late", TooLate, "ok")


async def test_a_late_answer_is_still_delivered(short: HookRunner, attach: Any) -> None:
    attach("slow", Slow(0.15), to=short)
    late: asyncio.Queue[Answer] = asyncio.Queue()

    (first,) = await gather(short, late.put_nowait)
    async with asyncio.timeout(5):
        second = await late.get()

    assert first.state == "late"
    assert (second.instance, second.state, second.value[0].id) == ("slow", "ok", "slow")
    assert second.ms > 100


async def test_a_late_answer_is_delivered_when_the_asker_has_left(
    short: HookRunner, attach: Any
) -> None:
    attach("slow", Slow(0.1), to=short)
    late: asyncio.Queue[Answer] = asyncio.Queue()

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(gather(short, late.put_nowait))
        await asyncio.sleep(0.01)
        asking.cancel()
    async with asyncio.timeout(5):
        assert (await late.get()).state == "ok"


async def test_who_stays_silent_beyond_the_second_bound_is_abandoned(
    short: HookRunner, attach: Any, owner: TaskOwner
) -> None:
    attach("slow", Slow(60), to=short)
    late: list[Answer] = []

    await gather(short, late.append)
    async with asyncio.timeout(5):
        while owner.running:
            await asyncio.sleep(0.01)

    assert late == []
    assert owner.abandoned_total == 1


async def test_swallowing_the_cancellation_does_not_hang_the_caller(
    short: HookRunner, attach: Any, owner: TaskOwner
) -> None:
    bad = Swallower()
    guard = attach("bad", bad, to=short)

    async with asyncio.timeout(2):
        (answer,) = await gather(short)
    while not owner.abandoned:
        await asyncio.sleep(0)

    assert answer.state == "late"
    assert (owner.abandoned, guard.bulkhead.in_flight) == (1, 1), "it still holds its place"
    bad.stop.set()
    async with asyncio.timeout(2):
        while owner.running:
            await asyncio.sleep(0)
    assert guard.bulkhead.in_flight == 0


async def test_awaiting_the_adapter_directly_would_hang() -> None:
    """The sabotaged twin: what `asyncio.timeout` around the call would do."""
    bad = Swallower()

    async def ask() -> None:
        async with asyncio.timeout(0.05):
            await bad.conversation_cards()

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask())
        done, _ = await asyncio.wait([asking], timeout=0.3)
        assert not done
        bad.stop.set()
        await asyncio.wait([asking])


async def test_swallowers_cannot_pile_up(short: HookRunner, attach: Any) -> None:
    bad = Swallower()
    attach("bad", bad, to=short)

    async with asyncio.TaskGroup() as group:
        for _ in range(16 + 64 + 1):
            group.create_task(gather(short))
    (answer,) = await gather(short)
    bad.stop.set()

    assert answer.state == "busy"


async def test_the_order_is_the_configured_one_then_by_name(
    owner: TaskOwner, attach: Any
) -> None:
    runner = HookRunner(owner, order={"conversation_cards": ["z", "m"]})
    for name in ("a", "m", "z", "b"):
        attach(name, Quick(name), to=runner)

    assert [one.instance for one in await gather(runner)] == ["z", "m", "a", "b"]


async def test_another_tenants_instance_is_never_asked(runner: HookRunner, attach: Any) -> None:
    attach("mine", Quick())
    attach("theirs", Quick(), "acme")

    assert [one.instance for one in await gather(runner)] == ["mine"]


async def test_an_instance_that_is_not_ready_says_so_by_itself(
    runner: HookRunner, attach: Any
) -> None:
    attach("orders", Quick())
    runner.detach("orders", NotRunning("auth_required", "Sign in again."))

    (answer,) = await gather(runner)

    assert answer.state == "failed"
    assert isinstance(answer.error, NotRunning)
    assert answer.error.state == "auth_required"


async def test_an_instance_can_come_back(runner: HookRunner, attach: Any) -> None:
    adapter = Quick()
    attach("orders", adapter)

    runner.detach("orders", NotRunning("stopped", ""))
    runner.attach("orders", Quick("again"))

    assert (await gather(runner))[0].value[0].id == "again"


class Cards:
    def __init__(self, answer: Card | Exception | None) -> None:
        self.answer = answer
        self.asked = 0

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_the_first_answer_that_is_not_none_wins(runner: HookRunner, attach: Any) -> None:
    third = Cards(card("third"))
    attach("a", Cards(None))
    attach("b", Cards(Unavailable()))
    attach("c", third)
    attach("d", Cards(card("fourth")))

    answer = await runner.first("signal_card", "main", signal=SIGNAL)

    assert answer is not None
    assert (answer.instance, answer.value.id) == ("c", "third")


class Vetoes:
    def __init__(self, answer: str | Exception | float | None) -> None:
        self.answer = answer

    async def _say(self) -> str | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, float):
            await asyncio.sleep(self.answer)
            return None
        return self.answer

    @hookimpl
    async def message_accept(self) -> str | None:
        return await self._say()

    @hookimpl
    async def action_authorize(self) -> str | None:
        return await self._say()


AUTHORIZE: dict[str, Any] = {
    "action": "order.return@1",
    "subject": "orders:1",
    "principal": None,
}


async def test_any_refusal_wins(runner: HookRunner, attach: Any) -> None:
    attach("a", Vetoes(None))
    attach("b", Vetoes("No links, please."))

    refused = await runner.veto(
        "message_accept", "main", message=MESSAGE, conversation=CONVERSATION
    )

    assert refused is not None
    assert (refused.instance, refused.text) == ("b", "No links, please.")


@pytest.mark.parametrize("trouble", [Unavailable(), RuntimeError("bug"), 60.0])
async def test_trouble_lets_a_message_pass(
    runner: HookRunner, attach: Any, trouble: object
) -> None:
    attach("a", Vetoes(trouble))  # type: ignore[arg-type]

    assert not await runner.veto(
        "message_accept", "main", message=MESSAGE, conversation=CONVERSATION
    )


@pytest.mark.parametrize("trouble", [Unavailable(), RuntimeError("bug"), 60.0])
async def test_trouble_refuses_an_action(
    runner: HookRunner, attach: Any, trouble: object
) -> None:
    attach("a", Vetoes(trouble))  # type: ignore[arg-type]

    refused = await runner.veto("action_authorize", "main", **AUTHORIZE)

    assert refused is not None
    assert refused.instance == "a"


async def test_a_guardian_that_is_not_running_refuses_an_action(
    runner: HookRunner, attach: Any
) -> None:
    attach("limits", Vetoes(None))
    runner.detach("limits", NotRunning("backoff", ""))

    assert await runner.veto("action_authorize", "main", **AUTHORIZE)


async def test_a_direct_question_reaches_only_the_addressed_and_raises_its_error(
    runner: HookRunner, attach: Any
) -> None:
    class Asked:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        async def diagnostics(self) -> dict[str, str]:
            if self.name == "b":
                raise Unavailable("down")
            return {"name": self.name}

    attach("a", Asked("a"))
    attach("b", Asked("b"))

    assert await runner.direct("a", "diagnostics") == {"name": "a"}
    with pytest.raises(Unavailable):
        await runner.direct("b", "diagnostics")
    with pytest.raises(UnknownHook):
        await runner.direct("a", "sign_in_start")
    with pytest.raises(UnknownHook):
        await runner.direct("nobody", "diagnostics")


async def test_a_hook_nobody_listens_to_costs_next_to_nothing(runner: HookRunner) -> None:
    await runner.veto("message_accept", "main", message=MESSAGE, conversation=CONVERSATION)
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(1000):
            await runner.veto(
                "message_accept", "main", message=MESSAGE, conversation=CONVERSATION
            )
        best = min(best, (time.perf_counter() - started) / 1000)

    assert best < 20e-6


async def test_a_call_that_fails_twenty_times_is_not_made_for_a_while(
    runner: HookRunner, attach: Any
) -> None:
    attach("down", Broken())

    for _ in range(20):
        await gather(runner)
    (answer,) = await gather(runner)

    assert (answer.state, type(answer.error)) == ("busy", InstanceBusy)


class OldSpecs:
    """Policies that no hook of this release has, on hooks of their own."""

    @pluggy.HookspecMarker(PROJECT)
    async def rewrite(self, text: str) -> str:
        raise AssertionError(text)

    @pluggy.HookspecMarker(PROJECT)
    def register_commands(self) -> list[str]:
        raise AssertionError


POLICIES = {
    "rewrite": HookSpec(name="rewrite", policy=Policy.CHAIN, deadline_s=0.05),
    "register_commands": HookSpec(
        name="register_commands", policy=Policy.COLLECT, deadline_s=1.0
    ),
}


async def test_a_chain_hands_each_result_on_and_skips_failing_links(
    owner: TaskOwner,
) -> None:
    runner = HookRunner(owner, specs=OldSpecs, policies=POLICIES)

    class Link:
        def __init__(self, add: str | Exception) -> None:
            self.add = add

        @hookimpl
        async def rewrite(self, text: str) -> str:
            if isinstance(self.add, Exception):
                raise self.add
            return text + self.add

    for name, add in (("a", "1"), ("b", RuntimeError()), ("c", "3")):
        listen(runner, name, "rewrite", Link(add))  # type: ignore[arg-type]

    assert await runner.chain("rewrite", "main", "text", text="0") == "013"


async def test_collecting_is_synchronous_and_a_fault_stays_its_own(owner: TaskOwner) -> None:
    runner = HookRunner(owner, specs=OldSpecs, policies=POLICIES)

    class Commands:
        def __init__(self, names: list[str] | None) -> None:
            self.names = names

        @hookimpl
        def register_commands(self) -> list[str]:
            if self.names is None:
                raise RuntimeError("bug")
            return self.names

    listen(runner, "a", "register_commands", Commands(["sync"]))
    listen(runner, "b", "register_commands", Commands(None))

    good, bad = runner.collect("register_commands", "main")

    assert (good.value, bad.state) == (["sync"], "failed")


def listen(runner: HookRunner, name: str, hook: str, adapter: object) -> None:
    guard = Guard(time.monotonic)
    runner.expect(
        Listener(
            name, "main", guard, frozenset({hook}), NotRunning("starting", ""),
            lambda error: None,
        )
    )  # fmt: skip
    runner.attach(name, adapter)


async def test_the_runner_refuses_an_adapter_that_does_not_fit_the_specs(
    runner: HookRunner,
) -> None:
    class Misspelt:
        @hookimpl
        async def conversation_card(self) -> None:
            """Misspelt."""

    class Unknown:
        @hookimpl
        async def conversation_cards(self, visitor: object) -> None:
            """Ask for something that is not offered."""

    with pytest.raises(pluggy.PluginValidationError):
        listen(runner, "bad", "conversation_cards", Misspelt())
    with pytest.raises(pluggy.PluginValidationError):
        listen(runner, "worse", "conversation_cards", Unknown())


def test_every_argument_of_every_hook_can_be_written_down() -> None:
    """A process boundary can be put between hub and adapter: nothing live crosses."""
    identity = Identity(inbox="shop")

    for record in (CONVERSATION, MESSAGE, SIGNAL, identity):
        assert msgspec.json.decode(msgspec.json.encode(record), type=type(record)) == record
    live = ("Callable", "Awaitable", "Task", "Context", "Queue")
    for name in dir(Hooks):
        hints = str(getattr(getattr(Hooks, name), "__annotations__", ""))
        assert not any(word in hints for word in live), name
