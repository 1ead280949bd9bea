"""Backup while people write, restore, and what clients and runs make of it."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deskhub.chat.commands import OpenConversation, PostMessage
from deskhub.clock import SystemClock
from deskhub.store import sabotage
from deskhub.store.backup import DATABASE, MANIFEST, Manifest, back_up, files_below
from deskhub.store.hold import InUse, RestoreUnfinished, marker
from deskhub.store.restore import ArchiveDamaged, restore, verify
from deskhub.store.store import Store
from tests.support.chat import NO_LIMITS, ChatHub, chat_hub, person

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def saved(data: Path, to: Path) -> Manifest:
    def files() -> dict[str, Path]:
        return dict(files_below(data, ("keys.json", "files")))

    return back_up(data / "hub.db", files, to, release="0.1.0", now=NOW)


async def post(hub: ChatHub, count: int, prefix: str, who: str = "v_1") -> str:
    visitor = person("visitor", who)
    opened = await hub.chat.do(
        visitor, OpenConversation("web", f"{prefix}-0"), cid=f"{prefix}-0"
    )
    for number in range(1, count):
        command = PostMessage(opened.conversation, f"{prefix}-{number}")
        await hub.chat.do(visitor, command, cid=f"{prefix}-{number}")
    return opened.conversation


def log_of(db: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(db)) as raw:
        return raw.execute("SELECT seq, kind FROM event ORDER BY seq").fetchall()


def rewritten(archive: Path, to: Path, change: Any) -> Path:
    """Copy an archive; *change* gets (name, content) and returns them, or None to leave out."""
    with tarfile.open(archive) as old, tarfile.open(to, "w:gz") as new:
        for member in old:
            source = old.extractfile(member)
            assert source is not None
            changed = change(member.name, source.read())
            if changed is not None:
                name, body = changed
                header = tarfile.TarInfo(name)
                header.size = len(body)
                new.addfile(header, io.BytesIO(body))
    return to


async def test_a_backup_under_load_is_the_state_of_one_moment(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "keys.json").write_text("{}")
    (data / "files").mkdir()
    (data / "files" / "a.png").write_bytes(b"\x89PNG")
    slowest = 0.0
    async with chat_hub(data / "hub.db", limits=NO_LIMITS) as hub:
        where = await post(hub, 300, "before")
        visitor = person("visitor", "v_1")
        stop = asyncio.Event()
        written = 0

        async def write() -> None:
            nonlocal slowest, written
            while not stop.is_set():
                began = time.perf_counter()
                command = PostMessage(where, "x" * 2_000)
                await hub.chat.do(visitor, command, cid=f"during-{written}")
                slowest = max(slowest, time.perf_counter() - began)
                written += 1

        async with asyncio.TaskGroup() as group:
            writing = group.create_task(write())
            manifest = await asyncio.to_thread(saved, data, tmp_path / "b.tar.gz")
            at_the_end = written
            stop.set()
            await writing
        head = hub.store.tail.head("main")

    folder = tmp_path / "unpacked"
    folder.mkdir()
    checked = await asyncio.to_thread(verify, tmp_path / "b.tar.gz", folder)
    assert checked == manifest
    log = manifest.logs["main"]
    assert 301 <= log.head == log.events <= head
    assert [seq for seq, _ in log_of(folder / DATABASE)] == list(range(1, log.head + 1))
    assert (folder / "data/files/a.png").read_bytes() == b"\x89PNG"
    assert stat.S_IMODE((tmp_path / "b.tar.gz").stat().st_mode) == 0o600
    assert at_the_end > 0
    assert slowest < 1.0


async def lost_future(tmp_path: Path) -> tuple[Path, str]:
    """Back up, write on, restore; return the folder and the cursor of a client that saw it."""
    data = tmp_path / "data"
    async with chat_hub(data / "hub.db", limits=NO_LIMITS) as hub:
        await post(hub, 30, "kept")
        await asyncio.to_thread(saved, data, tmp_path / "b.tar.gz")
        await post(hub, 20, "lost", who="v_2")
        async with hub.dial("agent.a_1") as agent:
            cursor = (await agent.until("welcome"))["cursor"]
    restore(tmp_path / "b.tar.gz", data / "hub.db", data, NOW)
    return data, cursor


async def ends_with_the_true_log(data: Path, cursor: str) -> bool:
    """Let a client come back with *cursor*; return whether what it holds is the log."""
    async with chat_hub(data / "hub.db", limits=NO_LIMITS) as hub:
        # The new future overtakes the lost one: by number alone the cursor looks fine.
        await post(hub, 40, "new", who="v_3")
        async with hub.http("agent.a_1") as http:
            polled = (
                await http.get("/api/v1/events", params={"cursor": cursor, "wait": 0})
            ).json()
        async with hub.dial("agent.a_1", cursor) as agent:
            welcome = await agent.until("welcome")
            if welcome["mode"] != "snapshot":
                return False
            reset = await agent.until("reset")
            await post(hub, 2, "after", who="v_4")
            seen = [event["seq"] for event in await agent.events(3)]
        head = hub.store.tail.head("main")
    return (
        reset["why"] == polled["reset"] == "epoch"
        and seen == [head - 2, head - 1, head]
        and [seq for seq, _ in log_of(data / "hub.db")] == list(range(1, head + 1))
    )


async def test_a_client_from_the_lost_future_is_reset_and_ends_with_the_true_log(
    tmp_path: Path,
) -> None:
    data, cursor = await lost_future(tmp_path)

    assert await ends_with_the_true_log(data, cursor)


async def test_a_restore_that_keeps_the_epoch_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: without the new epoch the client skips silently what it should have seen."""
    monkeypatch.setattr(sabotage, "_ACTIVE", frozenset({"keep_epoch"}))
    data, cursor = await lost_future(tmp_path)

    assert not await ends_with_the_true_log(data, cursor)


