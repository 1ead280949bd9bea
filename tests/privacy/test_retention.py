"""What is older than hub.toml allows is forgotten; without a limit nothing is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from deskhub.privacy.retention import preview
from deskhub.store.tables.chat import conversation as talks
from deskhub.store.tables.files import file as files
from tests.privacy.conftest import CANARY, Home, everywhere, home_at

YEAR_AGO = datetime.now(UTC) - timedelta(days=366)


@pytest.fixture
async def home(database: str, tmp_path: Path) -> AsyncIterator[Home]:
    async with home_at(
        database, tmp_path, closed_conversations_days=365, files_days=30, batch=2
    ) as one:
        yield one


async def age(home: Home, *conversations: str) -> None:
    """Let *conversations* be closed, and quiet for a year."""
    for one in conversations:
        await home.close(one)
    change = sa.update(talks).where(talks.c.id.in_(conversations)).values(last_at=YEAR_AGO)
    await home.store.transact("main", lambda tx: tx.connection.execute(change))


async def test_old_closed_conversations_go_and_others_stay(home: Home) -> None:
    _, old = await everywhere(home)
    fresh, still_open = await home.said("v_2", "fresh"), await home.said("v_3", "open")
    await home.close(fresh)
    await age(home, old)

    assert await home.retention.batch() == 1
    assert await home.retention.batch() == 0

    texts = [event["data"].get("text") for event in await home.events(old)]
    assert not any(texts)
    for one in (fresh, still_open):
        assert any(event["data"].get("text") for event in await home.events(one))


async def test_a_batch_is_bounded(home: Home) -> None:
    old = [await home.said(f"v_{number}", "words") for number in range(5)]
    await age(home, *old)

    assert [await home.retention.batch() for _ in range(4)] == [2, 2, 1, 0]


async def test_old_files_go_and_their_messages_stay(home: Home) -> None:
    _, conversation = await everywhere(home)
    change = sa.update(files).values(at=datetime.now(UTC) - timedelta(days=31))
    await home.store.transact("main", lambda tx: tx.connection.execute(change))

    assert await home.retention.batch() == 1

    assert f"my {CANARY} is broken" in str(await home.events(conversation))
    left = await home.store.read(lambda db: db.execute(sa.select(files.c.state)).all())
    assert [row.state for row in left] == ["ready"]


async def test_a_preview_counts_and_changes_nothing(home: Home) -> None:
    _, old = await everywhere(home)
    await age(home, old)
    head = home.store.tail.head("main")

    found = await preview(home.config, datetime.now(UTC), home.store.read)

    assert found["tenants"] == {"main": {"conversations": 1, "files": 0}}
    assert home.store.tail.head("main") == head


async def test_without_a_limit_everything_is_kept(database: str, tmp_path: Path) -> None:
    async with home_at(database, tmp_path) as home:
        _, old = await everywhere(home)
        await age(home, old)

        assert await home.retention.batch() == 0
