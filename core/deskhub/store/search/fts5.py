"""The index in a file of its own beside SQLite's, so that indexing never holds up the log.

SQLite has one writer for each file. The index is derived: after a power cut it goes on from
the place it remembers, and what cannot be opened is made anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from deskhub.errors import Busy, StoreDown
from deskhub.store.search.index import FIND_WITHIN_S, FORMAT, Part, Place, as_match
from deskhub.store.search.query import Condition

log = logging.getLogger("deskhub.store")

T = TypeVar("T")

READERS = 2
# A row's number is the tenant's and the seq's: one range of numbers is one tenant's log.
_SEQ_BITS = 40
_CHECK_EVERY = 50_000

_TABLES = f"""
CREATE TABLE IF NOT EXISTS place (
    tenant TEXT PRIMARY KEY, no INTEGER NOT NULL UNIQUE, epoch TEXT NOT NULL,
    seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS message
    USING fts5(tokens, tokenize='ascii', columnsize=0);
PRAGMA user_version={FORMAT};
"""
_WRITER = (
    "PRAGMA journal_mode=WAL",
    # A lost commit is indexed again; only the log must not lose any.
    "PRAGMA synchronous=NORMAL",
    # What was erased leaves no bytes behind.
    "PRAGMA secure_delete=ON",
    "PRAGMA cache_size=-16384",
)
_READER = ("PRAGMA query_only=ON", "PRAGMA cache_size=-16384", "PRAGMA mmap_size=1073741824")


class FileIndex:
    """An `Index` in the file at *path*."""

    def __init__(self, path: Path) -> None:
        """Open the file when it is first needed."""
        self._path = path
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="deskhub-indexer")
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="deskhub-search")
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []

    async def place(self, tenant: str) -> Place | None:
        """Return how far *tenant* is indexed."""
        row = await self._on(self._writing, lambda: self._place(self._connected(), tenant))
        return None if row is None else Place(row[1], row[2])

    async def put(self, part: Part) -> bool:
        """Take *part* in, in one transaction."""
        return await self._on(self._writing, lambda: self._put(part))

    async def wipe(self, tenant: str, epoch: str) -> None:
        """Forget everything of *tenant*."""
        await self._on(self._writing, lambda: self._wipe(tenant, epoch))

    async def find(
        self, tenant: str, conditions: Sequence[Condition], after: int, before: int, limit: int
    ) -> Sequence[int]:
        """Return the newest seqs that fit. Raises `Busy` when it takes too long."""
        match = as_match(conditions)
        return await self._on(
            self._reading, lambda: self._find(tenant, match, after, before, limit)
        )

    async def close(self) -> None:
        """Close the file."""
        await asyncio.to_thread(self._close)

    async def _on(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        except sqlite3.Error as error:
            raise StoreDown(f"the search index cannot be used: {error}") from error

    # From here on everything runs on a thread of its own.

    def _put(self, part: Part) -> bool:
        with self._transaction() as db:
            row = self._place(db, part.tenant)
            if row is None or (row[1], row[2]) != (part.epoch, part.after):
                return False
            base = row[0] << _SEQ_BITS
            edited = [(base + one.seq,) for one in part.found if one.seq <= part.after]
            db.executemany("DELETE FROM message WHERE rowid = ?", edited)
            db.executemany(
                "INSERT INTO message (rowid, tokens) VALUES (?, ?)",
                [(base + one.seq, " ".join(one.tokens)) for one in part.found],
            )
            for token in part.gone:
                db.execute(
                    "DELETE FROM message WHERE rowid IN (SELECT rowid FROM message"
                    " WHERE message MATCH ? AND rowid BETWEEN ? AND ?)",
                    (f'"{token}"', base, base + part.until),
                )
            db.execute("UPDATE place SET seq = ? WHERE tenant = ?", (part.until, part.tenant))
        if part.gone:
            self._scrub()
        return True

    def _wipe(self, tenant: str, epoch: str) -> None:
        with self._transaction() as db:
            row = self._place(db, tenant)
            if row is None:
                db.execute(
                    "INSERT INTO place SELECT ?, coalesce(max(no), 0) + 1, ?, 0 FROM place",
                    (tenant, epoch),
                )
                return
            base = row[0] << _SEQ_BITS
            db.execute(
                "DELETE FROM message WHERE rowid BETWEEN ? AND ?",
                (base, base + (1 << _SEQ_BITS) - 1),
            )
            db.execute("UPDATE place SET epoch = ?, seq = 0 WHERE tenant = ?", (epoch, tenant))
        self._scrub()

    def _find(
        self, tenant: str, match: str, after: int, before: int, limit: int
    ) -> Sequence[int]:
        with self._reader() as db:
            row = self._place(db, tenant)
            if row is None:
                return ()
            base, give_up_at = row[0] << _SEQ_BITS, time.monotonic() + FIND_WITHIN_S
            db.set_progress_handler(lambda: time.monotonic() > give_up_at, _CHECK_EVERY)
            try:
                found = db.execute(
                    "SELECT rowid FROM message WHERE message MATCH ?"
                    " AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?",
                    (match, base + after + 1, base + before - 1, limit),
                ).fetchall()
            except sqlite3.OperationalError as error:
                if time.monotonic() > give_up_at:
                    raise Busy("the search took too long", after_ms=1_000) from error
                raise
            return [number - base for (number,) in found]

    def _place(self, db: sqlite3.Connection, tenant: str) -> tuple[int, str, int] | None:
        asked = "SELECT no, epoch, seq FROM place WHERE tenant = ?"
        row: tuple[int, str, int] | None = db.execute(asked, (tenant,)).fetchone()
        return row

    def _scrub(self) -> None:
        """Write the words anew: a deleted row's are otherwise kept until the next merge."""
        db = self._connected()
        db.execute("INSERT INTO message (message) VALUES ('optimize')")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._connected()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")

    def _connected(self) -> sqlite3.Connection:
        if self._writer is None:
            try:
                self._writer = self._opened()
            except sqlite3.DatabaseError as error:
                log.warning("search_index_renewed", extra={"why": str(error)})
                self._remove()
                self._writer = self._opened()
        return self._writer

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = _connection(self._path, _WRITER)
        try:
            known = db.execute("PRAGMA user_version").fetchone()[0]
            if known not in (0, FORMAT):
                raise sqlite3.DatabaseError(f"format {known}, wanted {FORMAT}")
            db.executescript(_TABLES)
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; there are never more than threads."""
        # The tables are made by the writer, also where a search comes first.
        if self._writer is None:
            self._writing.submit(self._connected).result()
        db = self._readers.pop() if self._readers else _connection(self._path, _READER)
        try:
            yield db
        finally:
            db.set_progress_handler(None, 0)
            self._readers.append(db)

    def _remove(self) -> None:
        for end in ("", "-wal", "-shm"):
            Path(f"{self._path}{end}").unlink(missing_ok=True)

    def _close(self) -> None:
        self._writing.shutdown(wait=True)
        self._reading.shutdown(wait=True)
        for db in (*self._readers, self._writer):
            if db is not None:
                with contextlib.suppress(sqlite3.Error):
                    db.close()


def _connection(path: Path, pragmas: Sequence[str]) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    for pragma in pragmas:
        db.execute(pragma).fetchall()
    return db
