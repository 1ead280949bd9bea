"""Files in an S3 bucket, or in anything that speaks S3, through obstore."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from deskhub.errors import ExtraMissing, NotFound
from deskhub.files.blobs import CHUNK
from deskhub.files.errors import FilesDown

if TYPE_CHECKING:
    from obstore.store import S3Config

    from deskhub.config import FileSettings

TIMEOUT = timedelta(seconds=30)
CONNECT_TIMEOUT = timedelta(seconds=5)
RETRIES = 2


class BucketBlobs:
    """A bucket, with every key below the prefix of its address."""

    def __init__(self, settings: FileSettings) -> None:
        """Use the bucket that *settings* name; nothing is asked yet. Raises `ExtraMissing`."""
        try:
            from obstore.exceptions import BaseError  # noqa: PLC0415
            from obstore.store import S3Store  # noqa: PLC0415
        except ImportError as error:
            raise ExtraMissing("files in a bucket need: pip install 'deskhub[s3]'") from error
        bucket, _, prefix = settings.store.removeprefix("s3://").partition("/")
        self._failure: type[Exception] = BaseError
        self._store = S3Store(
            bucket, prefix=prefix or None, config=_config(settings),
            client_options={
                "timeout": TIMEOUT, "connect_timeout": CONNECT_TIMEOUT,
                "allow_http": (settings.endpoint or "").startswith("http:"),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": TIMEOUT},
        )  # fmt: skip

    async def put(self, key: str, source: Path) -> None:
        """Upload the file; the bucket says when it is kept."""
        with self._told():
            try:
                await self._store.put_async(key, source)
            except FileNotFoundError as error:
                raise FilesDown("no such bucket", after_ms=5_000) from error

    async def size(self, key: str) -> int:
        """Ask for the object's length."""
        with self._told():
            return int((await self._store.head_async(key))["size"])

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Pass the object on as it comes."""
        with self._told():
            found = await self._store.get_async(key)
            async for chunk in found.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    async def delete(self, key: str) -> None:
        """Remove the object."""
        with self._told():
            await self._store.delete_async(key)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise NotFound("the file's bytes") from error
        except self._failure as error:
            raise FilesDown(type(error).__name__, after_ms=5_000) from error


def _config(settings: FileSettings) -> S3Config:
    """Return what is set; the rest comes from the environment, as everywhere with S3."""
    secret = settings.secret_key
    given = {
        "endpoint": settings.endpoint,
        "region": settings.region,
        "access_key_id": settings.access_key,
        "secret_access_key": secret.get_secret_value() if secret else None,
    }
    return cast("S3Config", {name: value for name, value in given.items() if value})
