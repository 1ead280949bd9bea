"""This adapter's part of a return: an activity on the customer's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_crm.mapping import Activity, Contact
from deskhub_crm.texts import text
from deskhub_sdk import Change, Fact, Money, Preview, Step, StepCall, step

if TYPE_CHECKING:
    from deskhub_crm.adapter import Crm

_SIGN = {"CNY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}


@step(
    "order.return@1",
    provides="noted",
    needs=("refunded",),
    kind="retriable",
    dedupe="lookup",
    system="CRM",
    timeout_s=10.0,
    done="The return is noted on the customer's record.",
    not_done="The return is not noted on the customer's record.",
)
class NoteActivity(Step):
    """Note a finished return where the next colleague will look for it.

    The CRM has no idempotency keys. Every activity carries the step's key as its client
    reference, and the reference is looked up before anything is recorded.
    """

    adapter: Crm

    async def preview(self, call: StepCall) -> Preview:
        """Return what will be noted and on whom; a customer without a record is no obstacle."""
        language = self.adapter.ctx.language
        contact = await self._contact(call)
        subject = _subject(call, language)
        number = _customer(call) or "-"
        if contact is None:
            return Preview(
                title=text(language, "step.note.title.unknown"),
                changes=(Change(text(language, "crm.last_activity"), None, subject),),
                detail=text(language, "step.note.unlinked", number=number),
                fingerprint="no-contact",
            )
        last = contact.last_activity.subject if contact.last_activity else None
        return Preview(
            title=text(language, "step.note.title", name=contact.name),
            changes=(
                Change(text(language, "crm.last_activity"), last, subject),
                Change(
                    text(language, "step.note.activities"),
                    str(contact.activities),
                    str(contact.activities + 1),
                ),
            ),
            # A colleague who notes something meanwhile is no reason to ask again.
            fingerprint=contact.id,
        )

    async def run(self, call: StepCall) -> Fact:
        """Record the activity unless its reference is there already."""
        done = await self.lookup(call)
        if done is not None:
            return done
        contact = await self._contact(call)
        language = self.adapter.ctx.language
        activity = await self.adapter.client.record_activity(
            reference=call.key,
            contact=contact.id if contact else None,
            subject=_subject(call, language),
            body=_body(call),
        )
        customer = _customer(call)
        if customer is not None:
            self.adapter.forget(customer)
        return _fact(activity, language)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the activity recorded under this step's key, if there is one."""
        activity = await self.adapter.client.activity_by_reference(call.key)
        return _fact(activity, self.adapter.ctx.language) if activity else None

    async def _contact(self, call: StepCall) -> Contact | None:
        customer = _customer(call)
        return await self.adapter.contacts.load(customer) if customer is not None else None


@step(
    "order.cancel@1",
    provides="noted",
    needs=("refunded",),
    kind="retriable",
    dedupe="lookup",
    system="CRM",
    timeout_s=10.0,
    done="The cancellation is noted on the customer's record.",
    not_done="The cancellation is not noted on the customer's record.",
)
class NoteCancel(NoteActivity):
    """Note a cancellation, as a return is noted."""


@step(
    "order.refund@1",
    provides="noted",
    needs=("refunded",),
    kind="retriable",
    dedupe="lookup",
    system="CRM",
    timeout_s=10.0,
    done="The refund is noted on the customer's record.",
    not_done="The refund is not noted on the customer's record.",
)
class NoteRefund(NoteActivity):
    """Note goodwill, so that the next colleague sees it before giving more."""


@step(
    "order.exchange@1",
    provides="noted",
    needs=("refunded",),
    kind="retriable",
    dedupe="lookup",
    system="CRM",
    timeout_s=10.0,
    done="The exchange is noted on the customer's record.",
    not_done="The exchange is not noted on the customer's record.",
)
class NoteExchange(NoteActivity):
    """Note an exchange, as a return is noted."""


@step(
    "ticket.escalate@1",
    provides="noted",
    needs=("escalated",),
    kind="retriable",
    dedupe="lookup",
    system="CRM",
    timeout_s=10.0,
    done="The escalation is noted on the customer's record.",
    not_done="The escalation is not noted on the customer's record.",
)
class NoteEscalation(NoteActivity):
    """Note that colleagues look into it."""


_SUBJECTS = {
    "order.cancel@1": "cancel",
    "order.refund@1": "refund",
    "order.exchange@1": "exchange",
}


def _customer(call: StepCall) -> str | None:
    """Return the customer's number, from the order or from who asks."""
    if call.subject.about is not None:
        return call.subject.about.customer
    return call.customer.subject if call.customer is not None else None


def _subject(call: StepCall, language: str) -> str:
    if call.action.startswith("ticket."):
        return text(language, "step.note.subject.escalate", summary=call.subject.summary)
    key = _SUBJECTS.get(call.action)
    return text(
        language,
        f"step.note.subject.{key}" if key else "step.note.subject",
        order=call.subject.order.number,
        amount=_shown(call.subject.amount),
    )


def _body(call: StepCall) -> str:
    """Return what came back, piece by piece, with the run a colleague can ask about."""
    lines = [f"{line.quantity} × {line.title} ({line.sku})" for line in call.subject.lines]
    who = call.actor.name if call.actor and call.actor.name else None
    return "\n".join([*lines, call.subject.reason, *([who] if who else []), call.run])


def _fact(activity: Activity, language: str) -> Fact:
    return {
        "system": "crm",
        "id": activity.id,
        "reference": activity.client_ref or "",
        "text": text(language, "step.note.done", activity=activity.id),
    }


def _shown(amount: Money) -> str:
    sign = _SIGN.get(amount.currency)
    return f"{sign}{amount.amount}" if sign else f"{amount.amount} {amount.currency}"
