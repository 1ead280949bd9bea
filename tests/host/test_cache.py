"""What an instance keeps: bounded, its own, and gone when it is old."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deskhub.errors import TooLarge
from deskhub.host.cache import InstanceCache, InstanceKv
from tests.host.small_hub import Plain, small_hub


async def test_a_value_is_kept_for_its_time_only() -> None:
    cache = InstanceCache("main", "orders")

    await cache.set("a", b"1", 60)
    await cache.set("b", b"2", 0.02)
    await cache.set("c", b"3", 0)
    await asyncio.sleep(0.05)

    assert [await cache.get(key) for key in "abc"] == [b"1", None, None]


async def test_the_least_recently_used_leaves_first() -> None:
    cache = InstanceCache("main", "orders", max_entries=2)

    await cache.set("a", b"1", 60)
    await cache.set("b", b"2", 60)
    await cache.get("a")
    await cache.set("c", b"3", 60)

    assert [await cache.get(key) for key in "abc"] == [b"1", None, b"3"]


async def test_all_values_together_stay_under_the_limit() -> None:
    cache = InstanceCache("main", "orders", max_bytes=10)

    await cache.set("a", b"x" * 6, 60)
    await cache.set("b", b"x" * 6, 60)
    await cache.set("huge", b"x" * 11, 60)

    assert await cache.get("a") is None
    assert await cache.get("b") == b"x" * 6
    assert await cache.get("huge") is None


async def test_two_instances_do_not_share() -> None:
    mine, theirs = InstanceCache("main", "orders"), InstanceCache("acme", "orders")

    await mine.set("a", b"1", 60)

    assert await theirs.get("a") is None


async def test_durable_values_survive_a_restart_and_belong_to_their_instance(
    tmp_path: Path,
) -> None:
    async with small_hub(tmp_path, {"a": Plain, "b": Plain}, run=("host",)) as hub:
        kv = {name: hub.host.instance(name).adapter.ctx.kv for name in "ab"}  # type: ignore[union-attr]
        await kv["a"].put("cursor", b"7")
        await kv["a"].put("cursor", b"8")
        await kv["b"].put("gone", b"1")
        await kv["b"].delete("gone")
    async with small_hub(tmp_path, {"a": Plain, "b": Plain}, run=("host",)) as hub:
        kv = {name: hub.host.instance(name).adapter.ctx.kv for name in "ab"}  # type: ignore[union-attr]

        assert await kv["a"].get("cursor") == b"8"
        assert await kv["b"].get("cursor") is None
        assert await kv["b"].get("gone") is None


async def test_a_durable_value_has_a_limit(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"a": Plain}, run=("host",)) as hub:
        adapter = hub.host.instance("a").adapter
        assert adapter is not None
        assert isinstance(adapter.ctx.kv, InstanceKv)

        await adapter.ctx.kv.put("k", b"x" * 65_536)
        with pytest.raises(TooLarge):
            await adapter.ctx.kv.put("k", b"x" * 65_537)
