"""The demo's business systems: child processes that end with the demo."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

log = logging.getLogger("deskhub.demo")

START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 3.0
NAMES = ("orders", "payments", "erp", "crm", "tickets", "sso")
TITLES = {
    "orders": "Shop", "payments": "Payments", "erp": "Warehouse and accounting",
    "crm": "CRM", "tickets": "Tickets", "sso": "Identity provider",
}  # fmt: skip


class DemoFailed(Exception):
    """A part of the demo did not start; *lines* is the end of what it printed itself."""

    def __init__(self, what: str, lines: Sequence[str] = ()) -> None:
        """Say *what* failed."""
        super().__init__(what)
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets that hub and systems share; made anew for each demo."""

    identity: str = field(default_factory=lambda: secrets.token_hex(24))
    webhook: str = field(default_factory=lambda: secrets.token_hex(24))
    token: str = field(default_factory=lambda: secrets.token_hex(24))
    client: str = field(default_factory=lambda: secrets.token_hex(24))


@dataclass(frozen=True, slots=True)
class System:
    """One running system: its address and its control address."""

    name: str
    url: str
    admin: str
    process: asyncio.subprocess.Process

    @property
    def title(self) -> str:
        """Return the name people read."""
        return TITLES[self.name]


def arguments(name: str, hub: str, keys: Keys) -> list[str]:
    """Return how the simulator *name* is started for the hub at *hub*."""
    common = ["--port", "0", "--hub", hub, "--instance", name]
    token = ["--token", keys.token]
    webhook = ["--webhook-secret", keys.webhook]
    own = {
        "orders": [
            *token, *webhook, "--inbox", "shop", "--inbox-key", "shop",
            "--identity-secret", keys.identity,
        ],
        "payments": [*token, *webhook],
        "erp": [*token, *webhook],
        "crm": token,
        "tickets": [*token, *webhook],
        "sso": ["--client-id", "deskhub", "--client-secret", keys.client,
                "--redirect-uri", f"{hub}/auth/sso/callback"],
    }  # fmt: skip
    return [*common, *own[name]]


@asynccontextmanager
async def running(
    hub: str, keys: Keys, folder: Path, names: Sequence[str] = NAMES
) -> AsyncIterator[dict[str, System]]:
    """Start the simulators for the hub at *hub*; stop every one of them on leaving.

    Their own output goes to files in *folder*. Raises `DemoFailed` with the last lines of a
    system that does not come up within 30 s.
    """
    started: dict[str, System] = {}
    processes: list[asyncio.subprocess.Process] = []
    try:
        for name in names:
            with (folder / f"{name}.log").open("wb") as output:
                processes.append(
                    await asyncio.create_subprocess_exec(
                        sys.executable, "-m", f"deskhub_{name}.simulator",
                        *arguments(name, hub, keys),
                        stdout=asyncio.subprocess.PIPE, stderr=output,
                        stdin=asyncio.subprocess.PIPE,
                    )
                )  # fmt: skip
        for name, process in zip(names, processes, strict=True):
            started[name] = await _ready(name, process, folder)
        yield started
    finally:
        await _stop(processes)


async def _ready(name: str, process: asyncio.subprocess.Process, folder: Path) -> System:
    """Wait for the line that a simulator prints when it listens."""
    if process.stdout is None:
        raise DemoFailed(f"{name} was started without a pipe")
    try:
        async with asyncio.timeout(START_DEADLINE_S):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        tail = (folder / f"{name}.log").read_text(errors="replace").splitlines()[-5:]
        raise DemoFailed(f"the demo system '{name}' did not start", tail)
    told = orjson.loads(line)
    return System(name=name, url=told["url"], admin=told["admin"], process=process)


async def _stop(processes: Sequence[asyncio.subprocess.Process]) -> None:
    """Ask every process to end; kill what does not."""
    alive = [process for process in processes if process.returncode is None]
    for process in alive:
        process.terminate()
    for process in alive:
        try:
            async with asyncio.timeout(STOP_DEADLINE_S):
                await process.wait()
        except TimeoutError:
            log.warning("demo_system_killed", extra={"pid": process.pid})
            process.kill()
            await process.wait()
