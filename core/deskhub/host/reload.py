"""hub.toml while the hub runs: watched, checked as a whole, planned, and brought about.

A file with a mistake changes nothing: the last good one holds, and the mistake is told. An
instance that cannot be started as the file says runs on as it was.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from deskhub.clock import Clock
from deskhub.config import Config, ConfigProblems, Instance, Problem, load
from deskhub.config.edit import Draft, Edit, NotEditable, edited, why_not
from deskhub.errors import Busy, HubError, StoreDown
from deskhub.host.errors import ConfigNotEditable, ConfigRefused
from deskhub.host.examined import examine
from deskhub.host.host import Host
from deskhub.host.plan import AT_START, Change, attainable, planned
from deskhub.store import audit
from deskhub.store.in_use import moves_with
from deskhub.store.store import Store
from deskhub_sdk import AdapterError

# Two looks that agree: an editor that writes in pieces is waited for.
LOOK_EVERY_S = 0.5
# A step takes its system's 15 s at most, and few runs have more than two waves left.
RUNS_END_S = 45.0
RUNS_LOOK_S = 0.2
FILE_ITSELF = "hub.toml"

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Status:
    """How the file and what runs stand to each other.

    *problems* keep the file from being used. *kept* says of instances why they run on as
    they were, *waiting* what holds after the next start of the hub only. *digest* is that of
    the text that was looked at last, *at* when that was.
    """

    at: datetime
    digest: str = ""
    problems: ConfigProblems | None = None
    done: tuple[Change, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    waiting: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """An edit that was not made: the text's difference, and what it would do."""

    draft: Draft
    changes: tuple[Change, ...]


