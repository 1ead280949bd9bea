"""This adapter's part of every shipped action: a note on the customer's contact, once."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from deskhub_crm_hubspot.mapping import MARK, Contact, Note
from deskhub_crm_hubspot.texts import shown, text
from deskhub_sdk import (
    AdapterError,
    Change,
    Fact,
    Malformed,
    NotSent,
    Preview,
    Rejected,
    Step,
    StepCall,
    StepError,
    Throttled,
    Unavailable,
    step,
)

if TYPE_CHECKING:
    from deskhub_crm_hubspot.adapter import CrmHubspot

_NOTES = {
    "order.return@1": "note.return", "order.cancel@1": "note.cancel",
    "order.refund@1": "note.refund", "order.exchange@1": "note.exchange",
}  # fmt: skip


class _Note(Step):
    """Note what was done where the next colleague will look for it.

    HubSpot has no idempotency keys. Every note carries the step's key, and the contact's
    notes are looked through for it before one is written.
    """

    adapter: CrmHubspot

    async def preview(self, call: StepCall) -> Preview:
        """Return what will be noted, and on whom; a customer without a contact is no obstacle.

        Nothing is noted then.
        """
        language, contact = self.adapter.ctx.language, await self._contact(call)
        if contact is None:
            nobody = text(language, "step.nobody", number=_customer(call) or "-")
            return Preview(title=nobody, changes=(), fingerprint="nobody")
        return Preview(
            title=text(language, "step.title", name=contact.name),
            changes=(Change(text(language, "step.change"), None, self._subject(call)),),
            fingerprint=contact.id,
        )

    async def run(self, call: StepCall) -> Fact:
        """Write the note, unless one with this step's key is there."""
        contact, note = await self._looked(call)
        if contact is None:
            return self._nobody(call)
        if note is None:
            client, now = self.adapter.client, self.adapter.ctx.clock.now()
            try:
                note = await client.add_note(contact.id, self._body(call), now)
            except AdapterError as error:
                raise _as_step(error) from error
        return self._fact(note)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the note with this step's key; for nobody there is nothing to find."""
        contact, note = await self._looked(call)
        if contact is None:
            return self._nobody(call)
        return self._fact(note) if note is not None else None

    async def _looked(self, call: StepCall) -> tuple[Contact | None, Note | None]:
        """Return the contact and the note that is there, asking twice. Raises `NotSent`.

        What was only looked at leaves nothing in doubt.
        """
        try:
            return await self._look(call)
        except (Unavailable, Throttled):
            pass
        except AdapterError as error:
            raise _as_step(error) from error
        try:
            return await self._look(call)
        except AdapterError as error:
            raise _as_step(error) from error

    async def _look(self, call: StepCall) -> tuple[Contact | None, Note | None]:
        contact = await self._contact(call)
        if contact is None:
            return None, None
        return contact, await self.adapter.client.note_under(contact.id, call.key)

    async def _contact(self, call: StepCall) -> Contact | None:
        number = _customer(call)
        return await self.adapter.contacts.load(number) if number else None

    def _subject(self, call: StepCall) -> str:
        language = self.adapter.ctx.language
        if call.subject.about is None or call.action not in _NOTES:
            return text(language, "note.escalate", summary=call.subject.summary)
        amount = shown(call.subject.amount)
        return text(
            language, _NOTES[call.action], order=call.subject.about.number, amount=amount
        )

    def _body(self, call: StepCall) -> str:
        """Return the note as HTML: what was done, why, who, and the mark of this step."""
        lines = [f"{one.quantity} × {one.title} ({one.sku})" for one in call.subject.lines]
        who = call.actor.name if call.actor and call.actor.name else ""
        told = [self._subject(call), *lines, call.subject.reason, who, f"{MARK}{call.key}"]
        return "<br>".join(escape(one) for one in told if one)

    def _fact(self, note: Note) -> Fact:
        done = text(self.adapter.ctx.language, "step.done")
        return {"system": "hubspot", "id": note.id, "text": done}

    def _nobody(self, call: StepCall) -> Fact:
        number = _customer(call) or "-"
        nobody = text(self.adapter.ctx.language, "step.nobody", number=number)
        return {"system": "hubspot", "text": nobody}


@step(
    "order.return@1", provides="noted", needs=("refunded",), kind="retriable",
    dedupe="lookup", system="HubSpot", timeout_s=20.0,
    done="The return is noted in HubSpot.", not_done="The return is not noted in HubSpot.",
)  # fmt: skip
class NoteReturn(_Note):
    """Note a finished return."""


@step(
    "order.cancel@1", provides="noted", needs=("refunded",), kind="retriable",
    dedupe="lookup", system="HubSpot", timeout_s=20.0,
    done="The cancellation is noted in HubSpot.",
    not_done="The cancellation is not noted in HubSpot.",
)  # fmt: skip
class NoteCancel(_Note):
    """Note a cancellation."""


@step(
    "order.refund@1", provides="noted", needs=("refunded",), kind="retriable",
    dedupe="lookup", system="HubSpot", timeout_s=20.0,
    done="The refund is noted in HubSpot.", not_done="The refund is not noted in HubSpot.",
)  # fmt: skip
class NoteRefund(_Note):
    """Note goodwill, so that the next colleague sees it before giving more."""


@step(
    "order.exchange@1", provides="noted", needs=("refunded",), kind="retriable",
    dedupe="lookup", system="HubSpot", timeout_s=20.0,
    done="The exchange is noted in HubSpot.",
    not_done="The exchange is not noted in HubSpot.",
)  # fmt: skip
class NoteExchange(_Note):
    """Note an exchange."""


@step(
    "ticket.escalate@1", provides="noted", needs=("escalated",), kind="retriable",
    dedupe="lookup", system="HubSpot", timeout_s=20.0,
    done="The escalation is noted in HubSpot.",
    not_done="The escalation is not noted in HubSpot.",
)  # fmt: skip
class NoteEscalation(_Note):
    """Note that colleagues look into it."""


def _customer(call: StepCall) -> str | None:
    """Return the customer's number, from the order or from who asks."""
    if call.subject.about is not None:
        return call.subject.about.customer
    return call.customer.subject if call.customer is not None else None


def _as_step(error: AdapterError) -> StepError:
    """Return what *error* means for a step: whatever is none of its own had no effect."""
    if isinstance(error, StepError):
        return error
    if isinstance(error, Unavailable | Throttled | Malformed):
        return NotSent(str(error), retry_after_s=error.retry_after_s)
    return Rejected(str(error))
