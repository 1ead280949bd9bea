"""Putting a backup in place of what is there: checked first, swapped last, nothing thrown away.

The world went on after the backup was made. So the restored logs get a new epoch, which tells
every client that its place in the lost future means nothing, and runs that were in the middle
go to a person: what they did since is not in this database.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
import sqlalchemy as sa

from deskhub.ids import new_id
from deskhub.store import mails, pushes, runs, schema
from deskhub.store.backup import DATABASE, FORMAT, MANIFEST, Manifest, described
from deskhub.store.hold import alone, marker
from deskhub.store.sabotage import sabotaged
from deskhub.store.tables import chat as t

_MANIFEST_BYTES = 16 * 1024 * 1024
_CHUNK = 1024 * 1024
_NAME = re.compile(r"data/[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


class ArchiveDamaged(Exception):
    """The archive is not what was backed up; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: *aside* holds what was there before, if anything was."""

    manifest: Manifest
    runs: int
    aside: Path | None


def read_manifest(archive: Path) -> Manifest:
    """Return an archive's table of contents. Raises `ArchiveDamaged`."""
    with _opened(archive) as members:
        return _manifest(members)


def verify(archive: Path, folder: Path) -> Manifest:
    """Unpack *archive* into the empty *folder* and check everything that can be checked.

    Every file against its hash, the database against itself and against the counts that were
    taken when it was copied. Raises `ArchiveDamaged` and `SchemaTooNew`.
    """
    with _opened(archive) as members:
        manifest = _manifest(members)
        wanted = {part.name: part for part in manifest.parts}
        while (member := members.next()) is not None:
            part = wanted.pop(member.name, None)
            if part is None or not member.isreg() or member.size != part.bytes:
                raise ArchiveDamaged(f"{member.name[:80]!r} is not in the table of contents")
            source = members.extractfile(member)
            assert source is not None  # noqa: S101  a regular file has content
            to = folder / _place(part.name)
            to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if _unpack(source, to) != part.sha256:
                raise ArchiveDamaged(f"{part.name} has other content than was backed up")
        if wanted:
            raise ArchiveDamaged(f"{min(wanted)} is missing")
    _check(folder / DATABASE, manifest)
    return manifest


def restore(archive: Path, database: Path, data: Path, now: datetime) -> Restored:
    """Replace *database* and the files in *data* by those of *archive*.

    What was there is kept in a folder beside. Killed at any moment, it leaves the old state,
    the new one, or a database that refuses to open until the restore is run again. Raises
    `InUse`, `ArchiveDamaged` and `SchemaTooNew`; then nothing was changed.
    """
    with alone(database):
        stamp = f"{now:%Y%m%dT%H%M%S}-{new_id('b')[-6:]}"
        staged = data / f".restore-{stamp}"
        staged.mkdir(parents=True, mode=0o700)
        try:
            manifest = verify(archive, staged)
            handed = _renew(staged / DATABASE, now)
            aside = _swap(staged, manifest, database, data, data / f"before-restore-{stamp}")
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return Restored(manifest, handed, aside)


def renew(connection: sa.Connection, now: datetime) -> int:
    """Begin a new epoch in every log, hand runs and mails to people; return how many runs.

    For a database that was restored by its own tools, too, before a hub starts on it.
    """
    if not sabotaged("keep_epoch"):
        for (tenant,) in connection.execute(sa.select(t.tenant.c.tenant)).all():
            own = t.tenant.c.tenant == tenant
            connection.execute(t.tenant.update().where(own).values(epoch=new_id("e")[-12:]))
    mails.restored(connection)
    pushes.restored(connection)
    return runs.hand_over(connection, now)


def _renew(database: Path, now: datetime) -> int:
    engine = sa.create_engine(f"sqlite:///{database}")
    try:
        with engine.begin() as connection:
            schema.migrate(connection)
            return renew(connection, now)
    finally:
        engine.dispose()


def _swap(
    staged: Path, manifest: Manifest, database: Path, data: Path, aside: Path
) -> Path | None:
    """Move what is there aside and what is staged in place."""
    pairs = [(staged / DATABASE, database)]
    tops = {part.name.split("/")[1] for part in manifest.parts if part.name != DATABASE}
    pairs += [(staged / "data" / top, data / top) for top in sorted(tops)]
    _sync_all(staged)
    marker(database).touch(mode=0o600)
    _sync(database.parent)
    old = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
    old += [place for _, place in pairs[1:]]
    kept = [path for path in old if path.exists()]
    if kept:
        aside.mkdir(mode=0o700, exist_ok=True)
    for path in kept:
        path.rename(aside / path.name)
    for new, place in pairs:
        new.rename(place)
    _sync(database.parent)
    _sync(data)
    marker(database).unlink()
    return aside if kept else None


def _check(database: Path, manifest: Manifest) -> None:
    if manifest.compat > schema.VERSION:
        raise schema.SchemaTooNew(
            f"the backup is of version {manifest.version:04} and needs code of at least "
            f"{manifest.compat:04}; this version knows {schema.VERSION:04}"
        )
    try:
        with closing(sqlite3.connect(database)) as raw:
            verdict = raw.execute("PRAGMA integrity_check(1)").fetchone()[0]
        found = described(database)
    except (sqlite3.DatabaseError, sa.exc.DatabaseError) as error:
        raise ArchiveDamaged("the database cannot be read") from error
    if verdict != "ok":
        raise ArchiveDamaged(f"the database is not sound: {verdict}")
    state, logs, rows = found
    if (state.version, state.compat) != (manifest.version, manifest.compat):
        raise ArchiveDamaged("the database has another version than was backed up")
    if logs != manifest.logs or rows != manifest.rows:
        raise ArchiveDamaged("the database holds other rows than were backed up")


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, mode="r:gz") as members:
            yield members
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise ArchiveDamaged(f"it cannot be read: {type(error).__name__}") from error


def _manifest(members: tarfile.TarFile) -> Manifest:
    first = members.next()
    if first is None or first.name != MANIFEST or not first.isreg():
        raise ArchiveDamaged("it has no table of contents; it is no backup of Deskhub")
    if first.size > _MANIFEST_BYTES:
        raise ArchiveDamaged("its table of contents is too large")
    source = members.extractfile(first)
    assert source is not None  # noqa: S101  a regular file has content
    try:
        manifest = msgspec.json.decode(source.read(), type=Manifest)
    except msgspec.DecodeError as error:
        raise ArchiveDamaged("its table of contents cannot be read") from error
    if manifest.format != FORMAT:
        raise ArchiveDamaged(f"its format is {manifest.format}; this version reads {FORMAT}")
    if DATABASE not in {part.name for part in manifest.parts}:
        raise ArchiveDamaged("it holds no database")
    return manifest


def _place(name: str) -> Path:
    """Return where a part goes, below the folder: the archive may have been made by anybody."""
    if name != DATABASE and (not _NAME.fullmatch(name) or ".." in name):
        raise ArchiveDamaged(f"{name[:80]!r} is no name of a part")
    return Path(name)


def _unpack(source: IO[bytes], to: Path) -> str:
    found = hashlib.sha256()
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while chunk := source.read(_CHUNK):
            found.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return found.hexdigest()


def _sync_all(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
