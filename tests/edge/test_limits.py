"""Everything on the wire has a bound: at the limit it passes, one above it does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from deskhub.edge.limits import Limits
from deskhub.stream.depth import too_deep
from deskhub.stream.limits import Rate
from tests.edge.conftest import World, running

MIB = 1024 * 1024
JSON = {"content-type": "application/json"}


def json_of(size: int) -> bytes:
    """Return a sign-in body of exactly *size* bytes."""
    frame = b'{"email":"a@example.com","password":"x","tenant":""}'
    return frame[:-2] + b"t" * (size - len(frame)) + frame[-2:]


@pytest.mark.parametrize(
    ("size", "status"),
    [(MIB - 1, 422), (MIB, 422), (MIB + 1, 413), (100 * MIB, 413)],
)
async def test_a_body_up_to_one_mebibyte_is_read_and_not_a_byte_more(
    world: World, size: int, status: int
) -> None:
    client = await world.client(**JSON)

    answer = await client.post("/api/v1/sessions", content=json_of(size))

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == ("too_large" if status == 413 else "invalid")


async def test_a_body_in_chunks_is_cut_off_at_the_limit(world: World) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 64 * 1024
            yield b"[" * 64 * 1024

    client = await world.client(**JSON)
    answer = await client.post("/api/v1/sessions", content=endless())

    assert answer.status_code == 413


@pytest.mark.parametrize(("size", "status"), [(15, 200), (17, 431), (1600, 431)])
async def test_headers_have_sixteen_kibibytes(world: World, size: int, status: int) -> None:
    client = await world.client(**{"x-filler": "h" * size * 1024})

    answer = await client.get("/api/v1/sign-in")

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("depth", "code"), [(63, "invalid"), (64, "invalid"), (65, "too_deep"), (6400, "too_deep")]
)
async def test_json_nests_sixty_four_deep(world: World, depth: int, code: str) -> None:
    client = await world.client(**JSON)

    answer = await client.post("/api/v1/sessions", content=b"[" * depth + b"]" * depth)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_brackets_inside_strings_do_not_count() -> None:
    assert not too_deep(b'{"text":"' + b"[" * 500 + b'\\"[[["}', 64)
    assert too_deep(b'{"a":' * 65 + b"1" + b"}" * 65, 64)


def test_counting_depth_is_linear() -> None:
    began = time.perf_counter()

    too_deep(b"[]," * 300_000, 64)
    too_deep(b'"' + b"\\" * 1_000_000, 64)
    too_deep(b"[" + b'"' * 1_000_000, 64)

    assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b'{"email":"\\ud800"}', b'{"a":1}x', b"\xff\xfe", b"null", b"7"]
)
async def test_what_is_not_json_is_the_callers_mistake(world: World, body: bytes) -> None:
    client = await world.client(**JSON)

    answer = await client.post("/api/v1/sessions", content=body)

    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_body_of_another_type_is_refused(world: World) -> None:
    client = await world.client(**{"content-type": "text/plain"})

    answer = await client.post("/api/v1/sessions", content=b"{}")

    assert answer.status_code == 415


async def test_an_address_that_asks_too_often_waits(tmp_path: Path) -> None:
    limits = Limits(address=Rate(per_s=1, burst=5))
    async with running(tmp_path, limits) as world:
        client = await world.client()
        answers = [await client.get("/api/v1/sign-in") for _ in range(8)]
        alive = await client.get("/healthz")

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert answers[-1].json()["code"] == "rate_limited"
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["after_ms"] <= 1000
    assert alive.status_code == 200


async def test_one_agent_who_asks_too_often_does_not_slow_another(tmp_path: Path) -> None:
    limits = Limits(agent=Rate(per_s=1, burst=3))
    async with running(tmp_path, limits) as world:
        busy = await world.client(await world.agent())
        calm = await world.client(await world.agent("supervisor"))
        answers = [await busy.get("/api/v1/agents/me") for _ in range(5)]
        other = await calm.get("/api/v1/agents/me")

    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert other.status_code == 200


async def test_handshakes_beyond_the_rate_are_sent_away_with_a_spread_pause(
    tmp_path: Path,
) -> None:
    limits = Limits(handshakes=Rate(per_s=1, burst=0))
    async with running(tmp_path, limits) as world:
        answers = [await handshake(world) for _ in range(10)]

    assert {status for status, _ in answers} == {503}
    assert len({wait for _, wait in answers}) > 1


async def test_an_address_has_a_number_of_sockets(tmp_path: Path) -> None:
    async with running(tmp_path, Limits(sockets_per_address=3)) as world:
        world.hub.guard.sockets["10.0.0.9"] = 3
        assert await handshake(world) == (429, 10)


async def handshake(world: World) -> tuple[int, int]:
    """Try to open a WebSocket and return the refusal's status and Retry-After."""
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws",
        "path": "/api/v1/stream", "raw_path": b"/api/v1/stream", "query_string": b"",
        "root_path": "", "headers": [], "client": ("10.0.0.9", 1), "server": ("x", 1),
        "subprotocols": [], "state": {}, "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    async with asyncio.timeout(5):
        await world.app(scope, receive, send)
    headers = httpx2.Headers(sent[0]["headers"])
    return sent[0]["status"], int(headers["retry-after"])
