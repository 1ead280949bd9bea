"""A hub's store, files and search, and one customer whose every trace holds a canary."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from deskhub.chat.commands import (
    AddNote,
    Close,
    Edit,
    LinkObject,
    PostMessage,
    Rate,
    Reopen,
    ShowCard,
    Tag,
)
from deskhub.chat.commands import OpenConversation as Open
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.config import Config, HubSettings, Inbox
from deskhub.config.model import RetentionSettings
from deskhub.files.files import Files
from deskhub.identity.keys import new_table
from deskhub.identity.model import Principal, system
from deskhub.identity.records import Claim, Visitor
from deskhub.identity.tokens import digest
from deskhub.privacy import Eraser, Retention
from deskhub.store import drafts, runs
from deskhub.store.identity import SqlIdentity
from deskhub.store.runs import AttemptRow, RunRow, StepRow
from deskhub.store.search import Search
from deskhub.store.signals import KeptCard, SignalRow, keep, take
from deskhub.store.store import Store
from deskhub.store.tables import actions as a
from deskhub.store.tables import hub as h
from deskhub.store.tables import subscriptions as s
from deskhub.store.tables.notify import mail, mail_contact, mail_stop
from deskhub.store.tx import Tx

CANARY = "canary7f3a1c"
SUBJECT, NAME = f"C-{CANARY}", f"Wang {CANARY}"
EMAIL, PHONE = f"{CANARY}@example.com", f"+86 {CANARY}"
ADMIN = Principal("main", "agent", "a_9", "Ada", role="admin", session="s-9")
LI = Principal("main", "agent", "a_1", "Li Wei", role="agent", session="s-1")
CHEN = Principal("main", "agent", "a_2", "Chen", role="supervisor", session="s-2")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Everybody:
    """Nobody's rights end here."""

    async def still_valid(self, _: Principal) -> bool:
        return True


@dataclass
class Home:
    """The parts that know something of people."""

    url: str
    folder: Path
    config: Config
    store: Store
    chat: Chat
    files: Files
    search: Search
    eraser: Eraser
    retention: Retention
    locked_out: list[str] = field(default_factory=list)
    devices: int = 0

    async def customer(
        self, visitor: str, subject: str, name: str, *, tenant: str = "main"
    ) -> str:
        """Let a shop's customer in and return their id."""
        self.devices += 1
        claim = Claim(
            subject=subject, name=name, email=f"{subject}@example.com", phone=f"+86 {subject}"
        )
        here = Visitor(tenant, visitor, "web", 1, subject, None, name, "zh")
        people = SqlIdentity(self.store, SystemClock())
        known = await people.identify(
            here,
            claim,
            new_digest=digest(f"{visitor} {self.devices}"),
            old_digest=None,
            new_id=f"k_{visitor}",
        )
        assert known.customer is not None
        return known.customer

    async def said(self, visitor: str, *texts: str, tenant: str = "main") -> str:
        """Open a conversation with *texts*."""
        who = Principal(
            tenant, "visitor", visitor, visitor, inboxes=frozenset({"web"}), session=visitor
        )
        first, *more = texts
        done = await self.chat.do(
            who, Open("web", first), cid=digest(f"{visitor} {first}")[:40]
        )
        for number, text in enumerate(more):
            await self.chat.do(
                who,
                PostMessage(done.conversation, text),
                cid=digest(f"{visitor} {number} {text}")[:40],
            )
        return done.conversation

    async def close(self, conversation: str) -> None:
        await self.chat.do(LI, Close(conversation), cid=f"close-{conversation}")

    async def events(self, conversation: str) -> list[dict[str, Any]]:
        from deskhub.store.tables.chat import event

        query = (
            sa.select(event).where(event.c.conversation == conversation).order_by(event.c.seq)
        )
        found = await self.store.read(lambda db: db.execute(query).all())
        return [{**row._mapping, "data": orjson.loads(row.data)} for row in found]

    async def upload(self, visitor: str, content: bytes, name: str) -> str:
        who = Principal("main", "visitor", visitor, visitor, inboxes=frozenset({"web"}))

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return (await self.files.take(who, name, chunks())).id

    async def traces(self, word: str = CANARY) -> list[str]:
        """Return where *word* still stands: files of the folder, tables of the server."""
        found = await asyncio.to_thread(_in_files, self.folder, word)
        if self.url.startswith("postgresql"):
            found += await self.store.read(lambda db: _in_tables(db, word))
        return found


def _in_files(folder: Path, word: str) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and (word.encode() in path.read_bytes().lower() or word in path.name.lower())
    ]


