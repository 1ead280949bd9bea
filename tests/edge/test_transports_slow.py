"""Readers that do not read harm nobody, and a transport that forgets to ask is noticed."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deskhub.chat.commands import OpenConversation, PostMessage
from deskhub.stream import polls
from tests.support.chat import NO_LIMITS, chat_hub, person

STUCK = 10


async def stuck_reader(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return an agent's connection that will never be read again."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    writer.write(
        b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    hello = b'{"t":"hello","v":1,"token":"agent.a_1"}'
    writer.write(bytes((0x81, 0x80 | len(hello))) + b"\0\0\0\0" + hello)
    return reader, writer


async def test_stuck_readers_are_dropped_and_the_others_get_everything(tmp_path: Path) -> None:
    limits = replace(NO_LIMITS, stuck_s=1.0)
    async with chat_hub(tmp_path / "hub.db", limits=limits) as hub:
        stuck = [await stuck_reader(hub.port) for _ in range(STUCK)]
        async with hub.dial("agent.a_2") as agent, asyncio.timeout(40):
            await agent.until("welcome")
            while hub.streams.size < STUCK + 1:
                await asyncio.sleep(0.01)
            visitor = person("visitor", "v_1")
            first = await hub.chat.do(visitor, OpenConversation("web", "0"), cid="k0")
            count, seen = 1, 0
            while hub.streams.size > 1:
                command = PostMessage(first.conversation, "x" * 16_000)
                await hub.chat.do(visitor, command, cid=f"k{count}")
                count += 1
                while seen < count + 1:
                    seen += len((await agent.until("events"))["events"])
        for _, writer in stuck:
            writer.transport.abort()

    assert seen == count + 1


def leaks(events: list[dict[str, Any]]) -> bool:
    return any(event["kind"] == "message.posted" for event in events)


@pytest.mark.parametrize("sabotaged", [False, True])
async def test_a_poll_that_forgets_to_ask_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sabotaged: bool
) -> None:
    """The twin plants the fault: the same look at a stranger's poll must then see the leak."""
    monkeypatch.setattr(
        polls, "sabotaged", lambda fault: sabotaged and fault == "skip_acl_on_poll"
    )
    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS) as hub:
        await hub.chat.do(person("visitor", "v_1"), OpenConversation("web", "mine"), cid="k")
        start = {"cursor": f"{hub.store.tail.epoch('main')}:0", "wait": 0}
        async with hub.http("visitor.v_2") as stranger:
            told = (await stranger.get("/api/v1/events", params=start)).json()

    assert leaks(told["events"]) is sabotaged
