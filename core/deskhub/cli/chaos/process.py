"""A hub as a process of its own, started and killed again and again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp

START_S = 60.0
LOOK_EVERY_S = 0.02


class NotRunning(Exception):
    """The hub does not start or does not serve; the text says why."""


class Process:
    """``deskhub serve`` with the file *config* at *port*; *words* collects what it prints."""

    def __init__(self, config: Path, port: int, words: Path) -> None:
        """Start nothing yet."""
        self.port = port
        self.slowest_start_s = 0.0
        # How long it answered, in all its lives.
        self.ran_s = 0.0
        self._config = config
        self._words = words
        self._since = 0.0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, failpoint: str = "") -> None:
        """Start the hub, to die at *failpoint*; wait until it answers. Raises `NotRunning`."""
        began = time.monotonic()
        with self._words.open("ab") as words:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "deskhub", "serve", "--config", str(self._config),
                "--listen", f"127.0.0.1:{self.port}",
                stdout=words, stderr=words, stdin=asyncio.subprocess.DEVNULL,
                cwd=self._config.parent, env=os.environ | {"DESKHUB_FAILPOINT": failpoint},
            )  # fmt: skip
        try:
            async with asyncio.timeout(START_S), aiohttp.ClientSession() as http:
                while not await self._answers(http):
                    if self._process.returncode is not None:
                        raise NotRunning(self._last_words())
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError as error:
            raise NotRunning(self._last_words()) from error
        self._since = time.monotonic()
        self.slowest_start_s = max(self.slowest_start_s, self._since - began)

    def door(self) -> int:
        """Return the port to dial. Raises `ConnectionError` while nobody would answer.

        A hundred people who dial again and again would take the time that the start needs.
        """
        if not self._since:
            raise ConnectionError("the hub is down")
        return self.port

    def strike(self) -> None:
        """SIGKILL it at once: no good-bye, no flush."""
        if self._since:
            self.ran_s += time.monotonic() - self._since
            self._since = 0.0
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send *number*, when it still runs."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def ended(self, within_s: float) -> None:
        """Wait until it ends by itself, for *within_s* at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                if self._process is not None:
                    await self._process.wait()

    async def kill(self) -> None:
        """`strike`, and wait until it is gone."""
        self.strike()
        if self._process is not None:
            await self._process.wait()

    async def _answers(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"http://127.0.0.1:{self.port}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _last_words(self) -> str:
        words = self._words.read_text(encoding="utf-8", errors="replace").strip()
        return words.splitlines()[-1][:300] if words else "it said nothing"
