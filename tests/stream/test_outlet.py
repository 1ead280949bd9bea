"""A transport with room is written to at once; one without is left to its task."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from deskhub.stream.session import Session
from tests.support.chat import NO_LIMITS, ChatHub, chat_hub, person


class Pipe:
    """An outlet that keeps what it got, and has room or has none."""

    def __init__(self) -> None:
        self.frames: list[dict] = []
        self.writes = 0
        self.has_room = True

    def is_free(self) -> bool:
        return self.has_room

    def put(self, frames: Sequence[str]) -> None:
        assert self.has_room, "written to although it has no room"
        self.writes += 1
        self.frames += [json.loads(frame) for frame in frames]

    def seqs(self) -> list[int]:
        return [e["seq"] for f in self.frames if f["t"] == "events" for e in f["events"]]


async def sending(session: Session, into: Pipe) -> None:
    """Stand for the transport's task: what the outlet does not take comes this way."""
    while frames := await session.take():
        into.frames += [json.loads(frame) for frame in frames]
        while not into.has_room:
            await asyncio.sleep(0.001)


async def followed(hub: ChatHub, pipe: Pipe) -> tuple[Session, asyncio.Task[None]]:
    session = await hub.streams.open(person("agent", "a_1"), hub.streams.cursor("main"))
    task = asyncio.get_running_loop().create_task(sending(session, pipe))
    await asyncio.sleep(0.01)
    session.write_to(pipe)
    return session, task


@pytest.mark.parametrize("stops", [False, True])
async def test_every_event_comes_once_and_in_order(tmp_path: Path, *, stops: bool) -> None:
    async with chat_hub(tmp_path / "chat.db", limits=NO_LIMITS) as hub:
        async with hub.dial("visitor.v_1") as visitor:
            opened = await visitor.send("hello", "cid-0")
            pipe = Pipe()
            session, task = await followed(hub, pipe)
            for number in range(1, 40):
                pipe.has_room = not (stops and number % 3 == 0)
                await visitor.send("more", f"cid-{number}", opened["conversation"])
            pipe.has_room = True
            async with asyncio.timeout(20):
                while len(pipe.seqs()) < 39:
                    await asyncio.sleep(0.005)
            session.hang_up()
            await task
            hub.streams.leave(session)

    assert pipe.seqs() == sorted(set(pipe.seqs()))
    assert len(pipe.seqs()) == 39
    if not stops:
        assert pipe.writes == 39


async def test_what_memory_no_longer_holds_is_left_to_the_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chat_hub(tmp_path / "chat.db", limits=NO_LIMITS) as hub:
        async with hub.dial("visitor.v_1") as visitor:
            opened = await visitor.send("hello", "cid-0")
            pipe = Pipe()
            session, task = await followed(hub, pipe)
            monkeypatch.setattr(hub.streams._store.tail, "recent", lambda *_: None)
            await visitor.put(
                {"t": "send", "id": "1", "cid": "cid-1", "conversation": opened["conversation"],
                 "body": {"kind": "text", "text": "from the log"}}
            )  # fmt: skip
            async with asyncio.timeout(20):
                while not pipe.seqs():
                    await asyncio.sleep(0.005)
            session.hang_up()
            await task
            hub.streams.leave(session)

    assert pipe.writes == 0
    assert len(pipe.seqs()) == 1
