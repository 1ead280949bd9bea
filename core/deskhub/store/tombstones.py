"""What is left of a stored JSON value once its person is forgotten: structure, ids, amounts.

It keeps what it knows to be harmless and blanks every other text: a field that is added
later is personal until somebody says otherwise.
"""

from __future__ import annotations

import re
from typing import Any

ERASED = "conversation.erased"

# Texts under these names come from the hub and the systems, and name no person. `object` is
# an order's number: books are kept by it.
_KEPT = frozenset(
    {
        "id", "ids", "type", "state", "status", "kind", "key", "instance", "provides",
        "currency", "do", "adapter", "at", "what", "code", "source", "system", "object", "side",
        "how", "inbox", "visitor", "cid", "assignee", "previous", "conversation", "run", "plan",
        "order", "sku", "action", "digest", "fingerprint", "slot", "media", "until", "amount",
    }
)  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d[\d:.]*(Z|[+-]\d\d:\d\d)?)?")
# Numbers of goods and bookings are short and have no spaces; sentences are not numbers.
_ID_CHARS = 80
# A booking's number as systems give them: R-77, re_3Nx81, CN-2026-0042.
_BOOKING = re.compile(r"[A-Za-z]{1,8}[-_](?=[\w-]*\d)[\w-]{1,40}", re.ASCII)

# Kinds whose `name` is that of the agent who did it.
_STAFF = "agent:"


def blanked(value: Any, name: str = "") -> Any:  # noqa: ANN401  any JSON
    """Return JSON *value*, found under *name*, without its texts; the shape stays.

    Numbers, truth values, times and the texts of known names stay.
    """
    if isinstance(value, dict):
        return {key: blanked(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        kept = [blanked(one, name) for one in value]
        return [one for one in kept if one != ""]
    if isinstance(value, str):
        return value if _is_harmless(value, name) else ""
    return value


def fact_left(fact: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what a journal keeps of what a step produced: bookings' numbers and amounts."""
    if fact is None:
        return None
    numbers = {
        key: value
        for key, value in fact.items()
        if isinstance(value, str) and _BOOKING.fullmatch(value)
    }
    return {**blanked(fact), **numbers}


def event_data(kind: str, by: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return what an event of *kind* keeps of its *data*; the same again for its own result."""
    if kind == ERASED:
        return data
    left: dict[str, Any] = {key: blanked(value, key) for key, value in data.items()}
    if by.startswith(_STAFF) and isinstance(data.get("name"), str):
        left["name"] = data["name"]
    if kind == "conversation.linked":
        left["object"] = ""
    if kind == "customer.linked":
        left |= {"customer": data.get("customer", ""), "name": None}
    if kind == "card.shown":
        left["card"] = _empty_card(data.get("card"))
        left.pop("signal", None)
    if kind in ("message.posted", "note.posted", "message.edited", "note.edited"):
        left.pop("files", None)
        left["erased"] = True
    return left


def _empty_card(card: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """Return a card that shows nothing, in place of *card*."""
    known = card if isinstance(card, dict) else {}
    return {
        "id": "erased",
        "title": "",
        "blocks": [],
        "rev": known.get("rev", 0),
        "audience": known.get("audience", "agent"),
    }


def _is_harmless(text: str, name: str) -> bool:
    if _TIME.fullmatch(text):
        return True
    is_short = len(text) <= _ID_CHARS and " " not in text and "@" not in text
    return name in _KEPT and is_short