def _in_tables(connection: sa.Connection, word: str) -> list[str]:
    as_bytes = word.encode().hex()
    found = []
    for table in sa.inspect(connection).get_table_names():
        rows = connection.exec_driver_sql(f'SELECT CAST(t AS text) FROM "{table}" t')
        if any(word in row[0].lower() or as_bytes in row[0] for row in rows):
            found.append(table)
    return found


@asynccontextmanager
async def home_at(url: str, folder: Path, **retention: int) -> AsyncIterator[Home]:
    """Run the parts on the database at *url*, with files in *folder*."""
    clock = SystemClock()
    config = Config(
        path=folder / "hub.toml",
        hub=HubSettings(data="."),
        inboxes={"web": Inbox(id="web", key="key-web", name="Web", origins=("https://a.example",))},
        retention=RetentionSettings(**retention),
    )  # fmt: skip
    store = await Store.open(url, clock)
    files = Files.build(config, store, Everybody(), clock, new_table())
    search = Search.at(store, url)
    locked: list[str] = []
    eraser = Eraser(store, files, lambda _, visitor: locked.append(visitor))
    home = Home(
        url, folder, config, store, Chat(store), files, search, eraser,
        Retention(config, store, clock, eraser, files), locked,
    )  # fmt: skip
    async with asyncio.TaskGroup() as group:
        running = group.create_task(store.run())
        try:
            yield home
        finally:
            running.cancel()
            await asyncio.wait([running])
    await search.close()
    await store.close()


@pytest.fixture
async def home(database: str, tmp_path: Path) -> AsyncIterator[Home]:
    async with home_at(database, tmp_path) as one:
        yield one


async def everywhere(home: Home) -> tuple[str, str]:
    """Put the canary into every place that knows of a person; return customer, conversation."""
    customer = await home.customer("v_1", SUBJECT, NAME)
    await home.store.transact("main", lambda tx: _facts(tx, customer))
    conversation = await home.said(
        "v_1", f"my {CANARY} is broken", f"I live in {CANARY} street"
    )
    file = await home.upload("v_1", b"a text about " + CANARY.encode(), f"{CANARY}.txt")
    who = Principal("main", "visitor", "v_1", NAME, inboxes=frozenset({"web"}))
    await home.chat.do(who, PostMessage(conversation, "see", files=(file,)), cid="with-file")
    await home.upload("v_1", b"never sent " + CANARY.encode(), f"{CANARY}-2.txt")
    card = {"id": "orders.1042", "title": CANARY, "blocks": [], "rev": 1, "audience": "both"}
    for number, command in enumerate(
        (
            AddNote(conversation, f"she is {CANARY}"),
            Tag(conversation, add=(CANARY,)),
            LinkObject(conversation, "orders:1042"),
            ShowCard(conversation, orjson.dumps(card), "both", "orders"),
        )
    ):
        by = system("main", "orders") if number > 1 else LI
        await home.chat.do(by, command, cid=f"seed-{number}")
    note = (await home.chat.do(LI, AddNote(conversation, f"an {CANARY} note"), cid="n")).seq
    for version, text in enumerate((f"not {CANARY}", "somebody else", f"{CANARY} again")):
        edit = Edit(conversation, note, text, version)
        await home.chat.do(LI, edit, cid=f"edit-{version}")
        await home.search.indexer.catch_up("main")
    await home.chat.do(LI, Close(conversation), cid="to-be-rated")
    await home.chat.do(who, Rate(conversation, 2, f"the {CANARY} again"), cid="rated")
    await home.chat.do(LI, Reopen(conversation), cid="reopened")
    await home.store.transact("main", lambda tx: _beside(tx, customer, conversation))
    await home.search.indexer.catch_up("main")
    return customer, conversation


def _facts(tx: Tx, customer: str) -> None:
    from deskhub.store.tables.chat import customer as table

    change = sa.update(table).where(table.c.id == customer)
    tx.connection.execute(change.values(tags=[CANARY], external={"crm": CANARY}))


