"""The ports of actions on the hub's own host and store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from deskhub.actions.calls import journalled, seen_by_adapters
from deskhub.actions.planner import Absent, Offer
from deskhub.actions.ports import Setting, StepRef, Transactions
from deskhub.host.errors import NotRunning
from deskhub.host.host import Host
from deskhub.identity.model import Principal
from deskhub.store.surroundings import Around, around
from deskhub_sdk.actions import ActionSpec
from deskhub_sdk.capabilities import Orders, Variants
from deskhub_sdk.records import Customer, CustomerId, Order, OrderFacts, TenantId
from deskhub_sdk.steps import Fact, Preview, Refusal, Step, StepCall

PREVIEW_S = 2.0


class HostSteps:
    """Reaches adapters' steps through the host's guards."""

    def __init__(self, host: Host) -> None:
        """Call through *host*."""
        self._host = host

    def offers(self, tenant: str, action: str) -> Sequence[Offer]:
        """Return the steps that ready instances offer for *action*."""
        return [
            Offer(instance, step.spec, self._host.instance(instance).version)
            for instance, step in self._host.steps(action, tenant)
            if not self._host.instance(instance).is_retiring
        ]

    def absent(self, tenant: str, action: str) -> Sequence[Absent]:
        """Return the steps of enabled instances that are not ready, with the reason."""
        return [
            Absent(step.spec, one.words or f"{one.name} is being switched off.")
            for one in self._host.instances(tenant)
            if one.cls is not None
            and (one.is_retiring or not one.ready.is_set())
            and one.state != "disabled"
            for step in one.cls.steps
            if step.spec.action == action
        ]

    def actions(self, tenant: str) -> Sequence[ActionSpec]:
        """Return the kinds of actions that *tenant*'s enabled instances bring, each once."""
        found = {
            action.id: action
            for one in self._host.instances(tenant)
            if one.cls is not None and one.state != "disabled"
            for action in one.cls.actions
        }
        return [found[key] for key in sorted(found)]

    def version(self, tenant: str, step: StepRef) -> str | None:
        """Return the version of the instance that would do *step* now, or None."""
        here = (one for one in self._host.instances(tenant) if one.id == step.instance)
        found = next(here, None)
        return found.version if found is not None and found.ready.is_set() else None

    async def preview(self, tenant: str, step: StepRef, call: StepCall) -> Preview | Refusal:
        """Ask what would happen; deadline 2 s."""
        bound = self._find(tenant, step)
        return await self._host.call(step.instance, lambda: bound.preview(call), PREVIEW_S)

    async def run(self, tenant: str, step: StepRef, call: StepCall) -> Fact:
        """Do it; the deadline is the step's."""
        bound = self._find(tenant, step)
        return await self._host.call(
            step.instance, lambda: bound.run(call), step.spec.timeout_s
        )

    async def lookup(self, tenant: str, step: StepRef, call: StepCall) -> Fact | None:
        """Ask whether it was done; the deadline is the step's."""
        bound = self._find(tenant, step)
        return await self._host.call(
            step.instance, lambda: bound.lookup(call), step.spec.timeout_s
        )

    async def undo(self, tenant: str, step: StepRef, call: StepCall, fact: Fact) -> None:
        """Take it back; the deadline is the step's."""
        bound = self._find(tenant, step)
        await self._host.call(
            step.instance, lambda: bound.undo(call, fact), step.spec.timeout_s
        )

    def _find(self, tenant: str, wanted: StepRef) -> Step:
        """Return the bound step. Raises `NotSent` while its instance is not there."""
        for instance, step in self._host.steps(wanted.action, tenant):
            if instance == wanted.instance and step.spec.name == wanted.spec.name:
                return step
        text = f"{wanted.spec.system} is not running."
        raise NotRunning("not_ready", text, retry_after_s=1.0)


class HubSurroundings:
    """Conversations of the store, orders and rules of the host."""

    _public_url = ""

    def __init__(self, store: Transactions, host: Host, public_url: str = "") -> None:
        """Read from *store*, ask *host*; links to the console start with *public_url*."""
        self._store = store
        self._host = host
        self._public_url = public_url.rstrip("/")

    async def setting(self, tenant: str, conversation: str) -> Setting | None:
        """Return the conversation, or None when *tenant* has no such conversation."""
        found = await self._store.read(lambda c: around(c, tenant, conversation))
        return None if found is None else _setting(found)

    def orders(self, tenant: str) -> tuple[str, Orders] | None:
        """Return the instance that is the shop and its guarded ``orders@1``, or None."""
        found = self._host.capability("orders@1", tenant)
        return None if found is None else (found[0], cast("Orders", found[1]))

    def variants(self, tenant: str) -> Variants | None:
        """Return the guarded ``variants@1``, or None."""
        found = self._host.capability("variants@1", tenant)
        return None if found is None else cast("Variants", found[1])

    async def order_facts(
        self, tenant: str, order: Order
    ) -> Sequence[tuple[str, str, OrderFacts | None, str]]:
        """Return (instance, state, facts, error) of every system (hook ``order_facts``)."""
        asked = self._host.gather("order_facts", tenant, order=order.id, subject=order.customer)
        return [
            (one.instance, one.state, one.value, type(one.error).__name__ if one.error else "")
            for one in await asked.all()
        ]

    def transcript(self, setting: Setting) -> str:
        """Return the conversation's address in the console."""
        return f"{self._public_url}/console/#/c/{setting.id}"

    async def refusal(
        self, tenant: str, action: str, object_: str, principal: Principal
    ) -> str | None:
        """Return why a rule forbids this, or None (hook ``action_authorize``)."""
        refused = await self._host.veto(
            "action_authorize",
            tenant,
            action=action,
            subject=object_,
            principal=seen_by_adapters(journalled(principal)),
        )
        return None if refused is None else refused.text


def _setting(found: Around) -> Setting:
    talk, row = found.conversation, found.customer
    customer = None
    if row is not None:
        customer = Customer(
            id=CustomerId(row.id),
            tenant=TenantId(row.tenant),
            name=row.name,
            email=row.email,
            phone=row.phone,
            language=row.language,
            subject=row.subject,
            external=row.external,
            tags=row.tags,
        )
    known = customer.language if customer is not None else None
    return Setting(
        id=talk.id,
        tenant=talk.tenant,
        inbox=talk.inbox,
        visitor=talk.visitor,
        language=talk.language or known or "en",
        customer=customer,
        links=talk.links,
    )
