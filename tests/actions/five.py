"""Five systems in memory that count their effects, and a store that can crash."""

from __future__ import annotations

import functools
import itertools
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from deskhub.actions.calls import journalled, key_for, plain
from deskhub.actions.engine import Engine
from deskhub.actions.journal import Journal
from deskhub.actions.kinds import ORDER_RETURN
from deskhub.actions.planner import Absent, Offer, arrange
from deskhub.actions.registry import Registry
from deskhub.identity.model import Principal
from deskhub.store import runs
from deskhub.store.metadata import metadata
from deskhub.store.runs import RunRow, StepRow
from deskhub.store.tables import actions as tables
from deskhub_sdk import records
from deskhub_sdk.errors import NotSent, OutcomeUnknown, Rejected, Throttled
from deskhub_sdk.records import Money, Order, OrderLine
from deskhub_sdk.steps import Preview, Refusal, ReturnLine, StepSpec, Subject

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LI_WEI = Principal(tenant="main", kind="agent", id="a_li", name="Li Wei", role="agent")
CHEN = Principal(tenant="main", kind="agent", id="a_chen", name="Chen", role="agent")

ORDER = Order(
    id="1042", number="1042", customer="C-1001", status="delivered", placed_at=START,
    updated_at=START, version=3, total=Money("428.00", "CNY"), refunded=Money("0.00", "CNY"),
    lines=(
        OrderLine(id="1", sku="TS-42", title="Trail Shoe 42", quantity=2, returnable=2,
                  unit_price=Money("199.50", "CNY"), product="TS-42"),
        OrderLine(id="2", sku="MS-1", title="Merino socks", quantity=1, returnable=0,
                  unit_price=Money("29.00", "CNY"), note="Final sale"),
    ),
    payment="pay_1042", paid_with="Alipay",
)  # fmt: skip
SUBJECT = Subject(
    about=ORDER,
    lines=(ReturnLine(line="1", sku="TS-42", title="Trail Shoe 42", quantity=2,
                      amount=Money("399.00", "CNY")),),
    amount=Money("399.00", "CNY"),
    reason="damaged",
)  # fmt: skip


class Crash(BaseException):
    """The process is gone: nothing that it would have done afterwards happens."""


@dataclass
class HandClock:
    """Time that moves only when it is told to."""

    at: datetime = START
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.at + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Tx:
    """A transaction of `CrashingStore`."""

    tenant: str
    now: datetime
    connection: sa.Connection
    events: list = field(default_factory=list)
    said: list = field(default_factory=list)

    def append(self, kind, *, conversation, audience, by, data, cid=None) -> int:
        json.dumps(data)
        self.events.append((kind, conversation, audience, by, data))
        return len(self.events)

    def chat(self, principal, command, cid):
        self.said.append((principal, command, cid))


TABLES = (
    tables.action_plan, tables.action_approval, tables.action_run, tables.action_step, tables.action_attempt,
    tables.audit,
)  # fmt: skip


@functools.cache
def shared_engine() -> sa.Engine:
    """Return the one database in memory, so that statements are compiled once."""
    engine = sa.create_engine(
        "sqlite://",
        poolclass=sa.pool.StaticPool,
        connect_args={"check_same_thread": False, "isolation_level": None},
    )
    sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
    metadata.create_all(engine, tables=list(TABLES))
    return engine


