"""Kinds of actions that adapters bring: declared data becomes a form, slots and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskhub.actions.forms import About, Form, JsonObject, Problems, text_in
from deskhub.actions.types import ActionType, Choice, Received, Slot
from deskhub_sdk.actions import ActionField, ActionSpec
from deskhub_sdk.records import Money, Order
from deskhub_sdk.steps import Subject


class DeclaredForm(Form):
    """The fields that an adapter declared; no money moves by what stands in them."""

    def __init__(self, spec: ActionSpec) -> None:
        """Ask for what *spec* declares."""
        self._spec = spec
        self.fields = {one.name: _shape(one) for one in spec.fields}

    def offers(self, order: Order | None) -> bool:
        """Return whether there is what the action is about."""
        return order is not None or self._spec.about == "conversation"

    def most(self, about: About) -> Money | None:
        """Return nothing: no money moves."""
        del about
        return None

    def properties(self, about: About) -> JsonObject:
        """Return the declared fields."""
        del about
        return dict(self.fields)

    def required(self) -> list[str]:
        """Return the fields that have to be filled in."""
        return [one.name for one in self._spec.fields if one.required]

    def values(self, about: About) -> JsonObject:
        """Return empty fields."""
        del about
        return {one.name: "" for one in self._spec.fields}

    def subject(
        self, form: Mapping[str, Any], about: About, problems: Problems
    ) -> tuple[Subject, JsonObject]:
        """Return what was filled in, as it was declared."""
        given = {one.name: _value(one, form, problems) for one in self._spec.fields}
        kept = {name: value for name, value in given.items() if value is not None}
        subject = Subject(
            about=about.order,
            reason=form["reason"],
            note=form["note"],
            transcript=about.transcript,
            fields=kept,
        )
        return subject, dict(kept)


def of_adapter(spec: ActionSpec) -> ActionType:
    """Return the kind of action that *spec* declares."""
    return ActionType(
        id=spec.id,
        title=spec.title,
        noun=spec.noun,
        prefix="V",
        verb=spec.button,
        plain=spec.button,
        label="{title} for order #{order}",
        about=spec.about,
        form=DeclaredForm(spec),
        slots=tuple(
            Slot(one.name, "many" if one.many else "one", one.required, one.missing)
            for one in spec.slots
        ),
        received=Received(
            spec.decides, spec.done, spec.doing, spec.not_done, spec.unknown, spec.done
        ),
        reasons=tuple(Choice(value, label) for value, label in spec.reasons),
        told_after=spec.decides,
    )


def gone(type_id: str) -> ActionType:
    """Return a stand-in for a kind whose adapter is not here any more: its runs remain."""
    return ActionType(
        id=type_id,
        title=type_id,
        noun="action",
        prefix="V",
        verb="",
        plain="",
        form=Form(),
        slots=(),
        received=Received("", "It is done.", "It is being done.", "It is not done.",
                          "It is not known whether it is done."),
        reasons=(),
    )  # fmt: skip


def _shape(field: ActionField) -> JsonObject:
    if field.kind == "number":
        return {"type": "integer", "title": field.title, "minimum": 0, "maximum": field.most}
    return {"type": "string", "title": field.title, "maxLength": field.most}


def _value(field: ActionField, form: Mapping[str, Any], problems: Problems) -> str | int | None:
    value = form.get(field.name)
    if value in (None, ""):
        if field.required:
            problems.add(field.name, "required", "Please fill this in.")
        return None
    if field.kind == "text":
        return text_in(form, field.name, field.most, problems)
    if not isinstance(value, int) or isinstance(value, bool):
        problems.add(field.name, "type", "A whole number was expected.")
        return None
    if not 0 <= value <= field.most:
        problems.add(field.name, "range", f"Between 0 and {field.most}.")
    return value
