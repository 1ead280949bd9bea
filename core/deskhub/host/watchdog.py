"""Notices when the hub's own loop stands still, and names the file and line that held it.

Code in the hub's process (inline adapters, built-in features) can stop every chat. The place
is written down by a thread in C, which needs nobody's leave; it is read when the loop is back.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from deskhub.clock import Clock
from deskhub.host.host import Host
from deskhub.host.isolation.traces import place_in
from deskhub.host.running import Running
from deskhub_sdk import Health

TICK_S = 0.2
# Everybody waits that long for whatever they do; shorter ones the lag's metric shows.
BLOCKED_S = 0.5

log = logging.getLogger(__name__)


class Watchdog:
    """Watches the loop it runs on. One for the process: the interpreter has one such timer."""

    def __init__(
        self, host: Host, clock: Clock, *, tick_s: float = TICK_S, blocked_s: float = BLOCKED_S
    ) -> None:
        """Say of *host*'s instances who held the loop for *blocked_s*."""
        self._host = host
        self._clock = clock
        self._tick_s = tick_s
        self._blocked_s = blocked_s

    async def run(self) -> None:
        """Watch until cancelled."""
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as dump:
            try:
                while True:
                    began = self._clock.monotonic()
                    faulthandler.dump_traceback_later(self._blocked_s, exit=False, file=dump)
                    await asyncio.sleep(self._tick_s)
                    self._look(dump, self._clock.monotonic() - began)
            finally:
                faulthandler.cancel_dump_traceback_later()

    def _look(self, dump: IO[str], seconds: float) -> None:
        """Tell who held the loop, if somebody did."""
        if not dump.seek(0, 2):
            return
        dump.seek(0)
        text = dump.read()
        dump.seek(0)
        dump.truncate()
        one, place = self._culprit(text)
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

    def _culprit(self, text: str) -> tuple[Running | None, tuple[str, int] | None]:
        """Return the instance in whose code the loop stood, and where; or the place alone."""
        for one in self._host.all_instances():
            if (own := _own_code(one)) is not None and (place := place_in(text, own)):
                return one, place
        return None, place_in(text)


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
