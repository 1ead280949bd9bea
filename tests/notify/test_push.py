"""Notices to browsers: to whom, when, how often, and what they say."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deskhub.chat.commands import Assign, MarkRead, OpenConversation, PostMessage
from deskhub.clock import SystemClock
from deskhub.config import PushSettings
from deskhub.notify import Push
from deskhub.notify.calls import CURSOR
from deskhub.notify.push import Subscription
from deskhub.store import hookcursors, pushes
from deskhub.store.pushes import PushRow
from tests.notify.browsers import Browser, Pushery, pushery
from tests.support.chat import ChatHub, chat_hub, person
from tests.support.databases import postgres

ALL = ("waiting", "handing", "sent", "failed", "unknown")


@dataclass
class Room:
    """The hub, its push, and what people do there."""

    hub: ChatHub
    service: Pushery

    def build(self, **more: Any) -> Push:
        given = {"enabled": True, "grace": "50ms", "contact": "mailto:ops@desk.example",
                 "services": [self.service.url]}  # fmt: skip
        settings = PushSettings(**(given | more))
        config = self.hub.hub.config.model_copy(update={"push": settings})
        push = Push(
            config, self.hub.store, SystemClock(), self.hub.streams.presence.has_reached,
            self.hub.people.agents, first_pause_s=0.02, settle_s=0.0,
        )  # fmt: skip
        self.hub.hub.push = push
        return push

    @contextlib.asynccontextmanager
    async def telling(self, **more: Any) -> AsyncIterator[Push]:
        """Run push; the end of the block is as sudden as a process's."""
        push = self.build(**more)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(push.run())
            try:
                async with asyncio.timeout(20):
                    while await self._place() is None:
                        await asyncio.sleep(0.01)
                yield push
            finally:
                running.cancel()

    async def _place(self) -> int | None:
        return await self.hub.store.read(lambda db: hookcursors.position(db, "main", CURSOR))

    async def subscribed(self, push: Push, name: str, kind: str, who: str, **more: Any) -> str:
        browser = self.service.browser(name)
        keys = browser.subscription["keys"]
        wanted = Subscription(browser.endpoint, keys["p256dh"], keys["auth"], **more)
        return (await push.subscribe(person(kind, who), wanted)).id

    async def open(self, visitor: str = "v_1", text: str = "Where is my order?") -> str:
        done = await self.hub.chat.do(
            person("visitor", visitor), OpenConversation("web", text), cid=f"{visitor}-0"
        )
        return done.conversation

    async def say(
        self, conversation: str, text: str, who: str = "a_1", cid: str = "m-1"
    ) -> int:
        kind = "agent" if who.startswith("a_") else "visitor"
        command = PostMessage(conversation, text)
        return (await self.hub.chat.do(person(kind, who), command, cid=cid)).seq

    async def assign(self, conversation: str, agent: str) -> None:
        await self.hub.chat.do(
            person("agent", "a_3"), Assign(conversation, agent, agent), cid=f"as-{agent}"
        )

    async def rows(self, *states: str) -> list[PushRow]:
        return list(
            await self.hub.store.read(lambda db: pushes.listed(db, "main", states or ALL))
        )

    async def ended(self, push: Push, outcome: str, count: int = 1) -> None:
        async with asyncio.timeout(30):
            while push.ended.counts.get((outcome,), 0) < count:
                await asyncio.sleep(0.01)
        assert push.ended.counts[outcome,] == count


@pytest.fixture(params=["sqlite", "postgresql"])
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Room]:
    with contextlib.ExitStack() as databases:
        url = databases.enter_context(postgres()) if request.param == "postgresql" else None
        async with pushery() as service, chat_hub(tmp_path / "hub.db", url=url) as hub:
            yield Room(hub, service)


@pytest.fixture
async def quick(tmp_path: Path) -> AsyncIterator[Room]:
    async with pushery() as service, chat_hub(tmp_path / "hub.db") as hub:
        yield Room(hub, service)


