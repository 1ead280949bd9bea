"""The page about steps is run as it stands, on the real planner and engine."""

from __future__ import annotations

from collections import Counter
from typing import Any

from deskhub.actions.kinds import ORDER_RETURN
from deskhub.actions.planner import Offer, arrange
from deskhub_sdk import Preview, StepCall
from tests.actions.five import SUBJECT, CrashingStore, FiveSystems, HandClock, drive, loaded
from tests.actions.five import start as start_run
from tests.docs.blocks import ROOT, blocks

PAGE = ROOT / "docs/how-to/write-an-action.md"
MOST_LINES = 40


class Loyalty:
    """The far side of the example: it honours keys."""

    def __init__(self) -> None:
        self.booked: Counter[str] = Counter()

    async def points(self, customer: str) -> int:
        return 1000

    async def book(self, customer: str, points: int, *, key: str) -> str:
        self.booked[key] = points
        return f"B-{len(self.booked)}"


class WithLoyalty(FiveSystems):
    """The five systems and the page's step."""

    def __init__(self, step: Any) -> None:
        super().__init__()
        self.step = step
        self.offered.append(Offer("loyalty", step.spec, "1"))

    async def run(self, tenant: str, ref: Any, call: StepCall) -> Any:
        if ref.instance == "loyalty":
            return await self.step.run(call)
        return await super().run(tenant, ref, call)


def example() -> tuple[str, Any]:
    (block,) = blocks(PAGE, "python")
    scope: dict[str, Any] = {"__name__": "example"}
    exec(block.text, scope)  # noqa: S102  the page is our own
    return block.text, scope["TakePointsBack"]


def test_the_example_is_short() -> None:
    text, _ = example()

    assert len(text.splitlines()) <= MOST_LINES


async def test_the_examples_preview_changes_nothing() -> None:
    far, (_, cls) = Loyalty(), example()
    call = StepCall(action="order.return@1", run="", key="", subject=SUBJECT, facts={})

    shown = await cls(far).preview(call)

    assert isinstance(shown, Preview)
    assert (shown.changes[0].before, shown.changes[0].after) == ("1000", "601")
    assert far.booked == {}


async def test_the_example_runs_after_the_refund_and_once() -> None:
    far, (_, cls) = Loyalty(), example()
    five, clock = WithLoyalty(cls(far)), HandClock()
    store = CrashingStore(clock)
    plan = arrange(ORDER_RETURN, five.offers("main", ORDER_RETURN.id), {})
    await start_run(store, clock, five)

    await drive(store, five, clock)

    run = await loaded(store)
    waves = {step.id: step.wave for step in plan.steps}
    assert waves["noted-loyalty"] > waves["refunded"]
    assert run.state == "completed"
    assert far.booked == {"dh_r_1_noted-loyalty": -399}