def _beside(tx: Tx, customer: str, conversation: str) -> None:
    db = tx.connection
    drafts.put(tx, LI, conversation, "reply", f"Dear {CANARY}")
    tx.set_summary(conversation, f"{CANARY}: 1 order")
    told = {"run": {"id": "r_1", "state": "completed", "sentence": f"Refunded to {CANARY}"}}
    tx.append(
        "run.changed", conversation=conversation, audience="agents", by="system", data=told
    )
    runs.insert_run(tx.connection, run_of(customer, conversation))
    runs.add_attempt(
        db, "main", "r_1", "refund",
        AttemptRow(1, "run", NOW, 12.0, ok=True, code="ok", text=f"sent to {CANARY}"),
    )  # fmt: skip
    plan = {
        "tenant": "main", "id": "p_1", "type": "order.return", "object": "orders:1042",
        "conversation": conversation, "actor": LI.by, "digest": "d", "basis": "b",
        "document": {"input": {"note": CANARY}, "customer": {"name": NAME}, "steps": []},
        "run": "r_1", "created_at": NOW, "expires_at": NOW,
    }  # fmt: skip
    db.execute(sa.insert(a.action_plan).values([plan, {**plan, "id": "p_2", "run": None}]))
    db.execute(
        sa.insert(a.action_approval).values(
            tenant="main", id="y_1", plan="p_1", digest="d", inbox="web", limit_text="300 CNY",
            why=f"{CANARY} asks much", asker={"id": "a_1"}, asked_at=NOW, expires_at=NOW,
            state="approved", reason=f"known {CANARY}",
        )
    )  # fmt: skip
    for dedupe, object_, body in (
        ("by-object", "1042", {"kind": "order_changed", "text": f"to {CANARY}"}),
        ("by-name", "77", {"kind": "crm", "who": {"email": EMAIL.replace(CANARY, SUBJECT)}}),
    ):
        row = SignalRow(
            "main", "orders", dedupe, b"x", object_, orjson.dumps(body), NOW, "done", 1, NOW
        )
        take(db, row)
    db.execute(
        sa.insert(h.adapter_value).values(
            tenant="main", instance="crm", key="seen", value=orjson.dumps([SUBJECT]), at=NOW
        )
    )
    keep(
        db,
        KeptCard(
            "main", SUBJECT, "orders", "1043", 1, "card", orjson.dumps({"title": CANARY}),
            "both", "orders", NOW,
        ),
    )  # fmt: skip
    sent = {
        "tenant": "main", "kind": "answers", "conversation": conversation, "address": EMAIL,
        "from_seq": 1, "until_seq": 2, "attempts": 1, "next_at": NOW, "created_at": NOW,
        "error": f"no such user {CANARY}", "sent_at": None,
    }  # fmt: skip
    states = ("waiting", "failed", "sent")
    db.execute(
        sa.insert(mail).values([{**sent, "id": f"n_{one}", "state": one} for one in states])
    )
    told = {
        "tenant": "main", "id": "msg_1", "subscription": "sub_1", "seq": 1,
        "kind": "message.posted", "conversation": conversation, "state": "failed", "tries": 1,
        "attempts": 1, "next_at": NOW, "created_at": NOW, "ended_at": NOW, "ms": 1.0,
        "status": 500, "error": "server",
    }  # fmt: skip
    db.execute(sa.insert(s.delivery).values(**told))
    db.execute(
        sa.insert(s.delivery_attempt).values(
            tenant="main", delivery="msg_1", n=1, at=NOW, ms=1.0, signature="v1,x", status=500,
            error="server", headers={"x-said": CANARY}, body=f"cannot take {CANARY}",
        )
    )  # fmt: skip
    contact = {"tenant": "main", "at": NOW, "address": f"home.{EMAIL}"}
    db.execute(sa.insert(mail_contact).values(**contact, visitor="v_1"))
    db.execute(sa.insert(mail_stop).values(**contact))
    db.execute(
        sa.insert(h.hook_dead).values(
            tenant="main", instance="crm", seq=1, hook="message_posted", attempts=3,
            error=f"cannot parse {CANARY}", at=NOW,
        )
    )  # fmt: skip


def run_of(customer: str, conversation: str, state: str = "completed") -> RunRow:
    """Return a return's run that paid money back."""
    step = StepRow(
        "refund", 0, 0, "payments", "1.0", {"system": "Payments", "kind": "pivot"},
        {"title": f"Refund to {CANARY}", "detail": CANARY, "changes": [], "refusal": None},
        "dh_r_1_refund", "done", {"refund": "R-77", "payee": CANARY},
        result=f"Paid to {CANARY}",
    )  # fmt: skip
    return RunRow(
        "main", "r_1", 1, "order.return", "orders:1042", conversation, "web", "v_1", "zh",
        "p_1", "d", "b", {"reason": "damaged", "message": CANARY},
        {"reason": "damaged", "note": CANARY, "amount": {"amount": "428.00", "currency": "CNY"}},
        {"id": customer, "name": NAME}, {"id": "a_1", "kind": "agent", "name": "Li Wei"}, NOW,
        NOW + timedelta(seconds=30), state, active=False, cause=CANARY, steps=(step,),
    )  # fmt: skip
