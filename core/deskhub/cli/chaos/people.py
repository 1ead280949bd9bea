"""Visitors who repeat until they are answered, watchers who follow, by socket or long poll."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any

from deskhub.cli.chaos.line import ANSWER_S, BROKEN, Line, Refused, Unknown
from deskhub.cli.chaos.notes import Notes

EMAIL = "chaos@deskhub.invalid"
# What a visitor waits between two messages. Faster than the hub allows for long: who is told
# to slow down does.
PAUSE_S = 0.3
# Of the messages, how many are sent by someone who hangs up before the answer.
LOST_ANSWER = 0.05
POLL_WAIT_S = 5
UNKNOWN_S = 4.0


class Person(ABC):
    """Somebody with a token and a place in the log, and what they saw from there on."""

    def __init__(self, line: Line, notes: Notes, name: str, *, polls: bool) -> None:
        """Follow over *line*; who *polls* has no socket."""
        self.line = line
        self.notes = notes
        self.name = name
        self.polls = polls
        self.cursor: str | None = None
        self.token = ""
        self._unknown_since: float | None = None
        self._seen = notes.seen[name] = []

    @property
    def place(self) -> int:
        """Return the last seq that arrived here."""
        return int((self.cursor or ":0").rpartition(":")[2])

    @abstractmethod
    async def come_in(self) -> None:
        """Get a token when there is none. Raises one of `BROKEN`."""

    async def connect(self) -> None:
        """Be connected, from the present place on. Raises one of `BROKEN`."""
        await self.come_in()
        if self.polls:
            if self.cursor is None:
                told = await self.line.get("/api/v1/events", self.token, wait="0")
                self.cursor = told["cursor"]
        elif not self.line.is_open:
            welcome = await self.line.dial(self.token, self.cursor)
            self.cursor = self.cursor or welcome["cursor"]

    async def look(self) -> dict[str, Any] | None:
        """Take in what comes next; return a frame that is an answer. Raises one of `BROKEN`."""
        if self.polls:
            query = {"cursor": self.cursor or "", "wait": str(POLL_WAIT_S), "sid": self.name}
            told = await self.line.get("/api/v1/events", self.token, **query)
            frame = {"t": "reset" if "reset" in told else "events", "from": self.cursor} | told
        else:
            frame = await self.line.hear()
        if frame["t"] == "result":
            return frame
        if frame["t"] == "reset":
            self.notes.resets += 1
            self.cursor = frame["cursor"]
        elif frame["t"] == "events":
            if frame["from"] != self.cursor:
                raise ConnectionError("these events do not follow")
            self.cursor = frame["to"] if "to" in frame else frame["cursor"]
            self._seen += [(e["seq"], e["data"].get("cid", "")) for e in frame["events"]]
        return None

    def lost_token(self, error: BaseException) -> None:
        """Come in anew next time when *error* says for long that nobody knows the token.

        Not at once: a hub that answers before it commits does not know it yet, and what it
        looked up in vain it remembers for two seconds.
        """
        if not isinstance(error, Unknown):
            self._unknown_since = None
        elif self._unknown_since is None:
            self._unknown_since = time.monotonic()
        elif time.monotonic() - self._unknown_since > UNKNOWN_S:
            self.token, self._unknown_since = "", None


class Visitor(Person):
    """Writes one message after the other; repeats each until it is acknowledged."""

    def __init__(
        self, line: Line, notes: Notes, number: int, inbox: str, dice: random.Random
    ) -> None:
        """Write over *line* into *inbox* (its public key); every third polls."""
        super().__init__(line, notes, f"{notes.run}-{number}", polls=number % 3 == 2)
        self._inbox = inbox
        self._dice = dice
        self._last = 0
        notes.sent[self.name] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Write until *stop*; what is on its way then is still delivered and seen."""
        count = 0
        while not stop.is_set():
            count += 1
            cid = f"{self.name}-{count}"
            self.notes.sent[self.name].append(cid)
            while not await self._tried(self._deliver(cid)):
                continue
            await asyncio.sleep(PAUSE_S * (0.5 + self._dice.random()))
        while self.place < self._last:
            await self._tried(self._follow())
        await self.line.hang_up()

    async def come_in(self) -> None:
        """Come in by the inbox, as a browser that was never here."""
        if not self.token:
            arrival = await self.line.post("/api/v1/visitors", {"inbox": self._inbox})
            self.token = arrival["token"]

    async def _tried(self, attempt: Awaitable[float]) -> bool:
        """Return whether *attempt* worked; otherwise hang up and wait a moment."""
        try:
            wait_s = await attempt
        except BROKEN as error:
            self.lost_token(error)
            await self.line.hang_up()
            wait_s = 0.1 + self._dice.random() * 0.2
        if wait_s:
            await asyncio.sleep(wait_s)
        return not wait_s

    async def _deliver(self, cid: str) -> float:
        """Send *cid*; return 0 when it was acknowledged, else the seconds to wait."""
        await self.connect()
        deaf = self._dice.random() < LOST_ANSWER
        body = {"kind": "text", "text": cid}
        if self.polls:
            told = await self.line.post(
                "/api/v1/conversations", {"body": body}, token=self.token, cid=cid, deaf=deaf
            )
            self._acknowledged(cid, told["seq"])
            # It comes back by the poll; when that fails, it does so by the next one.
            with contextlib.suppress(*BROKEN):
                await self.look()
            return 0.0
        await self.line.say(
            {"t": "send", "id": cid, "cid": cid, "conversation": "new", "body": body}
        )
        if deaf:
            raise ConnectionError("hung up before the answer")
        async with asyncio.timeout(ANSWER_S):
            while (frame := await self.look()) is None or frame["id"] != cid:
                continue
        if frame["ok"]:
            self._acknowledged(cid, frame["seq"])
            return 0.0
        error = frame["error"]
        if error["retry"] == "never":
            raise Refused(f"it refuses for good: {error['code']}")
        return float(error.get("after_ms", 200)) / 1000

    async def _follow(self) -> float:
        await self.connect()
        async with asyncio.timeout(ANSWER_S):
            await self.look()
        return 0.0

    def _acknowledged(self, cid: str, seq: int) -> None:
        self._last = max(self._last, seq)
        self.notes.acknowledge(cid, seq)


class Watcher(Person):
    """An agent who follows the whole log from one place on."""

    def __init__(
        self, line: Line, notes: Notes, name: str, password: str, *, polls: bool
    ) -> None:
        """Follow over *line*, signed in with *password*."""
        super().__init__(line, notes, name, polls=polls)
        self._password = password

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self.connect()
                while True:
                    await self.look()
                    if self.polls:
                        # More often than the hub lets one agent ask would be refused.
                        await asyncio.sleep(0.04)
            except BROKEN as error:
                self.lost_token(error)
            await self.line.hang_up()
            await asyncio.sleep(0.1)

    async def come_in(self) -> None:
        """Sign in."""
        if not self.token:
            signed = {"email": EMAIL, "password": self._password}
            self.token = (await self.line.post("/api/v1/sessions", signed))["access"]
