"""What actions need from the rest of the hub: a store, adapters' steps, conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from deskhub.actions.planner import Absent, Offer
from deskhub.identity.model import Principal
from deskhub_sdk.capabilities import Orders, Variants
from deskhub_sdk.records import Customer, Order, OrderFacts
from deskhub_sdk.steps import Fact, Preview, Refusal, StepCall, StepSpec

T = TypeVar("T")


class Tx(Protocol):
    """One transaction of one tenant; what is done in it commits together or not at all."""

    tenant: str
    now: datetime
    connection: Any

    def append(
        self,
        kind: str,
        *,
        conversation: str | None,
        audience: Literal["all", "agents"],
        by: str,
        data: dict[str, Any],
        cid: str | None = None,
    ) -> int:
        """Add an event and return its place in the log."""
        ...

    def chat(self, principal: Principal, command: Any, cid: str) -> Any:  # noqa: ANN401
        """Do a chat command inside this transaction."""
        ...


class Transactions(Protocol):
    """The store as actions use it."""

    async def transact(self, tenant: str, work: Callable[[Any], T]) -> T:
        """Run *work* in one durable transaction."""
        ...

    async def read(self, query: Callable[[Any], T]) -> T:
        """Run *query* in one consistent read transaction."""
        ...


@dataclass(frozen=True, slots=True)
class StepRef:
    """Which adapter's step is meant."""

    instance: str
    action: str
    spec: StepSpec


class StepRunner(Protocol):
    """How steps of adapters are reached; every call has the deadline the step declared.

    An instance that is not there raises `NotSent`, a missed deadline `OutcomeUnknown`.
    """

    def offers(self, tenant: str, action: str) -> Sequence[Offer]:
        """Return the steps that ready instances offer for *action*."""
        ...

    def absent(self, tenant: str, action: str) -> Sequence[Absent]:
        """Return the steps of enabled instances that are not ready, with the reason."""
        ...

    def version(self, tenant: str, step: StepRef) -> str | None:
        """Return the version that would do *step* now, or None while it is not there."""
        ...

    async def preview(self, tenant: str, step: StepRef, call: StepCall) -> Preview | Refusal:
        """Ask what would happen."""
        ...

    async def run(self, tenant: str, step: StepRef, call: StepCall) -> Fact:
        """Do it."""
        ...

    async def lookup(self, tenant: str, step: StepRef, call: StepCall) -> Fact | None:
        """Ask whether it was done."""
        ...

    async def undo(self, tenant: str, step: StepRef, call: StepCall, fact: Fact) -> None:
        """Take it back."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """The conversation in which an action is planned, as far as actions care."""

    id: str
    tenant: str
    inbox: str
    visitor: str | None
    language: str
    customer: Customer | None
    links: tuple[str, ...]


class Surroundings(Protocol):
    """What actions read of conversations and business objects, and whom they ask."""

    async def setting(self, tenant: str, conversation: str) -> Setting | None:
        """Return the conversation, or None when *tenant* has no such conversation."""
        ...

    def orders(self, tenant: str) -> tuple[str, Orders] | None:
        """Return the instance that is the shop and its guarded ``orders@1``, or None."""
        ...

    def variants(self, tenant: str) -> Variants | None:
        """Return who says what an article can be exchanged for, or None."""
        ...

    async def order_facts(
        self, tenant: str, order: Order
    ) -> Sequence[tuple[str, str, OrderFacts | None, str]]:
        """Return (instance, state, facts, error) of every system (hook ``order_facts``)."""
        ...

    def transcript(self, setting: Setting) -> str:
        """Return the address at which colleagues read the conversation."""
        ...

    async def refusal(
        self, tenant: str, action: str, object_: str, principal: Principal
    ) -> str | None:
        """Return why a rule forbids this, or None (hook ``action_authorize``)."""
        ...
