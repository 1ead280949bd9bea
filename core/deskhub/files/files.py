"""Files from the first byte to the last: taken in, given out, removed."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from deskhub.clock import Clock
from deskhub.config import Config
from deskhub.errors import Busy, HubError, NotFound, Unauthenticated
from deskhub.figures import Tally
from deskhub.files.blobs import Blobs, FolderBlobs, key_of
from deskhub.files.bucket import BucketBlobs
from deskhub.files.errors import FilesDown, FileTooLarge, LinkExpired, TooManyFiles
from deskhub.files.links import Link, Links, Variant
from deskhub.files.names import shown_name
from deskhub.files.reencode import Reencoder
from deskhub.files.sniff import sniff
from deskhub.files.spool import spool
from deskhub.identity.keys import KeyTable
from deskhub.identity.model import Principal
from deskhub.identity.service import Identity
from deskhub.ids import new_id
from deskhub.store import files as rows
from deskhub.store.files import FileRow
from deskhub.store.store import Store
from deskhub.store.tx import Tx

log = logging.getLogger("deskhub.files")

UPLOADS_MAX = 32
UPLOADS_EACH = 3
# Files that one person has uploaded and not sent.
LOOSE_MAX = 40
LOOSE_S = 24 * 3600
SWEEP_EVERY_S = 15 * 60.0
INCOMING = "incoming"


@dataclass(frozen=True, slots=True)
class Content:
    """A file that is about to be read: what it is, its length now, and its bytes."""

    row: FileRow
    variant: Variant
    size: int
    chunks: AsyncIterator[bytes]


class Files:
    """Every file of one installation. `run` removes what nobody uses."""

    def __init__(
        self,
        store: Store,
        identity: Identity,
        clock: Clock,
        *,
        blobs: Blobs,
        keys: KeyTable,
        incoming: Path,
        limit: int,
        reencoder: Reencoder | None = None,
    ) -> None:
        """Use `build`; *incoming* is where uploads lie until they are whole."""
        self._store = store
        self._identity = identity
        self._clock = clock
        self._blobs = blobs
        self._links = Links(keys)
        self._incoming = incoming
        self._reencoder = reencoder or Reencoder()
        self._uploads: Counter[tuple[str, str]] = Counter()
        self.limit = limit
        self.ended = Tally()

    @classmethod
    def build(
        cls, config: Config, store: Store, identity: Identity, clock: Clock, keys: KeyTable
    ) -> Files:
        """Return the files of the hub that *config* describes. Raises `ExtraMissing`."""
        settings = config.files
        blobs: Blobs
        if settings.store.startswith("s3://"):
            blobs = BucketBlobs(settings)
        else:
            blobs = FolderBlobs(config.data_dir / settings.store)
        incoming = config.data_dir / INCOMING
        return cls(
            store, identity, clock, blobs=blobs, keys=keys, incoming=incoming,
            limit=settings.max,
        )  # fmt: skip

    async def take(
        self,
        principal: Principal,
        name: str,
        chunks: AsyncIterator[bytes],
        announced: int | None = None,
    ) -> FileRow:
        """Return the file that *chunks* became, once it is kept for good.

        Until a message of *principal* uses it, it is theirs alone, for a day. Raises the
        errors of `deskhub.files.errors`, `Busy` and `StoreDown`; nothing is left behind then.
        """
        with self._counted(principal):
            folder = await asyncio.to_thread(self._new_folder)
            try:
                row = await self._take(principal, name, chunks, announced, folder)
            except HubError as error:
                self.ended.add(error.code)
                raise
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        self.ended.add("ok")
        log.info("file_taken", extra={"file": row.id, "media": row.media, "bytes": row.bytes})
        return row

    async def readable(self, principal: Principal, ids: Sequence[str]) -> Sequence[FileRow]:
        """Return the files *ids*. Raises `NotFound`, `Forbidden` for what is not to be seen."""
        return await self._store.read(lambda db: rows.readable(db, principal, ids))

    def addressed(self, principal: Principal, row: FileRow) -> tuple[dict[Variant, str], int]:
        """Return the addresses under which *principal* reads *row*, and when they end.

        The end is in seconds since 1970.
        """
        now = self._clock.now()
        wanted: tuple[Variant, ...] = ("download",)
        if row.is_picture:
            wanted = ("image", "thumb", "download")
        made = {one: self._links.address(principal, row.id, one, now) for one in wanted}
        return made, self._links.until(now)

    async def open(self, token: str) -> Content:
        """Return the file behind an address. Raises `LinkExpired`, `NotFound`, `FilesDown`."""
        link = self._links.read(token, self._clock.now())
        row = await self._allowed(link)
        key = key_of(row.tenant, row.id, thumb=link.variant == "thumb")
        size = await self._blobs.size(key)
        return Content(row, link.variant, size, self._blobs.read(key))

    async def whole(self, principal: Principal, id_: str, limit: int) -> bytes:
        """Return all bytes of a file. Raises `NotFound`, `FilesDown`, `FileTooLarge`."""
        (row,) = await self.readable(principal, [id_])
        if row.bytes > limit:
            raise FileTooLarge(f"{row.bytes} bytes")
        found = bytearray()
        async for chunk in self._blobs.read(key_of(row.tenant, row.id)):
            found += chunk
        return bytes(found)

    async def remove(self, principal: Principal, id_: str) -> None:
        """Remove a file of *principal* that no message uses. Raises `NotFound`."""

        def mark(tx: Tx) -> None:
            (row,) = rows.readable(tx.connection, principal, [id_])
            if row.state != "ready":
                raise NotFound(f"file {id_} is part of a message")
            rows.mark_removed(tx.connection, tx.tenant, [id_])

        await self._store.transact(principal.tenant, mark)
        await self._drop(principal.tenant, [id_])

    async def erase(
        self, tenant: str, conversations: Collection[str], by: Collection[str] = ()
    ) -> int:
        """Remove every file of *conversations*, bytes and rows; return how many.

        With them goes what *by* (``visitor:…``) uploaded and never sent. Messages go on
        naming them; reading one is `NotFound` from now on.
        """

        def mark(tx: Tx) -> list[str]:
            found = [
                *rows.of_conversations(tx.connection, tenant, conversations),
                *rows.loose_of(tx.connection, tenant, by),
            ]
            ids = [row.id for row in found]
            rows.mark_removed(tx.connection, tenant, ids)
            return ids

        ids = await self._store.transact(tenant, mark)
        await self._drop(tenant, ids)
        return len(ids)

    async def age(self, tenant: str, before: datetime, limit: int) -> int:
        """Remove at most *limit* files that were sent before *before*; return how many."""

        def mark(tx: Tx) -> list[str]:
            ids = rows.sent_before(tx.connection, tenant, before, limit)
            rows.mark_removed(tx.connection, tenant, ids)
            return ids

        ids = await self._store.transact(tenant, mark)
        await self._drop(tenant, ids)
        return len(ids)

    async def run(self) -> None:
        """Remove what was never sent and what was half removed, until cancelled."""
        while True:
            try:
                await self.sweep()
            except HubError as error:
                log.warning("files_not_swept", extra={"code": error.code})
            await asyncio.sleep(SWEEP_EVERY_S)

    async def sweep(self) -> int:
        """Remove what no message used for a day; return how many files went."""
        before = self._clock.now() - timedelta(seconds=LOOSE_S)
        await asyncio.to_thread(self._clear_incoming, before.timestamp())
        count = 0
        for tenant, ids in _by_tenant(
            await self._store.read(lambda db: rows.abandoned(db, before))
        ):
            count += await self._sweep(tenant, ids)
        return count

    async def _take(
        self,
        principal: Principal,
        name: str,
        chunks: AsyncIterator[bytes],
        announced: int | None,
        folder: Path,
    ) -> FileRow:
        source, image, thumb = folder / "in", folder / "image", folder / "thumb"
        came = await spool(chunks, source, limit=self.limit, announced=announced)
        kind = sniff(came.head, came.tail)
        row = FileRow(
            principal.tenant, new_id("f"), principal.by, "receiving", self._clock.now(),
            shown_name(name), kind.media, came.size,
        )  # fmt: skip
        if not kind.is_picture:
            await self._keep(row, {"": source})
            return row
        made = await self._reencoder.reencode(source, image, thumb)
        size = (await asyncio.to_thread(image.stat)).st_size
        row = FileRow(
            row.tenant, row.id, row.by, row.state, row.at, row.name, "image/webp", size,
            made.width, made.height, made.thumb_width, made.thumb_height,
        )  # fmt: skip
        await self._keep(row, {"": image, "thumb": thumb})
        return row

    async def _keep(self, row: FileRow, parts: dict[str, Path]) -> None:
        """Write the row, the bytes, then that they are there: no byte without a row."""

        def begin(tx: Tx) -> None:
            if rows.loose(tx.connection, row.tenant, row.by) >= LOOSE_MAX:
                raise TooManyFiles(row.by, after_ms=60_000)
            rows.begin(tx.connection, row)

        await self._store.transact(row.tenant, begin)
        for part, path in parts.items():
            await self._blobs.put(key_of(row.tenant, row.id, thumb=part == "thumb"), path)
        await self._store.transact(
            row.tenant, lambda tx: rows.ready(tx.connection, row.tenant, row.id)
        )

    async def _allowed(self, link: Link) -> FileRow:
        """Return the file when its reader may still see it."""
        principal = link.principal
        try:
            if not await self._identity.still_valid(principal):
                raise LinkExpired("the session ended")
        except Unauthenticated as error:
            raise LinkExpired("the session ended") from error

        (row,) = await self.readable(principal, [link.file])
        return row

    async def _sweep(self, tenant: str, ids: Collection[str]) -> int:
        taken = await self._store.transact(
            tenant, lambda tx: rows.take_abandoned(tx.connection, tenant, ids)
        )
        await self._drop(tenant, taken)
        return len(taken)

    async def _drop(self, tenant: str, ids: Collection[str]) -> None:
        """Remove the bytes of *ids*, then their rows; what fails is done by the next sweep."""
        gone = []
        for id_ in ids:
            try:
                for thumb in (False, True):
                    await self._blobs.delete(key_of(tenant, id_, thumb=thumb))
            except FilesDown:
                log.warning("file_not_removed", extra={"file": id_})
            else:
                gone.append(id_)
        if gone:
            await self._store.transact(
                tenant, lambda tx: rows.forget(tx.connection, tenant, gone)
            )

    @contextmanager
    def _counted(self, principal: Principal) -> Iterator[None]:
        who = (principal.tenant, principal.by)
        if self._uploads[who] >= UPLOADS_EACH:
            raise TooManyFiles(f"{UPLOADS_EACH} uploads at once", after_ms=1_000)
        if self._uploads.total() >= UPLOADS_MAX:
            raise Busy(f"{UPLOADS_MAX} uploads", after_ms=2_000)
        self._uploads[who] += 1
        try:
            yield
        finally:
            self._uploads[who] -= 1
            if not self._uploads[who]:
                del self._uploads[who]

    def _new_folder(self) -> Path:
        try:
            self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Path(mkdtemp(dir=self._incoming))
        except OSError as error:
            raise FilesDown(type(error).__name__, after_ms=5_000) from error

    def _clear_incoming(self, before: float) -> None:
        """Remove what a process left behind that was killed during an upload."""
        for folder in self._incoming.glob("*"):
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def _by_tenant(found: Sequence[FileRow]) -> Iterator[tuple[str, list[str]]]:
    parts: dict[str, list[str]] = {}
    for row in found:
        parts.setdefault(row.tenant, []).append(row.id)
    yield from parts.items()
