"""Cancel: the whole order stops before it is shipped, and what was paid goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskhub.actions.forms import About, Form, JsonObject, Problems, nothing_of, refundable
from deskhub.actions.kinds.cards import CANCEL_CARD
from deskhub.actions.types import ActionType, Choice, Received, Slot
from deskhub_sdk.records import Order
from deskhub_sdk.steps import ReturnLine, Subject

BEFORE_SHIPMENT = frozenset({"placed", "paid", "packed"})


class CancelForm(Form):
    """Nothing to choose but the reason: an order is cancelled as a whole."""

    def offers(self, order: Order | None) -> bool:
        """Return whether the order has not left yet."""
        return order is not None and order.status in BEFORE_SHIPMENT

    def subject(
        self, form: Mapping[str, Any], about: About, problems: Problems
    ) -> tuple[Subject, JsonObject]:
        """Return the whole order with all that was paid for it."""
        order = about.the_order
        if order.status not in BEFORE_SHIPMENT:
            text = f"Order #{order.number} is {order.status} and cannot be cancelled any more."
            problems.add("object", "too_late", text)
        lines = tuple(
            ReturnLine(
                line=line.id,
                sku=line.sku,
                title=line.title,
                quantity=line.quantity,
                amount=line.unit_price.times(line.quantity),
            )
            for line in order.lines
        )
        paid = refundable(order) if order.payment else nothing_of(order)
        subject = Subject(
            about=order, lines=lines, amount=paid, reason=form["reason"], note=form["note"]
        )
        return subject, {}


ORDER_CANCEL = ActionType(
    id="order.cancel@1",
    title="Cancel",
    noun="cancellation",
    prefix="X",
    verb="Cancel and refund",
    plain="Cancel the order",
    form=CancelForm(),
    slots=(
        Slot("cancelled", required=True, missing="No enabled system can cancel an order."),
        Slot("refunded", required=True, missing="No enabled system can refund the payment."),
        Slot("noted", cardinality="many"),
    ),
    received=Received(
        slot="refunded",
        done="The order is cancelled; {amount} went back to the customer.",
        doing="The order is being cancelled; {amount} are on their way back.",
        not_done="The customer has not been refunded.",
        unknown="It is not known whether the customer has been refunded {amount}.",
        for_nothing="The order is cancelled. Nothing was paid.",
    ),
    reasons=(
        Choice("changed_mind", "Changed mind"),
        Choice("ordered_twice", "Ordered twice"),
        Choice("too_slow", "Takes too long"),
        Choice("out_of_stock", "Out of stock"),
        Choice("other", "Something else"),
    ),
    card=CANCEL_CARD,
    told_after="refunded",
)
