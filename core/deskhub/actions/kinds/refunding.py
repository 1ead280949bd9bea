"""Refund: an amount as goodwill, at most what is left, beside what they had before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskhub.actions.forms import (
    TEXT,
    About,
    Form,
    JsonObject,
    Problems,
    nothing_of,
    refundable,
)
from deskhub.actions.kinds.cards import REFUND_CARD
from deskhub.actions.types import ActionType, Choice, Received, Slot
from deskhub.actions.words import money_text
from deskhub_sdk.records import Money, Order
from deskhub_sdk.steps import Subject


class RefundForm(Form):
    """How much, which is the one amount that a person names: the server bounds it."""

    fields: Mapping[str, JsonObject] = {
        "amount": {**TEXT, "description": "A decimal text such as 20.00; the hub bounds it."}
    }

    def offers(self, order: Order | None) -> bool:
        """Return whether anything was paid and is left."""
        return order is not None and order.payment is not None and refundable(order).minor > 0

    def properties(self, about: About) -> JsonObject:
        """Return the field of the amount, with the most that is left."""
        most = refundable(about.the_order)
        title = f"Amount (at most {money_text(most)})"
        shape = {"type": "string", "title": title, "maxLength": 20, "format": "money"}
        return {"amount": {**shape, "maximum": most.amount, "currency": most.currency}}

    def values(self, about: About) -> JsonObject:
        """Return an empty amount: a person has to name it."""
        del about
        return {"amount": ""}

    def subject(
        self, form: Mapping[str, Any], about: About, problems: Problems
    ) -> tuple[Subject, JsonObject]:
        """Return the amount, checked against what is left on the order."""
        order = about.the_order
        amount = _amount(form.get("amount"), order, problems)
        subject = Subject(
            about=order, lines=(), amount=amount, reason=form["reason"], note=form["note"]
        )
        return subject, {"amount": amount.amount}


def _amount(value: object, order: Order, problems: Problems) -> Money:
    """Return what was typed as money of the order's currency."""
    most = refundable(order)
    if not isinstance(value, str) or not value.strip():
        problems.add("amount", "required", "Say how much goes back.")
        return nothing_of(order)
    try:
        typed = Money(value.strip(), most.currency)
    except ValueError:
        problems.add("amount", "type", f"An amount in {most.currency} was expected.")
        return nothing_of(order)
    amount = Money.from_minor(typed.minor, most.currency)
    if not 0 < amount.minor <= most.minor:
        problems.add("amount", "range", f"More than nothing, at most {money_text(most)}.")
    return amount


ORDER_REFUND = ActionType(
    id="order.refund@1",
    title="Refund",
    noun="refund",
    prefix="G",
    verb="Refund",
    plain="Confirm refund",
    label="{title} on order #{order}",
    form=RefundForm(),
    slots=(
        Slot("credited"),
        Slot("refunded", required=True, missing="No enabled system can refund the payment."),
        Slot("noted", cardinality="many"),
    ),
    received=Received(
        slot="refunded",
        done="The customer has been refunded {amount}.",
        doing="The customer is being refunded {amount}.",
        not_done="The customer has not been refunded.",
        unknown="It is not known whether the customer has been refunded {amount}.",
    ),
    reasons=(
        Choice("goodwill", "Goodwill"),
        Choice("late", "Delivered late"),
        Choice("damaged_kept", "Damaged, customer keeps it"),
        Choice("price", "Price difference"),
        Choice("other", "Something else"),
    ),
    card=REFUND_CARD,
    told_after="refunded",
)
