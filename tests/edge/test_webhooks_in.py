"""The door of inbound webhooks: bounded before it is read, and what passes is on disk."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deskhub.edge.limits import Limits
from deskhub.signals.errors import WebhookForged
from deskhub.stream.limits import Rate
from tests.edge.conftest import World, running
from tests.support.chat import NO_EDGE_LIMITS

MIB = 1024 * 1024
PATH = "/api/v1/webhooks/shop"


class Taken:
    """In place of the signals: what gets through."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes, str]] = []

    async def receive(self, instance: str, headers: Any, body: bytes, url: str = "") -> int:
        if b"forged" in body:
            raise WebhookForged(instance)
        self.got.append((instance, dict(headers), body, url))
        return 1


async def taken(world: World) -> Taken:
    world.hub.signals = taken = Taken()  # type: ignore[assignment]
    return taken


@pytest.mark.parametrize(("size", "status"), [(MIB, 202), (MIB + 1, 413), (50 * MIB, 413)])
async def test_a_webhook_has_one_mebibyte(world: World, size: int, status: int) -> None:
    got = await taken(world)
    client = await world.client()

    answer = await client.post(PATH, content=b"x" * size)

    assert answer.status_code == status
    assert [len(body) for _, _, body, _ in got.got] == ([size] if status == 202 else [])


async def test_a_webhook_in_chunks_is_cut_off_at_the_limit(world: World) -> None:
    got = await taken(world)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 64 * 1024

    assert (await (await world.client()).post(PATH, content=endless())).status_code == 413
    assert got.got == []


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate, gzip", "zstd"])
async def test_a_compressed_webhook_is_refused_unpacked_by_nobody(
    world: World, encoding: str
) -> None:
    got = await taken(world)
    bomb = gzip.compress(b"\0" * 200 * MIB)
    assert len(bomb) < MIB

    client = await world.client(**{"content-encoding": encoding})
    answer = await client.post(PATH, content=bomb)

    assert answer.status_code == 415
    assert got.got == []


async def test_the_bytes_arrive_as_they_were_sent_whatever_they_are(world: World) -> None:
    got = await taken(world)
    odd = b'\xff\xfe{"a" : NaN, "a":1}\r\n'
    client = await world.client(**{"content-type": "text/plain; charset=utf-16"})

    assert (await client.post(f"{PATH}?x=1", content=odd)).json() == {"accepted": 1}

    ((instance, headers, body, url),) = got.got
    assert (instance, body) == ("shop", odd)
    assert url == f"{world.hub.config.hub.url}{PATH}?x=1"
    assert not any(name.startswith(":") for name in headers)


async def test_a_forged_one_is_refused_in_words_for_nobody(world: World) -> None:
    await taken(world)

    answer = await (await world.client()).post(PATH, content=b"forged")

    assert (answer.status_code, answer.json()["code"]) == (401, "webhook_forged")


async def test_one_source_is_bounded_for_each_instance_before_anything_is_read(
    tmp_path: Path,
) -> None:
    limits: Limits = replace(NO_EDGE_LIMITS, webhooks=Rate(per_s=0.001, burst=3))
    async with running(tmp_path, limits) as world:
        got = await taken(world)
        client = await world.client()
        answers = [await client.post(PATH, content=b"x") for _ in range(5)]
        other = await client.post("/api/v1/webhooks/crm", content=b"x")

    assert [one.status_code for one in answers] == [202, 202, 202, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert other.status_code == 202
    assert len(got.got) == 4
