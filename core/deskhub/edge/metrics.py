"""One process's figures in Prometheus text; labels are words of the code, never ids.

Parts count for themselves (`deskhub.figures`); here is only what they are called. A scrape
reads a bounded number of figures, however many people are connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from deskhub import __version__
from deskhub.errors import HubError
from deskhub.figures import Spread, Tally
from deskhub.store import runs

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

LAG_EVERY_S = 0.25
# Counting open runs asks the database; a scrape never does.
RUNS_EVERY_S = 5.0


class Metrics(Collector):
    """What the hub's parts counted, under the names of docs/reference/metrics.md."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._requests = Tally()
        self._request_s: dict[str, Spread] = {}
        self._lag = Spread()
        self._pauses = Spread()
        self._pause_began = 0.0
        self._open_runs: dict[str, int] = {}
        self._started_at = hub.clock.now().timestamp()
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; a WebSocket's life is no latency."""
        self._requests.add(method, route, str(status))
        if method != "WEBSOCKET":
            spread = self._request_s.get(route)
            if spread is None:
                spread = self._request_s[route] = Spread()
            spread.observe(seconds)

    async def watch(self) -> None:
        """Measure the loop's lag and the collector's pauses until cancelled."""
        gc.callbacks.append(self._collecting)
        runs_due = 0.0
        try:
            while True:
                started = time.perf_counter()
                await asyncio.sleep(LAG_EVERY_S)
                self._lag.observe(max(0.0, time.perf_counter() - started - LAG_EVERY_S))
                if started >= runs_due:
                    runs_due = started + RUNS_EVERY_S
                    await self._count_runs()
        finally:
            gc.callbacks.remove(self._collecting)

    def collect(self) -> Iterable[Metric]:
        """Return every figure; called for each scrape."""
        yield from self._process()
        yield from self._edge()
        yield from self._store()
        yield from self._stream()
        yield from self._adapters()
        yield from self._actions()
        yield from self._files()
        yield from self._mails()
        yield from self._deliveries()

    def _process(self) -> Iterator[Metric]:
        info = InfoMetricFamily("deskhub", "Which version runs.")
        info.add_metric([], {"version": __version__})
        yield info
        yield _gauge("deskhub_start_time_seconds", "When it started, since 1970.",
                     self._started_at)  # fmt: skip
        yield _gauge("deskhub_draining", "1 while it is about to end.", self._hub.draining)
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = CounterMetricFamily("deskhub_cpu_seconds", "Processor time used.")
        cpu.add_metric([], used.ru_utime + used.ru_stime)
        yield cpu
        yield _gauge("deskhub_resident_bytes", "Memory in use.", _resident_bytes())
        # Where a leak shows first: none of the three grows with time.
        yield _gauge("deskhub_tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))
        yield _gauge("deskhub_threads", "Threads.", threading.active_count())
        yield _gauge("deskhub_open_files", "Open descriptors.", _open_files())
        yield _spread("deskhub_loop_lag_seconds", "How late the event loop woke up.",
                      self._lag)  # fmt: skip
        yield _spread("deskhub_gc_pause_seconds", "How long a garbage collection took.",
                      self._pauses)  # fmt: skip

    def _edge(self) -> Iterator[Metric]:
        yield _tally("deskhub_requests", "Requests answered.", ("method", "route", "status"),
                     self._requests)  # fmt: skip
        yield _spreads("deskhub_request_seconds", "Time to the end of the answer.", "route",
                       self._request_s)  # fmt: skip
        yield _gauge("deskhub_sockets", "Open WebSockets, greeted or not.",
                     self._hub.guard.open_sockets)  # fmt: skip

    def _store(self) -> Iterator[Metric]:
        store = self._hub.store
        figures = store.figures
        yield _gauge("deskhub_writer_queue", "Writes that wait for a commit.",
                     store.queue_depth)  # fmt: skip
        yield _spread("deskhub_command_seconds", "From asking to write to the answer.",
                      figures.command_s)  # fmt: skip
        yield _spread("deskhub_commit_seconds", "One group commit.", figures.commit_s)
        yield _spread("deskhub_commit_commands", "How many commands a commit held.",
                      figures.batch)  # fmt: skip
        yield _tally("deskhub_writes_refused", "Writes refused, by why.", ("why",),
                     figures.refused)  # fmt: skip

    def _stream(self) -> Iterator[Metric]:
        figures = self._hub.streams.figures
        yield _levels("deskhub_sessions", "Open sessions.", "kind", figures.open)
        yield _levels("deskhub_polls", "Waiting long polls.", "kind", figures.polls)
        yield _tally("deskhub_resumes", "How clients came back: resumed, fresh, or a reset's "
                     "reason.", ("transport", "outcome"), figures.resumes)  # fmt: skip
        yield _tally("deskhub_closes", "Sockets that ended, by close code.", ("code",),
                     figures.closes)  # fmt: skip
        yield _tally("deskhub_shed", "What was left out while too many writes waited.",
                     ("what",), figures.shed)  # fmt: skip
        yield _tally("deskhub_lags", "Slow readers that were told so.", (), figures.lags)

    def _adapters(self) -> Iterator[Metric]:
        running = [one for one in self._hub.host.all_instances() if not one.built_in]
        calls = CounterMetricFamily(
            "deskhub_adapter_calls", "Calls of an adapter, by how they ended.",
            labels=("tenant", "instance", "outcome"),
        )  # fmt: skip
        seconds = HistogramMetricFamily(
            "deskhub_adapter_seconds", "Time of a call.", labels=("tenant", "instance")
        )
        states = GaugeMetricFamily(
            "deskhub_adapter_state", "1 for the state an instance is in.",
            labels=("tenant", "instance", "state"),
        )  # fmt: skip
        for one in running:
            figures, of = one.guard.figures, (one.tenant, one.id)
            ended = {"error": figures.errors, "late": figures.late}
            ended["ok"] = figures.calls - figures.errors - figures.late
            for outcome, count in (*sorted(ended.items()), ("busy", figures.busy)):
                calls.add_metric((*of, outcome), count)
            seconds.add_metric(of, *_buckets(figures.seconds))
            states.add_metric((*of, one.state), 1)
        yield from (calls, seconds, states)

    def _actions(self) -> Iterator[Metric]:
        open_ = GaugeMetricFamily(
            "deskhub_runs_open", "Actions under way or with a person, all processes.",
            labels=("state",),
        )  # fmt: skip
        for state in (*runs.LIVE, "attention"):
            open_.add_metric((state,), self._open_runs.get(state, 0))
        yield open_
        yield _tally("deskhub_runs_ended", "Actions that ended here, by how.", ("state",),
                     self._hub.actions.ended)  # fmt: skip

    def _files(self) -> Iterator[Metric]:
        yield _tally("deskhub_uploads", "Uploads that ended, by how.", ("outcome",),
                     self._hub.files.ended)  # fmt: skip

    def _deliveries(self) -> Iterator[Metric]:
        yield _tally("deskhub_deliveries", "Attempts at outbound webhooks, by how they ended.",
                     ("outcome",), self._hub.subscriptions.ended)  # fmt: skip

    def _mails(self) -> Iterator[Metric]:
        yield _tally("deskhub_mails", "Mails to customers, by how they ended here.",
                     ("kind", "outcome"), self._hub.mail.ended)  # fmt: skip
        yield _tally("deskhub_pushes", "Notices to browsers, by how they ended here.",
                     ("outcome",), self._hub.push.ended)  # fmt: skip

    async def _count_runs(self) -> None:
        with contextlib.suppress(HubError):
            self._open_runs = await self._hub.store.read(runs.count_open)

    def _collecting(self, phase: str, _: dict[str, Any]) -> None:
        if phase == "start":
            self._pause_began = time.perf_counter()
        else:
            self._pauses.observe(time.perf_counter() - self._pause_began)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _levels(name: str, text: str, label: str, tally: Tally) -> Metric:
    found = GaugeMetricFamily(name, text, labels=(label,))
    for labels, count in sorted(tally.counts.items()):
        found.add_metric(labels, count)
    return found


def _tally(name: str, text: str, labels: Sequence[str], tally: Tally) -> Metric:
    found = CounterMetricFamily(name, text, labels=tuple(labels))
    if not labels:
        found.add_metric((), tally.counts.get((), 0))
    else:
        for values, count in sorted(tally.counts.items()):
            found.add_metric(values, count)
    return found


def _spread(name: str, text: str, spread: Spread) -> Metric:
    found = HistogramMetricFamily(name, text)
    found.add_metric((), *_buckets(spread))
    return found


def _spreads(name: str, text: str, label: str, spreads: dict[str, Spread]) -> Metric:
    found = HistogramMetricFamily(name, text, labels=(label,))
    for value, spread in sorted(spreads.items()):
        found.add_metric((value,), *_buckets(spread))
    return found


def _buckets(spread: Spread) -> tuple[list[tuple[str, float]], float]:
    """Return the counts as Prometheus wants them: each with all that are smaller."""
    counts = list(spread.counts)
    told, below = [], 0
    for bound, count in zip(spread.bounds, counts, strict=False):
        below += count
        told.append((f"{bound:g}", float(below)))
    told.append(("+Inf", float(below + counts[-1])))
    return told, spread.total


def _resident_bytes() -> int:
    """Return the memory in use where the system tells it cheaply (Linux), else the most."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _open_files() -> int:
    """Return how many descriptors are open where the system tells it (Linux), else 0."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
