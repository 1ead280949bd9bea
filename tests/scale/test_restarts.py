"""The database restarts, crashes or freezes: refused for a while, never lost, back at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from deskhub.chat.commands import OpenConversation, PostMessage
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.errors import HubError
from deskhub.store import log as event_log
from deskhub.store import sabotage
from deskhub.store.store import Store
from tests.support import databases
from tests.support.chat import person
from tests.support.postgres_server import PostgresServer, postgres_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TALKERS = 10


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as one:
        yield one


@pytest.fixture
def url(server: PostgresServer) -> str:
    """Return an empty database on the server that every test here restarts or stops."""
    name = f"test_{uuid4().hex[:12]}"
    databases.sql(f"CREATE DATABASE {name}", server.url)
    return f"{server.url.rpartition('/')[0]}/{name}"


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url, SystemClock())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(store.run())
        yield store
        running.cancel()
    await store.close()


class Talk:
    """Visitors who write through two stores and repeat until they are answered."""

    def __init__(self, *stores: Store) -> None:
        self.stores = stores
        self.acked: dict[str, int] = {}
        self.refused = 0
        self.is_over = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(TALKERS):
                group.create_task(self._talk(number))

    async def _talk(self, number: int) -> None:
        chat = Chat(self.stores[number % len(self.stores)])
        who = person("visitor", f"v_{number}")
        where = (await chat.do(who, OpenConversation("web", "Hi"), cid="open")).conversation
        count = 0
        while not self.is_over:
            count += 1
            cid = f"v-{number}-{count}"
            while True:
                try:
                    done = await chat.do(who, PostMessage(where, cid), cid=cid)
                except HubError as error:
                    if error.retry != "later":
                        raise
                    self.refused += 1
                    await asyncio.sleep(0.1)
                else:
                    self.acked[cid] = done.seq
                    break
            await asyncio.sleep(0.005)

    async def more(self) -> float:
        """Return how long it takes until more is acknowledged."""
        began, before = time.monotonic(), len(self.acked)
        async with asyncio.timeout(40):
            while len(self.acked) < before + TALKERS:
                await asyncio.sleep(0.01)
        return time.monotonic() - began


async def judged(store: Store, talk: Talk) -> None:
    events = await store.read(lambda db: event_log.after(db, "main", 0, 1_000_000))
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    stored = [(one.cid, one.seq) for one in events if one.cid and one.cid.startswith("v-")]
    assert len(stored) == len(dict(stored)), "stored twice"
    missing = {cid for cid, seq in talk.acked.items() if dict(stored).get(cid) != seq}
    assert not missing, "acknowledged and lost"


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_a_restart_loses_nothing_and_is_over_by_itself(
    server: PostgresServer, url: str, how: str
) -> None:
    async with opened(url) as here, opened(url) as there:
        talk = Talk(here, there)
        async with asyncio.TaskGroup() as group:
            group.create_task(talk.run())
            await talk.more()
            slowest = 0.0
            for _ in range(2):
                await asyncio.to_thread(server.stop, how)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(server.start)
                slowest = max(slowest, await talk.more())
            talk.is_over = True
        await judged(here, talk)

    assert talk.refused > 0
    print(f"live again {slowest:.1f} s after the start")
    assert slowest < 10


async def test_a_server_that_froze_for_a_moment_only_delays(
    server: PostgresServer, url: str
) -> None:
    async with opened(url) as here, opened(url) as there:
        talk = Talk(here, there)
        async with asyncio.TaskGroup() as group:
            group.create_task(talk.run())
            await talk.more()
            server.signal(signal.SIGSTOP)
            await asyncio.sleep(3)
            server.signal(signal.SIGCONT)
            back_s = await talk.more()
            talk.is_over = True
        await judged(here, talk)

    assert back_s < 10


async def test_the_check_notices_answers_that_the_server_did_not_keep(
    server: PostgresServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(url) as here, opened(url) as there:
        talk = Talk(here, there)
        async with asyncio.TaskGroup() as group:
            group.create_task(talk.run())
            # Long enough that nobody's conversation is among what is lost.
            await talk.more()
            await asyncio.sleep(0.2)
            monkeypatch.setattr(sabotage, "_ACTIVE", frozenset({"ack_before_commit"}))
            await talk.more()
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.sleep(0.5)
            monkeypatch.undo()
            await asyncio.to_thread(server.start)
            await talk.more()
            talk.is_over = True

        with pytest.raises(AssertionError, match="acknowledged and lost"):
            await judged(here, talk)
