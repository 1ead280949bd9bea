"""What an instance keeps for a while: a bounded cache in memory, and its durable values."""

from __future__ import annotations

from collections import OrderedDict

from aiocache.backends.memory import SimpleMemoryCache
from aiocache.serializers import NullSerializer

from deskhub.errors import TooLarge
from deskhub.host.ports import KvPort

MAX_ENTRIES = 2_000
MAX_BYTES = 16 * 1024 * 1024
MAX_VALUE_BYTES = 64 * 1024
MAX_KEY_CHARS = 200


class InstanceCache:
    """A cache of one instance of one tenant: at most so many entries and bytes.

    The least recently used leave first. A value that is larger than the whole is not kept.
    """

    def __init__(
        self,
        tenant: str,
        instance: str,
        *,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Keep values under *tenant* and *instance*, so that backends can be shared."""
        # aiocache has no types; it keeps time, and a later Redis takes its place.
        self._backend = SimpleMemoryCache(  # type: ignore[no-untyped-call]
            serializer=NullSerializer(),  # type: ignore[no-untyped-call]
            namespace=f"{tenant}:{instance}:",
            timeout=None,
        )
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when it is absent or too old."""
        value: bytes | None = await self._backend.get(key)
        if value is None:
            self._drop(key)
        elif key in self._sizes:
            self._sizes.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep *value* for at most *ttl_s* seconds."""
        self._drop(key)
        if len(value) > self._max_bytes or ttl_s <= 0:
            await self._backend.delete(key)
            return
        await self._backend.set(key, value, ttl=ttl_s)
        self._sizes[key] = len(value)
        self._bytes += len(value)
        while len(self._sizes) > self._max_entries or self._bytes > self._max_bytes:
            oldest = next(iter(self._sizes))
            self._drop(oldest)
            await self._backend.delete(oldest)

    async def delete(self, key: str) -> None:
        """Forget *key*."""
        self._drop(key)
        await self._backend.delete(key)

    async def clear(self) -> None:
        """Forget everything."""
        for key in list(self._sizes):
            await self.delete(key)

    def _drop(self, key: str) -> None:
        self._bytes -= self._sizes.pop(key, 0)


class InstanceKv:
    """The durable values of one instance of one tenant."""

    def __init__(self, port: KvPort, tenant: str, instance: str) -> None:
        """Keep values under *tenant* and *instance*."""
        self._port = port
        self._tenant = tenant
        self._instance = instance

    async def get(self, key: str) -> bytes | None:
        """Return the value or None."""
        return await self._port.get(self._tenant, self._instance, key)

    async def put(self, key: str, value: bytes) -> None:
        """Store *value* (at most 64 KB) before returning. Raises `TooLarge`."""
        if len(value) > MAX_VALUE_BYTES or len(key) > MAX_KEY_CHARS:
            raise TooLarge(f"kv {self._instance}: {len(value)} bytes")
        await self._port.put(self._tenant, self._instance, key, value)

    async def delete(self, key: str) -> None:
        """Remove *key* if it is there."""
        await self._port.delete(self._tenant, self._instance, key)
