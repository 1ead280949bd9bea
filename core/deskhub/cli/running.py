"""The hub in this process: what ``serve`` and ``user`` import once hub.toml is good."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from deskhub.app import administration, build, serve_until_signal
from deskhub.cli.output import hint
from deskhub.clock import SystemClock
from deskhub.config import Config
from deskhub.errors import HubError
from deskhub.identity.service import Identity

T = TypeVar("T")


async def run(settings: Config) -> None:
    """Run the hub until SIGINT or SIGTERM."""
    application = await build(settings, SystemClock())
    await serve_until_signal(
        application, lambda: hint(f"Deskhub listens on {settings.hub.url}   console: /console/")
    )


async def run_worker(settings: Config, number: int) -> None:
    """Run as one of several on a port, until SIGTERM or until whoever started it is gone."""
    application = await build(settings, SystemClock())
    application.shares_port = True
    await serve_until_signal(
        application,
        lambda: hint(f"Deskhub's worker {number} listens on {settings.hub.url}"),
        _until_orphaned,
    )


async def _until_orphaned() -> None:
    """Wait for the end of stdin, which the parent holds, and ask for the end of this."""
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    handle = sys.stdin.fileno()

    def look() -> None:
        if not os.read(handle, 1_024):
            loop.remove_reader(handle)
            gone.set()

    loop.add_reader(handle, look)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(handle)
    os.kill(os.getpid(), signal.SIGTERM)


async def with_identity(settings: Config, work: Callable[[Identity], Awaitable[T]]) -> T:
    """Return what *work* does with the identity service of the installation."""
    refused: HubError | None = None
    async with administration(settings, SystemClock()) as identity:
        try:
            result = await work(identity)
        except HubError as error:
            # Raised in here it would come out wrapped into a group.
            refused = error
    if refused is not None:
        raise refused
    return result
