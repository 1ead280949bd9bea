"""The real server on a real socket: its settings, its bounds, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from deskhub.edge import protocol
from deskhub.edge.errors import PortInUse
from deskhub.edge.limits import Limits
from deskhub.edge.server import GRACE_S, SEND_BUFFER_BYTES, Server, listener, pid_at, server
from deskhub.stream.limits import Rate
from tests.edge.conftest import World, config_in, running


@contextlib.asynccontextmanager
async def served(world: World) -> AsyncIterator[tuple[Server, int]]:
    """Serve *world* on a free port of loopback."""
    config = at_port(world.hub.config, 0)
    sock = listener(config)
    port = sock.getsockname()[1]
    web = server(world.app, config)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(web.serve(sockets=[sock]))
        async with asyncio.timeout(10):
            while not web.started:
                await asyncio.sleep(0.01)
        yield web, port
        web.should_exit = True
        async with asyncio.timeout(10):
            await task


def at_port(config, port: int):
    hub = config.hub.model_copy(update={"listen": f"127.0.0.1:{port}"})
    return config.model_copy(update={"hub": hub})


async def test_it_answers_without_saying_what_it_is(world: World) -> None:
    async with served(world) as (_, port), httpx2.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/healthz")

    assert answer.json() == {"status": "alive"}
    assert "server" not in answer.headers


async def test_a_used_port_is_told_with_the_process_that_has_it(tmp_path: Path) -> None:
    with listener(at_port(config_in(tmp_path), 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortInUse, match=f"is used by pid {os.getpid()}"):
            listener(at_port(config_in(tmp_path), port))

    assert pid_at(port) is None


def test_the_listener_bounds_what_a_stuck_reader_holds(tmp_path: Path) -> None:
    with listener(at_port(config_in(tmp_path), 0)) as sock:
        held = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)

    # Linux doubles the value for its own bookkeeping.
    assert held <= 2 * SEND_BUFFER_BYTES


def test_the_settings_are_not_the_defaults(world: World) -> None:
    settings = server(world.app, world.hub.config).config

    assert settings.ws_max_size == 65_536
    assert settings.ws_per_message_deflate is False
    assert settings.timeout_graceful_shutdown == GRACE_S
    assert settings.access_log is False
    assert settings.proxy_headers is False


async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(world: World) -> None:
    hub = world.hub.config.hub.model_copy(update={"trust_proxy": ("127.0.0.1",)})
    trusting = server(world.app, world.hub.config.model_copy(update={"hub": hub}))

    assert trusting.config.proxy_headers is True
    assert trusting.config.forwarded_allow_ips == ["127.0.0.1"]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_is_what_the_library_would_write(size: int) -> None:
    payload = b"x" * size

    written = protocol.framed(payload)

    assert written == Frame(Opcode.TEXT, payload).serialize(mask=False)


async def test_a_head_that_never_ends_is_cut_off(world: World) -> None:
    async with served(world) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nx-a: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                writer.write(b"a" * 16 * 1024)
                await writer.drain()
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert (await reader.read()).startswith((b"HTTP/1.1 400", b""))
        writer.close()


async def test_a_head_that_does_not_come_ends_the_connection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN_S", 0.3)
    async with served(world) as (_, port):
        silent, mute = await asyncio.open_connection("127.0.0.1", port)
        slow, drip = await asyncio.open_connection("127.0.0.1", port)
        drip.write(b"GET /healthz HTTP/1.1\r\n")
        async with asyncio.timeout(5):
            assert await silent.read() == b""
            assert await slow.read() == b""
        mute.close()
        drip.close()


async def test_a_connection_that_is_kept_alive_is_not_taken_for_a_slow_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN_S", 0.2)
    async with served(world) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(4):
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                assert head.startswith(b"HTTP/1.1 200")
                await reader.readexactly(length)
            await asyncio.sleep(0.25)
        writer.close()


async def test_stopping_ends_soon_although_a_client_keeps_its_connection(world: World) -> None:
    async with served(world) as (web, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        await writer.drain()
        began = time.monotonic()
        web.should_exit = True

    assert time.monotonic() - began < 3
    writer.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/sessions HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /x HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"GET /%zz%00 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/v1/stream HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ],
)
async def test_bytes_that_are_no_request_never_hurt_the_next_one(
    world: World, raw: bytes
) -> None:
    async with served(world) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        writer.write_eof()
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                answer = await reader.read()
                assert b" 500 " not in answer.split(b"\r\n")[0]
        writer.close()
        async with httpx2.AsyncClient() as client:
            alive = await client.get(f"http://127.0.0.1:{port}/healthz")

    assert alive.status_code == 200


async def test_a_storm_of_handshakes_gets_503_and_a_pause_on_the_wire(tmp_path: Path) -> None:
    limits = Limits(handshakes=Rate(per_s=1, burst=2), sockets_per_address=2)
    async with running(tmp_path, limits) as world, served(world) as (_, port):
        address = f"ws://127.0.0.1:{port}/api/v1/stream"
        async with connect(address), connect(address):
            with pytest.raises(InvalidStatus) as crowded:
                await connect(address)
        async with asyncio.timeout(5):
            while world.hub.guard.sockets:
                await asyncio.sleep(0.01)
        with pytest.raises(InvalidStatus) as hurried:
            await connect(address)

    assert crowded.value.response.status_code == 429
    assert hurried.value.response.status_code == 503
    assert 1 <= int(hurried.value.response.headers["retry-after"]) <= 5
    assert b'"code":"busy"' in hurried.value.response.body
