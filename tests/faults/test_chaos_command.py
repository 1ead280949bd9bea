"""``deskhub chaos``: operators get the proof for their own installation, which stays untouched."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.served import Served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

HUB = """
[hub]
listen = "127.0.0.1:1"
store = "sqlite:///{store}"

[inboxes.web]
key = "k-web"
name = "Web"
origins = ["https://shop.example"]
"""


def chaos(folder: Path, *options: str, sabotage: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deskhub", "chaos", *options],
        cwd=folder, env=os.environ | {"DESKHUB_SABOTAGE": sabotage}, check=False,
        capture_output=True, text=True, timeout=150,
    )  # fmt: skip


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def test_an_operator_gets_the_figures_and_keeps_everything_as_it_was(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    hub = Served(tmp_path / "data" / "own.db", log=tmp_path / "served.log")
    await hub.start()
    await hub.start_cursor()
    await hub.terminate(20)
    (tmp_path / "hub.toml").write_text(HUB.format(store="data/own.db"))
    before = contents(tmp_path)

    done = chaos(tmp_path, "--kills", "1", "--link", "--json")

    told = json.loads(done.stdout)["data"]
    assert done.returncode == 0, done.stderr
    assert told["kills"] == 1
    assert told["acknowledged"] > 20
    assert (told["lost"], told["duplicates"], told["inversions"]) == (0, 0, 0)
    assert contents(tmp_path) == before


def test_the_command_notices_an_acknowledgement_before_the_commit(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text(HUB.format(store="own.db"))

    done = chaos(tmp_path, "--kills", "2", "--empty", sabotage="ack_before_commit")

    assert done.returncode == 8, (done.stdout, done.stderr)
    assert " 0 lost" not in done.stdout


@pytest.mark.parametrize(
    ("hub", "options", "code"),
    [
        (HUB.replace("sqlite:///{store}", "postgresql://db.example/hub"), [], "DH160"),
        (HUB.format(store="own.db"), ["--scratch", "nowhere"], "DH161"),
        (HUB.format(store="own.db").partition("[inboxes")[0], [], "DH162"),
    ],
)
def test_it_refuses_in_words_what_it_cannot_do(
    tmp_path: Path, hub: str, options: list[str], code: str
) -> None:
    (tmp_path / "hub.toml").write_text(hub)

    done = chaos(tmp_path, "--kills", "1", *options)

    assert done.returncode in {2, 3}, done.stderr
    assert f"error[{code}]" in done.stderr
    assert "fix:" in done.stderr
