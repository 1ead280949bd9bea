"""The forms of actions: every mistake has its field, every amount comes from the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deskhub.actions.types import ActionType, Choice
from deskhub.actions.words import money_text
from deskhub.errors import Invalid
from deskhub_sdk.records import Money, Order, OrderLine, Product
from deskhub_sdk.steps import ReturnLine, Subject

MAX_NOTE = 2000
MAX_MESSAGE = 2000
_LINE_FIELDS = frozenset({"line", "quantity"})
JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What an action is about, as read just now.

    *history* is what was done for them before, *variants* what each line can be exchanged for.
    """

    object: str
    order: Order | None = None
    history: tuple[JsonObject, ...] = ()
    transcript: str = ""
    variants: Mapping[str, tuple[Product, ...]] = field(default_factory=dict)

    @property
    def the_order(self) -> Order:
        """Return the order; only forms of actions about orders ask."""
        if self.order is None:
            raise Invalid(self.object)
        return self.order


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form as it was checked: *subject* with the server's amounts, *input* to keep."""

    object: str
    subject: Subject
    input: JsonObject


class Problems:
    """Everything wrong with a form, collected before any of it is refused."""

    def __init__(self) -> None:
        """Start without problems."""
        self._found: list[dict[str, str]] = []

    def add(self, path: str, code: str, text: str) -> None:
        """Note that the field at *path* is wrong, with a sentence for the person."""
        self._found.append({"path": path, "code": code, "text": text})

    def raise_if_any(self) -> None:
        """Raise `Invalid` with all problems, if there are any."""
        if self._found:
            detail = ", ".join(f"{p['path']}:{p['code']}" for p in self._found)
            raise Invalid(detail, fields=tuple(self._found))


class Form:
    """Base of forms: a reason, a note and a message; subclasses add what they ask.

    *fields* is what they add, each as JSON Schema for programs that fill in forms.
    """

    fields: Mapping[str, JsonObject] = {}
    has_variants = False
    note_title = "Note for the systems"

    def offers(self, order: Order | None) -> bool:
        """Return whether the action makes sense here at all; else it is not even shown."""
        return order is not None

    def blocked(self, order: Order | None) -> str | None:
        """Return why it cannot be done now, shown beside the disabled button."""
        del order
        return None

    def lines(self, about: About) -> list[JsonObject]:
        """Return the lines to choose from; empty where there is nothing to choose."""
        del about
        return []

    def most(self, about: About) -> Money | None:
        """Return the most that can go back, or None where no money moves."""
        return None if about.order is None else refundable(about.order)

    def properties(self, about: About) -> JsonObject:
        """Return the JSON Schema properties this form adds before the common ones."""
        del about
        return {}

    def required(self) -> list[str]:
        """Return the added fields that have to be filled in."""
        return list(self.fields)

    def values(self, about: About) -> JsonObject:
        """Return what the added fields are prefilled with."""
        del about
        return {}

    def subject(
        self, form: Mapping[str, Any], about: About, problems: Problems
    ) -> tuple[Subject, JsonObject]:
        """Return what is wanted and the added fields to keep; problems are collected."""
        raise Invalid(f"{type(self).__name__} {form} {about} {problems}")


def form_view(kind: ActionType, about: About) -> JsonObject:
    """Return the form of *kind*, prefilled where there is nothing to decide."""
    order = about.order
    most = kind.form.most(about)
    reason = {
        "type": "string",
        "title": "Reason",
        "oneOf": [{"const": c.value, "title": c.label} for c in kind.reasons],
    }
    properties = {
        **kind.form.properties(about),
        "reason": reason,
        "note": _textarea(kind.form.note_title, MAX_NOTE),
        "message": _textarea("Message to the customer", MAX_MESSAGE),
    }
    added = kind.form.properties(about)
    common = {"reason": kind.reasons[0].value, "note": "", "message": ""}
    return {
        "type": kind.id,
        "title": kind.label_for(None if order is None else order.number),
        "object": about.object,
        "subtitle": "" if order is None else _paid(order),
        "lines": kind.form.lines(about),
        "schema": {
            "type": "object",
            "required": [*(name for name in kind.form.required() if name in added), "reason"],
            "properties": properties,
        },
        "values": {**kind.form.values(about), **common},
        "currency": None if order is None else order.total.currency,
        "max": None if most is None else money_view(most),
        "history": list(about.history),
    }


TEXT: JsonObject = {"type": "string"}
LINES: JsonObject = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"line": TEXT, "quantity": {"type": "integer", "minimum": 1}},
        "required": ["line", "quantity"],
    },
}


def tool_view(kind: ActionType) -> JsonObject:
    """Return *kind* for programs: what planning it takes, as JSON Schema."""
    return {
        "type": kind.id,
        "title": kind.title,
        "about": kind.about,
        "schema": {
            "type": "object",
            "properties": {
                "object": {**TEXT, "description": "As in available_actions: orders:1042."},
                **kind.form.fields,
                "reason": {**TEXT, "enum": [choice.value for choice in kind.reasons]},
                "note": TEXT,
                "message": {**TEXT, "description": "Sent to the customer when it is done."},
            },
            "required": ["object", "reason", *sorted(kind.form.required())],
            "additionalProperties": False,
        },
    }


