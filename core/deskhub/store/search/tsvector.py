"""The index on PostgreSQL: two tables beside the log's, made when they are first needed.

They are derived from the log, so that no migration carries them over: another format is
another pair of tables, filled anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR, insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from deskhub.errors import Busy, StoreDown
from deskhub.store.failures import is_down
from deskhub.store.search.index import (
    FIND_WITHIN_S,
    FORMAT,
    Part,
    Place,
    as_tsquery,
    as_tsvector,
)
from deskhub.store.search.query import Condition

CONNECTIONS = 3

# Not in the hub's own metadata: these come and go without a migration.
metadata = sa.MetaData()
place = sa.Table(
    f"search_place_{FORMAT}",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
message = sa.Table(
    f"search_message_{FORMAT}",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("tokens", TSVECTOR, nullable=False),
    sa.Index(f"ix_search_message_{FORMAT}", "tokens", postgresql_using="gin"),
)
_LOCK = 0x7365617263680000 + FORMAT
# The SQLSTATE of a statement that was given up.
_CANCELLED = "57014"


class ServerIndex:
    """An `Index` in the database at *url*."""

    def __init__(self, url: str) -> None:
        """Connect when it is needed."""
        self._engine = create_async_engine(
            sa.make_url(url).set(drivername="postgresql+asyncpg"),
            # An error is logged; what it was about, such as a message's text, must not be.
            hide_parameters=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=5.0,
            connect_args={
                "server_settings": {
                    "application_name": "deskhub-search",
                    "jit": "off",
                    "lock_timeout": "5000",
                    # Lost with the power, a part is indexed again.
                    "synchronous_commit": "off",
                },
                "timeout": 5.0,
                "command_timeout": 60.0,
            },
        )
        self._is_prepared = False
        self._preparing = asyncio.Lock()

    async def place(self, tenant: str) -> Place | None:
        """Return how far *tenant* is indexed."""
        async with self._begun() as db:
            return await _place(db, tenant)

    async def put(self, part: Part) -> bool:
        """Take *part* in, in one transaction; of several processes one wins."""
        async with self._begun() as db:
            if await _place(db, part.tenant, lock=True) != Place(part.epoch, part.after):
                return False
            if part.found:
                await db.execute(
                    _INSERT,
                    [
                        {
                            "tenant": part.tenant,
                            "seq": one.seq,
                            "tokens": as_tsvector(one.tokens),
                        }
                        for one in part.found
                    ],
                )
            for token in part.gone:
                await db.execute(_DELETE, {"tenant": part.tenant, "token": f"'{token}'"})
            await db.execute(
                sa.update(place).where(place.c.tenant == part.tenant).values(seq=part.until)
            )
            return True

    async def wipe(self, tenant: str, epoch: str) -> None:
        """Forget everything of *tenant*."""
        async with self._begun() as db:
            # The place first: two processes that begin at once wait for each other here.
            fresh = insert(place).values(tenant=tenant, epoch=epoch, seq=0)
            known = {"epoch": epoch, "seq": 0}
            await db.execute(fresh.on_conflict_do_update(index_elements=["tenant"], set_=known))
            await db.execute(sa.delete(message).where(message.c.tenant == tenant))

    async def find(
        self, tenant: str, conditions: Sequence[Condition], after: int, before: int, limit: int
    ) -> Sequence[int]:
        """Return the newest seqs that fit. Raises `Busy` when it takes too long."""
        values = {
            "tenant": tenant, "query": as_tsquery(conditions), "after": after,
            "before": before, "limit": limit,
        }  # fmt: skip
        async with self._begun() as db:
            await db.execute(
                sa.text(f"SET LOCAL statement_timeout = {FIND_WITHIN_S * 1e3:.0f}")
            )
            return (await db.execute(_FIND, values)).scalars().all()

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _begun(self) -> AsyncIterator[AsyncConnection]:
        try:
            await self._prepare()
            async with self._engine.begin() as db:
                yield db
        except (sa.exc.SQLAlchemyError, OSError) as error:
            if getattr(getattr(error, "orig", None), "sqlstate", "") == _CANCELLED:
                raise Busy("the search took too long", after_ms=1_000) from error
            what = "does not answer" if is_down(error) else "refused"
            raise StoreDown(f"the search index {what}", after_ms=1_000) from error

    async def _prepare(self) -> None:
        async with self._preparing:
            if self._is_prepared:
                return
            async with self._engine.begin() as db:
                await db.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                await db.run_sync(metadata.create_all)
            self._is_prepared = True


_INSERT = sa.text(
    f"INSERT INTO {message.name} (tenant, seq, tokens) "  # noqa: S608  our own names
    "VALUES (:tenant, :seq, CAST(CAST(:tokens AS text) AS tsvector)) "
    "ON CONFLICT (tenant, seq) DO UPDATE SET tokens = excluded.tokens"
)
_DELETE = sa.text(
    f"DELETE FROM {message.name} "  # noqa: S608
    "WHERE tenant = :tenant AND tokens @@ CAST(CAST(:token AS text) AS tsquery)"
)
_FIND = sa.text(
    f"SELECT seq FROM {message.name} WHERE tenant = :tenant "  # noqa: S608
    "AND tokens @@ CAST(CAST(:query AS text) AS tsquery) "
    "AND seq > :after AND seq < :before ORDER BY seq DESC LIMIT :limit"
)


async def _place(db: AsyncConnection, tenant: str, *, lock: bool = False) -> Place | None:
    query = sa.select(place.c.epoch, place.c.seq).where(place.c.tenant == tenant)
    row = (await db.execute(query.with_for_update() if lock else query)).first()
    return None if row is None else Place(row.epoch, row.seq)