class Reload:
    """Keeps what runs at what hub.toml says. One for each process."""

    def __init__(
        self,
        config: Config,
        host: Host,
        store: Store,
        clock: Clock,
        *,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        """Take *config* for what runs; the file is looked at every *look_every_s* seconds."""
        self._path = config.path
        self._running = _as_written(config)
        self._host = host
        self._store = store
        self._clock = clock
        self._every_s = look_every_s
        self._asked = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._seen = _stamp(config.path)
        self.status = Status(clock.now(), _digest(_text(config.path)))

    async def run(self) -> None:
        """Follow the file until cancelled; `ask` has it read at once, changed or not."""
        before = self._seen
        while True:
            try:
                async with asyncio.timeout(self._every_s):
                    await self._asked.wait()
            except TimeoutError:
                now = _stamp(self._path)
                if now in (None, self._seen) or now != before:
                    before = now
                    continue
            self._asked.clear()
            before = self._seen = _stamp(self._path)
            await self.load()

    def ask(self) -> None:
        """Have the file read now, secrets and installed adapters with it (SIGHUP)."""
        self._asked.set()

    @property
    def path(self) -> Path:
        """Return the file."""
        return self._path

    @property
    def read_only(self) -> str:
        """Return why the file cannot be edited from here, or nothing."""
        return why_not(self._path) if self._path.exists() else f"{FILE_ITSELF} is not there"

    def text(self) -> str:
        """Return the file as it stands."""
        return _text(self._path)

    @property
    def digest(self) -> str:
        """Return what names the file's present text."""
        return _digest(self.text())

    async def plan(self) -> tuple[ConfigProblems | None, tuple[Change, ...]]:
        """Return what `load` would meet and do now; changes nothing."""
        wanted, problems = await self._examined(self.text())
        if wanted is None or problems.problems:
            return problems, ()
        return None, await self._changes(wanted)

    async def load(self) -> Status:
        """Read the file and bring about what it says; return how that went."""
        async with self._one_at_a_time:
            self.status = await self._load()
        return self.status

    async def propose(self, edits: Sequence[Edit], digest: str = "") -> Proposal:
        """Return what *edits* of the file would change in it and in the hub; writes nothing.

        Raises `ConfigRefused` with every problem they would make, and `ConfigNotEditable`
        when they cannot be made or the file is not the one of *digest* any more.
        """
        before = self.text()
        if digest and digest != _digest(before):
            raise ConfigNotEditable("hub.toml was changed meanwhile. Look at it again.")
        draft = self._drafted(before, edits)
        wanted, problems = await self._examined(draft.after)
        if wanted is None or problems.problems:
            raise ConfigRefused(problems.problems)
        return Proposal(draft, await self._changes(wanted))

    async def as_edited(
        self, instance: str, edits: Sequence[Edit]
    ) -> tuple[Instance | None, Sequence[Problem]]:
        """Return what *edits* would make of *instance*, switched on, or what is wrong with it.

        Nothing is written, and mistakes elsewhere in the file are not in the way. Raises
        `ConfigNotEditable`.
        """
        on = Edit(("adapters", instance, "enabled"), value=True)
        draft = self._drafted(self.text(), [*edits, on])
        wanted, found = await self._examined(draft.after)
        if wanted is None:
            return None, found.problems
        own = [one for one in found.problems if one.path[:2] == ("adapters", instance)]
        return (None, own) if own else (wanted.adapters.get(instance), ())

    async def edit(self, edits: Sequence[Edit], digest: str, *, by: str) -> Status:
        """Make *edits* in the file and bring them about; *by* is who wanted it.

        Raises as `propose` does; *digest* is that of the text they were shown in.
        """
        proposal = await self.propose(edits, digest)
        async with self._one_at_a_time:
            try:
                proposal.draft.write()
            except (NotEditable, OSError) as error:
                raise ConfigNotEditable(f"{error}.") from error
            # Read here; whoever watches the file has nothing to do for it.
            self._seen = _stamp(self._path)
            await self._record("config.edited", by, {"changes": _told(proposal.changes)})
            self.status = await self._load()
            return self.status

    def _drafted(self, before: str, edits: Sequence[Edit]) -> Draft:
        """Return *edits* of the text *before*. Raises `ConfigNotEditable`."""
        try:
            return Draft(self._path, before, edited(before, edits))
        except (NotEditable, ValueError) as error:
            raise ConfigNotEditable(f"This cannot be changed from here: {error}.") from error

    async def _load(self) -> Status:
        source = self.text()
        wanted, problems = await self._examined(source)
        fresh = Status(self._clock.now(), _digest(source))
        if wanted is None or problems.problems:
            texts = [f"{one.code} {one.what}" for one in problems.problems]
            log.error("config_refused", extra={"problems": texts})
            await self._record("config.refused", "system", {"problems": texts})
            return replace(fresh, problems=problems)
        changes = await self._changes(wanted)
        kept = await self._bring_about(wanted, changes)
        done = tuple(
            one for one in changes if one.kind != "hub" and one.instance not in dict(kept)
        )
        waiting = tuple(one for one in changes if one.kind == "hub")
        if done or kept:
            told = {"changes": _told(done), "kept": dict(kept), "waiting": _told(waiting)}
            log.info("config_applied", extra=told)
            await self._record("config.applied", "system", told)
        return replace(fresh, done=done, kept=kept, waiting=waiting)

    async def _examined(self, source: str) -> tuple[Config | None, ConfigProblems]:
        if not source:
            gone = Problem("DH100", (), f"{FILE_ITSELF} cannot be read",
                           fix="put it back; the hub runs on as it was")  # fmt: skip
            return None, ConfigProblems([gone], source, FILE_ITSELF)
        # It may import adapters that have no manifest.
        return await asyncio.to_thread(examine, self._path, source, self._host.points())

    async def _changes(self, wanted: Config) -> tuple[Change, ...]:
        renewed = await asyncio.to_thread(self._host.renewed)
        return planned(self._now(), wanted, renewed)

    def _now(self) -> Config:
        """Return what runs, as hub.toml would say it."""
        return self._running.model_copy(update={"adapters": dict(self._host.settings())})

    async def _bring_about(
        self, wanted: Config, changes: Sequence[Change]
    ) -> tuple[tuple[str, str], ...]:
        """Do what *changes* say; return which instances run on as they were, and why."""
        kept: dict[str, str] = {}

        async def one(change: Change) -> None:
            settings = wanted.adapters.get(change.instance)
            try:
                if change.kind == "in_place" and settings is not None:
                    self._host.limit(change.instance, settings)
                else:
                    if change.kind == "remove":
                        await self._let_runs_end(change.instance)
                    await self._host.change(change.instance, settings)
            except Exception as error:
                kept[change.instance] = _why(error)
                log.warning(
                    "instance_kept",
                    extra={"instance": change.instance, "why": kept[change.instance]},
                    exc_info=None if isinstance(error, AdapterError) else error,
                )

        async with asyncio.TaskGroup() as group:
            for change in changes:
                if change.instance and change.kind != "hub":
                    group.create_task(one(change), name=f"change:{change.instance}")
        self._host.rebind(wanted)
        self._running = attainable(self._running, wanted)
        return tuple(sorted(kept.items()))

    async def _let_runs_end(self, instance: str) -> None:
        """Keep *instance* out of new runs, and wait a while for those that go on by themselves.

        What waits for days or for a person is left: its steps are held until it is back.
        """
        one = self._host.instance(instance)
        one.is_retiring = True
        try:
            async with asyncio.timeout(RUNS_END_S):
                while True:
                    if not await self._store.read(
                        partial(moves_with, tenant=one.tenant, instance=instance)
                    ):
                        return
                    await asyncio.sleep(RUNS_LOOK_S)
        except TimeoutError:
            log.warning("runs_not_ended", extra={"instance": instance, "tenant": one.tenant})
        except (StoreDown, Busy):
            log.warning("runs_not_known", extra={"instance": instance, "tenant": one.tenant})

    async def _record(self, what: str, actor: str, data: Mapping[str, object]) -> None:
        """Write into the audit trail of every tenant; a database that is away stops nothing."""
        for tenant in self._running.tenants:
            try:
                await self._store.transact(
                    tenant,
                    lambda tx: audit.record(
                        tx.connection, tx.tenant, tx.now,
                        actor=actor, what=what, object_=FILE_ITSELF, data=dict(data),
                    ),
                )  # fmt: skip
            except (StoreDown, Busy):
                log.warning("config_not_recorded", extra={"what": what, "tenant": tenant})


def _as_written(config: Config) -> Config:
    """Return *config* without what the command line put in place of the file's settings."""
    try:
        file = load(config.path)
    except (ConfigProblems, OSError):
        return config
    return config.model_copy(update={part: getattr(file, part) for part in AT_START})


def _why(error: Exception) -> str:
    """Return the sentence for an instance that could not be changed."""
    if isinstance(error, AdapterError | HubError):
        return f"{error}"
    return f"It failed while starting ({type(error).__name__}); the log has the details."


def _told(changes: Sequence[Change]) -> list[str]:
    return [str(one) for one in changes]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _stamp(path: Path) -> Stamp | None:
    """Return what changes when the file does; None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
