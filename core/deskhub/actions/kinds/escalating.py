"""Escalate: a case with the transcript for the people behind the desk; no money moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskhub.actions.forms import TEXT, About, Form, JsonObject, Problems, text_in
from deskhub.actions.types import ActionType, Choice, Received, Slot
from deskhub_sdk.records import Money, Order
from deskhub_sdk.steps import Subject

MAX_SUMMARY = 120


class EscalateForm(Form):
    """One line for the case's title; the order may be there or not."""

    fields: Mapping[str, JsonObject] = {"summary": {**TEXT, "maxLength": MAX_SUMMARY}}
    note_title = "What has to be done"

    def offers(self, order: Order | None) -> bool:
        """Return that a conversation can always be escalated."""
        del order
        return True

    def most(self, about: About) -> Money | None:
        """Return nothing: no money moves."""
        del about
        return None

    def properties(self, about: About) -> JsonObject:
        """Return the field of the case's title."""
        del about
        shape = {"type": "string", "title": "Summary", "minLength": 1, "maxLength": MAX_SUMMARY}
        return {"summary": shape}

    def values(self, about: About) -> JsonObject:
        """Return a title to start from."""
        if about.order is None:
            return {"summary": ""}
        return {"summary": f"Order #{about.order.number}: "}

    def subject(
        self, form: Mapping[str, Any], about: About, problems: Problems
    ) -> tuple[Subject, JsonObject]:
        """Return the case's title and text, with the order when one is meant."""
        summary = text_in(form, "summary", MAX_SUMMARY, problems)
        if not summary:
            problems.add("summary", "required", "Say in one line what it is about.")
        subject = Subject(
            about=about.order,
            reason=form["reason"],
            note=form["note"],
            summary=summary,
            transcript=about.transcript,
        )
        return subject, {"summary": summary}


TICKET_ESCALATE = ActionType(
    id="ticket.escalate@1",
    title="Escalate",
    noun="escalation",
    prefix="E",
    verb="Open the case",
    plain="Open the case",
    label="{title} with order #{order}",
    about="conversation",
    form=EscalateForm(),
    slots=(
        Slot("escalated", required=True, missing="No enabled system can open a case."),
        Slot("noted", cardinality="many"),
    ),
    received=Received(
        slot="escalated",
        done="A case is open and colleagues have the transcript.",
        doing="A case is being opened.",
        not_done="No case is open.",
        unknown="It is not known whether a case was opened.",
    ),
    reasons=(
        Choice("normal", "Normal"),
        Choice("urgent", "Urgent"),
        Choice("complaint", "Complaint"),
        Choice("technical", "Technical"),
    ),
    told_after="escalated",
)
