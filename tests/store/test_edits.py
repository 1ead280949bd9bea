"""An edit from its command to everything that shows texts, on both databases."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

import orjson
import pytest

from deskhub.chat.commands import AddNote, ChatCommand, Edit, OpenConversation, PostMessage
from deskhub.chat.errors import EditConflict, NotEditable
from deskhub.chat.model import Receipt
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.errors import CidReuse
from deskhub.identity.model import Principal
from deskhub.store import conversations, exports, mails, sabotage
from deskhub.store.event import Event
from deskhub.store.search import Search
from deskhub.store.store import Store
from tests.support.databases import postgres

ANN = Principal("main", "visitor", "v_1", "Ann", inboxes=frozenset({"web"}))
LI = Principal("main", "agent", "a_1", "Li Wei", role="agent")
CHEN = Principal("main", "agent", "a_2", "Chen", role="agent")


@dataclass
class Desk:
    """A store with a search, and a conversation."""

    store: Store
    search: Search
    chat: Chat
    talk: str = ""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def do(self, by: Principal, command: ChatCommand, cid: str = "") -> Receipt:
        return await self.chat.do(by, command, cid=cid or f"k{next(self.numbers)}")

    async def say(self, text: str, by: Principal = LI) -> int:
        return (await self.do(by, PostMessage(self.talk, text))).seq

    async def edit(self, seq: int, text: str, version: int = 0, by: Principal = LI) -> Receipt:
        return await self.do(by, Edit(self.talk, seq, text, version))

    async def found(self, typed: str) -> list[str]:
        await self.search.indexer.catch_up("main")
        hits = (await self.search.find(LI, typed, UTC)).hits
        return ["".join(text for text, _ in hit["parts"]) for hit in hits]

    async def events(self, who: Principal = LI) -> list[Event]:
        return await self.store.read(
            lambda db: conversations.events_before(db, who, self.talk)[0]
        )

    async def view(self, who: Principal) -> dict[str, Any]:
        return await self.store.read(
            lambda db: conversations.view_of(db, who, conversations.load(db, who, self.talk))
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    with postgres() as found:
        yield found


@pytest.fixture
async def desk(url: str) -> AsyncIterator[Desk]:
    store = await Store.open(url, SystemClock())
    search = Search.at(store, url)
    found = Desk(store, search, Chat(store))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(store.run())
        try:
            opened = await found.do(ANN, OpenConversation("web", "Hello"))
            found.talk = opened.conversation
            yield found
        finally:
            await search.close()
            running.cancel()
    await store.close()


async def test_the_log_has_both_texts_and_every_view_the_new_one(desk: Desk) -> None:
    seq = await desk.say("It ships tomorow")

    done = await desk.edit(seq, "It ships tomorrow")

    event = orjson.loads(done.event or b"")
    assert (event["kind"], event["data"]["of"], event["data"]["version"]) == (
        "message.edited", seq, 1,
    )  # fmt: skip
    texts = [orjson.loads(one.data).get("text") for one in await desk.events(ANN)]
    assert texts[-2:] == ["It ships tomorow", "It ships tomorrow"]
    for who in (LI, ANN):
        assert (await desk.view(who))["last"]["text"] == "It ships tomorrow"


async def test_the_visitors_last_text_behind_a_note_is_the_edited_one(desk: Desk) -> None:
    seq = await desk.say("wrong")
    await desk.edit(seq, "right")
    await desk.do(LI, AddNote(desk.talk, "only for us"))

    assert (await desk.view(ANN))["last"]["text"] == "right"


async def test_an_edited_note_is_not_told_to_the_visitor(desk: Desk) -> None:
    seq = (await desk.do(LI, AddNote(desk.talk, "batch B7"))).seq
    await desk.edit(seq, "batch B8")

    kinds = [event.kind for event in await desk.events(ANN)]
    assert kinds == ["conversation.opened", "message.posted"]


async def test_two_windows_do_not_overwrite_each_other(desk: Desk) -> None:
    seq = await desk.say("one")

    here = desk.chat.submit(LI, Edit(desk.talk, seq, "from here", 0), cid="window-1")
    there = desk.chat.submit(LI, Edit(desk.talk, seq, "from there", 0), cid="window-2")

    await here
    with pytest.raises(EditConflict):
        await there
    assert (await desk.view(LI))["last"]["text"] == "from here"
    await desk.edit(seq, "from there", version=1)
    assert (await desk.view(LI))["last"]["text"] == "from there"


async def test_without_the_version_the_second_window_wins_unseen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: a store that forgets versions lets a text get lost."""
    monkeypatch.setattr(sabotage, "_ACTIVE", frozenset({"edits_not_kept"}))
    seq = await desk.say("one")
    await desk.edit(seq, "from here")

    await desk.edit(seq, "from there")

    assert (await desk.view(LI))["last"]["text"] == "from there"


