"""Notices when the hub's own loop stands still, and names the file and line that held it.

Code in the hub's process (inline adapters, built-in features) can stop every chat. A thread
looks where the loop's thread is, under the interpreter's lock: a look from outside of it
(``faulthandler.dump_traceback_later``) reads frames that change meanwhile, and ended a busy
hub now and then. Code that holds the lock is seen the moment it gives it back, which is at
its own call.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from deskhub.clock import Clock
from deskhub.host.host import Host
from deskhub.host.isolation.traces import Place, innermost
from deskhub.host.running import Running
from deskhub_sdk import Health

TICK_S = 0.2
# Everybody waits that long for whatever they do; shorter ones the lag's metric shows.
BLOCKED_S = 0.5

log = logging.getLogger(__name__)


class Watchdog:
    """Watches the loop it runs on."""

    def __init__(
        self, host: Host, clock: Clock, *, tick_s: float = TICK_S, blocked_s: float = BLOCKED_S
    ) -> None:
        """Say of *host*'s instances who held the loop for *blocked_s*."""
        self._host = host
        self._clock = clock
        self._tick_s = tick_s
        self._blocked_s = blocked_s
        self._beat = 0.0
        self._seen: list[Place] = []

    async def run(self) -> None:
        """Watch until cancelled."""
        over = threading.Event()
        looker = threading.Thread(
            target=self._look_forever, args=(threading.get_ident(), over),
            name="deskhub-watchdog", daemon=True,
        )  # fmt: skip
        self._beat = self._clock.monotonic()
        looker.start()
        try:
            while True:
                await asyncio.sleep(self._tick_s)
                before, self._beat = self._beat, self._clock.monotonic()
                seen, self._seen = self._seen, []
                if seen:
                    self._tell(seen, self._beat - before)
        finally:
            over.set()
            looker.join()

    def _look_forever(self, thread: int, over: threading.Event) -> None:
        """Note where *thread* is, once each time that its loop stands still."""
        while not over.wait(self._tick_s):
            if self._seen or self._clock.monotonic() - self._beat < self._blocked_s:
                continue
            frame = sys._current_frames().get(thread)  # noqa: SLF001  there is no other way
            self._seen = _places(frame)

    def _tell(self, seen: list[Place], seconds: float) -> None:
        """Tell who held the loop."""
        one, place = self._culprit(seen)
        if place is None:
            return
        where = f"{place[0]}:{place[1]}"
        told = {"place": where, "seconds": round(seconds, 1)}
        if one is None:
            log.warning("loop_blocked", extra=told)
            return
        log.error("adapter_blocked", extra={"instance": one.id, **told})
        text = (
            f"{one.name} held every chat up for {seconds:.1f} s at {where}. Its author must "
            'mend it; until then an admin can set isolation = "process".'
        )
        one.checked(Health(ok=False, text=text, checked_at=self._clock.now()))

    def _culprit(self, seen: list[Place]) -> tuple[Running | None, Place | None]:
        """Return the instance in whose code the loop stood, and where; or the place alone."""
        for one in self._host.all_instances():
            if (own := _own_code(one)) is not None and (place := innermost(seen, own)):
                return one, place
        return None, innermost(seen)


def _places(frame: FrameType | None) -> list[Place]:
    """Return file and line of *frame* and of its callers, the innermost first."""
    found = []
    while frame is not None:
        found.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return found


def _own_code(one: Running) -> Callable[[str], bool] | None:
    """Return what tells whether a file is the adapter's; None when it runs elsewhere."""
    module = sys.modules.get(one.cls.__module__) if one.cls is not None else None
    file = getattr(module, "__file__", None)
    if file is None or one.layers or one.built_in:
        return None
    path = Path(file)
    package = getattr(module, "__package__", "")
    folder = f"{path.parent}/" if package else ""
    return lambda name: name == str(path) or bool(folder and name.startswith(folder))
