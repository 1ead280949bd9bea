"""A store with a clock that is set, people who talk, and their reports, on both databases."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deskhub.chat import commands as c
from deskhub.chat.service import Chat
from deskhub.identity.model import Principal, system
from deskhub.store.reports import Reports
from deskhub.store.reports.days import Span
from deskhub.store.reports.figures import Asked
from deskhub.store.store import Store
from tests.support.databases import postgres

LI = Principal("main", "agent", "a_li", "Li Wei", role="agent")
SARA = Principal("main", "agent", "a_sara", "Sara Lind", role="agent")
LEAD = Principal("main", "agent", "a_lead", "Zhou Min", role="supervisor")
ROBOT = system("main", "test")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass
class Moving:
    """A clock that is set."""

    at: datetime = datetime(2026, 11, 1, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Desk:
    """Conversations at moments that the test chooses."""

    store: Store
    clock: Moving
    reports: Reports
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(100_000)))

    def at(self, text: str) -> None:
        """Set the clock to a moment of November 2026: ``3 09:30``."""
        day, clock = text.split()
        hour, minute = clock.split(":")
        self.clock.at = datetime(2026, 11, int(day), int(hour), int(minute), tzinfo=UTC)

    def later(self, **by: int) -> None:
        self.clock.at += timedelta(**by)

    async def do(self, by: Principal, command: Any) -> Any:
        return await Chat(self.store).do(by, command, cid=f"c{next(self.numbers)}")

    async def opened(self, who: Principal, text: str = "Hello") -> str:
        (inbox,) = who.inboxes or ("web",)
        return str((await self.do(who, c.OpenConversation(inbox, text))).conversation)

    async def talk(
        self,
        when: str,
        *,
        reply_s: int = 60,
        close_s: int = 600,
        by: Principal = LI,
        inbox: str = "web",
        score: int | None = None,
        late: bool = False,
    ) -> str:
        """Have a whole conversation: asked at *when*, answered and closed that much later."""
        who = visitor(f"v_{next(self.numbers)}", inbox)
        self.at(when)
        began = self.clock.at
        one = await self.opened(who)
        await self.do(by, c.Assign(one, by.id))
        if late:
            await self.do(ROBOT, c.Tag(one, add=("late-reply",)))
        self.clock.at = began + timedelta(seconds=reply_s)
        await self.do(by, c.PostMessage(one, "Hello!"))
        self.clock.at = began + timedelta(seconds=close_s)
        await self.do(by, c.Close(one))
        if score is not None:
            await self.do(who, c.Rate(one, score, f"It was a {score}"))
        return one

    async def read(self, query: Any, asked: Asked, who: Principal = LEAD, **more: Any) -> Any:
        """Return what *query* gives once the reports are up with the log."""
        await self.reports.catch_up("main")
        return await self.store.read(lambda db: query(db, who, asked, **more))


def visitor(who: str, inbox: str = "web") -> Principal:
    return Principal("main", "visitor", who, "", inboxes=frozenset({inbox}))


def november(first: int, last: int, zone: Any = UTC, **more: Any) -> Asked:
    return Asked(Span(date(2026, 11, first), date(2026, 11, last), zone), **more)


@contextlib.asynccontextmanager
async def running(url: str) -> AsyncIterator[Desk]:
    clock = Moving()
    store = await Store.open(url, clock)
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(store.run())
        yield Desk(store, clock, Reports(store))
        writer.cancel()
    await store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'hub.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(postgres())
        async with running(url) as one:
            yield one
