"""What was built for an earlier SDK of this major version still runs, as it was built."""

from __future__ import annotations

import sys
import time
from importlib.metadata import EntryPoint
from pathlib import Path

import pluggy
import pytest

from deskhub.config import Instance
from deskhub.host.asking import Listener
from deskhub.host.discovery import leaving
from deskhub.host.errors import NotRunning
from deskhub.host.guard import Guard
from deskhub.host.runner import HookRunner
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import SPECS, Conversation, Hooks, SuggestedReply
from deskhub_sdk.hooks import PROJECT
from tests.host.small_hub import AGENT, small_hub, visitor

SHELF = Path(__file__).parent / "previous"
POINT = EntryPoint("shelf", "made_for_1_0:Shelf", "deskhub.adapters")


@pytest.fixture(autouse=True)
def _on_the_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SHELF)
    monkeypatch.delitem(sys.modules, "made_for_1_0", raising=False)


@pytest.mark.parametrize("isolation", ["inline", "process"])
async def test_an_adapter_for_sdk_1_0_starts_answers_and_stops(
    tmp_path: Path, isolation: str
) -> None:
    settings = {
        "shelf": Instance(id="shelf", use="shelf", isolation=isolation, config={"token": "t"})
    }
    async with small_hub(
        tmp_path, {}, settings=settings, points={"shelf": POINT}, run=("host",)
    ) as hub:
        of = await hub.open(visitor("v_1"))
        (panel,) = await hub.panels.open(AGENT, of)
        told = await hub.host.direct("shelf", "diagnostics")
        replies = await hub.host.direct(
            "shelf", "suggest_replies", conversation=None, draft="hi", limit=3
        )
        found = hub.host.capability("orders@1", "main")
        assert found is not None
        orders = await found[1].get_orders(["1"])  # type: ignore[attr-defined]
        health = await hub.host.instance("shelf").adapter.check_connection()  # type: ignore[union-attr]

    assert (panel["state"], panel["cards"][0]["id"]) == ("ok", "one")
    assert told == {"kept": "yes", "token": True}
    assert [one.text for one in replies] == ["hi!"]
    assert orders == {}
    assert health.ok


class Newer(Hooks):
    """Hooks as a later minor release may have them: one argument more, one that leaves."""

    @pluggy.HookspecMarker(PROJECT)
    async def suggest_replies(  # type: ignore[override]
        self, conversation: Conversation, draft: str, limit: int, tone: str = "plain"
    ) -> list[SuggestedReply]:
        raise AssertionError


async def test_a_hook_that_gained_an_argument_asks_who_does_not_know_it() -> None:
    from made_for_1_0 import Shelf, ShelfConfig

    owner = TaskOwner()
    runner = HookRunner(owner, specs=Newer)
    runner.expect(
        Listener(
            "shelf", "main", Guard(time.monotonic), frozenset({"suggest_replies"}),
            NotRunning("starting", ""), lambda _: None,
        )
    )  # fmt: skip
    runner.attach("shelf", Shelf(ShelfConfig()))

    (answer,) = await runner.gather(
        "suggest_replies", "main", conversation=None, draft="hi", limit=1, tone="warm"
    ).all()
    await owner.close()

    assert [one.text for one in answer.value] == ["hi!"]


def test_an_argument_that_leaves_is_said_with_what_takes_its_place() -> None:
    from made_for_1_0 import Shelf

    spec = SPECS["suggest_replies"]
    newer = type(spec)(
        name=spec.name, policy=spec.policy, deadline_s=spec.deadline_s,
        leaving={"draft": "take `text`; it goes with SDK 2.0"},
    )  # fmt: skip

    assert leaving(Shelf, {**SPECS, "suggest_replies": newer}) == [
        "suggest_replies() asks for 'draft': take `text`; it goes with SDK 2.0"
    ]
    assert leaving(Shelf) == []


def test_no_hook_of_sdk_1_0_lost_an_argument_or_its_name() -> None:
    """Frozen here: what adapters in the world may ask for."""
    from deskhub_sdk.manifest import asked_by

    frozen = {
        "find_customer": {"identity"},
        "conversation_cards": {"conversation", "customer"},
        "conversation_opened": {"conversation", "customer"},
        "conversation_assigned": {"conversation", "customer"},
        "conversation_closed": {"conversation", "customer"},
        "message_posted": {"message", "conversation"},
        "action_finished": {"action", "run", "outcome", "facts"},
        "agent_available": {"inbox"},
        "message_accept": {"message", "conversation"},
        "suggest_replies": {"conversation", "draft", "limit"},
        "receive_webhook": {"request"},
        "find_conversations": {"signal"},
        "signal_card": {"signal"},
        "action_authorize": {"action", "subject", "principal"},
        "order_facts": {"order", "subject"},
        "sign_in_start": {"request"},
        "sign_in_finish": {"request", "parameters"},
        "diagnostics": set(),
    }

    for hook, arguments in frozen.items():
        assert arguments <= set(asked_by(getattr(Hooks, hook))), hook
