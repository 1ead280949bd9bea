"""Many connections in a process of their own, so that their traffic delays no measurement.

Commands on stdin, answers on stdout, one line each: ``dial TOKEN…`` connects and waits for every
welcome; ``wait N TEXT`` waits until N connections got a frame with TEXT since the last command.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable

import uvloop

from tests.load.talkers import hello
from tests.load.wire import Wire

AT_ONCE = 128
PER_ADDRESS = 500
LINE_BYTES = 64 * 1024 * 1024


class Crowd:
    """The connections, and what they heard."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.wires: list[Wire] = []
        self.marker = b""
        self.heard_at: list[float] = []

    def _heard(self, welcomed: asyncio.Event) -> Callable[[bytes], None]:
        def on_text(text: bytes) -> None:
            if text.startswith(b'{"t":"welcome"'):
                welcomed.set()
            elif self.marker and self.marker in text:
                self.heard_at.append(time.perf_counter())

        return on_text

    async def dial(self, tokens: list[str]) -> float:
        """Connect everybody; return the seconds it took."""
        began, waiting = time.perf_counter(), list(enumerate(tokens))

        async def some() -> None:
            while waiting:
                number, token = waiting.pop()
                welcomed = asyncio.Event()
                source = f"127.0.1.{1 + number // PER_ADDRESS}"
                wire = await hello(self.port, token, self._heard(welcomed), source=source)
                self.wires.append(wire)
                async with asyncio.timeout(30):
                    await welcomed.wait()

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(some())
        return time.perf_counter() - began

    async def wait(self, count: int) -> dict[str, float]:
        """Wait until the marked frame came *count* times; return when, by the shared clock."""
        async with asyncio.timeout(30):
            while len(self.heard_at) < count:
                await asyncio.sleep(0.01)
        return {"first": min(self.heard_at), "last": max(self.heard_at)}


async def run(port: int) -> None:
    """Do what stdin says until it ends."""
    crowd, reader = Crowd(port), asyncio.StreamReader(limit=LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb", buffering=0)
    )
    _say({"port": port})
    while line := (await reader.readline()).decode().split():
        verb, *words = line
        if verb == "dial":
            _say({"seconds": await crowd.dial(words)})
        elif verb == "mark":
            crowd.marker, crowd.heard_at = words[0].encode(), []
            _say({})
        elif verb == "wait":
            _say(await crowd.wait(int(words[0])))
        elif verb == "hang-up":
            for wire in crowd.wires:
                wire.hang_up()
            crowd.wires.clear()
            _say({})


def _say(fact: object) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    # The measuring client on the same core goes first.
    os.nice(10)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(run(parser.parse_args().port))
