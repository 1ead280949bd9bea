"""Files go when nobody uses them, when their sender takes them back, and with an erasure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deskhub.errors import HubError, NotFound
from deskhub.files import files as module
from deskhub.files.blobs import FolderBlobs, key_of
from deskhub.files.errors import FilesDown
from deskhub.files.files import Files
from deskhub.store import files as rows
from deskhub.store.backup import back_up, files_below
from deskhub.store.restore import verify
from tests.files import made
from tests.files.conftest import Desk
from tests.support.chat import chat_hub, person

VISITOR, AGENT = "visitor.v_1", "agent.a_1"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def later(desk: Desk, monkeypatch: pytest.MonkeyPatch, **by: int) -> Files:
    """Return the hub's files when so much time has gone by."""
    files: Files = desk.hub.hub.files
    real = files._clock

    class Later:
        def now(self) -> object:
            return real.now() + timedelta(**by)

        def monotonic(self) -> float:
            return real.monotonic()

    monkeypatch.setattr(files, "_clock", Later())
    return files


async def test_a_file_that_was_taken_back_is_gone_at_once(desk: Desk) -> None:
    file = await desk.uploaded(VISITOR)
    async with desk.hub.http(VISITOR) as client:
        answer = await client.delete(f"/api/v1/files/{file}")

    assert answer.status_code == 204
    assert desk.kept() == []
    assert (await desk.links(VISITOR, [file])).status_code == 404


async def test_a_file_of_a_message_or_of_somebody_else_cannot_be_taken_back(
    desk: Desk,
) -> None:
    sent, foreign = await desk.uploaded(VISITOR), await desk.uploaded("visitor.v_2")
    await desk.send(VISITOR, await desk.open(), [sent])
    async with desk.hub.http(VISITOR) as client:
        answers = [await client.delete(f"/api/v1/files/{one}") for one in (sent, foreign)]

    assert [one.status_code for one in answers] == [404, 404]
    assert desk.kept() == sorted([sent, foreign])


async def test_what_was_never_sent_goes_after_a_day_and_what_was_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, loose = await desk.uploaded(VISITOR), await desk.uploaded(VISITOR)
    await desk.send(VISITOR, await desk.open(), [sent])

    assert await desk.hub.hub.files.sweep() == 0
    assert await later(desk, monkeypatch, hours=25).sweep() == 1

    assert desk.kept() == [sent]
    assert loose != sent


async def test_an_upload_that_was_cut_off_by_a_kill_is_cleared_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after the bytes were kept and before that was written down."""
    real = rows.ready

    def killed(*_: object) -> None:
        raise HubError("killed")

    monkeypatch.setattr(module.rows, "ready", killed)
    assert (await desk.upload(VISITOR)).status_code == 500
    monkeypatch.setattr(module.rows, "ready", real)
    left = desk.data / "incoming" / "tmp-left"
    left.mkdir()
    (left / "in").write_bytes(b"half")
    assert len(desk.kept()) == 2

    await later(desk, monkeypatch, hours=25).sweep()

    assert desk.kept() == []


async def test_without_the_row_before_the_bytes_they_would_stay_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin of the test above."""

    def killed(*_: object) -> None:
        raise HubError("killed")

    monkeypatch.setattr(module.rows, "begin", lambda *_: None)
    monkeypatch.setattr(module.rows, "ready", killed)
    await desk.upload(VISITOR)

    await later(desk, monkeypatch, hours=25).sweep()

    assert len(desk.kept()) == 1


async def test_erasing_a_conversation_takes_its_files_along(desk: Desk) -> None:
    conversation = await desk.open()
    file, other = await desk.uploaded(VISITOR, made.photo()), await desk.uploaded("visitor.v_2")
    await desk.send(VISITOR, conversation, [file])
    told = (await desk.links(AGENT, [file])).json()["files"][0]

    assert await desk.hub.hub.files.erase("main", [conversation]) == 1

    assert desk.kept() == [other]
    assert (await desk.get(told["url"])).status_code == 404
    assert (await desk.links(AGENT, [file])).status_code == 404


async def test_a_removal_that_the_disk_refused_is_done_by_the_next_sweep(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await desk.open()
    file = await desk.uploaded(VISITOR)
    await desk.send(VISITOR, conversation, [file])
    real = FolderBlobs.delete

    async def refuses(*_: object) -> None:
        raise FilesDown("disk")

    monkeypatch.setattr(FolderBlobs, "delete", refuses)
    await desk.hub.hub.files.erase("main", [conversation])
    # Nobody reads it any more, though its bytes are still there.
    assert (await desk.links(AGENT, [file])).status_code == 404
    assert len(desk.kept()) == 1
    monkeypatch.setattr(FolderBlobs, "delete", real)

    await later(desk, monkeypatch, hours=25).sweep()

    assert desk.kept() == []


async def test_a_message_that_takes_a_file_during_the_sweep_keeps_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await desk.open()
    file = await desk.uploaded(VISITOR)
    real = rows.abandoned

    async def read(query: object) -> object:
        found = await desk.hub.store.read(query)
        await desk.send(VISITOR, conversation, [file])
        return found

    files = later(desk, monkeypatch, hours=25)
    assert real
    monkeypatch.setattr(files, "_store", Between(desk.hub.store, read))

    assert await files.sweep() == 0
    assert file in desk.kept()


class Between:
    """A store in which something happens between a look and what follows from it."""

    def __init__(self, store: object, read: object) -> None:
        self.read = read
        self.transact = store.transact


async def test_a_disk_that_refuses_is_told_as_such(desk: Desk) -> None:
    desk.data.mkdir()
    (desk.data / "files").write_bytes(b"no folder")

    answer = await desk.upload(VISITOR, made.TEXT)

    assert (answer.status_code, answer.json()["code"]) == (503, "files_down")
    assert answer.json()["retry"] == "later"


async def test_a_folder_has_no_half_files_and_tenants_apart(tmp_path: Path) -> None:
    blobs, source = FolderBlobs(tmp_path / "files"), tmp_path / "source"
    source.write_bytes(b"x" * 600_000)
    key = key_of("main", "f_12")

    await blobs.put(key, source)

    assert key == "main/12/f_12"
    assert key_of("../up", "f_12") == "..%2Fup/12/f_12"
    assert b"".join([chunk async for chunk in blobs.read(key)]) == b"x" * 600_000
    assert await blobs.size(key) == 600_000
    await blobs.delete(key)
    await blobs.delete(key)
    with pytest.raises(NotFound):
        await blobs.size(key)
    assert person("agent", "a_1").tenant == "main"


async def test_a_backup_holds_every_file_that_its_database_names(tmp_path: Path) -> None:
    """Files are looked for after the database was copied, and one may go meanwhile."""
    database = tmp_path / "hub.db"
    async with chat_hub(database, url=f"sqlite:///{database}") as hub:
        desk = Desk(hub, tmp_path / "data")
        before, going = await desk.uploaded(VISITOR), await desk.uploaded(VISITOR)
    asked: list[str] = []

    def files() -> dict[str, Path]:
        found = dict(files_below(desk.data, ("files",)))
        (gone,) = [path for path in found.values() if path.name == going]
        gone.unlink()
        asked.extend(found)
        return found

    to = tmp_path / "backup.tar.gz"
    manifest = back_up(database, files, to, release="0.1.0", now=NOW)

    names = {Path(part.name).name for part in manifest.parts}
    assert names == {"database.sqlite3", before}
    assert len(asked) == 2
    (tmp_path / "unpacked").mkdir()
    assert verify(to, tmp_path / "unpacked").parts == manifest.parts
