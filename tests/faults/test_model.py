"""Random lives of five people with bad connections: after every step all promises hold."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from deskhub.store import sabotage
from tests.faults.model import World
from tests.faults.scale import SCALE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PEOPLE = st.sampled_from(["v_1", "v_2", "w_1", "a_1", "b_1"])
VISITORS = st.sampled_from(["v_1", "v_2", "w_1"])
COPIES_MAX = 3


class Lives(RuleBasedStateMachine):
    """The steps; `World` has what they do and what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def teardown(self) -> None:
        self.world.close()

    def _do(self, work: Any) -> None:
        self.world.run(work)

    @rule(who=PEOPLE)
    def connect(self, who: str) -> None:
        self._do(self.world.connect(self.world.devices[who]))

    @rule(who=PEOPLE, note=st.booleans())
    def post(self, who: str, note: bool) -> None:
        self._do(self.world.post(self.world.devices[who], note))

    @rule(who=PEOPLE)
    def post_and_hear(self, who: str) -> None:
        device = self.world.devices[who]
        if device.session is None:
            self._do(self.world.connect(device))
        self._do(self.world.post(device, False))
        self._do(self.world.flow(device))

    @rule(who=PEOPLE)
    def flow(self, who: str) -> None:
        self._do(self.world.flow(self.world.devices[who]))

    @rule(who=PEOPLE)
    def lose_frames(self, who: str) -> None:
        self._do(self.world.flow(self.world.devices[who], lossy=True))

    @rule(who=PEOPLE)
    def cut(self, who: str) -> None:
        self.world.cut(self.world.devices[who])

    @rule(who=PEOPLE)
    def poll(self, who: str) -> None:
        self._do(self.world.poll(self.world.devices[who]))

    @rule(visitor=VISITORS, what=st.sampled_from(["tag", "close", "reopen", "assign"]))
    def change(self, visitor: str, what: str) -> None:
        self._do(self.world.change(visitor, what))

    @rule(inboxes=st.sampled_from([("second",), ("web",), ("web", "second")]))
    def change_rights(self, inboxes: tuple[str, ...]) -> None:
        self._do(self.world.rights(frozenset(inboxes)))

    @rule()
    def fall_behind(self) -> None:
        self.world.forget()

    @rule()
    def crash(self) -> None:
        self._do(self.world.crash())

    @precondition(lambda self: len(self.world.copies) < COPIES_MAX)
    @rule()
    def keep_a_copy(self) -> None:
        self.world.keep_copy()

    @precondition(lambda self: self.world.copies)
    @rule(which=st.integers(0, COPIES_MAX - 1))
    def restore(self, which: int) -> None:
        self._do(self.world.crash(older=which % len(self.world.copies)))

    @invariant()
    def promises(self) -> None:
        self._do(self.world.check())


@pytest.fixture(autouse=True)
def silence(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of starts say hundreds of times that a fault is planted."""
    caplog.set_level(logging.CRITICAL, "deskhub")


def plan(examples: int, steps: int, *, twin: bool = False) -> settings:
    phases = (Phase.generate,) if twin else (Phase.generate, Phase.shrink)
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, phases=phases,
        derandomize=twin or SCALE == 1, suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip


def test_after_every_step_every_promise_holds() -> None:
    run_state_machine_as_test(Lives, settings=plan(int(20 * SCALE), 40))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no_dedupe", "a message twice"),
        ("skip_acl_on_poll", "the poll of"),
        (
            "keep_epoch",
            "holds something else|the poll of|snapshot and events|place in the present",
        ),
    ],
)
def test_the_model_notices(monkeypatch: pytest.MonkeyPatch, fault: str, words: str) -> None:
    monkeypatch.setattr(sabotage, "_ACTIVE", frozenset({fault}))

    with pytest.raises((AssertionError, KeyError), match=words):
        run_state_machine_as_test(Lives, settings=plan(40, 40, twin=True))