async def test_an_answer_is_one_notice_for_each_browser_of_its_visitor(room: Room) -> None:
    async with room.telling() as push:
        await room.subscribed(push, "phone", "visitor", "v_1")
        await room.subscribed(push, "laptop", "visitor", "v_1", language="zh-CN")
        await room.subscribed(push, "stranger", "visitor", "v_2")
        conversation = await room.open()
        await room.say(conversation, "It left <b>today</b>.")
        await room.service.until(2)
        await room.ended(push, "sent", 2)

    notices = {one.browser: one.notice for one in room.service.arrived}
    assert notices["phone"]["title"] == "web answered you"
    assert notices["laptop"]["title"] == "web 回复了您"
    assert notices["phone"]["url"] == "/c/key-web"
    assert "today" not in str(notices)
    assert [row.state for row in await room.rows()] == ["sent", "sent"]


async def test_answers_within_the_grace_are_one_notice_and_later_ones_another(
    quick: Room,
) -> None:
    async with quick.telling(grace="400ms") as push:
        await quick.subscribed(push, "phone", "visitor", "v_1")
        conversation = await quick.open()
        for number in range(3):
            await quick.say(conversation, f"Part {number}.", cid=f"m-{number}")
        first = await quick.service.until(1)
        await quick.ended(push, "sent")
        await quick.say(conversation, "Later.", cid="m-9")
        second = await quick.service.until(2)

    assert first.notice["tag"] == second.notice["tag"]
    assert first.headers["Topic"] == second.headers["Topic"]


async def test_what_was_read_meanwhile_is_not_pushed(room: Room) -> None:
    async with room.telling(grace="500ms") as push:
        await room.subscribed(push, "phone", "visitor", "v_1")
        conversation = await room.open()
        seq = await room.say(conversation, "Hello.")
        await room.hub.chat.do(person("visitor", "v_1"), MarkRead(conversation, seq), cid="r-1")
        await room.ended(push, "seen")

    assert room.service.visits == 0


async def test_a_device_that_acknowledged_is_enough(quick: Room) -> None:
    async with quick.telling(grace="600ms") as push:
        await quick.subscribed(push, "phone", "visitor", "v_1")
        conversation = await quick.open()
        async with quick.hub.dial("visitor.v_1") as tab:
            await tab.until("welcome")
            seq = await quick.say(conversation, "Hello.")
            await tab.events(1)
            await tab.put({"t": "ack", "seq": seq})
            await quick.ended(push, "reached")

    assert quick.service.visits == 0


async def test_a_socket_that_is_open_and_silent_is_not_enough(quick: Room) -> None:
    """A phone that sleeps keeps its socket; this is the twin of the test before."""
    async with quick.telling(grace="300ms") as push:
        await quick.subscribed(push, "phone", "visitor", "v_1")
        conversation = await quick.open()
        async with quick.hub.dial("visitor.v_1") as tab:
            await tab.until("welcome")
            await quick.say(conversation, "Hello.")
            await quick.service.until(1)


async def test_an_agent_is_told_of_what_is_theirs_or_nobodys(room: Room) -> None:
    async with room.telling() as push:
        for agent in ("a_1", "a_2"):
            await room.subscribed(push, agent, "agent", agent)
        conversation = await room.open()
        await room.service.until(2)
        await room.ended(push, "sent", 2)
        await room.assign(conversation, "a_1")
        await room.say(conversation, "Anybody?", who="v_1", cid="m-2")
        told = await room.service.until(3)

    assert told.browser == "a_1"
    assert told.notice["title"] == "New message in web"
    assert told.notice["url"] == f"/console/inbox/all/{conversation}"


async def test_whoever_is_away_or_out_of_scope_is_not_told_of_the_queue(quick: Room) -> None:
    quick.hub.people.away.add("a_2")
    quick.hub.people.staff = ("a_1", "a_2", "b_1")
    async with quick.telling() as push:
        for agent in ("a_1", "a_2", "b_gone"):
            await quick.subscribed(push, agent, "agent", agent)
        await quick.open()
        told = await quick.service.until(1)
        await quick.ended(push, "elsewhere")
        await quick.ended(push, "gone")

    assert told.browser == "a_1"


