"""What a kind of action is: data for its slots and words, and one small form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from deskhub.actions.forms import Form

Cardinality = Literal["one", "many"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A named fact of an action. *missing* is said when it is required and nobody has it."""

    name: str
    cardinality: Cardinality = "one"
    required: bool = False
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """What the customer has or has not received, by the state of the deciding slot.

    *for_nothing* is said instead of *done* where no money moved.
    """

    slot: str
    done: str
    doing: str
    not_done: str
    unknown: str
    for_nothing: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of an enumerated field of the form."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class CardText:
    """The words of the customer's card: by language, and which slots are its moments."""

    icon: str
    words: Mapping[str, Mapping[str, str]]
    moments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ActionType:
    """One kind of action.

    *about* says what it is done to: an order, or a conversation (an order may then be named).
    *inputs* are facts every step may need without anybody providing them. *accepts_risk*
    allows plans in which something irreversible precedes something that can fail. *prefix*
    begins the number of a run ("R-77"). *verb* names the button where money moves, *plain*
    where none does. *told_after* is the slot after which the customer gets the message.
    """

    id: str
    title: str
    noun: str
    prefix: str
    slots: tuple[Slot, ...]
    received: Received
    reasons: tuple[Choice, ...]
    verb: str
    plain: str
    form: Form
    label: str = "{title} order #{order}"
    about: Literal["order", "conversation"] = "order"
    inputs: frozenset[str] = frozenset({"order"})
    accepts_risk: bool = False
    card: CardText | None = None
    told_after: str = ""

    @property
    def all_slots(self) -> tuple[Slot, ...]:
        """Return the slots with the one that every action has: the customer is told."""
        return (*self.slots, _TOLD_SLOT)

    def slot(self, name: str) -> Slot | None:
        """Return the slot *name*, or None when the action has no such slot."""
        return next((slot for slot in self.all_slots if slot.name == name), None)

    def label_for(self, order: str | None) -> str:
        """Return the words on the button: ``Return from order #1042``."""
        if order is None:
            return self.title
        return self.label.format(title=self.title, order=order)


# The last step of every action: the customer is told, by the hub itself.
TOLD = "told"
_TOLD_SLOT = Slot(TOLD)
