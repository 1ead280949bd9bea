"""Two people on one digest: who asks, who decides, and the run that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from deskhub.actions.calls import journalled
from deskhub.actions.confirm import Confirmations
from deskhub.actions.errors import (
    ApprovalDecided,
    ApprovalExpired,
    ApprovalNotNeeded,
    DigestMismatch,
    OverOwnLimit,
    PlanExpired,
    SamePerson,
)
from deskhub.actions.limits import Limits, Over, proposed
from deskhub.actions.ports import Setting, Transactions, Tx
from deskhub.actions.types import ActionType
from deskhub.clock import Clock, rfc3339
from deskhub.errors import Conflict, Invalid, NotFound
from deskhub.identity.model import Principal
from deskhub.ids import new_id
from deskhub.store import approvals, audit, plans
from deskhub.store.approvals import ApprovalRow
from deskhub.store.plans import PlanRow

LIVES = timedelta(hours=1)
MAX_REASON = 500
JsonObject = dict[str, Any]


class Approvals:
    """Keeps requests for a second person and turns a yes into the asker's run."""

    def __init__(
        self, store: Transactions, confirmations: Confirmations, limits: Limits, clock: Clock
    ) -> None:
        """Keep requests in *store*; what was approved starts through *confirmations*."""
        self._store = store
        self._confirmations = confirmations
        self._limits = limits
        self._clock = clock

    async def of_plan(self, principal: Principal, plan: PlanRow) -> JsonObject | None:
        """Return ``approval`` of a PlanView: None when *principal* needs nobody."""
        row = await self._store.read(
            lambda c: approvals.load_approval(c, plan.tenant, plan=plan.id)
        )
        if row is not None:
            return self.short(row)
        over = self._limits.over(principal.role, plan.document)
        return None if over is None else needed(over)

    async def ask(
        self,
        principal: Principal,
        kind: ActionType,
        setting: Setting,
        plan: PlanRow,
        *,
        propose: bool = False,
    ) -> ApprovalRow:
        """Return the request for *plan*, made now or before.

        *propose* asks within the own limit too, as for what a model suggests. Raises
        `ApprovalNotNeeded`, `PlanExpired`, `Conflict` when the plan ran.
        """
        over = self._limits.over(principal.role, plan.document)
        if over is None and propose:
            over = proposed(plan.document)
        if over is None:
            raise ApprovalNotNeeded(plan.id)

        def work(tx: Tx) -> ApprovalRow:
            known = approvals.load_approval(tx.connection, tx.tenant, plan=plan.id)
            if known is not None:
                return known
            now = plans.load_plan(tx.connection, tx.tenant, plan.id)
            if now is None or now.run is not None:
                raise Conflict(f"plan {plan.id} ran already")
            if tx.now > now.expires_at:
                raise PlanExpired(plan.id)
            row = ApprovalRow(
                tenant=tx.tenant,
                id=new_id("o"),
                plan=plan.id,
                digest=plan.digest,
                inbox=setting.inbox,
                limit_text=f"{over.limit.amount} {over.limit.currency}",
                why=over.why,
                asker=journalled(principal),
                asked_at=tx.now,
                expires_at=tx.now + LIVES,
            )
            approvals.insert_approval(tx.connection, row)
            self._tell(tx, principal, kind, plan, row, "asked")
            return row

        return await self._store.transact(plan.tenant, work)

    async def load(self, tenant: str, id_: str) -> tuple[ApprovalRow, PlanRow]:
        """Return the request with its plan. Raises `NotFound`."""

        def query(connection: Any) -> tuple[ApprovalRow | None, PlanRow | None]:  # noqa: ANN401
            row = approvals.load_approval(connection, tenant, id_=id_)
            plan = None if row is None else plans.load_plan(connection, tenant, row.plan)
            return row, plan

        row, plan = await self._store.read(query)
        if row is None or plan is None:
            raise NotFound(f"approval {id_}")
        return row, plan

    async def waiting(self, tenant: str) -> list[tuple[ApprovalRow, PlanRow]]:
        """Return the requests that wait, oldest first, with their plans."""

        def query(connection: Any) -> list[tuple[ApprovalRow, PlanRow]]:  # noqa: ANN401
            found = []
            for row in approvals.list_approvals(connection, tenant, now=self._clock.now()):
                plan = plans.load_plan(connection, tenant, row.plan)
                if plan is not None:
                    found.append((row, plan))
            return found

        return await self._store.read(query)

    def check(self, principal: Principal, row: ApprovalRow, plan: PlanRow, digest: str) -> None:
        """Return when *principal* may decide now.

        Raises `SamePerson`, `DigestMismatch`, `ApprovalDecided`, `ApprovalExpired`.
        """
        if principal.id == row.asker["id"]:
            raise SamePerson(row.id)
        if digest != row.digest or digest != plan.digest:
            raise DigestMismatch(row.id)
        if row.state != "asked":
            raise ApprovalDecided(row.id)
        if self._clock.now() > row.expires_at:
            raise ApprovalExpired(row.id)

    async def refuse(
        self,
        principal: Principal,
        kind: ActionType,
        row: ApprovalRow,
        plan: PlanRow,
        reason: str,
    ) -> ApprovalRow:
        """Say no, with the reason that the asker reads. Raises `ApprovalDecided`."""
        if not reason or len(reason) > MAX_REASON:
            text = f"Say why, in at most {MAX_REASON} characters."
            problem = {"path": "reason", "code": "required", "text": text}
            raise Invalid("reason", fields=(problem,))

        def work(tx: Tx) -> ApprovalRow:
            return self._decide(tx, principal, kind, plan, row, "refused", reason, None)

        return await self._store.transact(row.tenant, work)

    async def approve(
        self,
        principal: Principal,
        kind: ActionType,
        setting: Setting,
        row: ApprovalRow,
        plan: PlanRow,
        reason: str,
    ) -> ApprovalRow:
        """Look again, and start exactly what was approved as the asker's run.

        Raises `OverOwnLimit`, `PlanChanged`, `NotEligible`, `AlreadyRunning`,
        `ApprovalDecided`; none of them changes the request.
        """
        if self._limits.over(principal.role, plan.document) is not None:
            raise OverOwnLimit(row.id)

        def started(tx: Tx, run: str) -> None:
            self._decide(tx, principal, kind, plan, row, "approved", reason, run)

        asker = _principal(row.tenant, row.asker)
        await self._confirmations.approved(
            asker, kind, setting, plan, journalled(principal), started
        )
        return (await self.load(row.tenant, row.id))[0]

    def _decide(
        self,
        tx: Tx,
        principal: Principal,
        kind: ActionType,
        plan: PlanRow,
        row: ApprovalRow,
        state: str,
        reason: str,
        run: str | None,
    ) -> ApprovalRow:
        """Write one decision, told and audited in the same commit."""
        if not approvals.decide(
            tx.connection,
            tx.tenant,
            row.id,
            state=state,
            approver=journalled(principal),
            reason=reason,
            decided_at=tx.now,
            run=run,
        ):
            raise ApprovalDecided(row.id)
        after = approvals.load_approval(tx.connection, tx.tenant, id_=row.id)
        if after is None:
            raise NotFound(f"approval {row.id}")
        self._tell(tx, principal, kind, plan, after, state)
        return after

    def _tell(
        self,
        tx: Tx,
        principal: Principal,
        kind: ActionType,
        plan: PlanRow,
        row: ApprovalRow,
        what: str,
    ) -> None:
        tx.append(
            "approval.changed",
            conversation=plan.conversation,
            audience="agents",
            by=principal.by,
            data={"approval": self.short(row), "title": kind.title, "object": plan.object},
        )
        audit.record(
            tx.connection,
            tx.tenant,
            tx.now,
            actor=principal.by,
            what=f"action.approval.{what}",
            object_=plan.object,
            data={
                "approval": row.id,
                "plan": plan.id,
                "digest": row.digest,
                "reason": row.reason,
                "asker": row.asker["id"],
                "run": row.run,
            },
        )

    def short(self, row: ApprovalRow) -> JsonObject:
        """Return the request as it stands in a PlanView and in lists."""
        amount, _, currency = row.limit_text.partition(" ")
        is_over = row.state == "asked" and self._clock.now() > row.expires_at
        return {
            "id": row.id,
            "plan": row.plan,
            "limit": {"money": amount, "currency": currency},
            "why": row.why,
            "state": "expired" if is_over else row.state,
            "asker": _who(row.asker),
            "asked_at": rfc3339(row.asked_at),
            "expires_at": rfc3339(row.expires_at),
            "approver": None if row.approver is None else _who(row.approver),
            "reason": row.reason,
            "run": row.run,
        }


def needed(over: Over) -> JsonObject:
    """Return ``approval`` of a plan that nobody has asked about yet."""
    return {
        "id": None,
        "limit": {"money": over.limit.amount, "currency": over.limit.currency},
        "why": over.why,
        "state": "needed",
        "approver": None,
    }


def _who(person: Mapping[str, Any]) -> JsonObject:
    return {"id": person["id"], "name": person.get("name") or ""}


def _principal(tenant: str, actor: Mapping[str, Any]) -> Principal:
    return Principal(
        tenant=tenant,
        kind=actor["kind"],
        id=actor["id"],
        name=actor.get("name") or "",
        role=actor.get("role"),
    )
