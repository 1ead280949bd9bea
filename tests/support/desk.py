"""A whole Deskhub for tests: six simulators and a hub that can be killed, as real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deskhub.cli.demo import folder as demo_folder
from deskhub.cli.demo.people import PEOPLE
from deskhub.cli.demo.systems import NAMES, Keys, arguments

DEADLINE_S = 60.0


@dataclass(frozen=True)
class FakeSystem:
    name: str
    url: str
    admin: str
    process: subprocess.Popen[bytes]


class HubEnded(Exception):
    """The hub ended before it listened; its last words."""


@dataclass
class Desk:
    """The running product; `kill` and `start` are what an operator's bad day looks like."""

    folder: Path
    listen: str
    keys: Keys
    systems: dict[str, FakeSystem]
    environment: dict[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    hub: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> str:
        return f"http://{self.listen}"

    @property
    def shop(self) -> str:
        return self.systems["orders"].url

    def start(self) -> None:
        with (self.folder / "hub.log").open("ab") as output:
            self.hub = subprocess.Popen(
                [sys.executable, "-m", "deskhub", "serve", "--config",
                 str(self.folder / "hub.toml"), *self.options],
                stdout=output, stderr=output, env={**os.environ, **self.environment},
            )  # fmt: skip
        until(
            lambda: self.hub.poll() is not None or answers(f"{self.api}/readyz"),
            "the hub listens",
            log=self.folder / "hub.log",
        )
        if self.hub.poll() is not None:
            raise HubEnded((self.folder / "hub.log").read_text(errors="replace")[-3000:])

    def kill(self) -> None:
        assert self.hub is not None
        self.hub.send_signal(signal.SIGKILL)
        self.hub.wait(timeout=10)

    def beside(self) -> Desk:
        """Return a second hub on the same folder and database, not started yet."""
        listen = f"127.0.0.1:{free_port()}"
        return replace(self, listen=listen, options=("--listen", listen), hub=None)

    def stop(self) -> int:
        assert self.hub is not None
        self.hub.terminate()
        return self.hub.wait(timeout=15)

    def adapters_ready(self, token: str) -> None:
        def ready() -> bool:
            states = {
                one["instance"]: one["state"]
                for one in self.get("/api/v1/adapters", token)["adapters"]
            }
            return all(states.get(name) == "ready" for name in NAMES)

        until(ready, "all adapters are ready", log=self.folder / "hub.log")

    def sign_in(self, role: str = "agent", index: int = 0) -> str:
        person = [one for one in PEOPLE if one.role == role][index]
        body = {"email": person.email, "password": person.password}
        return str(self.post("/api/v1/sessions", body)["access"])

    def visitor(self, customer: str) -> dict[str, Any]:
        identity = call("GET", f"{self.shop}/session?customer={customer}")["identity"]
        return self.post("/api/v1/visitors", {"inbox": "shop", "identity": identity})

    def get(self, path: str, token: str) -> Any:
        return call("GET", self.api + path, token=token)

    def post(
        self, path: str, body: object, token: str | None = None, cid: str | None = None
    ) -> Any:
        return call("POST", self.api + path, body, token=token, cid=cid or os.urandom(12).hex())

    def effects(self, system: str) -> dict[str, Any]:
        return dict(call("GET", f"{self.systems[system].url}/_sim/effects"))

    def fault(self, system: str, **fault: object) -> None:
        call("POST", f"{self.systems[system].url}/_sim/faults", fault)


def call(
    method: str,
    url: str,
    body: object = None,
    *,
    token: str | None = None,
    cid: str | None = None,
) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if cid:
        request.add_header("Idempotency-Key", cid)
    with urllib.request.urlopen(request, timeout=30) as answer:
        raw = answer.read()
    return json.loads(raw) if raw else None


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def until(
    condition, what: str, *, deadline_s: float = DEADLINE_S, log: Path | None = None
) -> None:
    """Wait for *condition*; fail with *what* and the end of *log*."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    tail = log.read_text(errors="replace")[-3000:] if log and log.exists() else ""
    raise AssertionError(f"not within {deadline_s:g} s: {what}\n{tail}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def desk(
    names: Sequence[str] = NAMES, *, people: bool = True, store: str = "", settings: str = ""
) -> Iterator[Desk]:
    """Run simulators and a hub in a folder of their own; leave nothing behind.

    *store* is a database's url instead of a file, *settings* are more lines of hub.toml.
    """
    keys, listen = Keys(), f"127.0.0.1:{free_port()}"
    processes: list[subprocess.Popen[bytes]] = []
    running: Desk | None = None
    with tempfile.TemporaryDirectory(prefix="deskhub-test-") as name:
        folder = Path(name)
        try:
            systems = {}
            for system in names:
                with (folder / f"{system}.log").open("wb") as output:
                    processes.append(
                        subprocess.Popen(
                            [sys.executable, "-m", f"deskhub_{system}.simulator",
                             *arguments(system, f"http://{listen}", keys)],
                            stdout=subprocess.PIPE, stderr=output, stdin=subprocess.PIPE,
                        )
                    )  # fmt: skip
            for system, process in zip(names, processes, strict=True):
                assert process.stdout is not None
                line = process.stdout.readline()
                assert line, (folder / f"{system}.log").read_text()
                told = json.loads(line)
                systems[system] = FakeSystem(system, told["url"], told["admin"], process)
            toml = demo_folder.write(folder, listen, systems, keys)
            text = toml.read_text()
            if store:
                text = text.replace("sqlite:///data/deskhub.db", store)
            toml.write_text(_without_tables_of(settings, text) + settings)
            if people:
                add_people(folder)
            running = Desk(folder, listen, keys, systems)
            running.start()
            yield running
        finally:
            if running is not None and running.hub is not None and running.hub.poll() is None:
                running.hub.kill()
                running.hub.wait()
            for process in processes:
                process.kill()
                process.wait()
                for pipe in (process.stdout, process.stdin):
                    if pipe:
                        pipe.close()


def add_people(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.support.people", str(folder / "hub.toml")],
        check=True, capture_output=True,
    )  # fmt: skip


def _without_tables_of(settings: str, text: str) -> str:
    """Return *text* without the tables that *settings* has as well: those take their place."""
    for name in re.findall(r"^\[([^\[\]]+)\]", settings, re.MULTILINE):
        table = rf"^\[{re.escape(name)}\][^\n]*\n(?:(?!\[)[^\n]*\n)*"
        text = re.sub(table, "", text, flags=re.MULTILINE)
    return text
