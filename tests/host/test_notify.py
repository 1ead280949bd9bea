"""Announcements: in order, each instance at its own pace, across restarts, without loss."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deskhub.chat.commands import Assign, PostMessage, Reopen
from deskhub.store.hookcursors import DeadLetter
from deskhub_sdk import Conversation, Customer, Message, Unavailable, hookimpl
from tests.host.small_hub import AGENT, Plain, eventually, small_hub, visitor

ANNA = visitor("v_anna")


class Listener(Plain):
    """Writes down what it is told."""

    heard: list[Any]
    trouble: dict[str, int]

    def __init_subclass__(cls) -> None:
        cls.heard = []
        cls.trouble = {}

    @hookimpl
    async def message_posted(self, message: Message) -> None:
        left = self.trouble.get(message.text, 0)
        if left:
            self.trouble[message.text] = left - 1
            raise Unavailable("down")
        self.heard.append(message.text)


def listener() -> type[Listener]:
    class Mine(Listener):
        pass

    return Mine


async def test_every_message_is_told_in_order(tmp_path: Path) -> None:
    kind = listener()

    async with small_hub(tmp_path, {"bot": kind}) as hub:
        conversation = await hub.open(ANNA, "0")
        for number in range(1, 20):
            await hub.do(ANNA, PostMessage(conversation, str(number)))

        await eventually(lambda: len(kind.heard) == 20)

    assert kind.heard == [str(number) for number in range(20)]


async def test_the_life_of_a_conversation_reaches_its_hooks(tmp_path: Path) -> None:
    told: list[tuple[str, str, str | None, str | None]] = []

    class Life(Plain):
        def _note(self, hook: str, of: Conversation, customer: Customer | None) -> None:
            told.append((hook, of.state, of.assignee, customer and customer.subject))

        @hookimpl
        async def conversation_opened(
            self, conversation: Conversation, customer: Customer | None
        ) -> None:
            self._note("opened", conversation, customer)

        @hookimpl
        async def conversation_assigned(
            self, conversation: Conversation, customer: Customer | None
        ) -> None:
            self._note("assigned", conversation, customer)

        @hookimpl
        async def conversation_closed(
            self, conversation: Conversation, customer: Customer | None
        ) -> None:
            self._note("closed", conversation, customer)

    async with small_hub(tmp_path, {"life": Life}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)
        await eventually(lambda: len(told) == 1)
        await hub.do(AGENT, Assign(conversation, "a_1"))
        await eventually(lambda: len(told) == 2)
        await hub.close(conversation)
        await eventually(lambda: len(told) == 3)
        await hub.do(AGENT, Reopen(conversation))
        await eventually(lambda: len(told) == 4)

    assert told == [
        ("opened", "open", None, "C-1001"),
        ("assigned", "open", "a_1", "C-1001"),
        ("closed", "closed", "a_1", "C-1001"),
        ("opened", "open", "a_1", "C-1001"),
    ]


async def test_the_end_of_an_action_is_told_once_with_its_facts(tmp_path: Path) -> None:
    told: list[Any] = []

    class Follower(Plain):
        @hookimpl
        async def action_finished(
            self, action: str, run: str, outcome: str, facts: Mapping[str, Mapping[str, Any]]
        ) -> None:
            told.append((action, run, outcome, facts))

    def changed(state: str, **more: Any) -> Any:
        data = {"run": {"id": "r_1", "type": "order.return@1", "state": state}, **more}
        return lambda tx: tx.append(
            "run.changed", conversation=None, audience="agents", by="system:actions", data=data
        )

    async with small_hub(tmp_path, {"follower": Follower}) as hub:
        await hub.store.transact("main", changed("running"))
        await hub.store.transact(
            "main", changed("completed", facts={"refunded": {"refund": "re_1"}})
        )
        await eventually(lambda: told)

    assert told == [("order.return@1", "r_1", "completed", {"refunded": {"refund": "re_1"}})]


async def test_what_happens_while_the_hub_is_down_is_told_afterwards(tmp_path: Path) -> None:
    kind = listener()

    async with small_hub(tmp_path, {"bot": kind}) as hub:
        conversation = await hub.open(ANNA, "before")
        await eventually(lambda: kind.heard == ["before"])
    async with small_hub(tmp_path, {"bot": kind}, run=()) as hub:
        await hub.do(ANNA, PostMessage(conversation, "meanwhile"))
    async with small_hub(tmp_path, {"bot": kind}) as hub:
        await hub.do(ANNA, PostMessage(conversation, "after"))
        await eventually(lambda: "after" in kind.heard)

    assert kind.heard[-2:] == ["meanwhile", "after"]


async def test_a_place_in_memory_alone_would_lose_it(tmp_path: Path) -> None:
    """The sabotaged twin: without the stored place, what happened meanwhile is gone."""
    kind = listener()

    async with small_hub(tmp_path, {"bot": kind}) as hub:
        conversation = await hub.open(ANNA, "before")
        await eventually(lambda: kind.heard == ["before"])
    async with small_hub(tmp_path, {"bot": kind}, run=()) as hub:
        await hub.do(ANNA, PostMessage(conversation, "meanwhile"))
        await hub.store.transact("main", _forget_places)
    async with small_hub(tmp_path, {"bot": kind}) as hub:
        await eventually(lambda: hub.host.instance("bot").state == "ready")
        await asyncio.sleep(0.1)
        await hub.do(ANNA, PostMessage(conversation, "after"))
        await eventually(lambda: "after" in kind.heard)

    assert "meanwhile" not in kind.heard


def _forget_places(tx: Any) -> None:
    from deskhub.store.tables.hub import hook_cursor

    tx.connection.execute(hook_cursor.delete())


async def test_a_new_instance_is_told_nothing_old(tmp_path: Path) -> None:
    kind = listener()

    async with small_hub(tmp_path, {}) as hub:
        conversation = await hub.open(ANNA, "old")
    async with small_hub(tmp_path, {"bot": kind}) as hub:
        await asyncio.sleep(0.1)
        await hub.do(ANNA, PostMessage(conversation, "new"))
        await eventually(lambda: kind.heard)

    assert kind.heard == ["new"]


async def test_a_failure_is_repeated_until_it_is_taken(tmp_path: Path) -> None:
    kind = listener()
    kind.trouble = {"second": 3}

    async with small_hub(tmp_path, {"bot": kind}) as hub:
        conversation = await hub.open(ANNA, "first")
        await hub.do(ANNA, PostMessage(conversation, "second"))
        await hub.do(ANNA, PostMessage(conversation, "third"))
        await eventually(lambda: len(kind.heard) == 3)

    assert kind.heard == ["first", "second", "third"]


async def test_a_poisoned_event_is_put_aside_and_can_be_told_again(tmp_path: Path) -> None:
    kind = listener()
    kind.trouble = {"poison": 1_000}

    async with small_hub(tmp_path, {"bot": kind}, attempts=3) as hub:
        conversation = await hub.open(ANNA, "poison")
        await hub.do(ANNA, PostMessage(conversation, "next"))
        await eventually(lambda: kind.heard == ["next"])
        (letter,) = await hub.announcer.dead("main")
        kind.trouble = {}
        assert await hub.announcer.replay("main", "bot", letter.seq)

        assert await hub.announcer.dead("main") == []

    assert isinstance(letter, DeadLetter)
    assert (letter.hook, letter.attempts, letter.error) == ("message_posted", 3, "Unavailable")
    assert kind.heard == ["next", "poison"]


async def test_one_slow_instance_does_not_hold_another_back(tmp_path: Path) -> None:
    kind = listener()
    release = asyncio.Event()

    class Slow(Plain):
        @hookimpl
        async def message_posted(self, message: Message) -> None:
            await release.wait()

    async with small_hub(tmp_path, {"slow": Slow, "quick": kind}) as hub:
        await hub.open(ANNA, "hello")
        await eventually(lambda: kind.heard == ["hello"])
        release.set()


async def test_news_of_free_seats_come_together(tmp_path: Path) -> None:
    heard: list[str] = []
    busy = asyncio.Event()
    release = asyncio.Event()

    class Seats(Plain):
        @hookimpl
        async def agent_available(self, inbox: str) -> None:
            heard.append(inbox)
            busy.set()
            await release.wait()

    async with small_hub(tmp_path, {"seats": Seats}) as hub:
        hub.announcer.agent_available("main", "shop")
        await busy.wait()
        for _ in range(100):
            hub.announcer.agent_available("main", "shop")
        release.set()
        await eventually(lambda: len(heard) == 2)
        await asyncio.sleep(0.05)

    assert heard == ["shop", "shop"]
