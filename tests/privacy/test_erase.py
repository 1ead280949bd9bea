"""Deleted means deleted: no file, no table and no index holds a word of who was erased."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from deskhub.errors import Conflict, Forbidden, Invalid, NotFound
from deskhub.identity.model import Principal
from deskhub.store import audit, erased, runs, sabotage
from deskhub.store import log as event_log
from deskhub.store.erasures import EraseBlocked
from deskhub.store.tables.identity import visitor_token
from tests.privacy.conftest import (
    ADMIN,
    CANARY,
    CHEN,
    LI,
    NAME,
    SUBJECT,
    Home,
    everywhere,
    home_at,
    run_of,
)
from tests.privacy.dies import PLACES


async def erase(home: Home, customer: str, confirm: str = NAME) -> dict:
    done = await home.eraser.erase(ADMIN, customer, confirm)
    await home.search.indexer.catch_up("main")
    return done


async def test_after_erasing_the_canary_is_nowhere(home: Home) -> None:
    customer, _ = await everywhere(home)
    assert await home.traces(), "the canary was never there"

    done = await erase(home, customer)

    assert (done["state"], done["conversations"], done["files"]) == ("done", 1, 2)
    assert await home.traces() == []


@pytest.mark.parametrize("fault", ["erase_forgets_events", "erase_forgets_files"])
async def test_the_search_for_the_canary_finds_what_was_forgotten(
    home: Home, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The sabotaged twin: an erasure that leaves something out is seen."""
    customer, _ = await everywhere(home)
    monkeypatch.setattr(sabotage, "_ACTIVE", frozenset({fault}))

    await erase(home, customer)

    assert await home.traces() != []


async def test_the_log_keeps_every_number_and_its_structure(home: Home) -> None:
    customer, conversation = await everywhere(home)
    before = await home.events(conversation)

    await erase(home, customer)

    after = await home.events(conversation)
    assert [(e["seq"], e["kind"], e["by"], e["at"]) for e in after[: len(before)]] == [
        (e["seq"], e["kind"], e["by"], e["at"]) for e in before
    ]
    assert [e["kind"] for e in after[len(before) :]] == ["conversation.erased"]
    _, head = await home.store.read(lambda db: event_log.position(db, "main"))
    whole = await home.store.read(lambda db: event_log.after(db, "main", 0, 1000))
    assert [event.seq for event in whole] == list(range(1, head + 1))


async def test_a_journal_keeps_amounts_and_numbers_and_no_person(home: Home) -> None:
    customer, _ = await everywhere(home)

    await erase(home, customer)

    run = await home.store.read(lambda db: runs.load_run(db, "main", "r_1"))
    assert run is not None
    assert run.subject["amount"] == {"amount": "428.00", "currency": "CNY"}
    assert (run.object, run.number, run.state) == ("orders:1042", 1, "completed")
    assert run.steps[0].fact == {"refund": "R-77", "payee": ""}
    assert run.customer is None
    assert await home.store.read(lambda db: audit.broken(db, "main")) is None


async def test_who_is_erased_is_locked_out_at_once(home: Home) -> None:
    customer, _ = await everywhere(home)

    await erase(home, customer)

    left = await home.store.read(lambda db: db.execute(sa.select(visitor_token)).all())
    assert (left, home.locked_out) == ([], ["v_1"])


async def test_erasing_again_answers_the_same_and_changes_nothing(home: Home) -> None:
    customer, _ = await everywhere(home)
    first = await erase(home, customer)
    head = home.store.tail.head("main")

    again = await erase(home, customer, "whatever it was called")

    assert again == first
    assert home.store.tail.head("main") == head


@pytest.mark.parametrize("place", PLACES)
async def test_what_a_killed_process_began_the_next_one_finishes(
    database: str, tmp_path: Path, place: str
) -> None:
    command = [sys.executable, "-m", "tests.privacy.dies", database, str(tmp_path), place]
    died = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await died.communicate()
    assert died.returncode == 137
    customer = told.decode().strip()

    async with home_at(database, tmp_path) as home:
        assert await home.eraser.resume() == 1
        await home.search.indexer.catch_up("main")

        assert await home.traces() == []
        assert await home.eraser.resume() == 0
        state = await home.eraser.state("main", customer)
        assert state is not None
        assert state["state"] == "done"


async def test_only_the_right_name_by_an_admin_erases(home: Home) -> None:
    customer, _ = await everywhere(home)
    stranger = Principal("rival", "agent", "a_9", "Eve", role="admin", session="s")

    for who, confirm, error in (
        (LI, NAME, Forbidden), (CHEN, NAME, Forbidden), (stranger, NAME, NotFound),
        (ADMIN, "Wang", Invalid), (ADMIN, "", Invalid),
    ):  # fmt: skip
        with pytest.raises(error):
            await home.eraser.erase(who, customer, confirm)
    assert await home.eraser.state("main", customer) is None
    assert (await home.eraser.erase(ADMIN, customer, f" {SUBJECT} "))["state"] == "done"


async def test_an_action_that_has_not_ended_stops_the_erasure(home: Home) -> None:
    customer, conversation = await everywhere(home)
    await home.store.transact(
        "main", lambda tx: runs.update_run(tx.connection, "main", "r_1", state="attention")
    )

    with pytest.raises(EraseBlocked):
        await home.eraser.erase(ADMIN, customer, NAME)

    assert f"my {CANARY} is broken" in str(await home.events(conversation))
    assert run_of(customer, conversation).state == "completed"


async def test_a_conversation_longer_than_a_page_is_blanked_to_its_end(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erased, "PAGE", 3)
    customer = await home.customer("v_1", SUBJECT, NAME)
    texts = [f"{CANARY} number {n}" for n in range(8)]
    conversation = await home.said("v_1", *texts)

    await erase(home, customer)

    left = [e["data"]["text"] for e in await home.events(conversation) if "text" in e["data"]]
    assert left == [""] * 8


async def test_others_keep_what_they_said(home: Home) -> None:
    await everywhere(home)
    other = await home.customer("v_2", "C-2", "John")
    talk = await home.said("v_2", "hello there")
    customer = await home.customer("v_1", SUBJECT, NAME)

    await erase(home, customer)

    assert [e["data"].get("text") for e in await home.events(talk)][-1] == "hello there"
    assert await home.eraser.state("main", other) is None


async def test_who_comes_back_is_somebody_new(home: Home) -> None:
    customer, _ = await everywhere(home)
    await erase(home, customer)

    again = await home.customer("v_9", SUBJECT, NAME)

    assert again != customer


async def test_a_merged_record_is_erased_through_the_one_it_became(home: Home) -> None:
    from deskhub.store import merges

    customer, _ = await everywhere(home)
    other = await home.customer("v_2", "C-2", "John")
    await home.store.transact("main", lambda tx: merges.merge(tx, ADMIN, other, customer))

    with pytest.raises(Conflict):
        await home.eraser.erase(ADMIN, customer, NAME)
    await erase(home, other, "C-2")

    assert await home.traces() == []
