"""The whole hub as a process for the load suite: real edge, real tokens, limits out of the way.

It is what ``deskhub serve`` builds, with people let in before it listens. It says where it
listens as one JSON line. ``watch`` on stdin begins to look for pauses of the loop, ``stall`` ends it
with the longest one: looking costs CPU that is nobody's message. ``census`` counts tasks and
threads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import uvloop

import deskhub.app
from deskhub.app import build
from deskhub.clock import SystemClock
from deskhub.config import Config, HubSettings, Inbox
from deskhub.edge.hub import Hub
from deskhub.identity.service import Identity
from deskhub.identity.visitors import Entrance
from deskhub.stream.streams import Streams
from tests.support.chat import NO_EDGE_LIMITS, NO_LIMITS
from tests.support.served import free_port

AT_ONCE = 100
BEAT_S = 0.002
# Readers of this tenant see nothing of the traffic in the other one.
TENANTS = {"web": "main", "apart": "apart"}


@dataclass
class People:
    """The tokens that the clients dial with, by tenant."""

    agents: dict[str, str] = field(default_factory=dict)
    visitors: dict[str, list[str]] = field(default_factory=dict)


async def longest_pause(ended: asyncio.Event) -> float:
    """Return the longest time that the loop did nothing else, until *ended*."""
    loop, longest_s = asyncio.get_running_loop(), 0.0
    while not ended.is_set():
        before = loop.time()
        await asyncio.sleep(BEAT_S)
        longest_s = max(longest_s, loop.time() - before - BEAT_S)
    return longest_s


async def let_in(identity: Identity, visitors: int, people: People) -> None:
    """Make an agent and *visitors* visitors in each tenant."""
    for inbox, tenant in TENANTS.items():
        agent = await identity.add_agent(
            tenant=tenant, email=f"agent@{tenant}.example", name="Agent", role="agent",
            password=None,
        )  # fmt: skip
        people.agents[tenant] = (await identity.begin(agent, how="load")).access
        count = visitors if tenant == "main" else 1
        entrance, found = Entrance(tenant, inbox), people.visitors.setdefault(tenant, [])
        for start in range(0, count, AT_ONCE):
            async with asyncio.TaskGroup() as group:
                arriving = [
                    group.create_task(identity.visitors.arrive(entrance))
                    for _ in range(min(AT_ONCE, count - start))
                ]
            found += [one.result().token for one in arriving]


async def run(folder: Path, visitors: int, settings: dict[str, str]) -> None:
    """Serve until SIGTERM; without *visitors*, for those whom another process let in."""
    port = free_port()
    config = Config(
        path=folder / "hub.toml",
        hub=HubSettings(listen=f"127.0.0.1:{port}", **settings),
        inboxes={
            name: Inbox(id=name, key=name, name=name, tenant=tenant)
            for name, tenant in TENANTS.items()
        },
    )
    # The composition root stays as it is; only the numbers of the limits differ.
    vars(deskhub.app)["Streams"] = partial(Streams, limits=NO_LIMITS)
    vars(deskhub.app)["Hub"] = partial(Hub, limits=NO_EDGE_LIMITS)
    application = await build(config, SystemClock())
    people = People()
    if visitors:
        identity = application.hub.identity
        application.before_listening(partial(let_in, identity, visitors, people))

    def listening() -> None:
        if visitors:
            (folder / "people.json").write_text(json.dumps(vars(people)))
        _say({"port": port})

    await deskhub.app.serve_until_signal(application, listening, _beside)


async def _beside() -> None:
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb", buffering=0)
    )
    async with asyncio.TaskGroup() as group:
        while line := await reader.readline():
            if line == b"watch\n":
                ended = asyncio.Event()
                watching = group.create_task(longest_pause(ended))
                _say({})
            elif line == b"census\n":
                _say({"tasks": len(asyncio.all_tasks()), "threads": threading.active_count()})
            else:
                ended.set()
                _say({"stall_s": await watching})


def _say(fact: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--store", help="a database that several processes share")
    parser.add_argument("--bus", help="what wakes them")
    options = parser.parse_args()
    shared = {name: value for name in ("store", "bus") if (value := getattr(options, name))}
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(run(options.folder, options.visitors, shared))