def check_form(kind: ActionType, form: Mapping[str, Any], about: About) -> Wanted:
    """Return what is wanted, with amounts from the order. Raises `Invalid`."""
    problems = Problems()
    known = {*kind.form.fields, "object", "reason", "note", "message"}
    for name in sorted(map(str, set(form) - known)):
        problems.add(name, "unknown_field", "This field is not part of the form.")
    reason = _reason(form, kind.reasons, problems)
    note = text_in(form, "note", MAX_NOTE, problems)
    message = text_in(form, "message", MAX_MESSAGE, problems)
    subject, kept = kind.form.subject({**form, "reason": reason, "note": note}, about, problems)
    problems.raise_if_any()
    return Wanted(
        about.object,
        subject,
        {"object": about.object, **kept, "reason": reason, "note": note, "message": message},
    )


def object_in(form: object) -> str:
    """Return the form's ``object``. Raises `Invalid` when the form has another shape."""
    problems = Problems()
    if not isinstance(form, Mapping):
        problems.add("", "type", "An object with fields was expected.")
    elif not isinstance(form.get("object"), str) or not 0 < len(form["object"]) <= 200:
        problems.add("object", "required", "Say which order this is about.")
    problems.raise_if_any()
    return str(form["object"])  # type: ignore[index]  # a Mapping, or it was refused above


def refundable(order: Order) -> Money:
    """Return the most that can still go back on *order*."""
    return order.total - order.refunded


def nothing_of(order: Order) -> Money:
    """Return no money in the order's currency."""
    return Money.from_minor(0, order.total.currency)


def blocked_line(line: OrderLine) -> str | None:
    """Return why nothing of *line* can come back, or None."""
    if line.returnable > 0:
        return None
    return line.note or "This cannot be returned."


def line_views(order: Order) -> list[JsonObject]:
    """Return the lines of *order* with what of each can come back."""
    return [
        {
            "line": line.id,
            "title": line.title,
            "sku": line.sku,
            "quantity": line.quantity,
            "returnable": line.returnable,
            "unit_price": money_view(line.unit_price),
            "blocked": blocked_line(line),
        }
        for line in order.lines
    ]


def money_view(amount: Money) -> dict[str, str]:
    """Return *amount* as clients read it."""
    return {"money": amount.amount, "currency": amount.currency}


def lines_in(value: object, order: Order, problems: Problems) -> tuple[ReturnLine, ...]:
    """Return the chosen lines with the prices they were paid at."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        problems.add("lines", "required", "Choose at least one article.")
        return ()
    if len(value) > len(order.lines):
        problems.add("lines", "too_many", "These are more lines than the order has.")
        return ()
    known = {line.id: line for line in order.lines}
    wanted: dict[str, ReturnLine] = {}
    for at, entry in enumerate(value):
        line = _line(entry, f"lines.{at}", known, problems)
        if line is not None and line.line in wanted:
            problems.add(f"lines.{at}.line", "twice", "This article is in the list twice.")
        elif line is not None:
            wanted[line.line] = line
    return tuple(wanted.values())


def text_in(form: Mapping[str, Any], name: str, longest: int, problems: Problems) -> str:
    """Return the text of a field, at most *longest* characters; empty when it is absent."""
    value = form.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        problems.add(name, "type", "A text was expected.")
        return ""
    if len(value) > longest:
        problems.add(name, "too_long", f"At most {longest} characters.")
    return value.strip()


def _line(
    entry: object, path: str, known: Mapping[str, OrderLine], problems: Problems
) -> ReturnLine | None:
    if not isinstance(entry, Mapping):
        problems.add(path, "type", "A line with its quantity was expected.")
        return None
    for name in sorted(map(str, set(entry) - _LINE_FIELDS)):
        problems.add(f"{path}.{name}", "unknown_field", "Amounts come from the order.")
    line = known.get(str(entry.get("line")))
    if line is None:
        problems.add(f"{path}.line", "unknown_line", "The order has no such line.")
        return None
    reason = blocked_line(line)
    if reason is not None:
        problems.add(f"{path}.line", "blocked", reason)
        return None
    quantity = entry.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        problems.add(f"{path}.quantity", "type", "A whole number was expected.")
        return None
    if not 1 <= quantity <= line.returnable:
        text = f"Between 1 and {line.returnable} can be returned."
        problems.add(f"{path}.quantity", "range", text)
        return None
    return ReturnLine(
        line=line.id,
        sku=line.sku,
        title=line.title,
        quantity=quantity,
        amount=line.unit_price.times(quantity),
    )


def _reason(form: Mapping[str, Any], reasons: Sequence[Choice], problems: Problems) -> str:
    reason = form.get("reason")
    if reason not in {choice.value for choice in reasons}:
        problems.add("reason", "choice", "Choose one of the reasons.")
    return str(reason)


def _paid(order: Order) -> str:
    said = f"Paid {money_text(order.total)}"
    if order.paid_with:
        said = f"{said} by {order.paid_with}"
    if order.refunded.minor:
        said = f"{said}, {money_text(order.refunded)} refunded already"
    return said


def _textarea(title: str, longest: int) -> JsonObject:
    return {"type": "string", "title": title, "maxLength": longest, "format": "textarea"}
