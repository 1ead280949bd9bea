"""``deskhub demo``: one document that drives everything, and nothing left at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import child, group_of
from tests.support.desk import answers, call, until

pytestmark = pytest.mark.slow


@dataclass
class Demo:
    process: subprocess.Popen[str]
    told: dict[str, Any]
    folder: Path

    def end(self, how: signal.Signals, *, everybody: bool) -> int:
        """Send *how* to the demo alone, or like a terminal does to its whole group."""
        if everybody:
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)


@contextmanager
def started(folder: Path) -> Iterator[Demo]:
    with child(
        "demo", "--json", "--port", "0", cwd=folder, environment={"TMPDIR": str(folder)}
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield Demo(process, json.loads(line), folder)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with started(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for the tests that only look at it."""
    with started(tmp_path_factory.mktemp("demo")) as one:
        yield one


def test_one_document_holds_everything_that_drives_the_product(shared: Demo) -> None:
    told = shared.told

    assert set(told) == {"api", "console", "shop", "inbox", "agents", "customers", "systems"}
    assert {"email", "password", "role"} <= set(told["agents"][0])
    assert {"name", "identity", "orders"} <= set(told["customers"][0])
    assert {one["name"] for one in told["systems"]} == {
        "orders", "payments", "erp", "crm", "tickets", "sso",
    }  # fmt: skip
    for address in (
        f"{told['api']}/healthz", f"{told['api']}/readyz", told["console"], told["shop"],
        *(f"{one['admin']}state" for one in told["systems"]),
    ):  # fmt: skip
        assert answers(address), address


def test_what_the_document_says_lets_an_agent_and_a_customer_in(shared: Demo) -> None:
    api, told = shared.told["api"], shared.told

    for agent in told["agents"]:
        given = {"email": agent["email"], "password": agent["password"]}
        assert call("POST", f"{api}/api/v1/sessions", given)["agent"]["role"] == agent["role"]
    for customer in told["customers"][:3]:
        visitor = call(
            "POST", f"{api}/api/v1/visitors",
            {"inbox": told["inbox"], "identity": customer["identity"]},
        )  # fmt: skip
        assert visitor["customer"]["name"] == customer["name"]


@pytest.mark.parametrize(("how", "everybody"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_the_end_leaves_no_process_and_no_folder(
    demo: Demo, how: signal.Signals, everybody: bool
) -> None:
    assert len(group_of(demo.process)) == 7

    code = demo.end(how, everybody=everybody)

    out, err = demo.process.communicate()
    assert (code, out) == (0, "")
    assert "Traceback" not in err
    assert group_of(demo.process) == set()
    assert list(demo.folder.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_end_during_the_start_leaves_nothing_either(
    how: signal.Signals, tmp_path: Path
) -> None:
    with child(
        "demo", "--json", "--port", "0", cwd=tmp_path, environment={"TMPDIR": str(tmp_path)}
    ) as process:
        until(lambda: len(group_of(process)) > 3, "some systems are up")
        process.send_signal(how)
        out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert group_of(process) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_was_killed_takes_its_systems_along(demo: Demo) -> None:
    demo.process.kill()
    demo.process.wait()

    until(lambda: group_of(demo.process) == set(), "the systems end by themselves")


def test_a_system_that_does_not_come_up_ends_the_demo_in_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken/deskhub_crm"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("")
    (broken / "simulator.py").write_text("raise SystemExit('no disk in drive A')\n")

    with child(
        "demo", "--json", "--port", "0", cwd=tmp_path,
        environment={"PYTHONPATH": str(broken.parent), "TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        out, err = process.communicate(timeout=60)

    assert process.returncode == 6
    assert json.loads(out)["error"]["what"] == "the demo system 'crm' did not start"
    assert "Traceback" not in err
    assert group_of(process) == set()
