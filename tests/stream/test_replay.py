"""Whatever happened and wherever a reader comes back: replay(cursor) is the log's suffix."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deskhub.chat import commands as c
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.errors import HubError
from deskhub.identity.model import Principal
from deskhub.store import tail as tails
from deskhub.store.store import Store
from deskhub.stream import place as places
from deskhub.stream.polls import Polls
from deskhub.stream.session import Session
from deskhub.stream.streams import Streams
from tests.support.chat import NO_LIMITS, FakePeople, person

VISITORS = ("v_1", "v_2", "w_1")
# An agent of all inboxes, one of `second` only, and every visitor.
READERS = [
    person("agent", "a_1"),
    person("agent", "b_1"),
    *(person("visitor", v) for v in VISITORS),
]

steps = st.lists(
    st.tuples(
        st.sampled_from(["open", "say", "answer", "note", "tag", "close", "read", "burst"]),
        st.integers(0, len(VISITORS) - 1),
    ),
    min_size=1,
    max_size=25,
)


class World:
    """A hub without a network, and the conversations its visitors have."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.chat = Chat(store)
        people = FakePeople()
        self.streams = Streams(store, self.chat, people, SystemClock(), limits=NO_LIMITS)
        self.polls = Polls(self.streams, people)
        self.places: dict[str, str] = {}
        self.count = 0

    async def do(self, what: str, number: int) -> None:
        visitor, agent = person("visitor", VISITORS[number]), person("agent", "a_1")
        place = self.places.get(visitor.id)
        if place is None or what == "open":
            inbox = next(iter(visitor.inboxes or ()))
            await self.send(visitor, c.OpenConversation(inbox, "Hello"))
            return
        commands: dict[str, tuple[Principal, c.ChatCommand]] = {
            "say": (visitor, c.PostMessage(place, f"message {self.count}")),
            "answer": (agent, c.PostMessage(place, f"answer {self.count}")),
            "note": (agent, c.AddNote(place, "psst")),
            "tag": (agent, c.Tag(place, add=(f"tag {self.count % 3}",))),
            "close": (agent, c.Close(place)),
            "read": (agent, c.MarkRead(place, 10**9)),
            "burst": (visitor, c.PostMessage(place, "burst")),
        }
        for _ in range(6 if what == "burst" else 1):
            await self.send(*commands[what])

    async def send(self, who: Principal, command: c.ChatCommand) -> None:
        self.count += 1
        receipt = await self.chat.do(who, command, cid=f"k{self.count}")
        if who.kind == "visitor":
            self.places[who.id] = receipt.conversation


def visible(db: Path, reader: Principal, after: int) -> list[int]:
    """Return what *reader* should see after seq *after*: the rule once more, in other words."""
    with closing(sqlite3.connect(db)) as connection:
        rows = connection.execute(
            "SELECT seq, audience, inbox, visitor FROM event WHERE seq > ? ORDER BY seq",
            (after,),
        ).fetchall()
    if reader.kind == "visitor":
        return [seq for seq, who, _, visitor in rows if who == "all" and visitor == reader.id]
    return [seq for seq, _, inbox, _ in rows if not reader.inboxes or inbox in reader.inboxes]


async def pushed(session: Session, start: str, count: int) -> list[int]:
    """Return the seqs of the first *count* events that *session* pushes; no range has a hole."""
    seqs: list[int] = []
    cursor = start
    async with asyncio.timeout(5):
        while len(seqs) < count:
            for text in await session.take():
                frame: dict[str, Any] = json.loads(text)
                if frame["t"] == "events":
                    assert frame["from"] == cursor
                    cursor = frame["to"]
                    seqs += [event["seq"] for event in frame["events"]]
    return seqs


async def play(
    db: Path, before: list[tuple[str, int]], during: list[tuple[str, int]], share: float
) -> None:
    store = await Store.open(f"sqlite:///{db}", SystemClock())
    world = World(store)
    async with asyncio.TaskGroup() as group:
        services = [group.create_task(store.run()), group.create_task(world.streams.run())]
        for what, number in before:
            await world.do(what, number)
        after = int(store.tail.head("main") * share)
        start = world.streams.cursor("main", after)
        open_sessions = [(one, await world.streams.open(one, start)) for one in READERS]
        for what, number in during:
            await world.do(what, number)
        for reader, session in open_sessions:
            expected = visible(db, reader, after)
            assert await pushed(session, start, len(expected)) == expected, reader.by
            told = json.loads(await world.polls.poll(reader, start, 0))
            assert [event["seq"] for event in told["events"]] == expected, reader.by
            world.streams.leave(session)
        for service in reversed(services):
            service.cancel()
    await store.close()


@settings(max_examples=25, deadline=None)
@given(
    before=steps,
    during=steps,
    share=st.floats(0, 1),
    ring=st.sampled_from([3, 10, 4_096]),
    page=st.sampled_from([1, 4, 500]),
)
def test_replay_is_the_suffix_of_the_log(
    before: list[tuple[str, int]],
    during: list[tuple[str, int]],
    share: float,
    ring: int,
    page: int,
) -> None:
    """Small rings and pages make every way a session can read: memory, database, in parts."""
    was = tails.RING_EVENTS, places.FRAME_EVENTS
    tails.RING_EVENTS, places.FRAME_EVENTS = ring, page
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(play(Path(folder) / "hub.db", before, during, share))
    finally:
        tails.RING_EVENTS, places.FRAME_EVENTS = was


def test_what_the_rules_refuse_leaves_no_trace() -> None:
    async def run(db: Path) -> None:
        store = await Store.open(f"sqlite:///{db}", SystemClock())
        async with asyncio.TaskGroup() as group:
            running = group.create_task(store.run())
            try:
                await Chat(store).do(person("agent", "a_1"), c.Close("c_9"), cid="k")
            except HubError:
                assert store.tail.head("main") == 0
            running.cancel()
        await store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "hub.db"))
