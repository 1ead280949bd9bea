"""Return: goods come back and money goes back, across shop, warehouse, books and payments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskhub.actions.forms import (
    LINES,
    About,
    Form,
    JsonObject,
    Problems,
    blocked_line,
    line_views,
    lines_in,
    refundable,
)
from deskhub.actions.kinds.cards import RETURN_CARD
from deskhub.actions.types import ActionType, Choice, Received, Slot
from deskhub.actions.words import money_text
from deskhub_sdk.records import Money, Order
from deskhub_sdk.steps import Subject


class ReturnForm(Form):
    """Which articles come back, and why."""

    fields: Mapping[str, JsonObject] = {"lines": LINES}

    def blocked(self, order: Order | None) -> str | None:
        """Say so when nothing of the order can come back."""
        if order is not None and all(blocked_line(line) for line in order.lines):
            return "Nothing of this order can be returned."
        return None

    def lines(self, about: About) -> list[JsonObject]:
        """Return the order's lines."""
        return line_views(about.the_order)

    def subject(
        self, form: Mapping[str, Any], about: About, problems: Problems
    ) -> tuple[Subject, JsonObject]:
        """Return the chosen lines and what they were paid at."""
        order = about.the_order
        lines = lines_in(form.get("lines"), order, problems)
        amount = Money.from_minor(
            sum(line.amount.minor for line in lines), order.total.currency
        )
        if amount.minor > refundable(order).minor:
            text = f"At most {money_text(refundable(order))} can still be refunded."
            problems.add("lines", "over_refundable", text)
        subject = Subject(
            about=order, lines=lines, amount=amount, reason=form["reason"], note=form["note"]
        )
        kept = [{"line": line.line, "quantity": line.quantity} for line in lines]
        return subject, {"lines": kept}


ORDER_RETURN = ActionType(
    id="order.return@1",
    title="Return",
    noun="return",
    prefix="R",
    verb="Refund",
    plain="Confirm return",
    label="{title} from order #{order}",
    form=ReturnForm(),
    slots=(
        Slot("authorized", required=True, missing="No enabled system can accept a return."),
        Slot("restocked"),
        Slot("goods_in"),
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
        Choice("damaged", "Damaged"),
        Choice("wrong_item", "Wrong item"),
        Choice("not_as_described", "Not as described"),
        Choice("does_not_fit", "Does not fit"),
        Choice("changed_mind", "Changed mind"),
        Choice("other", "Something else"),
    ),
    card=RETURN_CARD,
    told_after="refunded",
)
