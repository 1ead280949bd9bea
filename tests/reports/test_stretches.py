"""How stretches follow the log: whatever the pages, once, and anew for another log."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from deskhub.chat import commands as c
from deskhub.store.reports import Reports, figures, follower
from deskhub.store.tables.chat import tenant
from deskhub.store.tables.reports import report_place, stretch
from tests.reports.conftest import LI, Desk, november, visitor


async def rows(desk: Desk) -> list[tuple[object, ...]]:
    query = sa.select(stretch).order_by(stretch.c.seq)
    return await desk.store.read(lambda db: [tuple(row) for row in db.execute(query)])


async def some(desk: Desk) -> None:
    for hour in range(9, 14):
        await desk.talk(f"3 {hour:02}:00", score=hour % 5 + 1)


@pytest.mark.parametrize("page", [1, 2, 3, 7])
async def test_the_size_of_a_page_changes_nothing(
    desk: Desk, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some(desk)
    await desk.reports.catch_up("main")
    whole = await rows(desk)
    await desk.store.transact("main", lambda tx: tx.connection.execute(report_place.delete()))

    monkeypatch.setattr(follower, "PAGE", page)
    await desk.reports.catch_up("main")

    assert await rows(desk) == whole
    assert len(whole) == 5


async def test_several_who_follow_count_everything_once(desk: Desk) -> None:
    await some(desk)
    others = [Reports(desk.store) for _ in range(4)]

    async with asyncio.TaskGroup() as group:
        for one in others:
            group.create_task(one.catch_up("main"))

    found = await desk.read(figures.totals, november(3, 3))
    assert (found.opened, found.closed, found.ratings) == (5, 5, 5)


async def test_another_log_is_counted_anew(desk: Desk) -> None:
    await some(desk)
    await desk.reports.catch_up("main")
    # What a restore does: the log is another one, and may be shorter.
    change = sa.update(tenant).values(epoch="another")
    await desk.store.transact("main", lambda tx: tx.connection.execute(change))

    await desk.reports.catch_up("main")

    found = await desk.store.read(lambda db: follower.place(db, "main"))
    assert found is not None
    assert found[0] == "another"
    assert len(await rows(desk)) == 5


async def test_a_tenant_without_a_log_has_no_stretches(desk: Desk) -> None:
    assert await desk.reports.catch_up("nobody") == 0


async def test_the_service_follows_by_itself(desk: Desk) -> None:
    service = Reports(desk.store, pace_s=0)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(service.run())
        one = await desk.opened(visitor("v_1"))
        await desk.do(LI, c.Close(one))
        async with asyncio.timeout(20):
            while (
                not (found := await rows(desk))
                or found[0][stretch.c.keys().index("closed_at")] is None
            ):
                await asyncio.sleep(0.01)
        following.cancel()
