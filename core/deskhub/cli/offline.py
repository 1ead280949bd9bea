"""The database without a hub: what ``migrate``, ``restore --renew`` and ``doctor`` ask it."""

from __future__ import annotations

import asyncio

from deskhub.clock import SystemClock
from deskhub.config import Config
from deskhub.services import run_all
from deskhub.store import mails, schema
from deskhub.store.engine import path_of
from deskhub.store.restore import renew
from deskhub.store.store import Store


async def state(settings: Config) -> schema.State:
    """Return where the database stands, without changing it. Raises `StoreDown`."""
    if settings.store_url.startswith("postgresql"):
        from deskhub.store.postgres import Postgres  # noqa: PLC0415  its driver is an extra

        server = Postgres(settings.store_url)
        try:
            return await server.read(schema.state_of)
        finally:
            await server.close()
    path = path_of(settings.store_url)
    if path is None or not path.exists():
        return schema.State(0, 0)
    return await asyncio.to_thread(schema.state_in, path)


async def dead_mails(settings: Config) -> int:
    """Return how many mails did not leave. Raises `StoreDown`."""
    if settings.store_url.startswith("postgresql"):
        from deskhub.store.postgres import Postgres  # noqa: PLC0415  its driver is an extra

        server = Postgres(settings.store_url)
        try:
            return await server.read(mails.count_dead)
        finally:
            await server.close()
    path = path_of(settings.store_url)
    if path is None or not path.exists():
        return 0
    return await asyncio.to_thread(mails.count_dead_in, path)


async def move_forward(settings: Config) -> None:
    """Bring the database to this version. Raises `SchemaTooNew`, `InUse`, `StoreDown`."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = await Store.open(settings.store_url, SystemClock())
    await store.close()


async def new_epoch(settings: Config) -> int:
    """Let every client start anew and hand runs to people; return how many runs that were."""
    clock = SystemClock()
    store = await Store.open(settings.store_url, clock)
    done = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_all([("store", store)], done), name="store")
            try:
                return await store.transact(
                    settings.tenants[0], lambda tx: renew(tx.connection, clock.now())
                )
            finally:
                done.set()
    finally:
        await store.close()
