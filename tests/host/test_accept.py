"""The one hook in a message's way: it may refuse a text, and can neither delay nor stop chat."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deskhub.chat.commands import AddNote, Edit, PostMessage
from deskhub.clock import SystemClock
from deskhub.host.accept import MessageGate, MessageRefused
from deskhub_sdk import Adapter, Conversation, Message, hookimpl
from tests.host.small_hub import AGENT, Plain, SmallHub, small_hub, visitor

ANNA = visitor("v_anna")


class Censor(Plain):
    @hookimpl
    async def message_accept(self, message: Message, conversation: Conversation) -> str | None:
        return "Please leave out card numbers." if "4111" in message.text else None


@contextlib.asynccontextmanager
async def gated(
    folder: Path, adapters: Mapping[str, type[Adapter[Any]]]
) -> AsyncIterator[SmallHub]:
    async with small_hub(folder, adapters) as hub, asyncio.TaskGroup() as group:
        gate = MessageGate(hub.host, hub.store, SystemClock())
        hub.chat.gate = gate
        running = group.create_task(gate.run())
        yield hub
        running.cancel()


async def test_a_refused_text_is_not_stored_and_the_sender_learns_why(tmp_path: Path) -> None:
    async with gated(tmp_path, {"censor": Censor}) as hub:
        conversation = await hub.open(ANNA, "hello")

        with pytest.raises(MessageRefused) as caught:
            await hub.do(ANNA, PostMessage(conversation, "4111 1111 1111 1111"))

        assert caught.value.extra == {"reason": "Please leave out card numbers."}
        assert len(await hub.events("message.posted")) == 1


async def test_a_first_message_is_asked_about_too(tmp_path: Path) -> None:
    async with gated(tmp_path, {"censor": Censor}) as hub:
        with pytest.raises(MessageRefused):
            await hub.open(ANNA, "4111 1111")

        assert await hub.events() == []


async def test_an_edit_is_asked_about_like_a_message_and_an_edited_note_is_not(
    tmp_path: Path,
) -> None:
    async with gated(tmp_path, {"censor": Censor}) as hub:
        conversation = await hub.open(ANNA, "hello")
        await hub.do(AGENT, PostMessage(conversation, "your card?"))
        await hub.do(AGENT, AddNote(conversation, "asked"))
        said = (await hub.events("message.posted"))[-1]
        (noted,) = await hub.events("note.posted")

        with pytest.raises(MessageRefused):
            await hub.do(AGENT, Edit(conversation, said.seq, "4111 1111", 0))
        await hub.do(AGENT, Edit(conversation, said.seq, "your order?", 0))
        await hub.do(AGENT, Edit(conversation, noted.seq, "it is 4111", 0))

        (edited,) = await hub.events("message.edited")
        assert b"your order?" in edited.data
        assert len(await hub.events("note.edited")) == 1


async def test_notes_pass_unasked(tmp_path: Path) -> None:
    async with gated(tmp_path, {"censor": Censor}) as hub:
        conversation = await hub.open(ANNA, "hello")

        await hub.do(AGENT, AddNote(conversation, "card 4111"))

        assert len(await hub.events("note.posted")) == 1


async def test_silence_and_failure_let_the_message_pass(tmp_path: Path) -> None:
    class Silent(Plain):
        @hookimpl
        async def message_accept(self) -> str | None:
            await asyncio.Event().wait()
            return "never said"

    class Broken(Plain):
        @hookimpl
        async def message_accept(self) -> str | None:
            raise RuntimeError("boom")

    async with gated(tmp_path, {"silent": Silent, "broken": Broken}) as hub:
        conversation = await hub.open(ANNA, "hello")

        async with asyncio.timeout(5):
            await hub.do(ANNA, PostMessage(conversation, "still here"))

        assert len(await hub.events("message.posted")) == 2


async def test_one_senders_messages_keep_their_order(tmp_path: Path) -> None:
    class Uneven(Plain):
        @hookimpl
        async def message_accept(self, message: Message) -> str | None:
            await asyncio.sleep(0.02 if message.text == "first" else 0)
            return None

    async with gated(tmp_path, {"uneven": Uneven}) as hub:
        conversation = await hub.open(ANNA, "hello")

        futures = [
            hub.chat.submit(ANNA, PostMessage(conversation, text), cid=f"c-{text}")
            for text in ("first", "second", "third")
        ]
        await asyncio.wait(futures)

        said = [event.data for event in await hub.events("message.posted")][1:]
        assert [
            b'"first"' in one or b'"second"' in one or b'"third"' in one for one in said
        ] == [True] * 3
        assert [b"first" in said[0], b"second" in said[1], b"third" in said[2]] == [True] * 3


async def test_nobody_who_asks_means_nothing_stands_in_the_way(tmp_path: Path) -> None:
    async with gated(tmp_path, {"plain": Plain}) as hub:
        gate = hub.chat.gate
        assert isinstance(gate, MessageGate)

        assert not gate.stands_before(ANNA, PostMessage("c_1", "hello"))
