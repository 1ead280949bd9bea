"""Files in an S3 bucket: the same words as a folder, against a bucket that moto plays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from deskhub.config import FileSettings
from deskhub.errors import NotFound
from deskhub.files import bucket as module
from deskhub.files.blobs import key_of
from deskhub.files.bucket import BucketBlobs
from deskhub.files.errors import FilesDown


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1",
            aws_access_key_id="k", aws_secret_access_key="s",
        ).create_bucket(Bucket="desk")  # fmt: skip
        yield address
    finally:
        server.stop()


def blobs(endpoint: str, bucket: str = "desk/files") -> BucketBlobs:
    return BucketBlobs(
        FileSettings(
            store=f"s3://{bucket}", endpoint=endpoint, region="us-east-1",
            access_key="k", secret_key=SecretStr("s"),
        )
    )  # fmt: skip


async def test_a_file_goes_in_comes_out_and_is_gone(endpoint: str, tmp_path: Path) -> None:
    store, source, key = blobs(endpoint), tmp_path / "a", key_of("main", "f_12", thumb=True)
    source.write_bytes(b"x" * 700_000)

    await store.put(key, source)

    assert await store.size(key) == 700_000
    assert b"".join([chunk async for chunk in store.read(key)]) == b"x" * 700_000
    await store.delete(key)
    with pytest.raises(NotFound):
        await store.size(key)
    with pytest.raises(NotFound):
        await anext(store.read(key))


async def test_every_key_lies_below_the_prefix(endpoint: str, tmp_path: Path) -> None:
    import boto3

    source = tmp_path / "a"
    source.write_bytes(b"x")
    await blobs(endpoint, "desk/hub-1").put(key_of("main", "f_99"), source)

    listed = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id="k", aws_secret_access_key="s",
    ).list_objects_v2(Bucket="desk", Prefix="hub-1/")  # fmt: skip

    assert [one["Key"] for one in listed["Contents"]] == ["hub-1/main/99/f_99"]


async def test_a_bucket_that_is_not_there_is_told_as_such(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"x")
    monkeypatch.setattr(module, "RETRIES", 0)

    with pytest.raises(FilesDown):
        await blobs(endpoint, "absent").put("main/1/f_1", source)
    with pytest.raises(FilesDown):
        await blobs("http://127.0.0.1:9", "desk").put("main/1/f_1", source)
