"""`deskhub lab`: its cache makes once, and what it started ends with it, however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from deskhub.cli.lab.cache import Cache, LabFailed, run
from deskhub.cli.lab.peers import PEERS, Peer, Site, Started, chosen
from deskhub.cli.lab.running import LEASH, running
from tests.support.lab import missing

# A peer that answers, has a child of its own, and does not listen to SIGTERM.
STUBBORN = """
import http.server, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
open("child", "w").write(str(child.pid))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
PARENT = """
import asyncio, sys
from pathlib import Path
from deskhub.cli.lab.cache import Cache
from deskhub.cli.lab.running import running
from tests.cli.test_lab import stubborn

async def main():
    async with running([stubborn()], Cache(Path(sys.argv[1]))) as found:
        print(found["stubborn"].site.scratch, flush=True)
        await asyncio.sleep(300)

asyncio.run(main())
"""


def stubborn() -> Peer:
    """Return a peer of this test's own."""

    async def make(place: Path) -> None:
        (place / "made").write_text("once")

    def start(_: Path, site: Site) -> Started:
        return Started(
            (sys.executable, "-c", STUBBORN, str(site.port)), f"{site.url}/", {"url": site.url}
        )

    return Peer("stubborn", "Stubborn", "1", "none", lambda: ("one",), make, start)


def alive(pid: int) -> bool:
    """Return whether *pid* runs; what is dead and not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def gone(pid: int, seconds: float = 15.0) -> bool:
    for _ in range(int(seconds * 10)):
        if not alive(pid):
            return True
        await asyncio.sleep(0.1)
    return False


async def test_leaving_the_lab_ends_a_stubborn_peer_and_its_children(tmp_path: Path) -> None:
    async with running([stubborn()], Cache(tmp_path)) as found:
        one = found["stubborn"]
        child = int((one.site.scratch / "child").read_text())
        was = alive(child)

    assert was
    assert await gone(one.process.pid)
    assert not alive(child)
    assert not one.site.scratch.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_killing_the_lab_ends_its_peers(tmp_path: Path, number: signal.Signals) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert parent.stdout is not None
    async with asyncio.timeout(60):
        scratch = Path((await parent.stdout.readline()).decode().strip())
    child = int((scratch / "child").read_text())
    was = alive(child)

    parent.send_signal(number)
    await parent.wait()

    assert was
    assert await gone(child)
    for _ in range(50):
        if not scratch.exists():
            break
        await asyncio.sleep(0.1)
    assert not scratch.exists()


async def test_a_leash_whose_parent_is_another_starts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "started"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(LEASH), "1", "--", sys.executable, "-c",
        f"open({str(file)!r}, 'w')",
    )  # fmt: skip

    assert await process.wait() == 0
    assert not file.exists()


async def test_a_part_is_made_once_and_again_when_it_was_not_finished(tmp_path: Path) -> None:
    cache, made = Cache(tmp_path), []

    async def make(place: Path) -> None:
        made.append(place)
        if len(made) == 1:
            raise LabFailed("the network is gone")

    place = cache.place("part", "a")
    with pytest.raises(LabFailed):
        await cache.part(place, make)
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(cache.part(place, make))

    assert len(made) == 2
    assert cache.has(place)
    assert cache.place("part", "b") != place


async def test_a_command_that_fails_is_told_with_its_last_lines() -> None:
    with pytest.raises(LabFailed) as failed:
        await run(sys.executable, "-c", "print('first'); print('why'); raise SystemExit(3)")

    assert failed.value.lines[-1] == "why"
    assert "3" in str(failed.value)


async def test_a_peer_that_does_not_answer_is_told_and_ended(tmp_path: Path) -> None:
    def start(_: Path, site: Site) -> Started:
        command = (sys.executable, "-c", "print('no database'); raise SystemExit(1)")
        return Started(command, f"{site.url}/", {})

    broken = Peer("broken", "Broken", "1", "none", lambda: (), stubborn().make, start)
    with pytest.raises(LabFailed) as failed:
        async with running([broken], Cache(tmp_path)):
            raise AssertionError("it cannot be there")

    assert "Broken" in str(failed.value)


def test_an_unknown_peer_is_named_with_those_there_are() -> None:
    with pytest.raises(LabFailed, match="there is no sap; there are tryton"):
        chosen(["sap"])
    assert [peer.name for peer in chosen([])] == list(PEERS)


@pytest.mark.lab
async def test_the_command_prints_addresses_and_ends_everything_on_sigterm() -> None:
    if why := missing("roundup"):
        pytest.skip(why)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deskhub", "lab", "--only", "roundup", "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(60):
        told = json.loads(await process.stdout.readline())
    peer = told["data"]["peers"]["roundup"]
    was = alive(peer["pid"])

    process.terminate()
    code = await process.wait()

    assert was
    assert peer["url"].startswith("http://127.0.0.1:")
    assert peer["licence"] == "MIT and ZPL-2.0"
    assert code == 0
    assert await gone(peer["pid"])
