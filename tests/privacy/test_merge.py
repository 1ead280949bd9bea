"""Two records of one person become one; a mistake is undone."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from deskhub.errors import Conflict, Forbidden, Invalid, NotFound
from deskhub.identity.model import Principal
from deskhub.store import audit, customers, merges, runs, signals
from deskhub.store.tables.chat import customer as table
from tests.privacy.conftest import ADMIN, CHEN, LI, Home, run_of


async def two(home: Home) -> tuple[str, str, str, str]:
    """Return the customers Wang (v_1) and Fang (v_2), and a conversation of each."""
    one = await home.customer("v_1", "C-1", "Wang Fang")
    other = await home.customer("v_2", "C-2", "Fang")
    talks = await home.said("v_1", "from the phone"), await home.said("v_2", "from the desk")
    return one, other, *talks


async def merged(home: Home, kept: str, gone: str, who: Principal = CHEN) -> dict[str, Any]:
    return await home.store.transact("main", lambda tx: merges.merge(tx, who, kept, gone))


async def page(home: Home, customer: str) -> dict[str, Any]:
    return await home.store.read(lambda db: customers.read(db, ADMIN, customer))


async def facts(home: Home, customer: str) -> Any:
    query = sa.select(table).where(table.c.id == customer)
    return await home.store.read(lambda db: db.execute(query).one())


async def test_conversations_identities_and_runs_move_to_the_one_who_stays(home: Home) -> None:
    kept, gone, first, second = await two(home)
    await home.store.transact(
        "main", lambda tx: runs.insert_run(tx.connection, run_of(gone, second))
    )

    await merged(home, kept, gone)

    found = await page(home, kept)
    assert {one["id"] for one in found["conversations"]} == {first, second}
    assert (await page(home, gone))["merged_into"] == kept
    moved = await home.store.read(lambda db: runs.list_runs(db, "main", customer=kept))
    assert [run.id for run in moved] == ["r_1"]
    assert await home.customer("v_3", "C-2", "Fang") == kept


async def test_the_conversation_keeps_its_log_and_says_what_happened(home: Home) -> None:
    kept, gone, _, second = await two(home)
    before = await home.events(second)

    await merged(home, kept, gone)

    after = await home.events(second)
    assert after[: len(before)] == before
    assert [(e["kind"], e["data"]["customer"]) for e in after[len(before) :]] == [
        ("customer.linked", kept)
    ]
    assert after[-1]["data"]["why"] == "Merged by Chen."


async def test_a_signal_for_the_old_number_still_arrives(home: Home) -> None:
    kept, gone, _, second = await two(home)

    await merged(home, kept, gone)

    found = await home.store.read(lambda db: signals.open_conversations(db, "main", ["C-2"]))
    assert second in found["C-2"]


async def test_only_what_is_missing_is_taken_over(home: Home) -> None:
    kept, gone, *_ = await two(home)
    await home.store.transact(
        "main",
        lambda tx: tx.connection.execute(
            sa.update(table).where(table.c.id == kept).values(phone=None, tags=["vip"])
        ),
    )

    await merged(home, kept, gone)

    row = await facts(home, kept)
    assert (row.name, row.phone, row.tags) == ("Wang Fang", "+86 C-2", ["vip"])


async def test_undoing_gives_everything_back(home: Home) -> None:
    kept, gone, first, second = await two(home)
    done = await merged(home, kept, gone)

    undone = await home.store.transact("main", lambda tx: merges.undo(tx, CHEN, done["id"]))

    assert undone["undone"] is True
    assert [one["id"] for one in (await page(home, kept))["conversations"]] == [first]
    assert [one["id"] for one in (await page(home, gone))["conversations"]] == [second]
    assert (await page(home, gone))["merged_into"] is None
    assert await home.customer("v_3", "C-2", "Fang") == gone
    trail = await home.store.read(lambda db: audit.trail(db, "main"))
    assert [row.what for row in trail] == ["customer.merge_undone", "customer.merged"]


async def test_a_chain_of_mergers_is_undone_from_its_end(home: Home) -> None:
    kept, gone, *_ = await two(home)
    third = await home.customer("v_3", "C-3", "W. Fang")
    first = await merged(home, gone, third)
    second = await merged(home, kept, gone)

    with pytest.raises(Conflict):
        await home.store.transact("main", lambda tx: merges.undo(tx, CHEN, first["id"]))
    await home.store.transact("main", lambda tx: merges.undo(tx, CHEN, second["id"]))
    assert (await page(home, third))["merged_into"] == gone
    await home.store.transact("main", lambda tx: merges.undo(tx, CHEN, first["id"]))

    assert (await page(home, third))["merged_into"] is None


async def test_what_cannot_be_merged(home: Home) -> None:
    kept, gone, *_ = await two(home)
    foreign = await home.customer("v_9", "C-9", "Eve", tenant="rival")
    shop_two = Principal(
        "main",
        "agent",
        "a_5",
        "Mei",
        role="supervisor",
        inboxes=frozenset({"second"}),
        session="s",
    )

    for who, one, other, error in (
        (LI, kept, gone, Forbidden), (CHEN, kept, kept, Invalid), (CHEN, kept, foreign, NotFound),
        (shop_two, kept, gone, NotFound), (CHEN, kept, "k_none", NotFound),
    ):  # fmt: skip
        with pytest.raises(error):
            await merged(home, one, other, who)
    await merged(home, kept, gone)
    with pytest.raises(Conflict):
        await merged(home, kept, gone)
