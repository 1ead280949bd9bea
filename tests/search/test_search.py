"""Searching: what is found, by whom, and how the index keeps up with its log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deskhub.chat.commands import AddNote, OpenConversation, PostMessage, Tag
from deskhub.chat.service import Chat
from deskhub.errors import Forbidden, StoreDown
from deskhub.identity.model import Principal
from deskhub.store.search import Search, tsvector
from deskhub.store.search.indexer import Indexer
from deskhub.store.search.service import Hits
from deskhub.store.store import Store
from tests.support.databases import postgres


@dataclass
class Moving:
    """A clock that is set."""

    at: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Desk:
    """A store with a search, and people who talk."""

    store: Store
    search: Search
    clock: Moving
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    async def do(self, principal: Principal, command: Any) -> Any:
        return await Chat(self.store).do(principal, command, cid=f"c{next(self.numbers)}")

    async def opened(self, who: Principal, text: str) -> str:
        (inbox,) = who.inboxes or ("web",)
        return (await self.do(who, OpenConversation(inbox, text))).conversation

    async def indexed(self, tenant: str = "main") -> int:
        return await self.search.indexer.catch_up(tenant)

    async def found(self, typed: str, who: Principal | None = None, **more: Any) -> list[str]:
        return [said(hit) for hit in (await self.hits(typed, who, **more)).hits]

    async def hits(self, typed: str, who: Principal | None = None, **more: Any) -> Hits:
        await self.indexed((who or LI).tenant)
        return await self.search.find(who or LI, typed, UTC, **more)


def said(hit: dict[str, Any]) -> str:
    return "".join(text for text, _ in hit["parts"])


def agent(who: str, name: str, tenant: str = "main", inboxes: Any = None) -> Principal:
    return Principal(tenant, "agent", who, name, role="agent", inboxes=inboxes)


def visitor(who: str, name: str, tenant: str = "main", inbox: str = "web") -> Principal:
    return Principal(tenant, "visitor", who, name, inboxes=frozenset({inbox}))


LI = agent("a_1", "Li Wei")
CHEN = agent("a_2", "Chen Jie")
WANG = visitor("v_1", "王芳")
JOHN = visitor("v_2", "John Smith")


@contextlib.asynccontextmanager
async def desk_at(url: str) -> AsyncIterator[Desk]:
    clock = Moving()
    store = await Store.open(url, clock)
    search = Search.at(store, url)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(store.run())
        try:
            yield Desk(store, search, clock)
        finally:
            await search.close()
            running.cancel()
    await store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    with postgres() as found:
        yield found


@pytest.fixture
async def desk(url: str) -> AsyncIterator[Desk]:
    async with desk_at(url) as found:
        yield found


async def test_messages_are_found_in_english_and_chinese(desk: Desk) -> None:
    await desk.opened(WANG, "鞋子收到开胶了，怎么退货？")
    await desk.opened(JOHN, "My refund for order SF-1390 is late")

    assert await desk.found("退货") == ["鞋子收到开胶了，怎么退货？"]
    assert await desk.found("收到") == ["鞋子收到开胶了，怎么退货？"]
    assert await desk.found("胶") == ["鞋子收到开胶了，怎么退货？"]
    assert await desk.found("鞋子退货") == ["鞋子收到开胶了，怎么退货？"]
    assert await desk.found("refu") == ["My refund for order SF-1390 is late"]
    assert await desk.found("LATE sf-1390") == ["My refund for order SF-1390 is late"]
    assert await desk.found("货退") == []
    assert await desk.found("refu ") == []


async def test_what_was_looked_for_is_marked(desk: Desk) -> None:
    await desk.opened(JOHN, "My refund is <b>late</b>")

    (hit,) = (await desk.hits("refund late")).hits

    assert [text for text, is_hit in hit["parts"] if is_hit] == ["refund", "late"]
    await desk.opened(WANG, "鞋子收到，怎么退货")
    (apart,) = (await desk.hits("鞋子退货")).hits
    assert [text for text, is_hit in apart["parts"] if is_hit] == ["鞋子", "退货"]
    assert hit["conversation"]["name"] == "John Smith"
    assert (hit["by"], hit["name"], hit["kind"]) == ("visitor:v_2", "John Smith", "message")


async def test_filters_narrow_by_person_tag_kind_and_day(desk: Desk) -> None:
    one = await desk.opened(WANG, "order one")
    two = await desk.opened(JOHN, "order two")
    await desk.do(LI, PostMessage(one, "order from Li"))
    await desk.do(CHEN, AddNote(two, "order note by Chen"))
    await desk.do(LI, Tag(two, add=("退货", "vip")))
    desk.clock.at += timedelta(days=3)
    await desk.do(JOHN, PostMessage(two, "order later"))

    found = {
        typed: set(await desk.found(f"order {typed} "))
        for typed in (
            "from:me", "from:customer", "from:王芳", 'from:"Chen Jie"', "has:note", "tag:vip",
            "tag:退货", "tag:vi", "with:王", "with:chen", "before:2026-11-24", "after:2026-11-24",
            "from:john after:2026-11-24",
        )
    }  # fmt: skip

    everything = {"order one", "order two", "order from Li", "order note by Chen"}
    assert found == {
        "from:me": {"order from Li"},
        "from:customer": {"order one", "order two", "order later"},
        "from:王芳": {"order one"},
        'from:"Chen Jie"': {"order note by Chen"},
        "has:note": {"order note by Chen"},
        "tag:vip": {"order two", "order note by Chen", "order later"},
        "tag:退货": {"order two", "order note by Chen", "order later"},
        "tag:vi": set(),
        "with:王": {"order one", "order from Li"},
        "with:chen": {"order two", "order note by Chen", "order later"},
        "before:2026-11-24": everything,
        "after:2026-11-24": {"order later"},
        "from:john after:2026-11-24": {"order later"},
    }


async def test_notes_that_call_somebody_are_found(desk: Desk) -> None:
    one = await desk.opened(WANG, "hello @Li Wei")
    await desk.do(CHEN, AddNote(one, "@Li Wei, is this yours?"))
    await desk.do(LI, AddNote(one, "no, ＠王芳 please look"))
    await desk.do(CHEN, AddNote(one, "li wei said @Liang Wei"))

    assert await desk.found("mentions:me") == ["@Li Wei, is this yours?"]
    assert await desk.found("mentions:王芳") == ["no, ＠王芳 please look"]
    assert await desk.found("mentions:me", CHEN) == []


async def test_a_filter_alone_is_a_question_too(desk: Desk) -> None:
    one = await desk.opened(WANG, "hello")
    await desk.do(LI, AddNote(one, "a note"))

    assert await desk.found("has:note") == ["a note"]
    assert await desk.found("before:2026-12-24") == ["a note", "hello"]


async def test_pages_go_on_without_losing_or_repeating_a_hit(desk: Desk) -> None:
    one = await desk.opened(WANG, "order 0")
    for number in range(1, 25):
        await desk.do(WANG, PostMessage(one, f"order {number}"))

    pages, before = [], None
    while True:
        page = await desk.hits("order ", limit=10, before=before)
        pages.append([said(hit) for hit in page.hits])
        before = page.before
        if before is None:
            break

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [text for page in pages for text in page] == [
        f"order {n}" for n in range(24, -1, -1)
    ]


async def test_a_page_begins_with_what_fits_best(desk: Desk) -> None:
    one = await desk.opened(WANG, "order")
    await desk.do(WANG, PostMessage(one, "ordering"))

    assert await desk.found("order") == ["order", "ordering"]


async def test_nobody_finds_what_they_may_not_see(desk: Desk) -> None:
    await desk.opened(WANG, "secret word")
    await desk.opened(visitor("w_1", "Other", inbox="second"), "secret word elsewhere")
    await desk.opened(visitor("x_1", "Foreign", tenant="else"), "secret word abroad")

    assert await desk.found("secret") == ["secret word elsewhere", "secret word"]
    second = agent("b_1", "B", inboxes=frozenset({"second"}))
    assert await desk.found("secret", second) == ["secret word elsewhere"]
    assert await desk.found("tag:x secret", agent("b_2", "B", inboxes=frozenset())) == []
    assert await desk.found("secret", agent("f_1", "F", tenant="else")) == [
        "secret word abroad"
    ]
    for who in (WANG, Principal("main", "agent", "a_9", role="auditor")):
        with pytest.raises(Forbidden):
            await desk.search.find(who, "secret", UTC)


async def test_an_index_goes_on_where_it_was_killed(url: str) -> None:
    async with desk_at(url) as desk:
        one = await desk.opened(WANG, "first words")
        await desk.indexed()
        await desk.do(WANG, PostMessage(one, "second words"))

    async with desk_at(url) as desk:
        before = await desk.search.find(LI, "words ", UTC)
        after = await desk.hits("words ")

    assert ([said(hit) for hit in before.hits], before.behind) == (["first words"], 1)
    assert ([said(hit) for hit in after.hits], after.behind) == (
        ["second words", "first words"],
        0,
    )


async def test_a_part_that_another_process_took_is_not_taken_twice(desk: Desk) -> None:
    await desk.opened(WANG, "once")
    other = Indexer(desk.store, desk.search.index)

    async with asyncio.TaskGroup() as group:
        for indexer in (desk.search.indexer, other):
            group.create_task(indexer.catch_up("main"))

    assert await desk.found("once ") == ["once"]


async def test_a_log_of_another_epoch_is_indexed_anew(desk: Desk) -> None:
    await desk.opened(WANG, "before the restore")
    await desk.indexed()
    await desk.search.index.wipe("main", "e_other")

    assert await desk.found("restore ") == ["before the restore"]


async def test_a_rebuilt_index_finds_the_same(desk: Desk) -> None:
    for number in range(5):
        await desk.opened(visitor(f"v_{number}", "V"), f"order {number}")
    before = await desk.found("order ")

    assert await desk.search.indexer.rebuild("main") == desk.store.tail.head("main")

    assert await desk.found("order ") == before


async def erase(desk: Desk, conversation: str) -> None:
    await desk.store.transact(
        "main",
        lambda tx: tx.append(
            "conversation.erased", conversation=conversation, audience="agents",
            by="agent:a_1", data={},
        ),
    )  # fmt: skip
    await desk.indexed()


async def test_what_was_erased_is_found_by_nobody(desk: Desk) -> None:
    one = await desk.opened(WANG, "canaryword of one")
    await desk.opened(JOHN, "canaryword of two")
    await desk.indexed()

    await erase(desk, one)

    assert await desk.found("canaryword ") == ["canaryword of two"]


async def test_an_erased_word_is_gone_from_the_index_file(tmp_path: Path) -> None:
    async with desk_at(f"sqlite:///{tmp_path / 'hub.db'}") as desk:
        one = await desk.opened(WANG, "canaryword")
        await desk.opened(JOHN, "something else")
        await desk.indexed()
        before = _in_files(tmp_path, b"canaryword")

        await erase(desk, one)

        assert (before, _in_files(tmp_path, b"canaryword")) == (True, False)


def _in_files(folder: Path, word: bytes) -> bool:
    return any(word in file.read_bytes() for file in folder.glob("hub-search*"))


async def test_a_damaged_index_file_is_made_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    async with desk_at(url) as desk:
        await desk.opened(WANG, "still here")
        await desk.indexed()
    for file in tmp_path.glob("hub-search*"):
        file.write_bytes(b"not a database" * 1000)

    async with desk_at(url) as desk:
        assert await desk.found("still ") == ["still here"]


async def test_messages_are_found_while_the_service_runs(desk: Desk) -> None:
    desk.search.indexer = Indexer(desk.store, desk.search.index, pace_s=0.01)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(desk.search.run())
        await desk.opened(WANG, "said meanwhile")
        async with asyncio.timeout(20):
            while not (await desk.search.find(LI, "meanwhile ", UTC)).hits:
                await asyncio.sleep(0.02)
        running.cancel()


async def test_an_index_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    class Refusing:
        asked = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(desk.search.index, name)

        async def put(self, part: Any) -> bool:
            self.asked += 1
            if self.asked == 1:
                raise StoreDown("disk full")
            return await desk.search.index.put(part)

    async with desk_at(f"sqlite:///{tmp_path / 'hub.db'}") as desk:
        await desk.opened(WANG, "kept")
        indexer = Indexer(desk.store, Refusing(), pace_s=0.01, again_s=0.01)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(indexer.run())
            async with asyncio.timeout(20):
                while not (await desk.search.find(LI, "kept ", UTC)).hits:
                    await asyncio.sleep(0.02)
            running.cancel()


async def test_a_place_that_moves_without_its_words_would_be_noticed(desk: Desk) -> None:
    """The sabotaged twin of the kill: an index that forgets its part finds nothing."""

    class Forgetful:
        def __getattr__(self, name: str) -> Any:
            return getattr(desk.search.index, name)

        async def put(self, part: Any) -> bool:
            return await desk.search.index.put(replace(part, found=()))

    await desk.opened(WANG, "lost words")
    await Indexer(desk.store, Forgetful()).catch_up("main")

    assert await desk.found("lost ") == []


def test_every_key_of_the_index_begins_with_the_tenant() -> None:
    for table in tsvector.metadata.sorted_tables:
        assert next(iter(table.primary_key.columns)).name == "tenant"
