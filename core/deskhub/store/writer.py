"""Group commit: one thread writes; what waits while it commits is the next batch.

There is no timer. An idle hub commits a command at once, a busy one batches by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from deskhub.clock import Clock
from deskhub.errors import Busy, HubError, Invalid, StoreDown
from deskhub.figures import SIZES, Spread, Tally
from deskhub.store.batch import Asked, Batch
from deskhub.store.database import Database
from deskhub.store.event import Event
from deskhub.store.failpoints import reach
from deskhub.store.failures import is_conflict, is_down, is_unstorable
from deskhub.store.known import Known
from deskhub.store.sabotage import sabotaged
from deskhub.store.tx import Tx

log = logging.getLogger("deskhub.store")

QUEUE_MAX = 5_000
BATCH_MAX = 256
# A transaction that left nothing behind is tried this often again, at once.
AGAIN = 2

Work = Callable[[Tx], Any]


@dataclass(slots=True, eq=False)
class Job:
    """Something to write: a chat command or a piece of work, and who waits for it."""

    tenant: str
    what: Asked | Work
    future: asyncio.Future[Any]
    at: float
    outcome: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class Committed:
    """What one transaction did."""

    jobs: list[Job]
    events: dict[str, list[Event]] = field(default_factory=dict)
    logs: dict[str, tuple[str, int]] = field(default_factory=dict)


class WriterFigures:
    """What the writer did: *command_s* from asking to the answer, *commit_s* of it writing."""

    def __init__(self) -> None:
        """Start empty."""
        self.command_s = Spread()
        self.commit_s = Spread()
        self.batch = Spread(SIZES)
        self.refused = Tally()


class Writer:
    """Owns the writing connection and its thread."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        committed: Callable[[dict[str, list[Event]], dict[str, tuple[str, int]]], None],
    ) -> None:
        """Write to *database*; call *committed* on the loop after every commit."""
        self._database = database
        self._clock = clock
        self._committed = committed
        self._inbox: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._waiting: list[Job] = []
        self._in_flight = 0
        self._connection: sa.Connection | None = None
        self._known: dict[str, Known] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._kicked = False
        self._is_down = False
        self._stopped = False
        self._is_committing = False
        self._drained = asyncio.Event()
        self.figures = WriterFigures()

    @property
    def depth(self) -> int:
        """Return how many commands wait for their commit."""
        return self._in_flight

    def submit(self, tenant: str, what: Asked | Work) -> asyncio.Future[Any]:
        """Queue *what*; the future ends on this loop after the commit. Raises `Busy`."""
        if self._in_flight >= QUEUE_MAX or self._stopped:
            self.figures.refused.add("busy")
            raise Busy(f"{self._in_flight} commands wait", after_ms=1_000)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._in_flight += 1
        self._waiting.append(Job(tenant, what, future, time.perf_counter()))
        if not self._kicked:
            # Everything that arrives in this turn of the loop goes over together.
            self._kicked = True
            loop.call_soon(self._kick)
        return future

    async def run(self) -> None:
        """Write until cancelled; then finish what waits and end the thread."""
        self._loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        thread = threading.Thread(
            target=self._write_forever, args=(ended,), name="deskhub-writer", daemon=True
        )
        thread.start()
        try:
            await ended.wait()
        finally:
            self._stopped = True
            self._kick()
            self._inbox.put(None)
            thread.join()
            self._stopped = False

    def _kick(self) -> None:
        self._kicked = False
        if self._waiting:
            self._inbox.put(self._waiting)
            self._waiting = []

    def _write_forever(self, ended: asyncio.Event) -> None:
        rest: list[Job] = []
        stopping = False
        while not (stopping and not rest):
            jobs = rest
            while len(jobs) < BATCH_MAX and not stopping:
                try:
                    more = self._inbox.get(block=not jobs)
                except queue.Empty:
                    break
                stopping = more is None
                jobs = jobs + more if more else jobs
            jobs, rest = jobs[:BATCH_MAX], jobs[BATCH_MAX:]
            if jobs:
                began = time.perf_counter()
                done = self._database.enter(partial(self._commit, jobs))
                self.figures.commit_s.observe(time.perf_counter() - began)
                self.figures.batch.observe(len(jobs))
                self._tell(done)
        self._database.enter(self._disconnect)
        self._database.left()
        assert self._loop is not None  # noqa: S101  set by run
        self._loop.call_soon_threadsafe(ended.set)

    def _tell(self, done: Committed) -> None:
        assert self._loop is not None  # noqa: S101  set by run
        try:
            self._loop.call_soon_threadsafe(self._finish, done)
        except RuntimeError:
            log.warning("loop_gone", extra={"jobs": len(done.jobs)})

    def _finish(self, done: Committed) -> None:
        self._in_flight -= len(done.jobs)
        reach("finish.before_fan_out")
        if done.logs:
            self._committed(done.events, done.logs)
        reach("finish.before_answers")
        now, observe = time.perf_counter(), self.figures.command_s.observe
        for job in done.jobs:
            if job.future.done():
                continue
            observe(now - job.at)
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.outcome)
        reach("finish.after_answers")

    # From here on everything runs on the writer's thread.

    def _commit(self, jobs: list[Job]) -> Committed:
        # A piece of work must not run twice for a repetition that somebody else sent.
        careful = not all(isinstance(job.what, Asked) for job in jobs)
        try:
            try:
                done = self._attempt(jobs, careful=careful)
            except sa.exc.IntegrityError:
                if careful:
                    raise
                done = self._attempt(jobs, careful=True)
        except Exception as error:  # noqa: BLE001  one poisoned command must not wedge the rest
            if is_down(error) or is_conflict(error):
                return self._down(jobs, error)
            return self._one_by_one(jobs, error)
        if self._is_down:
            self._is_down = False
            log.info("store_back", extra={"jobs": len(jobs)})
        return done

    def _attempt(self, jobs: list[Job], *, careful: bool) -> Committed:
        """Do the transaction, and again where it certainly left nothing behind.

        A connection that died while it was idle says so at the first statement; two processes
        that met undo one of them. What fails during the commit may have been committed.
        """
        for _ in range(AGAIN):
            try:
                return self._transaction(jobs, careful=careful)
            except Exception as error:
                again = self._database.is_shared and not self._is_committing
                if not again or not (is_down(error) or is_conflict(error)):
                    raise
        return self._transaction(jobs, careful=careful)

    def _transaction(self, jobs: list[Job], *, careful: bool) -> Committed:
        self._is_committing = False
        done = Committed(jobs)
        now = self._clock.now()
        batches = []
        try:
            connection = self._connect()
            with connection.begin():
                for tenant, part in _by_tenant(jobs):
                    known = self._known.setdefault(tenant, Known())
                    batch = Batch(connection, tenant, now, known)
                    asked = [job.what for job in part if isinstance(job.what, Asked)]
                    batch.prefetch(asked, careful=careful)
                    reach("batch.locked")
                    for number, job in enumerate(part):
                        _run(batch, job)
                        if number == len(part) // 2:
                            reach("batch.half")
                    batch.finish()
                    batches.append(batch)
                    done.events[tenant] = batch.written
                    done.logs[tenant] = (batch.epoch, batch.head)
                if sabotaged("ack_before_commit"):
                    self._tell(done)
                    time.sleep(0.05)
                reach("batch.written")
                self._is_committing = True
            reach("commit.done")
            self._database.between(connection)
        except BaseException:
            self._known.clear()
            self._disconnect()
            raise
        for batch in batches:
            batch.committed()
        return Committed([]) if sabotaged("ack_before_commit") else done

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._database.writer.connect()
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                connection.close()

    def _down(self, jobs: list[Job], error: Exception) -> Committed:
        if not self._is_down:
            self._is_down = True
            log.error(
                "store_down", extra={"error": type(error).__name__, "why": str(error.__cause__)}
            )
        self.figures.refused.add("store_down", count=len(jobs))
        for job in jobs:
            job.outcome, job.error = None, StoreDown("the commit failed", after_ms=1_000)
        return Committed(jobs)

    def _one_by_one(self, jobs: list[Job], error: Exception) -> Committed:
        log.error("batch_failed", extra={"jobs": len(jobs)}, exc_info=error)
        done = Committed(jobs)
        for job in jobs:
            job.outcome, job.error = None, None
            try:
                alone = self._transaction([job], careful=True)
            except Exception as poison:  # noqa: BLE001  its sender gets it, nobody else
                if is_down(poison):
                    self._down([job], poison)
                else:
                    job.error = _said(poison)
            else:
                for tenant, events in alone.events.items():
                    done.events.setdefault(tenant, []).extend(events)
                done.logs |= alone.logs
        return done


def _by_tenant(jobs: Sequence[Job]) -> list[tuple[str, list[Job]]]:
    parts: dict[str, list[Job]] = {}
    for job in jobs:
        parts.setdefault(job.tenant, []).append(job)
    return sorted(parts.items())


def _run(batch: Batch, job: Job) -> None:
    """Run one job so that its failure is its own."""
    what = job.what
    job.outcome, job.error = None, None
    if isinstance(what, Asked):
        try:
            job.outcome = batch.chat(what)
        except HubError as error:
            job.error = error
        return
    batch.flush()
    place = batch.checkpoint()
    savepoint = batch.connection.begin_nested()
    try:
        job.outcome = what(Tx(batch))
        batch.flush()
    except Exception as error:
        if is_down(error) or is_conflict(error):
            raise
        # The work's own fault: it alone is undone.
        savepoint.rollback()
        batch.rewind(place)
        job.error = _said(error)
    else:
        savepoint.commit()


def _said(error: Exception) -> Exception:
    """Return *error*, or what it means to whoever asked for something that cannot be kept."""
    if is_unstorable(error):
        return Invalid("a text holds a character that cannot be stored")
    return error
