"""The door to actions: what edge asks, authorised, as views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deskhub.actions.approvals import Approvals
from deskhub.actions.confirm import Confirmations
from deskhub.actions.engine import PAUSES_S, Engine
from deskhub.actions.errors import ActionUnavailable
from deskhub.actions.forms import form_view, object_in, tool_view
from deskhub.actions.handing import Handing
from deskhub.actions.hub_side import HostSteps, HubSurroundings
from deskhub.actions.hub_steps import WithHub
from deskhub.actions.journal import LEASE_S, Journal
from deskhub.actions.limits import Limits
from deskhub.actions.moves import is_past_pivot
from deskhub.actions.owner import Owner
from deskhub.actions.plan import Previews
from deskhub.actions.plan_view import plan_view
from deskhub.actions.policy import GoodsIn
from deskhub.actions.ports import Setting, StepRunner, Surroundings, Transactions
from deskhub.actions.reconcile import Told, reconcile_view
from deskhub.actions.recovery import SWEEP_S, Worker
from deskhub.actions.registry import Registry
from deskhub.actions.resolve import Resolutions, found_run
from deskhub.actions.subject import Objects, talk_object
from deskhub.actions.types import ActionType
from deskhub.actions.views import audit_view, before_view, offer_view, run_view
from deskhub.clock import Clock
from deskhub.errors import NotFound
from deskhub.host.host import Host
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, allowed, authorize, in_scope
from deskhub.store import audit, plans, runs
from deskhub.store.approvals import ApprovalRow
from deskhub.store.plans import PlanRow
from deskhub.store.runs import RunRow
from deskhub_sdk.records import Order

JsonObject = dict[str, Any]


class Actions:
    """Plans, confirms, shows and resolves; `worker` is the service that does the work.

    Closing a dialog, a connection or a process never cancels a run.
    """

    def __init__(
        self,
        store: Transactions,
        steps: StepRunner,
        around: Surroundings,
        clock: Clock,
        *,
        bind: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        goods_in: GoodsIn = "never",
        types: Registry | None = None,
        owner: Owner | None = None,
        pauses_s: Sequence[float] = PAUSES_S,
        lease_s: float = LEASE_S,
        sweep_s: float = SWEEP_S,
    ) -> None:
        """Compose the parts.

        *owner* names this process; one that knows its former name goes on after a restart at
        once, and not when the old lease ends.
        """
        self._store = store
        self._around = around
        self._types = types or Registry()
        steps = WithHub(steps, store)
        self._objects = Objects(around)
        self._owner = owner or Owner(None)
        journal = Journal(store, self._types, clock, owner=self._owner.name, lease_s=lease_s)
        self.ended = journal.ended
        self._previews = Previews(
            steps, around, clock, bind if bind is not None else {}, goods_in
        )
        limits = limits or Limits()
        self._confirmations = Confirmations(store, journal, self._previews, clock, limits)
        self._approvals = Approvals(store, self._confirmations, limits, clock)
        self._resolutions = Resolutions(store, journal, steps, self._types, clock)
        self._handing = Handing(self._types, self._previews, self._confirmations)
        engine = Engine(journal, steps, clock, pauses_s=pauses_s)
        self.worker = Worker(store, journal, engine, clock, sweep_s=sweep_s)

    @classmethod
    def build(
        cls,
        store: Transactions,
        host: Host,
        clock: Clock,
        *,
        bind: Mapping[str, str] | None = None,
        data_dir: Path | None = None,
        public_url: str = "",
        limits: Iterable[tuple[str, str]] = (),
        goods_in: GoodsIn = "never",
        lease_s: float = LEASE_S,
    ) -> Actions:
        """Return actions on the hub's own *store* and *host*.

        *data_dir* is where this process remembers its name from one start to the next.
        """
        around = HubSurroundings(store, host, public_url)
        owner, steps = Owner(data_dir), HostSteps(host)
        return cls(
            store,
            steps,
            around,
            clock,
            bind=bind,
            types=Registry(brought=steps.actions),
            limits=Limits.parse(limits),
            goods_in=goods_in,
            owner=owner,
            lease_s=lease_s,
        )

    async def available(self, principal: Principal, conversation: str) -> list[JsonObject]:
        """Return what can be done in *conversation*, and if not, why not."""
        setting = await self._setting(principal, conversation)
        orders = await self._objects.orders_here(setting)
        talk: dict[str, Order | None] = {talk_object(setting.id): None}
        found = []
        for kind in self._types.all(principal.tenant):
            objects = talk if kind.about == "conversation" else orders
            here = {o: order for o, order in objects.items() if kind.form.offers(order)}
            missing = self._missing(setting, kind)
            active = await self._store.read(
                lambda c, kind=kind, here=here: runs.active_runs(  # type: ignore[misc]  # mypy cannot see the defaults
                    c, setting.tenant, kind.id, list(here)
                )
            )
            found += [
                offer_view(kind, object_, order, missing, active.get(object_))
                for object_, order in here.items()
            ]
        return found

    def catalogue(self, principal: Principal) -> list[JsonObject]:
        """Return every kind of action there is here, for programs that plan them."""
        authorize(principal, Permission.ACTION_RUN, Scope(principal.tenant))
        return [tool_view(kind) for kind in self._types.all(principal.tenant)]

    async def form(
        self, principal: Principal, type_: str, conversation: str, object_: str
    ) -> JsonObject:
        """Return the prefilled form of *type_* for *object_* (``orders:1042``)."""
        kind = self._types.get(type_, principal.tenant)
        setting = await self._setting(principal, conversation)
        about = await self._objects.about(setting, kind, object_)
        if "amount" in kind.form.fields:
            about = replace(about, history=await self._history(setting))
        return form_view(kind, about)

    async def _history(self, setting: Setting) -> tuple[JsonObject, ...]:
        """Return what this customer was refunded before, in the shop and through the hub."""
        before = await self._store.read(
            lambda c: runs.list_runs(
                c,
                setting.tenant,
                states=["completed", "attention"],
                customer=None if setting.customer is None else setting.customer.id,
                conversation=setting.id if setting.customer is None else None,
            )
        )
        rows = [
            before_view(self._types.past(run.type, run.tenant), run)
            for run in before
            if is_past_pivot(run)
        ]
        return await self._objects.history(setting, rows)

    async def plan(
        self, principal: Principal, type_: str, conversation: str, form: Mapping[str, Any]
    ) -> JsonObject:
        """Return what would happen (PlanView), without any effect.

        Raises `Invalid` field by field, `ActionRefused`, `ActionUnavailable`.
        """
        kind = self._types.get(type_, principal.tenant)
        setting = await self._setting(principal, conversation)
        object_in(form)
        checked = await self._previews.check(principal, kind, setting, form)
        kept = await self._confirmations.keep(principal, kind, setting, checked)
        return plan_view(kind, kept, await self._approvals.of_plan(principal, kept))

    async def confirm(self, principal: Principal, plan_id: str, digest: str) -> str:
        """Return the run of this plan; it goes on whoever closes whatever.

        Raises `DigestMismatch`, `PlanExpired`, `PlanChanged` (``extra.plan``),
        `NotEligible`, `AlreadyRunning` (``extra.run``), and what `plan` raises.
        """
        kind, setting, plan = await self._plan(principal, plan_id)
        run = await self._confirmations.confirm(principal, kind, setting, plan, digest)
        self.worker.wake()
        return run

    async def show(self, principal: Principal, plan_id: str) -> JsonObject:
        """Return a plan as it was kept (PlanView)."""
        kind, _, plan = await self._plan(principal, plan_id)
        return plan_view(kind, plan, await self._approvals.of_plan(principal, plan))

    async def ask(
        self, principal: Principal, plan_id: str, *, propose: bool = False
    ) -> JsonObject:
        """Ask a second person about a plan above the own limit; return the request.

        *propose* asks within the limit, too.

        Raises `ApprovalNotNeeded`, `PlanExpired`.
        """
        kind, setting, plan = await self._plan(principal, plan_id)
        row = await self._approvals.ask(principal, kind, setting, plan, propose=propose)
        return self._request(row, plan)

    async def approvals(self, principal: Principal) -> list[JsonObject]:
        """Return the requests that wait: all for who may approve, the own ones for others."""
        authorize(principal, Permission.ACTION_RUN, Scope(principal.tenant))
        may = Permission.ACTION_APPROVE in allowed(principal)
        return [
            self._request(row, plan)
            for row, plan in await self._approvals.waiting(principal.tenant)
            if in_scope(principal, Scope(row.tenant, row.inbox))
            and (may or row.asker["id"] == principal.id)
        ]

    async def decide(
        self, principal: Principal, approval: str, do: str, digest: str, reason: str = ""
    ) -> JsonObject:
        """Approve or refuse exactly *digest*; approving starts the asker's run.

        Raises `SamePerson`, `DigestMismatch`, `ApprovalDecided`, `ApprovalExpired`,
        `OverOwnLimit`, and what `confirm` raises.
        """
        row, plan = await self._approvals.load(principal.tenant, approval)
        authorize(principal, Permission.ACTION_APPROVE, Scope(row.tenant, row.inbox))
        kind, setting, plan = await self._plan(principal, plan.id)
        self._approvals.check(principal, row, plan, digest)
        if do == "approve":
            row = await self._approvals.approve(principal, kind, setting, row, plan, reason)
            self.worker.wake()
        else:
            row = await self._approvals.refuse(principal, kind, row, plan, reason.strip())
        return self._request(row, plan)

    def _request(self, row: ApprovalRow, plan: PlanRow) -> JsonObject:
        short = self._approvals.short(row)
        return {
            **short,
            "plan": plan_view(self._types.past(plan.type, plan.tenant), plan, short),
        }

    async def run(self, principal: Principal, run_id: str) -> JsonObject:
        """Return the RunView of one run."""
        run = await self._run(principal, run_id, Permission.ACTION_RUN)
        return run_view(self._types.past(run.type, run.tenant), run)

    async def runs(
        self,
        principal: Principal,
        state: str | None = None,
        conversation: str | None = None,
        *,
        customer: str | None = None,
        object_: str | None = None,
    ) -> list[JsonObject]:
        """Return the runs this principal may see, newest first, at most 100.

        *customer* and *object_* make it the history of a person or of an order.
        """
        authorize(principal, Permission.ACTION_RUN, Scope(principal.tenant))
        found = await self._store.read(
            lambda c: runs.list_runs(
                c,
                principal.tenant,
                states=[state] if state else [],
                conversation=conversation,
                customer=customer,
                object_=object_,
            )
        )
        return [
            run_view(self._types.past(run.type, run.tenant), run)
            for run in found
            if in_scope(principal, _scope(run))
        ]

    async def resolve(
        self, principal: Principal, run_id: str, do: str, reason: str = ""
    ) -> JsonObject:
        """Apply a person's decision to a run in ``attention`` and return its RunView.

        Handing over also opens a case, where a system for cases is enabled.
        """
        run = await self._run(principal, run_id, Permission.ACTION_RESOLVE)
        after = await self._resolutions.resolve(principal, run, do, reason.strip())
        if do == "hand_over":
            setting = await self._setting(principal, run.conversation)
            await self._handing.open_case(principal, setting, after, reason.strip())
        self.worker.wake()
        return run_view(self._types.past(after.type, after.tenant), after)

    async def reconcile(
        self, principal: Principal, object_: str, conversation: str
    ) -> JsonObject:
        """Return what every system says of one order, with what cannot all be true."""
        setting = await self._setting(principal, conversation)
        order = await self._objects.order(setting, object_)
        answers = await self._around.order_facts(setting.tenant, order)
        return reconcile_view(object_, [Told(*one) for one in answers])

    async def audit(
        self, principal: Principal, object_: str | None = None, before: int | None = None
    ) -> JsonObject:
        """Return the audit trail's page; ``broken`` is the first row that does not follow."""
        authorize(principal, Permission.AUDIT_READ, Scope(principal.tenant))

        def query(connection: Any) -> JsonObject:  # noqa: ANN401  only store knows SQL
            rows = audit.trail(connection, principal.tenant, object_=object_, before=before)
            return {
                "rows": [audit_view(row) for row in rows],
                "broken": audit.broken(connection, principal.tenant),
            }

        return await self._store.read(query)

    async def _plan(
        self, principal: Principal, plan_id: str
    ) -> tuple[ActionType, Setting, PlanRow]:
        plan = await self._store.read(lambda c: plans.load_plan(c, principal.tenant, plan_id))
        if plan is None:
            raise NotFound(f"plan {plan_id}")
        setting = await self._setting(principal, plan.conversation)
        return self._types.past(plan.type, plan.tenant), setting, plan

    async def _setting(self, principal: Principal, conversation: str) -> Setting:
        setting = await self._around.setting(principal.tenant, conversation)
        if setting is None:
            raise NotFound(f"conversation {conversation}")
        scope = Scope(setting.tenant, setting.inbox, setting.visitor)
        authorize(principal, Permission.ACTION_RUN, scope)
        return setting

    async def _run(self, principal: Principal, run_id: str, permission: Permission) -> RunRow:
        run = found_run(
            await self._store.read(lambda c: runs.load_run(c, principal.tenant, run_id)), run_id
        )
        authorize(principal, permission, _scope(run))
        return run

    def _missing(self, setting: Setting, kind: ActionType) -> str | None:
        """Return why the enabled systems cannot do *kind* together, or None."""
        try:
            self._previews.draft(setting.tenant, kind)
        except ActionUnavailable as error:
            return str(error)
        return None


def _scope(run: RunRow) -> Scope:
    return Scope(run.tenant, run.inbox, run.visitor)
