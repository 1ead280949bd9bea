"""Says where the worker's loop stands when it stands still, while the code is still there.

A thread looks, under the interpreter's lock: frames do not change meanwhile. The interpreter's
own timer (``faulthandler.dump_traceback_later``) looks without that lock, and reading frames
that change has ended busy processes; so the thread puts it off again and again, and it goes
off only where the thread itself cannot run, which is where native code holds the lock and no
frame changes.
"""

from __future__ import annotations

import asyncio
import faulthandler
import threading
from time import monotonic

BEAT_S = 0.5
LOOK_S = 0.25
# The loop stands still for so long: the place is written to the error output.
STUCK_S = 1.5
# Longer than the thread's own look, so that it is the thread that looks if it can.
LOCKED_S = STUCK_S + LOOK_S
OUTPUT = 2


class Heart:
    """Watches the loop it beats on."""

    def __init__(self, *, stuck_s: float = STUCK_S) -> None:
        """Write the place down after *stuck_s* without a beat."""
        self._stuck_s = stuck_s
        self._beat = monotonic()
        self._is_told = False

    async def run(self) -> None:
        """Beat until cancelled."""
        over = threading.Event()
        looker = threading.Thread(
            target=self._look, args=(over,), name="deskhub-heart", daemon=True
        )
        self._beat = monotonic()
        looker.start()
        try:
            while True:
                self._beat, self._is_told = monotonic(), False
                await asyncio.sleep(BEAT_S)
        finally:
            over.set()
            looker.join()
            faulthandler.cancel_dump_traceback_later()

    def _look(self, over: threading.Event) -> None:
        """Write every thread's place down, the loop's last, once each time it stands still."""
        while True:
            faulthandler.dump_traceback_later(LOCKED_S, exit=False, file=OUTPUT)
            if over.wait(LOOK_S):
                return
            if self._is_told or monotonic() - self._beat < self._stuck_s:
                continue
            self._is_told = True
            faulthandler.dump_traceback(file=OUTPUT, all_threads=True)