async def test_a_repeated_edit_gets_its_first_answer(desk: Desk) -> None:
    seq = await desk.say("one")
    command = Edit(desk.talk, seq, "two", 0)

    first = await desk.do(LI, command, "edit-1")
    again = await desk.do(LI, command, "edit-1")

    assert (again.dup, again.seq) == (True, first.seq)
    with pytest.raises(CidReuse):
        await desk.do(LI, Edit(desk.talk, seq, "three", 0), "edit-1")


async def test_what_cannot_be_edited(desk: Desk) -> None:
    mine = await desk.say("first of mine")
    theirs = await desk.say("of a colleague", CHEN)
    await desk.say("last of mine")

    for seq in (mine, theirs, 1, 999):
        with pytest.raises(NotEditable):
            await desk.edit(seq, "changed")


async def test_a_message_and_its_edit_may_share_a_commit(desk: Desk) -> None:
    head = (await desk.view(LI))["head"]
    said = desk.chat.submit(LI, PostMessage(desk.talk, "teh"), cid="both-1")
    edited = desk.chat.submit(LI, Edit(desk.talk, head + 1, "the", 0), cid="both-2")

    assert [(await said).seq, (await edited).seq] == [head + 1, head + 2]
    assert (await desk.view(LI))["last"]["text"] == "the"


async def test_a_search_finds_the_new_words_in_the_old_place(desk: Desk) -> None:
    seq = await desk.say("the blue tent 蓝色帐篷")
    assert await desk.found("blue") == ["the blue tent 蓝色帐篷"]

    await desk.edit(seq, "the green tent 绿色帐篷")
    note = (await desk.do(LI, AddNote(desk.talk, "ask @Mia Wong"))).seq
    await desk.edit(note, "ask @Chen about it")

    assert await desk.found("green") == ["the green tent 绿色帐篷"]
    assert await desk.found("绿色") == ["the green tent 绿色帐篷"]
    assert await desk.found("blue") == []
    assert await desk.found("蓝色") == []
    assert await desk.found("mentions:Chen") == ["ask @Chen about it"]
    assert await desk.found("has:note about") == ["ask @Chen about it"]
    assert await desk.found("mentions:Mia Wong") == []


async def test_an_index_made_anew_knows_the_same(desk: Desk) -> None:
    seq = await desk.say("blue")
    await desk.edit(seq, "red")
    await desk.edit(seq, "green", version=1)

    await desk.search.indexer.rebuild("main")

    assert await desk.found("green") == ["green"]
    assert await desk.found("blue") == await desk.found("red") == []


async def test_mail_and_export_say_what_it_reads_now(desk: Desk) -> None:
    seq = await desk.say("Tuesday")
    await desk.edit(seq, "Wednesday")

    mailed = await desk.store.read(lambda db: mails.said(db, "main", desk.talk, (1, 99)))
    kept = await desk.store.read(lambda db: exports.events(db, "main", desk.talk, 0))

    assert [orjson.loads(one[3])["text"] for one in mailed] == ["Hello", "Wednesday"]
    by_seq = {one["seq"]: one for one in kept}
    assert orjson.loads(orjson.dumps(by_seq[seq]["data"]))["text"] == "Tuesday"
    assert by_seq[seq]["edited"] == "Wednesday"
    assert "edited" not in by_seq[seq - 1]
