"""What the adapters page shows of the past: each instance's figures and its log, in memory.

Both are bounded: a figure every ten seconds for an hour, and the last lines of each instance.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deskhub.log import fields_of

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub
    from deskhub.host.running import Running

SAMPLE_EVERY_S = 10.0
SAMPLES = 360
LINES = 200
INSTANCES = 256
HIDDEN = "••••"
# Shorter ones would hide ordinary words.
SECRET_CHARS = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """One instance's figures at *at*: totals since the start, and the recent p95."""

    at: datetime
    calls: int
    errors: int
    p95_ms: float
    state: str


@dataclass(frozen=True, slots=True)
class Line:
    """One log record about an instance; *number* grows and is never used twice."""

    number: int
    at: datetime
    level: str
    event: str
    fields: dict[str, str]


class Watch(logging.Handler):
    """Keeps figures and log lines by instance while the hub runs."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(logging.DEBUG)
        self._hub = hub
        self._samples: dict[str, deque[Sample]] = {}
        self._lines: dict[str, deque[Line]] = {}
        self._number = 0

    async def watch(self) -> None:
        """Listen and count until cancelled."""
        parent = logging.getLogger("deskhub")
        parent.addHandler(self)
        try:
            while True:
                self.sample()
                await asyncio.sleep(SAMPLE_EVERY_S)
        finally:
            parent.removeHandler(self)

    def sample(self) -> None:
        """Take every instance's figures now."""
        running = [one for one in self._hub.host.all_instances() if not one.built_in]
        for one in running[:INSTANCES]:
            figures = one.guard.figures
            self._samples.setdefault(one.id, deque(maxlen=SAMPLES)).append(
                Sample(
                    self._hub.clock.now(),
                    figures.calls,
                    figures.errors,
                    round(figures.p95_ms, 1),
                    one.state,
                )
            )

    def emit(self, record: logging.LogRecord) -> None:
        """Keep *record* if it is about an instance; of an exception, its class and place."""
        instance = getattr(record, "instance", None)
        if not isinstance(instance, str):
            return
        if instance not in self._lines and len(self._lines) >= INSTANCES:
            return
        fields = {key: str(value)[:500] for key, value in fields_of(record).items()}
        fields.pop("instance", None)
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = _place(record)
        self._number += 1
        self._lines.setdefault(instance, deque(maxlen=LINES)).append(
            Line(
                self._number,
                datetime.fromtimestamp(record.created, UTC),
                record.levelname.lower(),
                record.getMessage()[:500],
                fields,
            )
        )

    def refused_webhooks(self) -> dict[str, tuple[int, datetime]]:
        """Return of each instance how many webhooks were refused lately, and since when."""
        found = {}
        for instance, lines in self._lines.items():
            times = [line.at for line in lines if line.event == "webhook_forged"]
            if times:
                found[instance] = (len(times), times[0])
        return found

    def samples(self, instance: str) -> list[Sample]:
        """Return what was counted of *instance*, oldest first."""
        return list(self._samples.get(instance, ()))

    def lines(self, one: Running, after: int = 0) -> list[Line]:
        """Return the log of *one* after line *after*, oldest first, without its secrets."""
        secrets = [text for text in one.secrets().values() if len(text) >= SECRET_CHARS]
        return [
            Line(
                line.number,
                line.at,
                line.level,
                without(line.event, secrets),
                {key: without(value, secrets) for key, value in line.fields.items()},
            )
            for line in self._lines.get(one.id, ())
            if line.number > after
        ]


def without(text: str, secrets: list[str]) -> str:
    """Return *text* with every one of *secrets* hidden."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _place(record: logging.LogRecord) -> str:
    """Return the class of a record's exception and the line that raised it, not its text."""
    kind, _, traceback = record.exc_info or (None, None, None)
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    name = kind.__name__ if kind is not None else ""
    if traceback is None:
        return name
    code = traceback.tb_frame.f_code
    return f"{name} at {code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno}"
