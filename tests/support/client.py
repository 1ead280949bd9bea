"""A client that keeps every rule of ``deskhub.v1``: outbox, cursor, back-off, long poll.

What it was told and what it saw goes into a `Ledger`, which is then compared with the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import websockets
from websockets.asyncio.client import ClientConnection, connect

NETWORK = (OSError, EOFError, websockets.WebSocketException, httpx2.HTTPError, TimeoutError)
WINDOW = 8


@dataclass(frozen=True)
class Pace:
    """The client's times. The defaults are the protocol's; tests shorten them."""

    welcome_s: float = 5.0
    silence_s: float = 40.0
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0
    answer_s: float = 10.0
    poll_wait_s: float = 25.0
    socket_again_s: float = 300.0


FAST = Pace(
    welcome_s=2.5, silence_s=2.5, backoff_s=0.02, backoff_max_s=0.3, answer_s=2.5,
    poll_wait_s=1.0, socket_again_s=1.0,
)  # fmt: skip


@dataclass
class Ledger:
    """What clients know: acknowledged and sent cids of each, seen events of each."""

    acked: dict[str, int] = field(default_factory=dict)
    sent: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    resets: int = 0

    def judge(self, db: Path, *, observers: tuple[str, ...] = ()) -> Verdict:
        """Compare with the database; *observers* must have seen every message in it."""
        rows: list[tuple[int, str, str]] = []
        # A database that does not even have its tables has lost everything.
        with (
            contextlib.closing(sqlite3.connect(db)) as connection,
            contextlib.suppress(sqlite3.DatabaseError),
        ):
            rows = connection.execute(
                "SELECT seq, kind, data FROM event ORDER BY seq"
            ).fetchall()
        stored: dict[str, int] = {}
        duplicates = lost = inversions = 0
        for seq, kind, data in rows:
            if kind == "message.posted":
                cid = json.loads(data)["cid"]
                duplicates += cid in stored
                stored.setdefault(cid, seq)
        lost += sum(stored.get(cid) != seq for cid, seq in self.acked.items())
        inversions += [seq for seq, *_ in rows] != list(range(1, len(rows) + 1))
        for cids in self.sent.values():
            places = [stored[cid] for cid in cids if cid in stored]
            inversions += places != sorted(places)
        for seen in self.seen.values():
            inversions += sum(b[0] <= a[0] for a, b in itertools.pairwise(seen))
            cids = [cid for _, cid in seen if cid]
            duplicates += len(cids) - len(set(cids))
        for name in observers:
            lost += len(stored.keys() - {cid for _, cid in self.seen[name]})
        return Verdict(len(self.acked), lost, duplicates, int(inversions))


@dataclass(frozen=True)
class Verdict:
    """The figures; all but the first must be zero."""

    acknowledged: int
    lost: int
    duplicates: int
    inversions: int

    @property
    def is_clean(self) -> bool:
        return self.acknowledged > 0 and not (self.lost or self.duplicates or self.inversions)

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {self.lost} lost, "
            f"{self.duplicates} duplicates, {self.inversions} inversions"
        )


class Client:
    """One person on one device. `post` puts into the outbox; `run` keeps it connected."""

    def __init__(
        self,
        port: int | Callable[[], int],
        token: str,
        ledger: Ledger,
        *,
        name: str = "",
        cursor: str | None = None,
        pace: Pace = FAST,
        dice: random.Random | None = None,
        polls_only: bool = False,
        forgets_cursor: bool = False,
    ) -> None:
        """*forgets_cursor* is the broken twin: it goes on from the head after each cut."""
        self._port = port
        self.token, self.ledger, self.name = token, ledger, name or token
        self.cursor, self.pace, self.dice = cursor, pace, dice or random.Random(token)
        self.polls_only, self.forgets_cursor = polls_only, forgets_cursor
        self.outbox: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self.conversation = "new"
        self.opens = self.polled = self.pongs = 0
        self.close_codes: list[int] = []
        self.is_welcome = asyncio.Event()
        self._failures = 0
        self._wait_s: float | None = None
        self._wrote = asyncio.Event()
        self._unsent: list[str] = []
        self._in_flight: set[str] = set()
        self._count = 0
        ledger.sent.setdefault(self.name, [])
        ledger.seen.setdefault(self.name, [])

    @property
    def port(self) -> int:
        return self._port if isinstance(self._port, int) else self._port()

    @property
    def head(self) -> int:
        return int((self.cursor or ":0").rpartition(":")[2])

    def post(self, text: str = "") -> str:
        """Put a message into the outbox; return its cid."""
        self._count += 1
        cid = f"{self.name.replace('.', '-').replace(' ', '-')}-{self._count}"
        self.outbox[cid] = (self.conversation, text or cid)
        self.ledger.sent[self.name].append(cid)
        self._unsent.append(cid)
        self._wrote.set()
        return cid

    async def delivered(self, within_s: float) -> None:
        """Wait until the outbox is empty."""
        async with asyncio.timeout(within_s):
            while self.outbox:
                await asyncio.sleep(0.01)

    async def run(self) -> None:
        """Stay connected, by socket or by poll, until cancelled."""
        polls_until = float("inf") if self.polls_only else 0.0
        while True:
            try:
                if time.monotonic() < polls_until:
                    await self._poll(polls_until)
                else:
                    await self._socket()
                self._failures = 0
            except NETWORK as error:
                self._hear(error)
                if self._failures >= 2 and not self.polls_only:
                    polls_until = time.monotonic() + self.pace.socket_again_s
            finally:
                self.is_welcome.clear()
            await asyncio.sleep(self._pause_s())

    def _hear(self, error: Exception) -> None:
        """Take from a failure how long to stay away. Raises it when it is for good."""
        if isinstance(error, websockets.InvalidStatus):
            # Told to come later: the network lets sockets through, no reason to poll.
            after = error.response.headers.get("retry-after")
            self._wait_s = float(after) if after else None
            status = str(error.response.status_code)
            self.ledger.refused[status] = self.ledger.refused.get(status, 0) + 1
        else:
            self._failures += 1
        if isinstance(error, websockets.ConnectionClosed):
            code = error.rcvd.code if error.rcvd else 1006
            self.close_codes.append(code)
            if code >= 4500:
                raise AssertionError(f"{self.name} was sent away for good: {code}") from error

    def _pause_s(self) -> float:
        told, self._wait_s = self._wait_s, None
        if told is not None:
            return told
        ceiling = min(self.pace.backoff_max_s, self.pace.backoff_s * 2**self._failures)
        return self.dice.uniform(0, ceiling)

    # By socket

    async def _socket(self) -> None:
        async with asyncio.timeout(self.pace.welcome_s):
            socket = await connect(
                f"ws://127.0.0.1:{self.port}/api/v1/stream",
                compression=None, ping_interval=None, close_timeout=0.2,
                open_timeout=self.pace.welcome_s,
            )  # fmt: skip
        try:
            async with asyncio.timeout(self.pace.welcome_s):
                if self.forgets_cursor:
                    self.cursor = None
                await socket.send(
                    _text({"t": "hello", "v": 1, "token": self.token, "cursor": self.cursor})
                )
                welcome = json.loads(await socket.recv())
            assert welcome["t"] == "welcome", welcome
            self.opens += 1
            self._failures = 0
            if welcome["mode"] == "snapshot":
                # Without a cursor this is a beginning; with one, the reset that follows counts.
                self.cursor = welcome["cursor"]
            self._unsent = list(self.outbox)
            self._in_flight.clear()
            self.is_welcome.set()
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._write(socket))
                await self._read(socket)
                writing.cancel()
        except* NETWORK as errors:
            raise next(_leaves(errors)) from None
        finally:
            socket.transport.abort()

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            async with asyncio.timeout(self.pace.silence_s):
                frame = json.loads(await socket.recv())
            match frame["t"]:
                case "events":
                    if frame["from"] != self.cursor:
                        return
                    self._take(frame["events"], frame["to"])
                case "reset":
                    self._reset(frame["cursor"])
                case "result":
                    self._answered(frame["id"], frame)
                case "ping":
                    self.pongs += 1
                    await socket.send(_text({"t": "pong", "k": frame["k"]}))
                case "drain":
                    low, high = frame["window_ms"]
                    self._wait_s = self.dice.uniform(low, high) / 1000
                    return

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            while self._unsent and len(self._in_flight) < WINDOW:
                cid = self._unsent.pop(0)
                conversation, text = self.outbox[cid]
                self._in_flight.add(cid)
                body = {"kind": "text", "text": text}
                await socket.send(
                    _text(
                        {
                            "t": "send",
                            "id": cid,
                            "cid": cid,
                            "conversation": conversation,
                            "body": body,
                        }
                    )
                )
            self._wrote.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.pace.answer_s):
                    await self._wrote.wait()
                    continue
            if self._in_flight:
                raise TimeoutError("no answer")

    def _answered(self, cid: str, result: dict[str, Any]) -> None:
        self._in_flight.discard(cid)
        self._wrote.set()
        if cid not in self.outbox:
            return
        if result["ok"]:
            del self.outbox[cid]
            self.conversation = result["conversation"]
            self.ledger.acked[cid] = result["seq"]
            return
        code = result["error"]["code"]
        self.ledger.refused[code] = self.ledger.refused.get(code, 0) + 1
        if result["error"]["retry"] == "never":
            del self.outbox[cid]
            return
        # Later ones must not overtake it: everything unanswered goes again, in order.
        self._wait_s = result["error"].get("after_ms", 200) / 1000
        raise ConnectionError(code)

    # By long poll and REST

    async def _poll(self, until: float) -> None:
        base = f"http://127.0.0.1:{self.port}"
        headers = {"authorization": f"Bearer {self.token}"}
        timeout_s = self.pace.poll_wait_s + self.pace.answer_s
        try:
            async with httpx2.AsyncClient(
                base_url=base, headers=headers, timeout=timeout_s
            ) as http:
                async with asyncio.TaskGroup() as group:
                    posting = group.create_task(self._post_all(http))
                    while time.monotonic() < until:
                        await self._poll_once(http)
                    posting.cancel()
        except* NETWORK as errors:
            raise next(_leaves(errors)) from None

    async def _poll_once(self, http: httpx2.AsyncClient) -> None:
        query: dict[str, str | float] = {"wait": self.pace.poll_wait_s}
        if self.cursor is not None:
            query["cursor"] = self.cursor
        answer = await http.get("/api/v1/events", params=query)
        if answer.status_code != 200:
            self._wait_s = float(answer.headers.get("retry-after", "0.2"))
            raise ConnectionError(str(answer.status_code))
        told = answer.json()
        self.polled += 1
        self._failures = 0
        self.is_welcome.set()
        if "reset" in told:
            self._reset(told["cursor"])
        else:
            self._take(told["events"], told["cursor"])

    async def _post_all(self, http: httpx2.AsyncClient) -> None:
        while True:
            self._wrote.clear()
            for cid in list(self.outbox):
                await self._post_one(http, cid)
            await self._wrote.wait()

    async def _post_one(self, http: httpx2.AsyncClient, cid: str) -> None:
        conversation, text = self.outbox[cid]
        body: dict[str, Any] = {"kind": "text", "text": text}
        url = "/api/v1/conversations"
        if conversation == "new":
            body = {"body": body}
        else:
            url += f"/{conversation}/messages"
        answer = await http.post(
            url, json=body, headers={"idempotency-key": cid}, timeout=self.pace.answer_s
        )
        told = answer.json()
        if answer.is_success:
            self._answered(
                cid, {"ok": True, "conversation": told["conversation"], "seq": told["seq"]}
            )
        else:
            self._answered(
                cid, {"ok": False, "error": {"code": told["code"], "retry": told["retry"]}}
            )

    def _take(self, events: list[dict[str, Any]], cursor: str) -> None:
        self.cursor = cursor
        self.ledger.seen[self.name] += [
            (event["seq"], event["data"].get("cid", "")) for event in events
        ]

    def _reset(self, cursor: str) -> None:
        self.ledger.resets += 1
        self.cursor = cursor


async def at_head(clients: list[Client], head: int, within_s: float) -> None:
    """Wait until every one of *clients* is at seq *head*."""
    async with asyncio.timeout(within_s):
        while min(client.head for client in clients) < head:
            await asyncio.sleep(0.02)


def _text(frame: dict[str, Any]) -> str:
    return json.dumps(frame)


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
