"""The hub's own step: the customer is told, as a journaled step and not as a side effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deskhub.actions.calls import facts_of
from deskhub.actions.customer_card import label_of
from deskhub.actions.planner import Absent, Offer
from deskhub.actions.ports import StepRef, StepRunner, Transactions, Tx
from deskhub.actions.types import TOLD, ActionType
from deskhub.chat.commands import PostMessage
from deskhub.errors import HubError
from deskhub.identity.model import Principal
from deskhub.store import runs
from deskhub.store.runs import RunRow
from deskhub_sdk.errors import NotSent, Rejected
from deskhub_sdk.steps import Change, Fact, Preview, Refusal, StepCall, StepSpec

HUB = "hub"
VERSION = "1"
_SHOWN = 160


def tell(kind: ActionType) -> Offer:
    """Return ``customer.message@1`` as the last step of *kind*."""
    spec = StepSpec(
        action=kind.id,
        name="Tell",
        provides=TOLD,
        needs=(kind.told_after,) if kind.told_after else (),
        kind="retriable",
        dedupe="key",
        system="Chat",
        timeout_s=10.0,
        done="The customer has been told.",
        not_done="The customer has not been told.",
    )
    return Offer(HUB, spec, VERSION)


def told_preview(message: str) -> Preview:
    """Return what the customer will read."""
    shown = message if len(message) <= _SHOWN else message[: _SHOWN - 1] + "…"
    return Preview(
        title="Tell the customer", changes=(Change("Message", None, shown),), fingerprint="told"
    )


class WithHub:
    """A `StepRunner` that does the hub's own step itself and leaves the others to *steps*."""

    def __init__(self, steps: StepRunner, store: Transactions) -> None:
        """Post into the conversations of *store*."""
        self._steps = steps
        self._store = store

    def offers(self, tenant: str, action: str) -> Sequence[Offer]:
        """Return the steps that ready instances offer for *action*."""
        return self._steps.offers(tenant, action)

    def absent(self, tenant: str, action: str) -> Sequence[Absent]:
        """Return the steps of enabled instances that are not ready, with the reason."""
        return self._steps.absent(tenant, action)

    def version(self, tenant: str, step: StepRef) -> str | None:
        """Return the version that would do *step* now, or None while it is not there."""
        return VERSION if step.instance == HUB else self._steps.version(tenant, step)

    async def preview(self, tenant: str, step: StepRef, call: StepCall) -> Preview | Refusal:
        """Ask what would happen."""
        return await self._steps.preview(tenant, step, call)

    async def run(self, tenant: str, step: StepRef, call: StepCall) -> Fact:
        """Do it; the message is posted once under the step's key, whoever repeats it."""
        if step.instance != HUB:
            return await self._steps.run(tenant, step, call)

        def work(tx: Tx) -> Any:  # noqa: ANN401  the chat's own receipt
            run = runs.load_run(tx.connection, tx.tenant, call.run)
            if run is None:
                raise Rejected(f"there is no run {call.run}")
            return tx.chat(_author(run), PostMessage(run.conversation, _words(run)), call.key)

        try:
            receipt = await self._store.transact(tenant, work)
        except HubError as error:
            # The store is busy or down: nothing was written. Anything else is a refusal.
            if error.retry != "never":
                raise NotSent(error.text) from error
            raise Rejected(error.text) from error
        return {"seq": getattr(receipt, "seq", 0), "text": "Message sent"}

    async def lookup(self, tenant: str, step: StepRef, call: StepCall) -> Fact | None:
        """Ask whether it was done."""
        if step.instance == HUB:
            return await self.run(tenant, step, call)
        return await self._steps.lookup(tenant, step, call)

    async def undo(self, tenant: str, step: StepRef, call: StepCall, fact: Fact) -> None:
        """Take it back; what was said cannot be unsaid."""
        if step.instance == HUB:
            raise Rejected("a message that was sent stays sent")
        await self._steps.undo(tenant, step, call, fact)


def _words(run: RunRow) -> str:
    """Return the agent's words, with the label when the customer needs one."""
    text = str(run.input.get("message") or "").strip()
    label = label_of(facts_of(run))
    return f"{text}\n{label}" if label is not None and label not in text else text


def _author(run: RunRow) -> Principal:
    return Principal(
        tenant=run.tenant,
        kind=run.actor["kind"],
        id=run.actor["id"],
        name=run.actor.get("name") or "",
        role=run.actor.get("role"),
    )
