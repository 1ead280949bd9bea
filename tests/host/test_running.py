"""How an instance feels, in a state and in words."""

from __future__ import annotations

import asyncio

import pytest

from deskhub.clock import SystemClock
from deskhub.errors import Conflict, StoreDown
from deskhub.host.guard import Guard
from deskhub.host.patience import patiently
from deskhub.host.running import Running
from deskhub.host.supervisor import Supervisor
from deskhub_sdk import AuthRequired, Health, Unavailable
from tests.host.small_hub import Plain, eventually, small_hub


def ready() -> Running:
    clock = SystemClock()
    one = Running(
        "shop", "main", use="shop", clock=clock, guard=Guard(clock.monotonic), cls=Plain
    )
    one.move("ready")
    return one


def test_a_failed_check_degrades_and_a_good_one_heals() -> None:
    one = ready()

    one.checked(Health(ok=False, text="The shop is down for maintenance."))
    assert (one.state, one.words) == ("degraded", "The shop is down for maintenance.")
    one.checked(Health(ok=True))

    assert (one.state, one.words) == ("ready", "")


def test_being_locked_out_is_more_than_being_degraded() -> None:
    one = ready()
    one.checked(Health(ok=False, text="down"))

    one.note(AuthRequired("401 for user bob@example.com"))

    assert one.state == "auth_required"
    assert "bob" not in one.words, "the far side's text is for the log"
    one.note(None)
    assert one.state == "degraded"


def test_an_open_breaker_shows_as_degraded() -> None:
    one = ready()

    for _ in range(20):
        one.guard.admit().failed(Unavailable())

    assert one.state == "degraded"
    assert "fails too often" in one.words


def test_since_is_when_the_state_began() -> None:
    one = ready()
    began = one.since

    one.note(None)
    one.checked(Health(ok=True))
    assert one.since == began
    one.checked(Health(ok=False))
    assert one.since > began


async def test_the_supervisor_checks_now_and_then(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [Health(ok=False, text="slow"), RuntimeError("bug"), AuthRequired("401")]

    class Checked(Plain):
        async def check_connection(self) -> Health:
            answer = answers.pop(0) if answers else Health(ok=True)
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setitem(Supervisor.__init__.__kwdefaults__, "check_every_s", 0.05)
    seen = []
    async with small_hub(tmp_path, {"shop": Checked}, run=("host",)) as hub:  # type: ignore[arg-type]
        one = hub.host.instance("shop")
        for state in ("degraded", "auth_required", "ready"):
            await eventually(lambda state=state: one.state == state)  # type: ignore[misc]
            seen.append(one.state)

    assert seen == ["degraded", "auth_required", "ready"]


async def test_whoever_follows_the_log_outlives_a_database_that_is_away() -> None:
    attempts = 0

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 20:
            raise StoreDown("disk full")

    async with asyncio.timeout(5):
        await patiently("test", work, pause_s=0.001)

    assert attempts == 20


async def test_other_failures_are_not_waited_out() -> None:
    async def work() -> None:
        raise Conflict("a bug")

    with pytest.raises(Conflict):
        await patiently("test", work)
