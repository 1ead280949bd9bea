"""One adapter's part in a cross-system action: preview, run, lookup, undo.

A step never names another adapter. It declares which fact it provides and which facts it
needs; the hub orders the steps of all adapters by that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

import msgspec

from deskhub_sdk.errors import Rejected
from deskhub_sdk.records import Customer, Money, Order, Principal, Record

Kind = Literal["compensable", "pivot", "retriable"]
Dedupe = Literal["key", "lookup", "none"]
Fact = Mapping[str, Any]


class ReturnLine(Record, frozen=True):
    """One line that goes back; *amount* is *quantity* times the price the order was paid at."""

    line: str
    sku: str
    title: str
    quantity: int
    amount: Money


# ISO 4217 has a code for "no currency is involved": actions without money carry this.
NO_MONEY = Money("0", "X" * 3)


class Subject(Record, frozen=True):
    """What an action is about, read by the hub from the business system itself.

    Amounts and quantities come from here and never from a browser. *about* is the order, if
    the action has one; steps of ``order.*`` actions read it as `order`. *instead* are the
    articles that an exchange sends. *transcript* is where people read the conversation.
    *fields* is what was filled in for an action of an adapter's own.
    """

    reason: str
    about: Order | None = msgspec.field(default=None, name="order")
    lines: tuple[ReturnLine, ...] = ()
    amount: Money = NO_MONEY
    note: str = ""
    summary: str = ""
    transcript: str = ""
    instead: tuple[ReturnLine, ...] = ()
    fields: Mapping[str, str | int] = {}

    @property
    def order(self) -> Order:
        """Return the order. Raises `Rejected` where the action is about none."""
        if self.about is None:
            raise Rejected("this action is not about an order")
        return self.about


class StepCall(Record, frozen=True):
    """Everything a step may know when it is called.

    *key* is ``dh_<run>_<step>``: the same for every repetition of this step in this run, so
    that a far side with idempotency keys has the effect once. It is empty in a preview.
    *facts* holds what earlier steps provided, by slot; empty in a preview.
    """

    action: str
    run: str
    key: str
    subject: Subject
    facts: Mapping[str, Fact]
    customer: Customer | None = None
    actor: Principal | None = None
    conversation: str | None = None


WAITING = "waiting@1"


class Waiting(dict[str, Any]):
    """What `run` or `lookup` returns when the step is under way and will take its time.

    The run sleeps, for days if it must, and calls `run` again with the same key when a signal
    about the object *wake_on* (``erp:REC-0001``) arrived or a person says so. At *until* the
    run needs a person. *text* says what is awaited.
    """

    def __init__(self, until: datetime, *, wake_on: str, text: str = "") -> None:
        """Make the answer; it is a fact with one reserved key, so it travels like any fact."""
        if until.tzinfo is None:
            raise ValueError(f"until has no time zone: {until!r}; use datetime.now(UTC)")
        super().__init__(
            {WAITING: {"until": until.isoformat(), "wake_on": wake_on, "text": text}}
        )


class Change(Record, frozen=True):
    """One visible effect: ``label: before → after``. All three are plain text or money."""

    label: str
    before: str | None
    after: str


class Preview(Record, frozen=True):
    """What a step would do now, without having done anything.

    *fingerprint* is a short text made of the state that was read; when it differs at
    confirmation, the agent is shown the new preview and asked again.
    """

    title: str
    changes: tuple[Change, ...]
    fingerprint: str
    detail: str = ""
    cost: Money | None = None


class Refusal(Record, frozen=True):
    """A preview that says no; the plan cannot be confirmed. *text* is shown to the agent."""

    code: str
    text: str


class StepSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a step declares about itself.

    *provides* is the fact's slot; *needs* are slots that must be there before it runs.
    *dedupe* says what a repetition with the same key does at the far side: ``key`` has the
    effect once and gives the first answer again, so that `Rejected` on a repetition says that
    nothing happened before either; ``lookup`` means ask first; ``none`` means that only a
    person can find out. *can_lookup* says that `Step.lookup` is there, whatever *dedupe* is.
    """

    action: str
    name: str
    provides: str
    needs: tuple[str, ...]
    kind: Kind
    dedupe: Dedupe
    system: str
    timeout_s: float
    done: str
    not_done: str
    can_lookup: bool = False


class Step:
    """Base of steps. A subclass is bound to one started adapter.

    *run* and *undo* may raise any `StepError`; anything else that is raised counts as an
    unknown outcome, because the hub cannot know whether the request arrived.
    """

    spec: ClassVar[StepSpec]

    def __init__(self, adapter: Any) -> None:  # noqa: ANN401  each step knows its own adapter
        """Bind the step to *adapter*, the started instance it belongs to."""
        self.adapter = adapter

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Say what `run` would do; must not change anything. Deadline: 2 s."""
        raise msgspec.ValidationError(f"{type(self).__name__} has no preview")

    async def run(self, call: StepCall) -> Fact:
        """Do it once under ``call.key`` and return the fact this step provides.

        What takes days answers `Waiting` and is called again when something happened.
        """
        raise msgspec.ValidationError(f"{type(self).__name__} has no run")

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the fact when the effect of ``call.key`` exists, None when it does not."""
        raise msgspec.ValidationError(f"{type(self).__name__} has no lookup")

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Take the effect of ``call.key`` back; repeating it must not hurt."""
        raise msgspec.ValidationError(f"{type(self).__name__} has no undo")


S = TypeVar("S", bound=type[Step])


def step(
    action: str,
    *,
    provides: str,
    kind: Kind,
    dedupe: Dedupe,
    needs: tuple[str, ...] = (),
    system: str = "",
    timeout_s: float = 10.0,
    done: str = "",
    not_done: str = "",
) -> Callable[[S], S]:
    """Declare a `Step` subclass as this adapter's part of *action* (``order.return@1``).

    *system* is the name agents read ("Warehouse"). *done* and *not_done* are sentences for
    the attention screen ("The customer has been refunded.", "… has not been refunded.").
    Raises `TypeError` when the class lacks what its kind needs.
    """

    def declare(cls: S) -> S:
        if cls.preview is Step.preview or cls.run is Step.run:
            raise TypeError(f"{cls.__name__}: a step needs preview and run")
        if kind == "compensable" and cls.undo is Step.undo:
            raise TypeError(f"{cls.__name__}: a compensable step needs undo")
        if dedupe == "lookup" and cls.lookup is Step.lookup:
            raise TypeError(f"{cls.__name__}: dedupe='lookup' needs a lookup")
        cls.spec = StepSpec(
            action=action,
            name=cls.__name__,
            provides=provides,
            needs=needs,
            kind=kind,
            dedupe=dedupe,
            system=system or cls.__name__,
            timeout_s=timeout_s,
            done=done,
            not_done=not_done,
            can_lookup=cls.lookup is not Step.lookup,
        )
        return cls

    return declare
