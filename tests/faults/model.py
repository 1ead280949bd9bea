"""A hub without a network, people with bad connections, and what must hold after every step."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deskhub.chat import commands as c
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.errors import HubError
from deskhub.identity.model import Principal
from deskhub.store import conversations
from deskhub.store import log as event_log
from deskhub.store.restore import renew
from deskhub.store.store import Store
from deskhub.stream import cursor as cursors
from deskhub.stream.polls import Polls
from deskhub.stream.session import Session
from deskhub.stream.streams import Streams
from tests.support.chat import NO_LIMITS, FakePeople, person

FIELDS = ("state", "assignee", "tags", "last", "head", "name", "inbox")


@dataclass
class Device:
    """What one person's program holds: a place, a picture, what came since, an outbox."""

    principal: Principal
    cursor: str | None = None
    base: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    picture: dict[str, dict[str, Any]] = field(default_factory=dict)
    outbox: dict[str, tuple[str, str]] = field(default_factory=dict)
    session: Session | None = None

    @property
    def seq(self) -> int:
        return cursors.read(self.cursor)[1] if self.cursor else 0


class World:
    """Everything, and the one loop it runs in."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.lives = self.count = 0
        self.acked: dict[str, int] = {}
        self.copies: list[Path] = []
        self.people = FakePeople()
        self.devices = {
            one.id: Device(one)
            for one in (
                person("visitor", "v_1"), person("visitor", "v_2"), person("visitor", "w_1"),
                person("agent", "a_1"), person("agent", "b_1"),
            )
        }  # fmt: skip
        self.places: dict[str, str] = {}
        self.db = self.folder / "hub-0.db"
        self.run(self._begin())

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self._end())
        self.runner.close()
        shutil.rmtree(self.folder)

    async def _begin(self) -> None:
        self.store = await Store.open(f"sqlite:///{self.db}", SystemClock())
        self.chat = Chat(self.store)
        self.streams = Streams(
            self.store, self.chat, self.people, SystemClock(), limits=NO_LIMITS
        )
        self.polls = Polls(self.streams, self.people)
        loop = asyncio.get_running_loop()
        self.services = [loop.create_task(one.run()) for one in (self.store, self.streams)]
        await asyncio.sleep(0)
        await self.store.ensure("main")

    async def _end(self) -> None:
        for device in self.devices.values():
            self.cut(device)
        for service in reversed(self.services):
            service.cancel()
            await asyncio.wait([service])
        await self.store.close()

    # What happens

    async def connect(self, device: Device) -> None:
        """Open a session where the device is, and repeat what was not answered."""
        self.cut(device)
        device.session = await self.streams.open(device.principal, device.cursor)
        for cid in list(device.outbox):
            await self._submit(device, cid)

    def cut(self, device: Device) -> None:
        session, device.session = device.session, None
        if session is not None:
            self.streams.leave(session)

    async def post(self, device: Device, note: bool) -> None:
        """Write something; agents need a conversation to write into."""
        who, self.count = device.principal, self.count + 1
        place = "new"
        if who.kind == "agent":
            seen = [
                p
                for v, p in self.places.items()
                if not who.inboxes or self._inbox(v) in who.inboxes
            ]
            if not seen:
                return
            place = seen[self.count % len(seen)]
        cid = f"{who.id}-{self.count}"
        device.outbox[cid] = ("note" if note and who.kind == "agent" else "send", place)
        if device.session is not None:
            await self._submit(device, cid)

    async def _submit(self, device: Device, cid: str) -> None:
        kind, place = device.outbox[cid]
        frame: dict[str, Any] = {"t": kind, "id": cid, "cid": cid, "conversation": place}
        frame |= {"text": cid} if kind == "note" else {"body": {"kind": "text", "text": cid}}
        session = device.session
        assert session is not None
        await session.receive(json.dumps(frame))
        while session.in_flight:
            await asyncio.sleep(0.0005)

    async def change(self, visitor: str, what: str) -> None:
        """Let an agent change the state of a conversation."""
        place = self.places.get(visitor)
        if place is None:
            return
        self.count += 1
        command = {
            "tag": c.Tag(place, add=(f"t{self.count % 3}",)), "close": c.Close(place),
            "reopen": c.Reopen(place), "assign": c.Assign(place, "a_1", name="A_1"),
        }[what]  # fmt: skip
        with contextlib.suppress(HubError):
            await self.chat.do(person("agent", "a_1"), command, cid=f"x-{self.count}")

    async def flow(self, device: Device, *, lossy: bool = False) -> None:
        """Let what the hub has to say arrive, or with *lossy* get lost on the way."""
        session = device.session
        while session is not None and session is device.session:
            await asyncio.sleep(0)
            if not session._replies and not session._place.is_behind:
                return
            for text in await session.take():
                frame = json.loads(text)
                if not lossy and not await self._heard(device, frame):
                    return

    async def _heard(self, device: Device, frame: dict[str, Any]) -> bool:
        match frame["t"]:
            case "welcome" if device.cursor is None:
                await self.load(device)
                return False
            case "events" if frame["from"] != device.cursor:
                # Something is missing in between: the log has it.
                self.cut(device)
                return False
            case "events":
                self._take(device, frame["events"], frame["to"])
            case "reset":
                await self.load(device)
                return False
            case "result" if frame["ok"]:
                self._answered(device, frame["id"], frame)
            case "result":
                assert frame["error"]["retry"] == "never" or frame["error"]["code"] == "busy", (
                    frame
                )
                device.outbox.pop(frame["id"], None)
        return True

    def _answered(self, device: Device, cid: str, result: dict[str, Any]) -> None:
        device.outbox.pop(cid, None)
        assert self.acked.get(cid, result["seq"]) == result["seq"], (
            "two answers for one message"
        )
        self.acked[cid] = result["seq"]
        if device.principal.kind == "visitor":
            self.places[device.principal.id] = result["conversation"]

    def _take(self, device: Device, events: list[dict[str, Any]], cursor: str) -> None:
        device.cursor = cursor
        device.events += events
        for event in events:
            fold(device.picture, event)

    async def load(self, device: Device) -> None:
        """Take the snapshot: the device forgets what it had and dials anew."""
        self.cut(device)
        device.cursor, device.picture = await self._fresh(device)
        device.events, device.base = [], device.seq

    async def _fresh(self, device: Device) -> tuple[str, dict[str, dict[str, Any]]]:
        principal = device.principal

        def query(db: sa.Connection) -> tuple[str, dict[str, dict[str, Any]]]:
            views: list[dict[str, Any]] = []
            if principal.kind == "agent":
                views = [*conversations.active(db, principal)]
                views += conversations.page(db, principal, "closed").views
            return cursors.written(*event_log.position(db, "main")), {
                one["id"]: {name: told(one, name) for name in FIELDS} for one in views
            }

        return await self.store.read(query)

    async def poll(self, device: Device) -> None:
        """Ask once instead of listening; a poll never waits here."""
        self.cut(device)
        if device.cursor is None:
            await self.load(device)
        answer = json.loads(await self.polls.poll(device.principal, device.cursor, 0))
        if "reset" in answer:
            await self.load(device)
        else:
            self._take(device, answer["events"], answer["cursor"])

    async def rights(self, inboxes: frozenset[str]) -> None:
        """Give agent b_1 other inboxes: its session ends and its picture is made anew."""
        device = self.devices["b_1"]
        self.cut(device)
        device.principal = replace(device.principal, inboxes=inboxes)
        # What it wrote about may be out of reach now: the hub says so when it is asked.
        await self.load(device)

    def forget(self) -> None:
        """Empty the ring, as for a reader who is far behind: the database must do."""
        epoch, head = self.streams.log_of("main")
        self.store.tail._rings.pop("main")
        self.store.tail.start("main", epoch, head)

    async def crash(self, *, older: int | None = None) -> None:
        """Go on from the files as they are now, or from an older copy of them."""
        self.lives += 1
        image = self._copied(
            f"hub-{self.lives}.db", self.db if older is None else self.copies[older]
        )
        await self._end()
        self.db = image
        if older is not None:
            engine = sa.create_engine(f"sqlite:///{image}")
            with engine.begin() as db:
                renew(db, datetime.now(UTC))
            engine.dispose()
        await self._begin()
        if older is not None:
            head = self.store.tail.head("main")
            self.acked = {cid: seq for cid, seq in self.acked.items() if seq <= head}
            known = {row["conversation"] for row in self.rows()}
            self.places = {v: p for v, p in self.places.items() if p in known}
            for device in self.devices.values():
                if device.principal.kind == "agent":
                    device.outbox.clear()
                else:
                    device.outbox = {
                        k: v for k, v in device.outbox.items() if v[1] in {"new"} | known
                    }

    def keep_copy(self) -> None:
        self.copies.append(self._copied(f"copy-{len(self.copies)}.db", self.db))

    def _copied(self, name: str, source: Path) -> Path:
        """Copy the database with its log: what a dead process leaves behind."""
        to = self.folder / name
        for suffix in ("", "-wal"):
            part = source.with_name(source.name + suffix)
            if part.exists():
                shutil.copyfile(part, to.with_name(to.name + suffix))
        return to

    # What must hold

    def rows(self) -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(self.db)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(
                "SELECT seq, kind, conversation, audience, by, inbox, visitor, data FROM event ORDER BY seq"
            )
            return [dict(row) | {"data": json.loads(row["data"])} for row in found]

    async def check(self) -> None:
        """Compare what everybody knows with the database. Raises `AssertionError`."""
        log = self.rows()
        assert [row["seq"] for row in log] == list(range(1, len(log) + 1)), "a gap"
        cids = [row["data"].get("cid") for row in log if row["data"].get("cid")]
        assert len(cids) == len(set(cids)), "a message twice"
        stored = {row["data"].get("cid"): row["seq"] for row in log}
        for cid, seq in self.acked.items():
            assert stored.get(cid) == seq, f"{cid} was acknowledged as {seq} and is not there"
        for device in self.devices.values():
            await self._check_device(device, log)

    async def _check_device(self, device: Device, log: list[dict[str, Any]]) -> None:
        if device.cursor is None:
            return
        epoch = self.store.tail.epoch("main")
        told_epoch, seq = cursors.read(device.cursor)
        if told_epoch != epoch:
            return
        visible = [row for row in log if sees(device.principal, row)]
        held = [row for row in visible if device.base < row["seq"] <= seq]
        assert plain(device.events) == plain(held), (
            f"{device.principal.by} holds something else"
        )
        rest = [row for row in visible if row["seq"] > seq]
        answer = json.loads(await self.polls.poll(device.principal, device.cursor, 0))
        assert "events" in answer, "a place in the present epoch was refused"
        assert plain(answer["events"]) == plain(rest), f"the poll of {device.principal.by}"
        if device.principal.kind == "agent":
            picture = json.loads(json.dumps(device.picture))
            for event in answer["events"]:
                fold(picture, event)
            _, fresh = await self._fresh(device)
            assert picture == json.loads(json.dumps(fresh)), (
                "snapshot and events are not the state"
            )

    def _inbox(self, visitor: str) -> str:
        return next(iter(person("visitor", visitor).inboxes or ()))


def sees(who: Principal, row: dict[str, Any]) -> bool:
    """Return whether *who* may see *row*: the rule once more, in other words."""
    if who.kind == "visitor":
        return row["audience"] == "all" and row["visitor"] == who.id
    return not who.inboxes or row["inbox"] in who.inboxes


def plain(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(e["seq"], e["kind"], e["conversation"], e["by"], e["data"]) for e in events]


def told(view: dict[str, Any], name: str) -> Any:
    value = view[name]
    if name == "assignee":
        return value and value["id"]
    if name == "last":
        return value and {key: value[key] for key in ("seq", "by", "text", "kind")}
    return value


def fold(picture: dict[str, dict[str, Any]], event: dict[str, Any]) -> None:
    """Apply *event* to an agent's picture, as a console does."""
    data, kind = event["data"], event["kind"]
    if kind == "conversation.opened":
        picture[event["conversation"]] = {
            "state": "open", "assignee": None, "tags": [], "last": None, "head": 0,
            "name": data["name"], "inbox": data["inbox"],
        }  # fmt: skip
    one = picture.get(event["conversation"] or "")
    if one is None:
        return
    one["head"] = event["seq"]
    match kind:
        case "message.posted" | "note.posted":
            kind = "text" if kind == "message.posted" else "note"
            one["last"] = {
                "seq": event["seq"],
                "by": event["by"],
                "text": data["text"],
                "kind": kind,
            }
        case "conversation.assigned":
            one["assignee"] = data["assignee"]
        case "conversation.tagged":
            one["tags"] = data["tags"]
        case "conversation.closed":
            one["state"] = "closed"
        case "conversation.reopened" | "conversation.woken":
            one["state"] = "open"