async def test_an_agent_who_was_faster_spares_the_others(quick: Room) -> None:
    async with quick.telling(grace="500ms") as push:
        await quick.subscribed(push, "a_2", "agent", "a_2")
        conversation = await quick.open()
        await quick.say(conversation, "Here.", who="a_1")
        await quick.ended(push, "answered")

    assert quick.service.visits == 0


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(room: Room, status: int) -> None:
    room.service.answers.append(status)
    async with room.telling() as push:
        device = await room.subscribed(push, "phone", "visitor", "v_1")
        conversation = await room.open()
        await room.say(conversation, "One.")
        await room.ended(push, "gone")
        await room.say(conversation, "Two.", cid="m-2")
        await asyncio.sleep(0.3)

    assert room.service.visits == 1
    assert await room.hub.store.read(lambda db: pushes.device(db, "main", device)) is None


async def test_a_service_that_wants_a_pause_gets_it(room: Room) -> None:
    room.service.answers.append((429, {"Retry-After": "1"}))
    at: list[float] = []
    room.service.on_visit = lambda: at.append(asyncio.get_running_loop().time())
    async with room.telling() as push:
        await room.subscribed(push, "phone", "visitor", "v_1")
        conversation = await room.open()
        await room.say(conversation, "One.")
        await room.service.until(1)
        await room.ended(push, "retried")
        await room.ended(push, "sent")

    assert room.service.visits == 2
    assert at[1] - at[0] >= 0.95


async def test_a_pause_holds_for_every_browser_of_the_service(quick: Room) -> None:
    quick.service.answers.append((503, {"Retry-After": "1"}))
    at: list[float] = []
    quick.service.on_visit = lambda: at.append(asyncio.get_running_loop().time())
    async with quick.telling() as push:
        await quick.subscribed(push, "one", "visitor", "v_1")
        await quick.subscribed(push, "two", "visitor", "v_2")
        first, second = await quick.open("v_1"), await quick.open("v_2")
        await quick.say(first, "One.", cid="m-1")
        await quick.ended(push, "retried")
        await quick.say(second, "Two.", cid="m-2")
        await quick.service.until(2)

    assert min(at[1:]) - at[0] >= 0.95


async def test_what_may_have_arrived_is_not_sent_again(quick: Room) -> None:
    quick.service.answers += ["hang up", 500]
    async with quick.telling() as push:
        await quick.subscribed(push, "phone", "visitor", "v_1")
        conversation = await quick.open()
        await quick.say(conversation, "One.")
        await quick.ended(push, "unknown")
        await quick.say(conversation, "Two.", cid="m-2")
        await quick.ended(push, "unknown", 2)
        await asyncio.sleep(0.3)

    assert quick.service.visits == 2


async def test_a_notice_that_can_go_nowhere_ends(quick: Room) -> None:
    quick.service.answers += [403]
    async with quick.telling() as push:
        await quick.subscribed(push, "phone", "visitor", "v_1")
        conversation = await quick.open()
        await quick.say(conversation, "One.")
        await quick.ended(push, "failed")

    assert [(row.state, row.error) for row in await quick.rows()] == [
        ("failed", "it answered 403")
    ]


async def test_a_snippet_is_one_plain_line_when_the_hub_may_show_it(quick: Room) -> None:
    said = "First\n\u202e<script>alert(1)</script> " + "Wörter " * 1000
    async with quick.telling(snippet=True) as push:
        await quick.subscribed(push, "phone", "visitor", "v_1")
        conversation = await quick.open()
        await quick.say(conversation, said)
        told = await quick.service.until(1)

    body = told.notice["body"]
    assert body.startswith("A_1: First <script>alert(1)</script> Wörter")
    assert body.endswith("…")
    assert len(body) < 160
    assert "\u202e" not in body


