"""A kind of action of an adapter's own: data, from which the hub makes form, plan and words.

The hub ships ``order.*``, ``ticket.*`` and ``customer.*``; adapters add ``vendor.ID.*``, where
ID is the adapter's. Steps belong to it like to any other action, and may be anybody's.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

_ID = re.compile(r"vendor\.[a-z0-9-]+\.[a-z0-9_]+@[1-9][0-9]*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What the hub asks in every form, and what a form is about.
TAKEN = frozenset({"object", "reason", "note", "message"})


class ActionField(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the agent fills in; *most* is its greatest value or its longest text."""

    name: str
    title: str
    kind: Literal["text", "number"] = "text"
    required: bool = True
    most: int = 500


class ActionSlot(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of the action. *missing* says what is not possible without a provider."""

    name: str
    required: bool = False
    many: bool = False
    missing: str = ""


class ActionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter declares about a kind of action (``vendor.loyalty.grant@1``).

    *about* an order or the conversation. *done*, *doing*, *not_done* and *unknown* say what
    the customer has, by the state of the slot *decides*. *reasons* are (value, label).
    Raises `ValueError` for what cannot be an action.
    """

    id: str
    title: str
    noun: str
    button: str
    slots: tuple[ActionSlot, ...]
    decides: str
    done: str
    doing: str
    not_done: str
    unknown: str
    reasons: tuple[tuple[str, str], ...]
    fields: tuple[ActionField, ...] = ()
    about: Literal["order", "conversation"] = "order"

    def __post_init__(self) -> None:
        """Refuse what the hub could not plan."""
        slots = [slot.name for slot in self.slots]
        names = [field.name for field in self.fields]
        wrong = [
            one
            for one, holds in (
                ("id is not vendor.ADAPTER.NAME@VERSION", _ID.fullmatch(self.id)),
                ("it has no reasons", self.reasons),
                (f"no slot is called {self.decides!r}", self.decides in slots),
                ("a slot is there twice", len(set(slots)) == len(slots)),
                ("a field is there twice", len(set(names)) == len(names)),
                ("a field's name is the hub's", not TAKEN & set(names)),
                ("a name is none", all(_NAME.fullmatch(one) for one in (*slots, *names))),
            )
            if not holds
        ]
        if wrong:
            raise ValueError(f"action {self.id}: {'; '.join(wrong)}")

    @property
    def adapter(self) -> str:
        """Return the id of the adapter whose action this is."""
        return self.id.split(".")[1]
