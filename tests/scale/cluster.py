"""``deskhub serve`` several times on one PostgreSQL and one NATS, and people who move between them.

``python -m tests.scale.cluster --kills 20`` kills one process after the other under load and
fails when a single acknowledged message is lost, doubled or out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from deskhub.cli.chaos.crowd import Crowd, talking
from deskhub.cli.chaos.notes import Notes, judge
from deskhub.cli.chaos.process import Process
from deskhub.cli.chaos.scratch import add_watcher
from deskhub.config import load
from tests.support import databases
from tests.support.nats_server import NatsServer, nats_server
from tests.support.served import free_port

VISITORS = 40
PASSWORD = "a watcher's password"
HUB = """
[hub]
store = "{url}"
bus = "{bus}/scale"
log = "warning"
trust_proxy = ["127.0.0.1"]

[inboxes.web]
key = "k-web"
name = "Web"
"""


@dataclass
class Cluster:
    """The processes, their database and their bus."""

    config: Path
    url: str
    nats: NatsServer
    hubs: list[Process]
    turn: itertools.count[int] = field(default_factory=itertools.count)

    def door(self) -> int:
        """Do as a load balancer does: another process for each connection, none that is down."""
        for _ in self.hubs:
            hub = self.hubs[next(self.turn) % len(self.hubs)]
            with contextlib.suppress(ConnectionError):
                return hub.door()
        raise ConnectionError("all of them are down")

    async def sql(self, statement: str, url: str | None = None) -> list[Any]:
        """Run one statement on the database, or at *url*."""
        return await asyncio.to_thread(databases.sql, statement, url or self.url)

    async def head(self) -> int:
        return int((await self.sql("SELECT head FROM tenant"))[0][0])

    async def rows(self) -> list[Any]:
        return await self.sql("SELECT tenant, seq, kind, data FROM event")


@contextlib.asynccontextmanager
async def cluster(folder: Path, count: int = 2, sabotage: str = "") -> AsyncIterator[Cluster]:
    """Run *count* processes until the block ends."""
    folder.mkdir(exist_ok=True)
    with databases.postgres() as url:
        async with nats_server(folder) as nats:
            config = folder / "hub.toml"
            config.write_text(HUB.format(url=url, bus=nats.url), encoding="utf-8")
            await add_watcher(load(config), "main", PASSWORD)
            words = folder / "hubs.log"
            hubs = [Process(config, free_port(), words) for _ in range(count)]
            try:
                with patch.dict(os.environ, {"DESKHUB_SABOTAGE": sabotage}):
                    async with asyncio.TaskGroup() as group:
                        for hub in hubs:
                            group.create_task(hub.start())
                yield Cluster(config, url, nats, list(hubs))
            finally:
                for hub in hubs:
                    await hub.kill()


@dataclass(frozen=True)
class Verdict:
    """What the comparison says."""

    acknowledged: int
    lost: int
    duplicates: int
    inversions: int
    back_s: float

    @property
    def is_clean(self) -> bool:
        return self.acknowledged > 0 and not (self.lost or self.duplicates or self.inversions)

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {self.lost} lost, {self.duplicates} duplicates, "
            f"{self.inversions} inversions, live again after {self.back_s:.1f} s at most"
        )


@dataclass
class Scene:
    """What a trouble may touch and ask."""

    cluster: Cluster
    crowd: Crowd
    back_s: float = 0.0

    async def live_again(self) -> None:
        """Wait until messages are acknowledged again; note how long it took."""
        began = time.monotonic()
        await self.crowd.acknowledged(VISITORS, within_s=60)
        self.back_s = max(self.back_s, time.monotonic() - began)


Trouble = Callable[[Scene], Awaitable[None]]


async def run(
    running: Cluster, trouble: Trouble, *, catch_up_s: float = 20.0, seed: int = 1
) -> Verdict:
    """Let people write and read on all of *running* during *trouble*; compare everything."""
    notes, hubs = Notes(f"scale-{secrets.token_hex(4)}"), list(running.hubs)
    people = talking(
        notes, load(running.config).inboxes["web"], PASSWORD, random.Random(seed),
        door=running.door, watched=[hub.door for hub in hubs], visitors=VISITORS,
    )  # fmt: skip
    async with people as crowd:
        scene = Scene(running, crowd)
        await scene.live_again()
        await trouble(scene)
        await crowd.settle(running.head, catch_up_s)
    lost, duplicates, inversions = judge(notes, await running.rows())
    return Verdict(len(notes.acked), lost, duplicates, inversions, scene.back_s)


async def killing(scene: Scene, kills: int, dice: random.Random) -> None:
    """Kill one process after the other, by turns with an answer and at any moment."""
    for number in range(kills):
        await asyncio.sleep(dice.uniform(0.5, 1.5))
        hub = scene.cluster.hubs[number % len(scene.cluster.hubs)]
        if number % 2 == 0:
            await scene.crowd.strike(hub)
        await hub.kill()
        await hub.start()
        await scene.live_again()


async def main(kills: int, count: int, sabotage: str, seed: int) -> int:
    """Run from the command line."""
    dice, began = random.Random(seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with cluster(Path(folder), count, sabotage) as running:
            verdict = await run(running, lambda scene: killing(scene, kills, dice), seed=seed)
            slowest = max(hub.slowest_start_s for hub in running.hubs)
    print(f"{time.monotonic() - began:.0f} s, slowest start {slowest:.1f} s", file=sys.stderr)
    print(f"{kills} kills of one of {count} processes on PostgreSQL and NATS: {verdict}")
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sabotage", default="")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.exit(
        asyncio.run(main(options.kills, options.processes, options.sabotage, options.seed))
    )
