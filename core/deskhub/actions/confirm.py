"""From a plan that was read to exactly one run of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from deskhub.actions.calls import journalled, key_for
from deskhub.actions.errors import (
    AlreadyRunning,
    ApprovalDecided,
    ApprovalNeeded,
    DigestMismatch,
    NotEligible,
    PlanChanged,
    PlanExpired,
)
from deskhub.actions.journal import Journal
from deskhub.actions.limits import Limits
from deskhub.actions.plan import Checked, Previews
from deskhub.actions.plan_view import plan_view
from deskhub.actions.ports import Setting, Transactions, Tx
from deskhub.actions.types import ActionType
from deskhub.actions.words import run_title
from deskhub.clock import Clock, rfc3339
from deskhub.errors import HubError
from deskhub.identity.model import Principal
from deskhub.ids import new_id
from deskhub.store import audit, plans, runs
from deskhub.store.plans import PlanRow
from deskhub.store.runs import RunRow, StepRow

EXPIRES_S = 120.0


@dataclass(frozen=True, slots=True)
class _Started:
    run: str


@dataclass(frozen=True, slots=True)
class _Refused:
    error: HubError


class Confirmations:
    """Keeps plans and turns each into at most one run."""

    def __init__(
        self,
        store: Transactions,
        journal: Journal,
        previews: Previews,
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        """Keep plans in *store*, re-check through *previews*, start in *journal*.

        What is above the confirming role's limit is left to a second person.
        """
        self._limits = limits or Limits()
        self._store = store
        self._journal = journal
        self._previews = previews
        self._clock = clock

    async def keep(
        self, principal: Principal, kind: ActionType, setting: Setting, checked: Checked
    ) -> PlanRow:
        """Store what was checked as a plan that can be confirmed for two minutes."""

        def work(tx: Tx) -> PlanRow:
            # Nobody can confirm these any more; a day leaves room to look into complaints.
            plans.sweep(tx.connection, tx.tenant, tx.now - timedelta(days=1))
            return _insert(tx, principal, kind, setting, checked)

        return await self._store.transact(setting.tenant, work)

    async def confirm(
        self,
        principal: Principal,
        kind: ActionType,
        setting: Setting,
        plan: PlanRow,
        digest: str,
    ) -> str:
        """Return the run of *plan*, started now or by an earlier confirmation.

        Raises `DigestMismatch`, `PlanExpired`, `PlanChanged` (with the new plan),
        `ApprovalNeeded`, `AlreadyRunning` (with the other run), or what `Previews.check`
        raises.
        """
        if digest != plan.digest:
            raise DigestMismatch(plan.id)
        # Who is late but right gets the run; this look saves them the previews.
        standing = await self._store.read(lambda c: _standing(c, plan))
        if standing is not None:
            return await self._settle(principal, kind, setting, plan, None)
        over = self._limits.over(principal.role, plan.document)
        if over is not None:
            raise ApprovalNeeded(plan.id, extra={"approval": {"why": over.why}})
        return await self._checked(principal, kind, setting, plan, None, None)

    async def approved(
        self,
        asker: Principal,
        kind: ActionType,
        setting: Setting,
        plan: PlanRow,
        approver: dict[str, Any],
        started: Callable[[Tx, str], None],
    ) -> str:
        """Return the run of a plan that a second person approved; *started* commits with it.

        Raises what `confirm` raises, and what *started* raises.
        """
        return await self._checked(asker, kind, setting, plan, approver, started)

    async def _checked(
        self,
        principal: Principal,
        kind: ActionType,
        setting: Setting,
        plan: PlanRow,
        approver: dict[str, Any] | None,
        started: Callable[[Tx, str], None] | None,
    ) -> str:
        """Look at the world again, then decide."""
        if self._clock.now() > plan.expires_at:
            raise PlanExpired(plan.id)
        fresh: Checked | HubError
        try:
            fresh = await self._previews.check(principal, kind, setting, plan.document["input"])
        except HubError as error:
            # Another confirmation may have started it meanwhile, which is why it fails now.
            fresh = error
        return await self._settle(principal, kind, setting, plan, fresh, approver, started)

    async def _settle(
        self,
        principal: Principal,
        kind: ActionType,
        setting: Setting,
        plan: PlanRow,
        fresh: Checked | HubError | None,
        approver: dict[str, Any] | None = None,
        started: Callable[[Tx, str], None] | None = None,
    ) -> str:
        """Decide in one transaction: of any number of confirmations one starts the run."""

        def work(tx: Tx) -> _Started | _Refused:
            standing = _standing(tx.connection, plan)
            if isinstance(standing, str) and started is not None:
                return _Refused(ApprovalDecided(plan.id))
            if isinstance(standing, str):
                plans.set_run(tx.connection, tx.tenant, plan.id, standing)
                return _Started(standing)
            if standing is not None:
                return _Refused(_already(kind, standing))
            refused = _objection(tx, principal, kind, setting, plan, fresh)
            if refused is not None:
                return _Refused(refused)
            run = self._start(tx, principal, setting, plan, approver)
            if started is not None:
                started(tx, run)
            return _Started(run)

        outcome = await self._store.transact(setting.tenant, work)
        if isinstance(outcome, _Refused):
            raise outcome.error
        return outcome.run

    def _start(
        self,
        tx: Tx,
        principal: Principal,
        setting: Setting,
        plan: PlanRow,
        approver: dict[str, Any] | None,
    ) -> str:
        """Write the run, free for any worker to take, and tell the conversation."""
        run_id = new_id("r")
        document = plan.document
        run = RunRow(
            tenant=tx.tenant,
            id=run_id,
            number=runs.next_number(tx.connection, tx.tenant),
            type=plan.type,
            object=plan.object,
            conversation=setting.id,
            inbox=setting.inbox,
            visitor=setting.visitor,
            language=document["language"],
            plan=plan.id,
            digest=plan.digest,
            basis=plan.basis,
            input=document["input"],
            subject=document["subject"],
            customer=document["customer"],
            actor=journalled(principal),
            approver=approver,
            started_at=tx.now,
            lease_until=tx.now,
            steps=tuple(_step(run_id, at, step) for at, step in enumerate(document["steps"])),
        )
        runs.insert_run(tx.connection, run)
        plans.set_run(tx.connection, tx.tenant, plan.id, run_id)
        audit.record(
            tx.connection,
            tx.tenant,
            tx.now,
            actor=principal.by,
            what="action.confirmed",
            object_=plan.object,
            data={
                "run": run_id,
                "plan": plan.id,
                "type": plan.type,
                "digest": plan.digest,
                "approver": None if approver is None else approver["id"],
            },
        )
        self._journal.tell(tx, run_id)
        return run_id


def _standing(connection: Any, plan: PlanRow) -> str | RunRow | None:  # noqa: ANN401  only store knows SQL
    """Return the run id that already answers *plan*, another run in its way, or None."""
    now = plans.load_plan(connection, plan.tenant, plan.id)
    if now is not None and now.run is not None:
        return now.run
    twin = runs.twin_run(
        connection, plan.tenant, plan.type, plan.object, plan.basis, plan.created_at
    )
    if twin is not None:
        return twin
    active = runs.active_runs(connection, plan.tenant, plan.type, [plan.object])
    if plan.object not in active:
        return None
    return runs.load_run(connection, plan.tenant, active[plan.object][0])


def _objection(
    tx: Tx,
    principal: Principal,
    kind: ActionType,
    setting: Setting,
    plan: PlanRow,
    fresh: Checked | HubError | None,
) -> HubError | None:
    """Return why *plan* cannot start after the second look, or None."""
    if fresh is None:
        return PlanExpired(plan.id)
    if isinstance(fresh, HubError):
        return fresh
    if fresh.basis != plan.basis:
        renewed = _insert(tx, principal, kind, setting, fresh)
        return PlanChanged(plan.id, extra={"plan": plan_view(kind, renewed)})
    if not fresh.is_eligible:
        return NotEligible(plan.id, extra={"plan": plan_view(kind, plan)})
    return None


def _already(kind: ActionType, run: RunRow) -> AlreadyRunning:
    extra = {
        "run": run.id,
        "title": run_title(kind, run),
        "started_by": {"id": run.actor["id"], "name": run.actor.get("name") or ""},
        "started_at": rfc3339(run.started_at),
    }
    return AlreadyRunning(run.id, extra=extra)


def _insert(
    tx: Tx, principal: Principal, kind: ActionType, setting: Setting, checked: Checked
) -> PlanRow:
    plan = PlanRow(
        tenant=tx.tenant,
        id=new_id("p"),
        type=kind.id,
        object=checked.document["input"]["object"],
        conversation=setting.id,
        actor=principal.by,
        digest=checked.digest,
        basis=checked.basis,
        document=checked.document,
        created_at=tx.now,
        expires_at=tx.now + timedelta(seconds=EXPIRES_S),
    )
    plans.insert_plan(tx.connection, plan)
    return plan


def _step(run: str, position: int, step: dict[str, Any]) -> StepRow:
    return StepRow(
        id=step["id"],
        position=position,
        wave=step["wave"],
        instance=step["instance"],
        version=step["version"],
        spec=step["spec"],
        shown=step["shown"],
        key=key_for(run, step["id"]),
    )