class CrashingStore:
    """The journal's real tables in memory; dies before or after a chosen write."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.engine = shared_engine()
        with self.engine.begin() as connection:
            for table in TABLES:
                connection.execute(table.delete())
        self.events: list = []
        self.said: list = []
        self.writes = 0
        self.crash_before: int | None = None
        self.crash_after: int | None = None
        self.dead = False

    def close(self) -> None:
        """Do nothing: the next store wipes the tables."""

    async def transact(self, tenant, work):
        self.writes += 1
        if self.dead or self.writes == self.crash_before:
            self.dead = True
            raise Crash
        with self.engine.begin() as connection:
            tx = Tx(tenant, self.clock.now(), connection)
            result = work(tx)
        self.events += tx.events
        self.said += tx.said
        if self.writes == self.crash_after:
            self.dead = True
            raise Crash
        return result

    async def read(self, query):
        if self.dead:
            raise Crash
        with self.engine.connect() as connection:
            return query(connection)

    def restart(self) -> None:
        """Let a new process use the same database."""
        self.dead = False
        self.crash_before = self.crash_after = None


@dataclass
class System:
    """The far side of one step: has effects once or more, depending on what it can do."""

    dedupe: str
    effects: Counter = field(default_factory=Counter)
    undone: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    undo_faults: list[str] = field(default_factory=list)
    lookup_faults: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def apply(self, key: str) -> None:
        if self.dedupe == "key" and self.effects[key]:
            return
        self.effects[key] += 1

    def run(self, key: str):
        self.calls.append("run")
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "refused":
            if self.dedupe == "key" and self.effects[key]:
                return {"ref": key}
            raise Rejected("no")
        if fault == "not_sent":
            raise NotSent("line is down")
        if fault == "throttled":
            raise Throttled("later", retry_after_s=0.0)
        if fault == "timeout_before":
            raise OutcomeUnknown("timed out")
        if fault == "error_500":
            raise RuntimeError("500")
        self.apply(key)
        if fault == "duplicate" and self.dedupe == "key":
            self.apply(key)
        if fault == "timeout_after":
            raise TimeoutError
        if fault == "error_after":
            raise OutcomeUnknown("502")
        return {"ref": key}

    def lookup(self, key: str):
        self.calls.append("lookup")
        if self.lookup_faults:
            self.lookup_faults.pop(0)
            raise OutcomeUnknown("502")
        return {"ref": key} if self.effects[key] else None

    def undo(self, key: str) -> None:
        self.calls.append("undo")
        fault = self.undo_faults.pop(0) if self.undo_faults else ""
        if fault == "refused":
            raise Rejected("shipped already")
        if fault == "timeout_before":
            raise OutcomeUnknown("timed out")
        self.undone[key] = min(1, self.effects[key])
        if fault == "timeout_after":
            raise TimeoutError

    @property
    def count(self) -> int:
        return sum(self.effects.values())

    @property
    def net(self) -> int:
        return self.count - sum(self.undone.values())


def spec(name, provides, kind, dedupe, needs=(), action=ORDER_RETURN.id, system="") -> StepSpec:
    return StepSpec(
        action=action, name=name, provides=provides, needs=needs, kind=kind, dedupe=dedupe,
        system=system or name, timeout_s=5.0, done=f"{name} is done.",
        not_done=f"{name} is not done.", can_lookup=dedupe == "lookup",
    )  # fmt: skip


RETURN = (
    ("orders", "Authorize", "authorized", "compensable", ()),
    ("erp", "ExpectReceipt", "restocked", "compensable", ("authorized",)),
    ("erp", "DraftCreditNote", "credited", "compensable", ("authorized",)),
    ("payments", "Refund", "refunded", "pivot", ("authorized",)),
    ("crm", "NoteActivity", "noted", "retriable", ("refunded",)),
    ("tickets", "OpenCase", "noted", "retriable", ("refunded",)),
)
DEDUPE = ("key", "lookup", "key", "key", "lookup", "key")


class FiveSystems:
    """A `StepRunner` over in-memory systems."""

    def __init__(self, dedupe=DEDUPE) -> None:
        self.offered = [
            Offer(instance, spec(name, provides, kind, how, needs), "1")
            for (instance, name, provides, kind, needs), how in zip(RETURN, dedupe, strict=True)
        ]
        self.systems = {o.spec.name: System(o.spec.dedupe) for o in self.offered}
        self.previews: dict[str, Preview | Refusal | Exception] = {}
        self.away: list[Absent] = []
        self.during = None
        self.facts_seen: dict[str, dict] = {}
        self.versions: dict[str, str] = {}

    def offers(self, tenant, action):
        return [offer for offer in self.offered if offer.spec.action == action]

    def absent(self, tenant, action):
        return self.away

    def version(self, tenant, step):
        return self.versions.get(step.instance, "1")

    async def preview(self, tenant, step, call):
        answer = self.previews.get(step.spec.name)
        if isinstance(answer, Exception):
            raise answer
        return answer or Preview(title=step.spec.name, changes=(), fingerprint="f1")

    async def run(self, tenant, step, call):
        self.facts_seen[step.spec.name] = dict(call.facts)
        if self.during is not None:
            await self.during(step, call)
        return self.systems[step.spec.name].run(call.key)

    async def lookup(self, tenant, step, call):
        return self.systems[step.spec.name].lookup(call.key)

    async def undo(self, tenant, step, call, fact):
        return self.systems[step.spec.name].undo(call.key)


_numbers = itertools.count(1)


def planned_run(clock, five: FiveSystems, run_id="r_1", object_="orders:1042") -> RunRow:
    draft = arrange(ORDER_RETURN, five.offers("main", ORDER_RETURN.id), {})
    steps = tuple(
        StepRow(
            id=placed.id, position=at, wave=placed.wave, instance=placed.offer.instance,
            version="1", spec=plain(placed.spec),
            shown={"title": placed.spec.name, "detail": "", "changes": [], "fingerprint": "f1"},
            key=key_for(run_id, placed.id),
        )
        for at, placed in enumerate(draft.steps)
    )  # fmt: skip
    return RunRow(
        tenant="main", id=run_id, number=next(_numbers), type=ORDER_RETURN.id, object=object_,
        conversation="c_1", inbox="shop", visitor="v_1", language="en", plan="p_1",
        digest="sha256:1",
        basis="sha256:1", input={"object": object_, "message": ""}, subject=plain(SUBJECT),
        customer=plain(records.Customer(id="u_1", tenant="main", subject="C-1001")),
        actor=journalled(LI_WEI), started_at=clock.now(), lease_until=clock.now(), steps=steps,
    )  # fmt: skip


async def no_beat(*_args) -> None:
    """Stand in for waiting: pauses are zero in these tests."""


def engine_on(store, five, clock, *, owner="w1", pauses=(0, 0), journal=Journal):
    desk = journal(store, Registry(), clock, owner=owner)
    return desk, Engine(desk, five, clock, pauses_s=pauses)


async def start(store, clock, five, **changes) -> RunRow:
    run = planned_run(clock, five, **changes)
    await store.transact("main", lambda tx: runs.insert_run(tx.connection, run))
    return run


async def drive(store, five, clock, run_id="r_1", **options):
    """Take the run as a new process would, and drive it."""
    desk, engine = engine_on(store, five, clock, **options)
    lease = await desk.claim("main", run_id)
    assert lease is not None
    return await engine.drive(lease)


async def loaded(store, run_id="r_1") -> RunRow:
    return await store.read(lambda c: runs.load_run(c, "main", run_id))
