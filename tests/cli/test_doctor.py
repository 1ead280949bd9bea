"""``doctor`` and ``status``: what an operator is told, and the exit codes scripts rely on."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from deskhub.cli import checks
from deskhub.cli.checks import Finding
from deskhub.config import load
from tests.cli.processes import child
from tests.cli.test_serve import listening
from tests.support.desk import free_port

Run = Callable[..., Result]
HUB_TOML = '[hub]\nlisten = "127.0.0.1:{port}"\nlog = "warning"\n'


@pytest.fixture
def here(hub_toml: Callable[[str], Path], deskhub: Run) -> Path:
    path = hub_toml(HUB_TOML.format(port=free_port()))
    deskhub("user", "add", "li@example.com", "-c", path, given="a long passphrase\n")
    return path


def examined(deskhub: Run, path: Path, *more: object) -> tuple[int, dict[str, Any]]:
    done = deskhub("doctor", "--json", "-c", path, *more)
    found = json.loads(done.stdout)["data"]
    return done.exit_code, {one["check"]: one for one in found["checks"]}


def test_a_sound_installation_has_no_problem(
    here: Path, deskhub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether the pages are built is the build's affair.
    monkeypatch.setattr(checks, "_pages", lambda: [Finding("web pages", "ok", "there")])

    code, found = examined(deskhub, here)
    shown = deskhub("doctor", "-c", here).stdout

    assert code == 0
    assert found["database"]["verdict"] == "ok"
    assert "WAL" in found["database"]["text"]
    assert found["keys"]["verdict"] == found["port"]["verdict"] == "ok"
    assert " ✔ hub.toml " in shown
    assert "0 problems" in shown.splitlines()[-1]


def test_each_fault_is_found_with_what_to_do(
    here: Path, deskhub: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").chmod(0o777)
    (tmp_path / "data/keys.json").chmod(0o644)
    with sqlite3.connect(tmp_path / "data/deskhub.db") as db:
        db.execute("UPDATE schema_version SET version = 99, compat = 98")
    db.close()
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: type("Use", (), {"free": 1000}))
    monkeypatch.setattr(checks.resource, "getrlimit", lambda _: (1024, 1024))
    with socket.create_server(("127.0.0.1", load(here).hub.listen_port)):
        code, found = examined(deskhub, here, "--connections", 10_000)

    assert code == 10
    problems = {name for name, one in found.items() if one["verdict"] == "problem"}
    assert {"data folder", "keys", "database", "disk", "port"} <= problems
    assert (found["keys"]["code"], found["database"]["code"]) == ("DH152", "DH151")
    assert found["file handles"]["verdict"] == "warning"
    assert "10256" in found["file handles"]["fix"]
    assert all(one["fix"] for one in found.values() if one["verdict"] == "problem")


def test_the_layers_that_confine_adapters_are_tried_and_named(
    hub_toml: Callable[[str], Path], deskhub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    inline = '[adapters.tickets]\nisolation = "inline"\nconfig = { base_url = "https://t", token = { file = "t" }, webhook_secret = { file = "t" } }\n'
    path = hub_toml(HUB_TOML.format(port=free_port()) + inline)
    (path.parent / "t").write_text("0123456789abcdef")

    _, found = examined(deskhub, path)
    monkeypatch.setattr(checks, "layers_here", lambda: ("limits", "no-processes"))
    _, without = examined(deskhub, path)

    assert {"limits", "no-processes"} <= set(
        found["isolation"]["text"][8:].replace(";", ",").split(", ")
    )
    assert found["adapter tickets"]["verdict"] == "warning"
    assert "isolation process" in found["adapter tickets"]["fix"]
    assert without["isolation"]["verdict"] == "warning"
    assert "without no-new-privileges" in without["isolation"]["text"]


def test_a_damaged_database_is_a_problem(here: Path, deskhub: Run, tmp_path: Path) -> None:
    path = tmp_path / "data/deskhub.db"
    body = bytearray(path.read_bytes())
    body[8192:40_000] = b"\xff" * (40_000 - 8192)
    path.write_bytes(body)

    code, found = examined(deskhub, here)

    assert code == 10
    assert found["database"]["verdict"] == "problem"


def test_addresses_and_services_are_judged(
    hub_toml: Callable[[str], Path], deskhub: Run
) -> None:
    port = free_port()
    path = hub_toml(
        f'[hub]\nlisten = "0.0.0.0:{port}"\npublic_url = "http://chat.example.com"\n'
        f'bus = "nats://127.0.0.1:{free_port()}"\n'
        '[inboxes.web]\norigins = ["http://shop.example.com"]\n'
    )
    found = {one.name: one for one in checks.examine(load(path), 100)}

    assert found["public_url"].verdict == "problem"
    assert found["inbox web"].verdict == "warning"
    assert found["bus"].verdict == "warning"


def test_a_broken_file_is_the_first_finding(
    hub_toml: Callable[[str], Path], deskhub: Run
) -> None:
    code, found = examined(deskhub, hub_toml('[hub]\nlisten = "127.0.0.1:8700"\nlog = 3\n'))

    assert code == 10
    assert found["hub.toml"]["verdict"] == "problem"


def test_status_tells_how_a_running_hub_is(here: Path, deskhub: Run, tmp_path: Path) -> None:
    port = load(here).hub.listen_port
    nobody = deskhub("status", "-c", here)
    with child("serve", "-c", here, cwd=tmp_path) as process:
        listening(process, port)
        told = json.loads(deskhub("status", "--json", "-c", here).stdout)["data"]
        shown = deskhub("status", "--url", f"http://127.0.0.1:{port}").stdout
        process.terminate()
        process.communicate(timeout=20)

    assert nobody.exit_code == 6
    assert "DH158" in nobody.stderr
    assert told["ready"] is True
    assert told["version"]
    assert told["uptime_s"] < 60
    assert told["queue"] == 0
    assert shown.startswith("✔ ready   Deskhub ")
