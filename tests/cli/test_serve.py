"""``deskhub serve`` as a process: the port, the signals, what is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.processes import child, group_of, in_a_process
from tests.support.desk import answers, free_port, until

HUB_TOML = '[hub]\nlisten = "127.0.0.1:{port}"\nlog = "warning"\n'


def listening(process: subprocess.Popen[str], port: int) -> None:
    def up() -> bool:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        return answers(f"http://127.0.0.1:{port}/readyz")

    until(up, "the hub listens")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_hub_with_nothing_left(
    how: signal.Signals, hub_toml: Callable[[str], Path], tmp_path: Path
) -> None:
    port = free_port()
    with child("serve", "-c", hub_toml(HUB_TOML.format(port=port)), cwd=tmp_path) as process:
        listening(process, port)
        # A client that holds on to its connection must not hold the hub up.
        with socket.create_connection(("127.0.0.1", port)):
            began = time.monotonic()
            process.send_signal(how)
            _, err = process.communicate(timeout=20)

        assert process.returncode == 0
        assert time.monotonic() - began < 8
        assert group_of(process) == set()
        assert "Traceback" not in err
        assert "Deskhub listens on" in err


def test_a_port_in_use_names_who_uses_it(
    hub_toml: Callable[[str], Path], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        ended = in_a_process("serve", "-c", hub_toml(HUB_TOML.format(port=port)), cwd=tmp_path)

    assert ended.code == 7
    assert ended.err.splitlines() == [
        f"error[DH110]: 127.0.0.1:{port} is used by pid {os.getpid()}",
        "    = why: only one program can listen there",
        "    = fix: stop it, or choose another: deskhub serve --listen 127.0.0.1:8701",
        "    = more: deskhub explain DH110",
    ]


def test_a_key_file_that_others_can_read_stops_the_start(
    hub_toml: Callable[[str], Path], tmp_path: Path
) -> None:
    path = hub_toml(HUB_TOML.format(port=free_port()))
    (tmp_path / "data").mkdir()
    keys = tmp_path / "data/keys.json"
    keys.write_text("{}")
    keys.chmod(0o644)

    ended = in_a_process("serve", "-c", path, cwd=tmp_path)

    assert ended.code == 3
    assert "DH152" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:99999", ":"])
def test_a_listen_option_that_is_no_address_is_refused(
    listen: str, hub_toml: Callable[[str], Path], tmp_path: Path, deskhub: Callable[..., object]
) -> None:
    result = deskhub("serve", "--listen", listen, "-c", hub_toml(""))

    assert result.exit_code == 2
    assert "DH105" in result.stderr


def test_an_address_of_another_machine_is_refused_in_words(
    hub_toml: Callable[[str], Path], tmp_path: Path
) -> None:
    ended = in_a_process(
        "serve", "--listen", "192.0.2.1:8700", "-c", hub_toml(""), cwd=tmp_path
    )

    assert ended.code == 3
    assert "DH111" in ended.err
    assert "Traceback" not in ended.err


def test_a_file_that_is_no_database_is_refused_in_words(
    hub_toml: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "own.db").write_text("a shopping list, " * 4_000)

    ended = in_a_process(
        "serve", "-c", hub_toml('[hub]\nstore = "sqlite:///own.db"\n'), cwd=tmp_path
    )

    assert ended.code == 3
    assert "error[DH120]" in ended.err
    assert "deskhub restore" in ended.err
    assert "Traceback" not in ended.err
    assert (tmp_path / "own.db").read_text().startswith("a shopping list")


def test_a_data_folder_that_cannot_be_is_refused_in_words(
    hub_toml: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")

    ended = in_a_process("serve", "-c", hub_toml(""), cwd=tmp_path)

    assert ended.code == 3
    assert "DH111" in ended.err
    assert "Traceback" not in ended.err
