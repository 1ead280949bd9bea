"""Every change of a run: fenced, durable, and in one commit with what people are shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from deskhub.actions.announce import announce
from deskhub.actions.calls import one_line
from deskhub.actions.errors import StaleFence
from deskhub.actions.moves import BACK
from deskhub.actions.ports import Transactions, Tx
from deskhub.actions.registry import Registry
from deskhub.actions.words import truth_text
from deskhub.clock import Clock
from deskhub.errors import NotFound
from deskhub.figures import Tally
from deskhub.store import audit, runs
from deskhub.store.runs import AttemptRow, RunRow, StepRow
from deskhub_sdk.steps import WAITING

log = logging.getLogger(__name__)

LEASE_S = 30.0


@dataclass(slots=True)
class Lease:
    """The right to write about a run, until another worker takes it.

    *until* is monotonic: a worker that slept through it must not even call.
    """

    tenant: str
    run: str
    fence: int
    until: float


class Journal:
    """Writes the journal of runs that this process holds."""

    def __init__(
        self,
        store: Transactions,
        types: Registry,
        clock: Clock,
        *,
        owner: str,
        lease_s: float = LEASE_S,
    ) -> None:
        """Write to *store* in the name of *owner*; a lease lasts *lease_s* seconds."""
        self._store = store
        self._types = types
        self._clock = clock
        self.owner = owner
        self.lease_s = lease_s
        self.ended = Tally()

    async def claim(self, tenant: str, run: str, former: str | None = None) -> Lease | None:
        """Take a run nobody holds (or that *former* held); None when another was faster."""

        def work(tx: Tx) -> int | None:
            return runs.claim(
                tx.connection,
                tenant,
                run,
                owner=self.owner,
                now=tx.now,
                until=self._until(tx.now),
                former=former,
            )

        # Taken before the write, so that the own idea of the lease never outlasts the row's.
        until = self._clock.monotonic() + self.lease_s
        fence = await self._store.transact(tenant, work)
        return None if fence is None else Lease(tenant, run, fence, until)

    async def load(self, lease: Lease) -> RunRow:
        """Return the run as it is now. Raises `StaleFence` when it has another holder."""
        run = await self._store.read(lambda c: runs.load_run(c, lease.tenant, lease.run))
        if run is None:
            raise NotFound(f"run {lease.run}")
        if run.fence != lease.fence:
            raise StaleFence(lease.run)
        return run

    async def renew(self, lease: Lease) -> None:
        """Lengthen the lease while a long call is under way; nobody is told."""

        def work(tx: Tx) -> None:
            until = self._until(tx.now)
            if not runs.hold(tx.connection, lease.tenant, lease.run, lease.fence, until):
                raise StaleFence(lease.run)

        until = self._clock.monotonic() + self.lease_s
        await self._store.transact(lease.tenant, work)
        lease.until = max(lease.until, until)

    def check(self, lease: Lease) -> None:
        """Raise `StaleFence` when the lease has run out here, before a call leaves."""
        if self._clock.monotonic() >= lease.until:
            raise StaleFence(f"{lease.run}: slept through the lease")

    async def intent(self, lease: Lease, step: StepRow) -> None:
        """Put on disk that *step* is about to be called."""
        await self._write(lease, lambda tx: self._step(tx, lease, step, "intent", started=True))

    async def attempt(self, lease: Lease, step: StepRow, attempt: AttemptRow) -> None:
        """Note a call that did not settle the step."""
        await self._write(
            lease,
            lambda tx: runs.add_attempt(
                tx.connection, lease.tenant, lease.run, step.id, attempt
            ),
        )

    async def settle(
        self,
        lease: Lease,
        step: StepRow,
        state: str,
        *,
        attempt: AttemptRow | None = None,
        fact: dict[str, Any] | None = None,
    ) -> None:
        """Put on disk how *step* ended: done, rejected, unknown, undone or undo_failed."""

        def change(tx: Tx) -> None:
            if attempt is not None:
                runs.add_attempt(tx.connection, lease.tenant, lease.run, step.id, attempt)
            text = attempt.text if attempt is not None else ""
            result = one_line(fact.get(WAITING, fact)) if fact is not None else text
            self._step(tx, lease, step, state, fact=fact, result=result)

        await self._write(lease, change)

    async def hold(self, lease: Lease, step: StepRow, state: str, why: str) -> None:
        """Put on disk that *step* is left to a person, with the reason."""
        await self._write(lease, lambda tx: self._step(tx, lease, step, state, result=why))

    async def sleep(self, lease: Lease, steps: Sequence[StepRow]) -> RunRow:
        """Put on disk what the run waits for, and give the lease back."""
        waits = [step.fact[WAITING] for step in steps if step.fact]
        until = min(datetime.fromisoformat(one["until"]) for one in waits)
        wake_on = next((str(one["wake_on"]) for one in waits), "")
        since = min(step.attempts[-1].at for step in steps if step.attempts)

        def change(tx: Tx) -> None:
            runs.update_run(
                tx.connection,
                lease.tenant,
                lease.run,
                state="waiting",
                wake_on=wake_on,
                wake_instance=wake_on.partition(":")[0],
                wake_at=until,
                waiting_since=since,
                owner="",
                lease_until=tx.now,
            )

        return await self._write(lease, change)

    async def wake(self, tenant: str, run_id: str, *, overdue: bool) -> None:
        """Let a waiting run go on; one whose time is up needs a person."""

        def work(tx: Tx) -> None:
            run = runs.load_run(tx.connection, tenant, run_id)
            if run is None or run.state != "waiting":
                return
            if overdue:
                runs.update_run(
                    tx.connection, tenant, run_id, state="attention", rev=run.rev + 1
                )
            else:
                wake_steps(tx, run)
                runs.update_run(
                    tx.connection,
                    tenant,
                    run_id,
                    state="running",
                    fence=run.fence + 1,
                    lease_until=tx.now,
                    rev=run.rev + 1,
                )
            self.tell(tx, run_id)

        await self._store.transact(tenant, work)

    async def undo_intent(self, lease: Lease, step: StepRow) -> None:
        """Put on disk that *step* is about to be taken back."""
        await self._write(lease, lambda tx: self._step(tx, lease, step, "undo_intent"))

    async def turn_back(self, lease: Lease, cause: StepRow) -> None:
        """Put on disk that everything is being undone because of *cause*."""
        why = f"{cause.spec['system']}: {cause.result}" if cause.result else truth_text(cause)
        await self._write(
            lease,
            lambda tx: runs.update_run(
                tx.connection,
                lease.tenant,
                lease.run,
                direction=BACK,
                state="compensating",
                cause=why,
            ),
        )

    async def finish(self, lease: Lease, state: str) -> RunRow:
        """End the run, or hand it to a person; the object is free unless it is attention."""

        def change(tx: Tx) -> None:
            values: dict[str, Any] = {"state": state}
            if state != "attention":
                values |= {"active": False, "ended_at": tx.now}
            runs.update_run(tx.connection, lease.tenant, lease.run, **values)

        run = await self._write(lease, change)
        self.ended.add(state)
        return run

    async def _write(self, lease: Lease, change: Callable[[Tx], None]) -> RunRow:
        """Make *change* if the fence still holds, and tell everybody in the same commit."""

        def work(tx: Tx) -> RunRow:
            until = self._until(tx.now)
            if not runs.hold(tx.connection, lease.tenant, lease.run, lease.fence, until):
                raise StaleFence(lease.run)
            change(tx)
            return self.tell(tx, lease.run)

        until = self._clock.monotonic() + self.lease_s
        run = await self._store.transact(lease.tenant, work)
        lease.until = max(lease.until, until)
        return run

    def tell(self, tx: Tx, run_id: str) -> RunRow:
        """Announce the run as it now is, inside *tx*, and leave an audit row at its end."""
        run = runs.load_run(tx.connection, tx.tenant, run_id)
        if run is None:
            raise NotFound(f"run {run_id}")
        digest = announce(tx, self._types.past(run.type, run.tenant), run)
        if digest != run.card_digest:
            runs.update_run(tx.connection, tx.tenant, run.id, card_digest=digest)
        if run.state in runs.ENDED:
            audit.record(
                tx.connection,
                tx.tenant,
                tx.now,
                actor=f"{run.actor['kind']}:{run.actor['id']}",
                what=f"action.{run.state}",
                object_=run.object,
                data=_evidence(run),
            )
        return replace(run, card_digest=digest)

    async def announce_handed_over(self) -> None:
        """Tell people of the runs that a restore of the database left to them."""
        for tenant, run in await self._store.read(runs.handed_over):

            def work(tx: Tx, run: str = run) -> None:
                runs.update_run(tx.connection, tx.tenant, run, owner="")
                self.tell(tx, run)

            await self._store.transact(tenant, work)
            log.warning("run_handed_over", extra={"run": run})

    def _step(
        self,
        tx: Tx,
        lease: Lease,
        step: StepRow,
        state: str,
        *,
        started: bool = False,
        fact: dict[str, Any] | None = None,
        result: str | None = None,
    ) -> None:
        values: dict[str, Any] = {"state": state}
        if started and step.started_at is None:
            values["started_at"] = tx.now
        if state not in ("intent", "undo_intent", "waiting"):
            values["ended_at"] = tx.now
        if fact is not None:
            values["fact"] = fact
        if result is not None:
            values["result"] = result
        runs.update_step(tx.connection, lease.tenant, lease.run, step.id, **values)

    def _until(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.lease_s)


def wake_steps(tx: Tx, run: RunRow) -> None:
    """Let the steps that waited be asked again, under their old keys."""
    for step in run.steps:
        if step.state == "waiting":
            runs.update_step(tx.connection, run.tenant, run.id, step.id, state="planned")


def _evidence(run: RunRow) -> dict[str, Any]:
    """Return what the audit trail keeps of a run: form, digest, every step and its key."""
    return {
        "run": run.id,
        "number": run.number,
        "type": run.type,
        "conversation": run.conversation,
        "approver": None if run.approver is None else run.approver["id"],
        "input": {k: v for k, v in run.input.items() if k not in ("message", "note")},
        "digest": run.digest,
        "cause": run.cause,
        "steps": [
            {"id": s.id, "instance": s.instance, "state": s.state, "key": s.key,
             "attempts": len(s.attempts), "result": s.result}
            for s in run.steps
        ],
    }  # fmt: skip