async def test_another_reader_of_the_same_browser_takes_it_over(quick: Room) -> None:
    async with quick.telling() as push:
        first = await quick.subscribed(push, "shared", "visitor", "v_1")
        second = await quick.subscribed(push, "shared", "visitor", "v_2")
        conversation = await quick.open("v_1")
        await quick.say(conversation, "For the first.")
        await asyncio.sleep(0.3)

    assert first == second
    assert quick.service.visits == 0


async def test_of_too_many_browsers_the_oldest_go(quick: Room) -> None:
    push = quick.build()
    for number in range(pushes.DEVICES_MAX + 2):
        await quick.subscribed(push, f"b{number}", "visitor", "v_1")

    assert await push.devices(person("visitor", "v_1")) == pushes.DEVICES_MAX


async def test_nothing_is_noted_while_push_is_off(quick: Room) -> None:
    async with quick.hub.http("visitor.v_1") as client:
        about = (await client.get("/api/v1/push")).json()
        refused = await client.put(
            "/api/v1/push", json=Browser("https://push.example/x").subscription
        )

    assert about == {"push": False, "key": None, "devices": 0}
    assert (refused.status_code, refused.json()["code"]) == (409, "push_off")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/x", "https://127.0.0.1/x", "https://[::1]/x",
        "https://169.254.169.254/latest", "https://10.0.0.7/x", "https://push.example.com:8443/x",
        "https://user:pw@push.example.com/x", "javascript:alert(1)", "ftp://push.example.com/x",
    ],
)  # fmt: skip
async def test_an_endpoint_inside_the_network_is_refused(quick: Room, endpoint: str) -> None:
    quick.build()
    async with quick.hub.http("visitor.v_1") as client:
        answer = await client.put("/api/v1/push", json=Browser(endpoint).subscription)

    assert (answer.status_code, answer.json()["code"]) == (422, "push_endpoint_refused")


async def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(quick: Room) -> None:
    async with quick.telling() as push:
        browser = Browser("https://localhost/x")
        keys = browser.subscription["keys"]
        wanted = Subscription(browser.endpoint, keys["p256dh"], keys["auth"])
        await push.subscribe(person("visitor", "v_1"), wanted)
        conversation = await quick.open()
        await quick.say(conversation, "One.")
        await quick.ended(push, "failed")

    (row,) = await quick.rows()
    assert "inside the network" in row.error


@pytest.mark.parametrize(
    "change", [{"auth": "AAAA"}, {"p256dh": "AAAA"}, {"p256dh": "B" + "A" * 86}]
)
async def test_keys_that_are_none_are_refused(quick: Room, change: dict[str, str]) -> None:
    quick.build()
    wanted = quick.service.browser("phone").subscription
    wanted["keys"] |= change
    async with quick.hub.http("visitor.v_1") as client:
        answer = await client.put("/api/v1/push", json=wanted)

    assert (answer.status_code, answer.json()["code"]) == (422, "push_endpoint_refused")


async def test_an_agent_tests_and_ends_it_and_nobody_else_can(quick: Room) -> None:
    quick.build()
    async with quick.hub.http("agent.a_1") as mine, quick.hub.http("agent.a_2") as theirs:
        wanted = quick.service.browser("desk").subscription
        device = (await mine.put("/api/v1/push", json=wanted | {"language": "en"})).json()[
            "device"
        ]
        path = f"/api/v1/push/{device}"
        foreign = [
            (await theirs.post(f"{path}/test", json={})).status_code,
            (await theirs.delete(path)).status_code,
        ]
        tested = (await mine.post(f"{path}/test", json={})).json()
        gone = (await mine.delete(path)).status_code
        about = (await mine.get("/api/v1/push")).json()
    await quick.hub.hub.push._service.close()

    assert foreign == [404, 404]
    assert tested == {"test": "sent"}
    assert quick.service.arrived[0].notice["title"] == "Notices work"
    assert (gone, about["devices"]) == (204, 0)


async def test_the_key_is_made_once_and_only_its_owner_reads_it(quick: Room) -> None:
    first, second = quick.build(), quick.build()
    path = quick.hub.hub.config.data_dir / "push.pem"

    assert first.key == second.key
    assert path.stat().st_mode & 0o077 == 0
