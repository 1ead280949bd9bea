"""Exchange: one article comes back, another size or colour goes out, the difference with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskhub.actions.forms import (
    LINES,
    TEXT,
    About,
    Form,
    JsonObject,
    Problems,
    blocked_line,
    line_views,
    lines_in,
    nothing_of,
    refundable,
)
from deskhub.actions.kinds.cards import EXCHANGE_CARD
from deskhub.actions.types import ActionType, Choice, Received, Slot
from deskhub.actions.words import money_text
from deskhub_sdk.records import Money, Order, Product
from deskhub_sdk.steps import ReturnLine, Subject


class ExchangeForm(Form):
    """Which article comes back, and which one goes out instead."""

    fields: Mapping[str, JsonObject] = {"lines": LINES, "instead": TEXT}
    has_variants = True

    def most(self, about: About) -> Money | None:
        """Return nothing: what goes back is a difference, which the plan shows."""
        del about
        return None

    def blocked(self, order: Order | None) -> str | None:
        """Say so when nothing of the order can come back."""
        if order is not None and all(blocked_line(line) for line in order.lines):
            return "Nothing of this order can be exchanged."
        return None

    def lines(self, about: About) -> list[JsonObject]:
        """Return the order's lines."""
        return line_views(about.the_order)

    def properties(self, about: About) -> JsonObject:
        """Return the choice of what is in stock, of every line that can come back."""
        offered = {
            one.id: f"{one.name} · {money_text(one.price)} · {one.stock} in stock"
            for line in about.the_order.lines
            if blocked_line(line) is None
            for one in about.variants.get(line.id, ())
            if one.stock > 0
        }
        choices = [{"const": key, "title": title} for key, title in offered.items()]
        return {"instead": {"type": "string", "title": "Instead", "oneOf": choices}}

    def values(self, about: About) -> JsonObject:
        """Return no choice: a person has to make it."""
        del about
        return {"instead": ""}

    def subject(
        self, form: Mapping[str, Any], about: About, problems: Problems
    ) -> tuple[Subject, JsonObject]:
        """Return what goes both ways at the server's prices, and the difference."""
        order = about.the_order
        lines = lines_in(form.get("lines"), order, problems)
        if len(lines) > 1:
            problems.add("lines", "too_many", "Exchange one article at a time.")
        instead = _instead(form.get("instead"), lines, about, problems)
        back = Money.from_minor(sum(x.amount.minor for x in lines), order.total.currency)
        subject = Subject(
            about=order,
            lines=lines,
            instead=instead,
            amount=_difference(back, instead, order, problems),
            reason=form["reason"],
            note=form["note"],
        )
        kept = [{"line": line.line, "quantity": line.quantity} for line in lines]
        return subject, {"lines": kept, "instead": str(form.get("instead", ""))}


def _instead(
    value: object, lines: tuple[ReturnLine, ...], about: About, problems: Problems
) -> tuple[ReturnLine, ...]:
    """Return the article that goes out, as many as come back."""
    if not isinstance(value, str) or not value:
        problems.add("instead", "required", "Choose what goes out instead.")
        return ()
    if not lines:
        return ()
    back = lines[0]
    chosen = next((one for one in about.variants.get(back.line, ()) if one.id == value), None)
    if chosen is None:
        problems.add("instead", "choice", f"Choose another size or colour of {back.title}.")
        return ()
    if chosen.stock < back.quantity:
        text = f"Of {chosen.name}, {chosen.stock} are in stock."
        problems.add("instead", "out_of_stock", text)
    return (_line(chosen, back.quantity),)


def _line(product: Product, quantity: int) -> ReturnLine:
    return ReturnLine(
        line=product.id,
        sku=product.sku,
        title=product.name,
        quantity=quantity,
        amount=product.price.times(quantity),
    )


def _difference(
    back: Money, instead: tuple[ReturnLine, ...], order: Order, problems: Problems
) -> Money:
    """Return what the customer gets back; what is dearer cannot be exchanged for."""
    out = sum(line.amount.minor for line in instead)
    if not instead or not back.minor:
        return nothing_of(order)
    if out > back.minor:
        more = money_text(Money.from_minor(out - back.minor, back.currency))
        problems.add("instead", "dearer", f"It costs {more} more: a return and a new order.")
        return nothing_of(order)
    difference = Money.from_minor(back.minor - out, back.currency)
    if difference.minor > refundable(order).minor:
        text = f"At most {money_text(refundable(order))} can still be refunded."
        problems.add("lines", "over_refundable", text)
    return difference


ORDER_EXCHANGE = ActionType(
    id="order.exchange@1",
    title="Exchange",
    noun="exchange",
    prefix="S",
    verb="Exchange and refund",
    plain="Confirm exchange",
    label="{title} from order #{order}",
    form=ExchangeForm(),
    slots=(
        Slot("authorized", required=True, missing="No enabled system can accept a return."),
        Slot("reserved", required=True, missing="No enabled system can set an article aside."),
        Slot("restocked"),
        Slot("replaced", required=True, missing="No enabled system can order a replacement."),
        Slot("credited"),
        Slot("refunded", required=True, missing="No enabled system can refund the payment."),
        Slot("noted", cardinality="many"),
    ),
    received=Received(
        slot="replaced",
        done="A replacement is ordered for the customer; the difference is {amount}.",
        doing="A replacement is being ordered for the customer.",
        not_done="No replacement is ordered for the customer.",
        unknown="It is not known whether a replacement is ordered for the customer.",
        for_nothing="A replacement is ordered for the customer.",
    ),
    reasons=(
        Choice("does_not_fit", "Does not fit"),
        Choice("damaged", "Damaged"),
        Choice("wrong_item", "Wrong item"),
        Choice("not_as_described", "Not as described"),
        Choice("other", "Something else"),
    ),
    card=EXCHANGE_CARD,
    told_after="refunded",
)
