"""The bad network itself: what it does to a plain echo is exactly what it says."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from tests.support.proxy import Proxy, Weather


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def said(port: int, text: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    return reader, writer


async def test_bytes_pass_unchanged_and_in_order_with_latency(echo: int) -> None:
    sent = bytes(range(256)) * 200
    async with Proxy(echo, weather=Weather(latency_s=0.02, jitter_s=0.02)) as proxy:
        began = time.monotonic()
        reader, writer = await said(proxy.port, sent)
        back = await reader.readexactly(len(sent))
        took = time.monotonic() - began
        writer.close()

    assert back == sent
    assert took >= 0.04


async def test_bandwidth_is_bounded(echo: int) -> None:
    async with Proxy(echo, weather=Weather(bytes_per_s=100_000)) as proxy:
        began = time.monotonic()
        reader, writer = await said(proxy.port, b"x" * 20_000)
        await reader.readexactly(20_000)
        took = time.monotonic() - began
        writer.close()

    assert took >= 0.35


async def test_a_cut_is_an_end_and_a_reset_is_an_error(echo: int) -> None:
    async with Proxy(echo) as proxy:
        reader, writer = await said(proxy.port, b"one")
        await reader.readexactly(3)
        assert proxy.end_all("cut") == 1
        ended = await reader.read()
        writer.close()
        reader, writer = await said(proxy.port, b"two")
        await reader.readexactly(3)
        proxy.end_all("reset")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    assert ended == b""


async def test_a_cut_within_passes_a_part_only(echo: int) -> None:
    async with Proxy(echo) as proxy:
        reader, writer = await said(proxy.port, b"x")
        await reader.readexactly(1)
        proxy.cut_within()
        writer.write(b"y" * 100)
        rest = await reader.read()
        writer.close()

    assert 1 <= len(rest) <= 40


async def test_a_half_open_link_looks_alive_and_says_nothing(echo: int) -> None:
    async with Proxy(echo) as proxy:
        reader, writer = await said(proxy.port, b"x")
        await reader.readexactly(1)
        proxy.swallow("up")
        writer.write(b"unheard")
        await writer.drain()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(1)
        assert not writer.is_closing()
        writer.close()


async def test_the_same_seed_does_the_same(echo: int) -> None:
    rolls = []
    for _ in range(2):
        async with Proxy(echo, seed=7) as proxy:
            rolls.append([proxy.dice.random() for _ in range(5)])

    assert rolls[0] == rolls[1]
