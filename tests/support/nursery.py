"""Hub processes that are there at once: forked from one that has imported everything.

A fresh interpreter needs seconds for its imports; tests that start fifty hubs cannot wait for
that. ``python -m tests.support.nursery`` is the parent; `born` asks it for a child. Whoever
ends, the others see: a closed stdin ends the parent, which takes its children along.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class Child:
    """A hub process: its pid, whether it listens, and how it ended."""

    pid: int = 0
    ready: bool = False
    code: int | None = None

    def signal(self, number: signal.Signals) -> None:
        if self.code is None and self.pid:
            os.kill(self.pid, number)


class _Nursery:
    """The parent process, and a thread that reads what it says."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.children: dict[int, Child] = {}
        self.count = 0
        threading.Thread(target=self._listen, daemon=True, name="nursery").start()
        atexit.register(self.close)

    def ask(self, order: dict[str, Any]) -> Child:
        self.count += 1
        child = self.children[self.count] = Child()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order | {"number": self.count}) + "\n")
        self.process.stdin.flush()
        return child

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            child = self.children[told["number"]]
            child.pid = told.get("pid", child.pid)
            child.ready = child.ready or "port" in told
            child.code = told.get("code", child.code)


_nursery: list[_Nursery] = []


def born(arguments: Sequence[str], env: dict[str, str], words: str) -> Child:
    """Return a new process of `tests.support.served` with *arguments*; *words* is its stderr."""
    if not _nursery:
        _nursery.append(_Nursery())
    return _nursery[0].ask({"arguments": list(arguments), "env": env, "words": words})


def main() -> None:
    """Fork what stdin asks for; report births and ends on stdout."""
    import tests.support.served  # noqa: F401  this is what takes long

    numbers: dict[int, int] = {}
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    chosen = selectors.DefaultSelector()
    chosen.register(reading, selectors.EVENT_READ)
    chosen.register(sys.stdin, selectors.EVENT_READ)
    rest = b""
    while True:
        for key, _ in chosen.select():
            if key.fileobj == reading:
                os.read(reading, 512)
                _reap(numbers)
                continue
            data = os.read(0, 65_536)
            if not data:
                for pid in numbers:
                    os.kill(pid, signal.SIGKILL)
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    _live(order)
                numbers[pid] = order["number"]
                _say({"number": order["number"], "pid": pid})


def _live(order: dict[str, Any]) -> None:
    """Be a hub, in the child."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        words = os.open(order["words"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(words, 2)
        # Not only closed: a socket that got the number 0 would make libuv end the process.
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        from deskhub.store import failpoints, sabotage
        from tests.support import served

        os.environ.update(order["env"])
        sabotage.begin()
        failpoints.begin()
        served.main(
            order["arguments"], lambda port: _say({"number": order["number"], "port": port})
        )
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _reap(numbers: dict[int, int]) -> None:
    while numbers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        number = numbers.pop(pid)
        _say({"number": number, "code": os.waitstatus_to_exitcode(status)})


def _say(told: dict[str, Any]) -> None:
    os.write(1, json.dumps(told).encode() + b"\n")


if __name__ == "__main__":
    main()
