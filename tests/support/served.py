"""The hub of `tests.support.chat` as a process: started, frozen, killed and looked into.

``python -m tests.support.served --db FILE`` is the process; `Served` is who holds it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2

from deskhub.bus.nats import NatsBus
from deskhub.edge.buckets import Rate as EdgeRate
from tests.support.chat import NO_EDGE_LIMITS, NO_LIMITS, chat_hub
from tests.support.nursery import Child, born


class Ended(Exception):
    """The server ended before it listened: exit code, and its last words."""


@dataclass(frozen=True)
class Figures:
    """What a process holds, as it tells itself in ``/metrics``."""

    tasks: int
    threads: int
    descriptors: int
    sockets: int
    sessions: int
    resident_mb: float


@dataclass
class Served:
    """A hub on one port and one database, however often it is started."""

    db: Path
    options: Sequence[str] = ()
    env: dict[str, str] = field(default_factory=dict)
    port: int = 0
    # With its own interpreter instead of a fork: for what is preloaded or mounted.
    is_fresh: bool = False
    log: Path | None = None
    process: Child | None = None

    async def start(self, *, env: dict[str, str] | None = None) -> None:
        """Start it; *env* is for this run alone. Raises `Ended` when it does not stay."""
        self.port = self.port or free_port()
        arguments = ["--db", str(self.db), "--port", str(self.port), *self.options]
        begin = fresh if self.is_fresh else born
        self.process = begin(arguments, self.env | (env or {}), str(self.words))
        async with asyncio.timeout(90):
            while not self.process.ready and self.process.code is None:
                await asyncio.sleep(0.005)
        if self.process.code is not None:
            raise Ended(self.process.code, self.words.read_text()[-2_000:])

    @property
    def words(self) -> Path:
        """What it said on stderr, in all its lives."""
        return self.log or self.db.with_suffix(".log")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.signal(number)

    async def ended(self, within_s: float) -> int:
        """Return the exit code. Raises `TimeoutError` when it still runs after *within_s*."""
        assert self.process is not None
        async with asyncio.timeout(within_s):
            while self.process.code is None:
                await asyncio.sleep(0.005)
        return self.process.code

    async def kill(self) -> None:
        """SIGKILL it, frozen or not."""
        if self.process is not None and self.process.code is None:
            self.signal(signal.SIGKILL)
            await self.ended(30)

    async def terminate(self, within_s: float) -> float:
        """SIGTERM it; return how many seconds the end took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        await self.ended(within_s)
        return time.monotonic() - began

    async def figures(self) -> Figures:
        """Return what the process holds now."""
        async with httpx2.AsyncClient(timeout=10) as client:
            text = (await client.get(f"{self.api}/metrics")).text
        found: Counter[str] = Counter()
        for line in text.splitlines():
            if line[:1] != "#":
                name, _, value = line.partition("{")[0].partition(" ")
                found[name] += int(float(value or line.rsplit(" ", 1)[1]))
        return Figures(
            tasks=found["deskhub_tasks"],
            threads=found["deskhub_threads"],
            descriptors=found["deskhub_open_files"],
            sockets=found["deskhub_sockets"],
            sessions=found["deskhub_sessions"],
            resident_mb=found["deskhub_resident_bytes"] / 2**20,
        )

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def head(self) -> int:
        """Return the last seq in the database."""
        with contextlib.closing(sqlite3.connect(self.db)) as connection:
            return int(connection.execute("SELECT head FROM tenant").fetchone()[0])

    async def start_cursor(self) -> str:
        """Return the cursor of the present place."""
        async with httpx2.AsyncClient() as client:
            answer = await client.get(
                f"{self.api}/api/v1/events", headers={"authorization": "Bearer agent.a_1"}
            )
        assert answer.status_code == 200, answer.text
        cursor: str = answer.json()["cursor"]
        return cursor


@contextlib.asynccontextmanager
async def served(
    db: Path, *options: str, env: dict[str, str] | None = None, is_fresh: bool = False
) -> AsyncIterator[Served]:
    """Run a hub on *db* until the block ends."""
    one = Served(db, options, env or {}, is_fresh=is_fresh)
    await one.start()
    try:
        yield one
    finally:
        await one.kill()


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def fresh(arguments: Sequence[str], env: dict[str, str], words: str) -> Child:
    """Return a hub process with an interpreter of its own."""
    with Path(words).open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.served", *arguments],
            stdout=subprocess.PIPE, stderr=said, env=os.environ | env,
        )  # fmt: skip
    child = Child(process.pid)

    def watch() -> None:
        assert process.stdout is not None
        with process.stdout as said:
            child.ready = bool(said.readline())
            child.code = process.wait()

    threading.Thread(target=watch, daemon=True, name="fresh hub").start()
    return child


async def _serve(options: argparse.Namespace, listening: Callable[[int], None]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    limits = replace(
        NO_LIMITS,
        stuck_s=options.stuck_s,
        heartbeat_s=options.heartbeat_s,
        heartbeat_jitter_s=min(2.0, options.heartbeat_s / 10),
        answer_s=options.answer_s,
    )
    edge = NO_EDGE_LIMITS
    if options.handshakes:
        edge = replace(edge, handshakes=EdgeRate(options.handshakes, options.handshakes))
    async with chat_hub(
        options.db, limits=limits, edge_limits=edge, port=options.port,
        url=options.url, bus=NatsBus(options.bus) if options.bus else None,
    ) as hub:  # fmt: skip
        listening(hub.port)
        await stop.wait()


def main(arguments: Sequence[str], listening: Callable[[int], None]) -> None:
    """Run until SIGTERM; call *listening* with the port."""
    import uvloop

    parser = argparse.ArgumentParser()
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stuck-s", type=float, default=15.0)
    parser.add_argument("--heartbeat-s", type=float, default=25.0)
    parser.add_argument("--answer-s", type=float, default=10.0)
    parser.add_argument("--url", help="a database server instead of the file")
    parser.add_argument("--bus", help="a NATS server between several of these")
    parser.add_argument("--descriptors", type=int, help="how many files it may open")
    parser.add_argument("--handshakes", type=float, default=0.0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    if options.descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (options.descriptors,) * 2)
    uvloop.run(_serve(options, listening))


if __name__ == "__main__":
    main(sys.argv[1:], lambda port: print(json.dumps({"port": port}), flush=True))
