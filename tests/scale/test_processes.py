"""Two processes on one PostgreSQL and one NATS: one order, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.scale.cluster import Cluster, Scene, cluster, killing, run
from tests.support.databases import ADMIN

pytestmark = [
    pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Yield two processes that live through every test of this file but the twins."""
    async with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


async def quiet(scene: Scene) -> None:
    await scene.crowd.acknowledged(200, within_s=60)


async def without_nats(scene: Scene) -> None:
    """The server is stopped, killed and started empty while people write."""
    nats = scene.cluster.nats
    nats.signal(signal.SIGSTOP)
    await scene.live_again()
    await nats.kill()
    await scene.live_again()
    await nats.start()
    await scene.live_again()


def cut(url: str) -> str:
    """Return the statement that ends every connection to the database of *url*."""
    name = url.rpartition("/")[2]
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"


async def terminated(scene: Scene) -> None:
    """Every connection to the database is cut, again and again, in the middle of commits."""
    for _ in range(3):
        await scene.cluster.sql(cut(scene.cluster.url), ADMIN)
        await scene.live_again()


async def locked_out(scene: Scene) -> None:
    """For a while the database lets nobody in: what a restart looks like from here."""
    name = scene.cluster.url.rpartition("/")[2]
    await scene.cluster.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", ADMIN)
    await scene.cluster.sql(cut(scene.cluster.url), ADMIN)
    await asyncio.sleep(1.5)
    before = len(scene.crowd.notes.acked)
    await asyncio.sleep(0.5)
    assert len(scene.crowd.notes.acked) == before, "acknowledged without a database"
    await scene.cluster.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true", ADMIN)
    await scene.live_again()


async def test_writers_and_readers_on_both_see_one_order(both: Cluster) -> None:
    verdict = await run(both, quiet)

    assert verdict.is_clean, str(verdict)


async def test_killing_one_of_two_loses_nothing(both: Cluster) -> None:
    verdict = await run(both, lambda scene: killing(scene, 2, random.Random(1)))

    assert verdict.is_clean, str(verdict)


async def test_without_nats_everything_arrives_all_the_same(both: Cluster) -> None:
    verdict = await run(both, without_nats)

    assert verdict.is_clean, str(verdict)


async def test_connections_to_postgresql_may_be_cut_at_any_moment(both: Cluster) -> None:
    verdict = await run(both, terminated)

    assert verdict.is_clean, str(verdict)


async def test_a_database_that_is_away_is_waited_for(both: Cluster) -> None:
    verdict = await run(both, locked_out)

    assert verdict.is_clean, str(verdict)


async def test_a_process_that_stood_still_writes_nothing_stale(both: Cluster) -> None:
    """The other one goes on; when it wakes up, its people move or catch up."""

    async def frozen(scene: Scene) -> None:
        hub = scene.cluster.hubs[0]
        hub.signal(signal.SIGSTOP)
        await scene.live_again()
        await asyncio.sleep(3)
        hub.signal(signal.SIGCONT)
        await scene.live_again()

    verdict = await run(both, frozen)

    assert verdict.is_clean, str(verdict)


async def test_the_check_notices_readers_that_never_look_at_the_log(tmp_path: Path) -> None:
    """Without wake-ups and without comparing, only one's own writing shows the others'."""

    async def one_sided(scene: Scene) -> None:
        await scene.cluster.nats.kill()
        # From here on only the first process writes; the second has to look.
        del scene.cluster.hubs[1]
        await scene.live_again()
        await scene.live_again()

    async with cluster(tmp_path, sabotage="no_catch_up") as running:
        verdict = await run(running, one_sided, catch_up_s=3)

    assert not verdict.is_clean, str(verdict)


async def test_the_check_notices_early_answers(tmp_path: Path) -> None:
    async def struck(scene: Scene) -> None:
        for hub in scene.cluster.hubs:
            await scene.crowd.strike(hub)

    async with cluster(tmp_path, sabotage="ack_before_commit") as running:
        verdict = await run(running, struck, catch_up_s=1)

    assert verdict.lost > 0, str(verdict)


async def test_the_check_notices_what_is_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def died_unanswered(scene: Scene) -> None:
        hub = scene.cluster.hubs[0]
        await hub.kill()
        monkeypatch.setenv("DESKHUB_SABOTAGE", "no_dedupe")
        await hub.start("finish.before_answers:20")
        await hub.ended(30)
        hub.strike()
        # Who got no answer repeats it at the other process.
        await scene.live_again()

    async with cluster(tmp_path, sabotage="no_dedupe") as running:
        verdict = await run(running, died_unanswered, catch_up_s=1)

    assert verdict.duplicates > 0, str(verdict)
