"""Group commit: what waits goes to disk together, and nobody pays for another's mistake."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from deskhub.chat.commands import (
    AddNote,
    Assign,
    ChatCommand,
    Close,
    LinkObject,
    MarkRead,
    OpenConversation,
    PostMessage,
    Snooze,
)
from deskhub.chat.errors import TextEmpty
from deskhub.chat.service import Chat, Receipt
from deskhub.clock import SystemClock
from deskhub.errors import Busy, CidReuse, Invalid, NotFound, StoreDown
from deskhub.identity.model import Principal
from deskhub.store import conversations, hookcursors, writer
from deskhub.store import log as event_log
from deskhub.store.store import Store
from deskhub.store.tables import chat as t

AGENT = Principal("main", "agent", "a_1", "Li Wei", role="agent")


def visitor(number: int, tenant: str = "main") -> Principal:
    return Principal(
        tenant, "visitor", f"v_{number}", f"Visitor {number}", inboxes=frozenset({"web"})
    )


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url, SystemClock())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(store.run())
        try:
            yield store
        finally:
            running.cancel()
    await store.close()


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with opened(database) as one:
        yield one


@pytest.fixture
async def file_store(tmp_path: Path) -> AsyncIterator[Store]:
    """For what only a file can do."""
    async with opened(f"sqlite:///{tmp_path / 'hub.db'}") as one:
        yield one


async def open_one(store: Store, number: int = 1) -> str:
    receipt = await Chat(store).do(
        visitor(number), OpenConversation("web", "Hello"), cid=f"open-{number}"
    )
    return receipt.conversation


async def all_events(store: Store, tenant: str = "main") -> list[Any]:
    return list(await store.read(lambda db: event_log.after(db, tenant, 0, 100_000)))


async def together(store: Store, asked: list[tuple[Principal, ChatCommand, str]]) -> list[Any]:
    """Submit everything in one turn of the loop, so that it lands in one batch."""
    futures = [Chat(store).submit(who, command, cid=cid) for who, command, cid in asked]
    await asyncio.wait(futures)
    return [future.exception() or future.result() for future in futures]


async def test_an_acknowledged_message_is_in_the_file(
    file_store: Store, tmp_path: Path
) -> None:
    receipt = await Chat(file_store).do(visitor(1), OpenConversation("web", "Hello"), cid="k")

    with contextlib.closing(sqlite3.connect(tmp_path / "hub.db")) as other:
        rows = other.execute("SELECT seq, kind FROM event ORDER BY seq").fetchall()
    assert rows == [(1, "conversation.opened"), (2, "message.posted")]
    assert receipt.seq == 2


async def test_a_command_that_breaks_a_rule_fails_alone(store: Store) -> None:
    where = await open_one(store)

    results = await together(
        store,
        [
            (AGENT, PostMessage(where, "one"), "k1"),
            (AGENT, PostMessage(where, " "), "k2"),
            (AGENT, PostMessage("c_missing", "two"), "k3"),
            (AGENT, PostMessage(where, "three"), "k4"),
        ],
    )

    assert [type(one) for one in results] == [Receipt, TextEmpty, NotFound, Receipt]
    assert [results[0].seq, results[3].seq] == [3, 4]


async def test_work_that_fails_undoes_only_itself(store: Store) -> None:
    where = await open_one(store)
    chat = Chat(store)

    def broken(tx: Any) -> None:
        tx.append("run.changed", conversation=where, audience="agents", by="system:x", data={})
        tx.chat(AGENT, PostMessage(where, "never said"), "k-broken")
        raise Invalid("no")

    first = chat.submit(AGENT, PostMessage(where, "before"), cid="k1")
    async with asyncio.TaskGroup() as group:
        middle = group.create_task(_failure(store.transact("main", broken)))
        await asyncio.sleep(0)
        last = chat.submit(AGENT, PostMessage(where, "after"), cid="k2")

    assert isinstance(middle.result(), Invalid)
    assert (await last).seq == (await first).seq + 1
    texts = [one.data for one in await all_events(store) if one.kind == "message.posted"]
    assert not any(b"never said" in text for text in texts)


async def _failure(work: Any) -> BaseException:
    try:
        await work
    except Exception as error:
        return error
    raise AssertionError("it worked")


async def test_work_sees_what_was_decided_before_it_in_the_same_batch(store: Store) -> None:
    where = await open_one(store)
    posted = Chat(store).submit(AGENT, PostMessage(where, "one"), cid="k1")

    def count(tx: Any) -> int:
        query = sa.select(sa.func.count()).select_from(t.event)
        return int(tx.connection.execute(query).scalar_one())

    assert await store.transact("main", count) == 3
    await posted


async def test_a_busy_conversation_is_not_read_again_whatever_else_is_written(
    store: Store,
) -> None:
    where = await open_one(store)
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sa.event.listen(store._database.writer, "before_cursor_execute", note)
    for number in range(3):
        await store.transact(
            "main", lambda tx: hookcursors.advance(tx.connection, "main", "o", 1)
        )
        await Chat(store).do(AGENT, PostMessage(where, "more"), cid=f"k{number}")

    assert any("hook_cursor" in statement for statement in asked)
    assert not any("FROM conversation" in statement for statement in asked)


async def test_a_resend_gets_the_first_result(store: Store) -> None:
    where = await open_one(store)
    chat = Chat(store)

    first = await chat.do(AGENT, PostMessage(where, "one"), cid="k1")
    again = await chat.do(AGENT, PostMessage(where, "one"), cid="k1")

    assert (again.seq, again.dup, again.event) == (first.seq, True, first.event)


async def test_a_resend_in_the_same_batch_gets_the_first_result(store: Store) -> None:
    where = await open_one(store)
    message = PostMessage(where, "one")

    results = await together(store, [(AGENT, message, "k1")] * 3)

    assert [(one.seq, one.dup) for one in results] == [(3, False), (3, True), (3, True)]


async def test_a_resend_after_a_restart_gets_the_first_result(database: str) -> None:
    async with opened(database) as store:
        where = await open_one(store)
        first = await Chat(store).do(AGENT, PostMessage(where, "one"), cid="k1")
    async with opened(database) as store:
        others = [(AGENT, PostMessage(where, f"new {n}"), f"n{n}") for n in range(5)]
        results = await together(store, [*others, (AGENT, PostMessage(where, "one"), "k1")])

    assert (results[-1].seq, results[-1].dup) == (first.seq, True)
    assert [one.seq for one in results[:-1]] == [4, 5, 6, 7, 8]


async def test_the_same_id_for_something_else_is_refused_and_harms_nobody(store: Store) -> None:
    where = await open_one(store)
    await Chat(store).do(AGENT, PostMessage(where, "one"), cid="k1")

    results = await together(
        store,
        [
            (AGENT, PostMessage(where, "two"), "k2"),
            (AGENT, PostMessage(where, "other"), "k1"),
            (AGENT, AddNote(where, "one"), "k1"),
        ],
    )

    assert [type(one) for one in results] == [Receipt, CidReuse, CidReuse]


async def test_two_people_may_use_the_same_id(store: Store) -> None:
    where = await open_one(store)

    results = await together(
        store,
        [
            (AGENT, PostMessage(where, "one"), "k1"),
            (visitor(1), PostMessage(where, "two"), "k1"),
        ],
    )

    assert [one.dup for one in results] == [False, False]


async def test_a_resend_of_what_would_now_be_refused_gets_the_first_result(
    store: Store,
) -> None:
    from datetime import timedelta

    where = await open_one(store)
    soon = SystemClock().now() + timedelta(seconds=0.3)
    first = await Chat(store).do(AGENT, Snooze(where, soon), cid="k1")
    async with asyncio.timeout(5):
        while SystemClock().now() < soon:
            await asyncio.sleep(0.02)

    again = await Chat(store).do(AGENT, Snooze(where, soon), cid="k1")

    assert (again.seq, again.dup) == (first.seq, True)


async def test_a_resend_of_what_is_now_so_already_gets_the_first_result(store: Store) -> None:
    where = await open_one(store)
    first = await Chat(store).do(AGENT, Close(where), cid="k1")

    again = await Chat(store).do(AGENT, Close(where), cid="k1")

    assert (again.seq, again.dup) == (first.seq, True)


async def test_numbers_have_no_gaps_and_keep_each_senders_order(store: Store) -> None:
    places = [await open_one(store, number) for number in range(8)]

    async def talk(number: int) -> list[int]:
        seqs = []
        for count in range(25):
            command = PostMessage(places[number], f"{count}" if count % 5 else " ")
            try:
                done = await Chat(store).do(visitor(number), command, cid=f"{number}-{count}")
            except TextEmpty:
                continue
            seqs.append(done.seq)
        return seqs

    async with asyncio.TaskGroup() as group:
        talks = [group.create_task(talk(number)) for number in range(8)]

    assert all(task.result() == sorted(task.result()) for task in talks)
    seqs = [one.seq for one in await all_events(store)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert store.tail.head("main") == len(seqs)


async def test_tenants_have_logs_of_their_own(store: Store) -> None:
    await open_one(store)
    rival = await Chat(store).do(
        visitor(1, "rival"), OpenConversation("web", "Hi"), cid="open-1"
    )

    assert rival.seq == 2
    assert store.tail.epoch("main") != store.tail.epoch("rival")
    assert len(await all_events(store, "rival")) == 2


async def test_a_full_queue_refuses_and_recovers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = await open_one(store)
    monkeypatch.setattr(writer, "QUEUE_MAX", 10)
    chat = Chat(store)

    accepted = [chat.submit(AGENT, PostMessage(where, "x"), cid=f"k{n}") for n in range(10)]
    with pytest.raises(Busy) as refused:
        chat.submit(AGENT, PostMessage(where, "x"), cid="k10")
    await asyncio.wait(accepted)

    assert refused.value.after_ms is not None
    assert (await chat.do(AGENT, PostMessage(where, "x"), cid="k10")).dup is False


async def test_a_locked_database_is_down_and_comes_back_by_itself(
    file_store: Store, tmp_path: Path
) -> None:
    store = file_store
    where = await open_one(store)
    chat = Chat(store)
    await store.transact(
        "main", lambda tx: tx.connection.exec_driver_sql("PRAGMA busy_timeout=50")
    )
    with contextlib.closing(
        sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        results = await together(store, [(AGENT, PostMessage(where, "x"), "k1")])
        other.execute("ROLLBACK")

    assert isinstance(results[0], StoreDown)
    again = await chat.do(AGENT, PostMessage(where, "x"), cid="k1")
    assert (again.seq, again.dup) == (3, False)


async def test_poison_that_breaks_the_batch_fails_alone(store: Store) -> None:
    where = await open_one(store)

    def poison(tx: Any) -> None:
        # The same place in the log twice: the database itself refuses that.
        tx.append("x", conversation=None, audience="agents", by="system:x", data={})
        tx._batch._pending.events[-1].seq = 1

    before = Chat(store).submit(AGENT, PostMessage(where, "one"), cid="k1")
    async with asyncio.TaskGroup() as group:
        bad = group.create_task(_failure(store.transact("main", poison)))
        await asyncio.sleep(0)
        after = Chat(store).submit(AGENT, PostMessage(where, "two"), cid="k2")

    assert isinstance(bad.result(), sa.exc.IntegrityError)
    assert [(await before).seq, (await after).seq] == [3, 4]


async def test_another_writer_of_the_same_database_is_noticed(database: str) -> None:
    async with opened(database) as here, opened(database) as there:
        where = await open_one(here)
        await Chat(here).do(AGENT, Assign(where, "a_1"), cid="k1")
        await Chat(there).do(AGENT, Close(where), cid="k2")

        reopened = await Chat(here).do(visitor(1), PostMessage(where, "Still here"), cid="k3")
        async with asyncio.timeout(5):
            while there.tail.head("main") < reopened.seq:
                await asyncio.sleep(0.02)

        kinds = [one.kind for one in await all_events(there)]
        seen = [one.seq for one in there.tail.recent("main", 0) or await all_events(there)]
    assert kinds[-3:] == ["conversation.closed", "conversation.reopened", "message.posted"]
    assert seen == sorted(set(seen))


async def test_unread_is_counted_per_agent(store: Store) -> None:
    where = await open_one(store)
    chat = Chat(store)
    for number in range(3):
        last = await chat.do(visitor(1), PostMessage(where, f"{number}"), cid=f"k{number}")
    other = Principal("main", "agent", "a_2", "Chen", role="agent")

    await chat.do(AGENT, MarkRead(where, last.seq - 1), cid="r1")

    unread = {}
    for who in (AGENT, other):
        page = await store.read(lambda db, who=who: conversations.page(db, who, "all"))
        unread[who.id] = page.views[0]["unread"]
    assert unread == {"a_1": 1, "a_2": 4}


async def test_a_link_is_found_by_its_object(store: Store) -> None:
    where = await open_one(store)
    await Chat(store).do(AGENT, LinkObject(where, "orders:1042"), cid="k1")

    found = await store.read(
        lambda db: conversations.concerned(db, "main", objects=["orders:1042"])
    )

    assert list(found) == [where]


async def test_no_frequent_question_reads_a_whole_log(file_store: Store) -> None:
    """A plan that scans a tenant's events is a hub that gets slower every day."""
    plans = await file_store.read(_plans)

    for question, plan in plans.items():
        assert "(tenant=?)" not in plan or "event" not in plan, (question, plan)
        assert "SCAN event" not in plan, (question, plan)


def _plans(connection: sa.Connection) -> dict[str, str]:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    from deskhub.store import rows

    sa.event.listen(connection, "before_cursor_execute", note)
    rows.events_of_cids(connection, "main", [("agent:a_1", "k1"), ("agent:a_1", "k2")])
    rows.event_of_cid(connection, "main", "agent:a_1", "k1")
    rows.visitor_messages_after(connection, "main", "c_1", 5)
    event_log.after(connection, "main", 5, 10)
    event_log.visible_after(connection, "main", 5, 10, visitor="v_1")
    conversations.events_before(connection, AGENT, "c_1")
    sa.event.remove(connection, "before_cursor_execute", note)
    return {
        statement: " ".join(
            str(row[3])
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        )
        for statement, parameters in asked
    }
