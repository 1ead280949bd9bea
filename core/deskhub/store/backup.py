"""A copy of the whole installation while the hub works: one archive with its table of contents.

The database is copied inside one reading transaction, in small steps: it is the state of one
moment, writers go on, and the disk is left to them in between.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.store import schema
from deskhub.store.metadata import metadata
from deskhub.store.tables import chat as t

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.sqlite3"
# 1 MiB of pages, then a pause that is shorter than a commit.
STEP_PAGES = 256
PAUSE_S = 0.002
_CHUNK = 1024 * 1024


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the archive."""

    name: str
    bytes: int
    sha256: str


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a tenant's log stood, and how many events it held."""

    epoch: str
    head: int
    events: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an archive holds, and how to tell whether it is whole."""

    format: int
    deskhub: str
    made_at: str
    version: int
    compat: int
    logs: dict[str, Log]
    rows: dict[str, int]
    parts: tuple[Part, ...]

    def encoded(self) -> bytes:
        """Return it as it stands in the archive."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1)

    @property
    def digest(self) -> str:
        """Return the one hash that covers everything in the archive."""
        return hashlib.sha256(self.encoded()).hexdigest()


def back_up(
    database: Path,
    files: Callable[[], Mapping[str, Path]],
    to: Path,
    *,
    release: str,
    now: datetime,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Manifest:
    """Write *database* and *files* (by their name in the archive) to the archive *to*.

    *files* is asked after the database was copied: every file that its rows name was kept
    before, and is there. One that is removed meanwhile is left out.

    The archive appears under its name only when it is whole, readable by its owner alone:
    it holds the signing keys. *progress* gets pages copied and pages in all. Raises
    `FileNotFoundError` without a database.
    """
    if not database.exists():
        raise FileNotFoundError(database)
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as folder:
        copy = Path(folder) / DATABASE
        _copy(database, copy, progress)
        version, logs, rows = described(copy)
        sources = {DATABASE: copy, **_present(files(), Path(folder))}
        parts = [_part(name, path) for name, path in sources.items()]
        manifest = Manifest(
            FORMAT, release, rfc3339(now), version.version, version.compat, logs, rows,
            tuple(parts),
        )  # fmt: skip
        draft = Path(folder) / "archive"
        _pack(draft, manifest, sources)
        draft.replace(to)
    _sync_folder(to.parent)
    return manifest


def described(
    database: Path,
) -> tuple[schema.State, dict[str, Log], dict[str, int]]:
    """Return the version, the logs and the number of rows of each table in a copy."""
    engine = sa.create_engine(f"sqlite:///{database}")
    try:
        with engine.connect() as connection:
            state = schema.state_of(connection)
            known = set(sa.inspect(connection).get_table_names())
            rows = {
                table.name: int(
                    connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
                    or 0
                )
                for table in metadata.sorted_tables
                if table.name in known
            }
            counted = sa.select(t.event.c.tenant, sa.func.count()).group_by(t.event.c.tenant)
            counts = {row[0]: int(row[1]) for row in connection.execute(counted)}
            logs = {
                row.tenant: Log(row.epoch, row.head, counts.get(row.tenant, 0))
                for row in connection.execute(sa.select(t.tenant))
            }
            return state, logs, rows
    finally:
        engine.dispose()


def sha256_of(path: Path) -> str:
    """Return the hash of a file's content."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def files_below(folder: Path, names: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield (name in the archive, path) of the files and folders *names* in *folder*."""
    for name in names:
        path = folder / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for one in found:
            if one.is_file() and not one.is_symlink():
                yield f"data/{one.relative_to(folder).as_posix()}", one


def _copy(database: Path, copy: Path, progress: Callable[[int, int], None]) -> None:
    def step(_: int, left: int, pages: int) -> None:
        progress(pages - left, pages)
        time.sleep(PAUSE_S)

    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(sqlite3.connect(database, isolation_level=None, timeout=5.0)) as source,
        closing(sqlite3.connect(copy, isolation_level=None)) as target,
    ):
        # The transaction is what keeps the copy to one moment. Without it every commit of the
        # hub would make the copy begin anew, and under load it would never end.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=STEP_PAGES, progress=step)
        source.execute("ROLLBACK")
        target.execute("PRAGMA journal_mode=DELETE").fetchall()


def _present(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Return *files* under names that last, without those that were just removed."""
    kept = {}
    for number, (name, path) in enumerate(files.items()):
        lasting = folder / str(number)
        try:
            # A second name in the same file system costs nothing.
            os.link(path, lasting)
        except FileNotFoundError:
            continue
        except OSError:
            shutil.copyfile(path, lasting)
        kept[name] = lasting
    return kept


def _part(name: str, path: Path) -> Part:
    return Part(name, path.stat().st_size, sha256_of(path))


def _pack(draft: Path, manifest: Manifest, sources: Mapping[str, Path]) -> None:
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
            body = manifest.encoded()
            archive.addfile(_header(MANIFEST, len(body)), io.BytesIO(body))
            for part in manifest.parts:
                with sources[part.name].open("rb") as source:
                    archive.addfile(_header(part.name, part.bytes), source)
        file.flush()
        os.fsync(file.fileno())


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size = size
    header.mode = 0o600
    return header


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
