"""A simulator as a process: says when it is ready, ends cleanly and with its parent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Protocol

PARENT_CHECK_S = 1.0


class Served(Protocol):
    """What can be served: a name, an address once it serves, and the serving itself."""

    url: str

    @property
    def name(self) -> str:
        """Return what the ready line calls it."""
        ...

    def serving(self, host: str, port: int) -> AbstractAsyncContextManager[Any]:
        """Serve while the block runs."""
        ...


def serve_until_stopped(make: Callable[[Namespace], Served], options: Namespace) -> int:
    """Serve what *make* builds until SIGTERM, SIGINT or the parent's end; return 0.

    When it is ready, one JSON line ``{"name", "url", "admin", "pid"}`` goes to stdout.
    """
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(make, options))
    return 0


async def _serve(make: Callable[[Namespace], Served], options: Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    served = make(options)
    async with served.serving(options.host, options.port), asyncio.TaskGroup() as group:
        ready = {
            "name": served.name, "url": served.url, "admin": f"{served.url}/_sim/",
            "pid": os.getpid(),
        }  # fmt: skip
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        watchers = []
        if not options.stay:
            watchers.append(group.create_task(_parent_gone(stop), name="parent"))
        if options.parent_pipe:
            watchers.append(group.create_task(_stdin_ended(stop), name="stdin"))
        await stop.wait()
        for watcher in watchers:
            watcher.cancel()


async def _parent_gone(stop: asyncio.Event) -> None:
    """Set *stop* once the process that started this one is no longer its parent."""
    parent = os.getppid()
    # The kernel tells nobody about a change of parent; asking is the portable way.
    while os.getppid() == parent:  # noqa: ASYNC110
        await asyncio.sleep(PARENT_CHECK_S)
    stop.set()


async def _stdin_ended(stop: asyncio.Event) -> None:
    """Set *stop* once the other end of stdin is closed."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while await reader.read(1024):
            continue
        stop.set()
    finally:
        transport.close()