async def test_what_was_there_is_kept_beside(tmp_path: Path) -> None:
    data, _ = await lost_future(tmp_path)

    (aside,) = data.glob("before-restore-*")
    assert len(log_of(aside / "hub.db")) == 31 + 21
    assert len(log_of(data / "hub.db")) == 31
    assert not list(data.glob(".restore-*"))
    assert not marker(data / "hub.db").exists()


async def test_nothing_is_restored_while_a_hub_runs_on_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with chat_hub(data / "hub.db") as hub:
        await post(hub, 3, "a")
        await asyncio.to_thread(saved, data, tmp_path / "b.tar.gz")

        with pytest.raises(InUse):
            restore(tmp_path / "b.tar.gz", data / "hub.db", data, NOW)
        await post(hub, 3, "b", who="v_2")

    assert len(log_of(data / "hub.db")) == 8


@pytest.fixture
async def archive(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    async with chat_hub(data / "hub.db") as hub:
        (data / "keys.json").write_text('{"current": "k", "keys": {}}')
        await post(hub, 5, "a")
        await asyncio.to_thread(saved, data, tmp_path / "b.tar.gz")
    return tmp_path / "b.tar.gz"


def flipped(body: bytes) -> bytes:
    return body[:-100] + bytes([body[-100] ^ 1]) + body[-99:]


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("a byte of the database", lambda n, b: (n, flipped(b) if n == DATABASE else b)),
        ("other keys", lambda n, b: (n, b.replace(b"k", b"x") if "keys" in n else b)),
        ("no database", lambda n, b: None if n == DATABASE else (n, b)),
        ("no table of contents", lambda n, b: None if n == MANIFEST else (n, b)),
        ("a counter", lambda n, b: (n, b.replace(b'"head": 6', b'"head": 5'))),
        ("a way out", lambda n, b: (n.replace("data/keys", "data/../../keys"),
                                    b.replace(b"data/keys", b"data/../../keys"))),
        ("another format", lambda n, b: (n, b.replace(b'"format": 1', b'"format": 9'))),
        ("a newer database", lambda n, b: (n, re.sub(rb'"version": \d+', b'"version": 99', b))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_tampered_archive_is_refused_and_nothing_changes(
    archive: Path, tmp_path: Path, what: str, change: Any
) -> None:
    data = tmp_path / "data"
    before = log_of(data / "hub.db")
    bad = rewritten(archive, tmp_path / "bad.tar.gz", change)

    with pytest.raises(ArchiveDamaged):
        restore(bad, data / "hub.db", data, NOW)

    assert log_of(data / "hub.db") == before
    assert sorted(path.name for path in data.iterdir() if path.suffix != ".lock") == [
        "hub.db", "keys.json",
    ]  # fmt: skip
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.parametrize("cut", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_archive_is_refused(archive: Path, tmp_path: Path, cut: float) -> None:
    whole = archive.read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: int(len(whole) * cut)])

    with pytest.raises(ArchiveDamaged):
        restore(tmp_path / "cut.tar.gz", tmp_path / "data/hub.db", tmp_path / "data", NOW)


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from deskhub.store import restore as r

at, count, real = int(sys.argv[3]), 0, Path.rename

def rename(self, to):
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, to)

Path.rename = rename
data = Path(sys.argv[2])
r.restore(Path(sys.argv[1]), data / "hub.db", data, datetime.now(UTC))
"""


@pytest.mark.parametrize("at", [1, 2, 3, 4])
async def test_a_restore_killed_while_it_swaps_is_never_an_empty_desk(
    archive: Path, tmp_path: Path, at: int
) -> None:
    data = tmp_path / "data"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, str(archive), str(data), str(at)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL

    with pytest.raises(RestoreUnfinished):
        await Store.open(f"sqlite:///{data / 'hub.db'}", SystemClock())
    restore(archive, data / "hub.db", data, NOW)

    assert len(log_of(data / "hub.db")) == 6
    assert (data / "keys.json").exists()
    (await Store.open(f"sqlite:///{data / 'hub.db'}", SystemClock()))._hold.release()
