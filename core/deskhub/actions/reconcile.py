"""The same order in several systems side by side, and what cannot all be true: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deskhub.actions.words import money_text
from deskhub_sdk.records import Money, OrderFacts

Field = Literal["refunded", "paid"]
MEND = "order.refund@1"


@dataclass(frozen=True, slots=True)
class Told:
    """One system's answer; *facts* is None when it failed or knows nothing of the order."""

    instance: str
    state: str
    facts: OrderFacts | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What two systems cannot both be right about. *mend* is the action that would help."""

    text: str
    systems: tuple[str, ...]
    mend: str | None = None


def disagreements(told: Mapping[str, OrderFacts]) -> list[Disagreement]:
    """Return every contradiction among *told* (by instance), the customer's money first.

    A system that says nothing about a matter is never wrong about it.
    """
    found = [_refunds(told), _cancelled(told), _paid(told), _credited(told), _pieces(told)]
    return [one for one in found if one is not None]


def reconcile_view(object_: str, told: list[Told]) -> dict[str, Any]:
    """Return the answer for clients."""
    known = {one.instance: one.facts for one in told if one.facts is not None}
    return {
        "object": object_,
        "systems": [_system(one) for one in told],
        "disagreements": [
            {
                "text": one.text,
                "systems": list(one.systems),
                "mend": None if one.mend is None else {"type": one.mend, "object": object_},
            }
            for one in disagreements(known)
        ],
    }


def _refunds(told: Mapping[str, OrderFacts]) -> Disagreement | None:
    said = {name: f.refunded for name, f in told.items() if f.refunded is not None}
    if len({(m.minor, m.currency) for m in said.values()}) < 2:
        return None
    most = max(m.minor for m in said.values())
    words = {
        name: f"{money_text(m)} refunded" if m.minor else "no refund found"
        for name, m in said.items()
    }
    # Only where whoever holds the money gave less than others believe can money mend it.
    holders = [name for name in said if told[name].paid is not None and said[name].minor < most]
    return Disagreement(_sentence(told, words), tuple(said), MEND if holders else None)


def _cancelled(told: Mapping[str, OrderFacts]) -> Disagreement | None:
    shops = [name for name, f in told.items() if f.status == "cancelled"]
    kept = {
        name: money_text(f.paid - f.refunded)
        for name, f in told.items()
        if f.paid is not None and f.refunded is not None and f.paid.minor > f.refunded.minor
    }
    if not shops or not kept:
        return None
    words = dict.fromkeys(shops, "cancelled") | {n: f"{m} kept" for n, m in kept.items()}
    return Disagreement(_sentence(told, words), tuple(words), MEND)


def _paid(told: Mapping[str, OrderFacts]) -> Disagreement | None:
    said = {name: f.paid for name, f in told.items() if f.paid is not None}
    if len({(m.minor, m.currency) for m in said.values()}) < 2:
        return None
    words = {name: f"{money_text(m)} paid" for name, m in said.items()}
    return Disagreement(_sentence(told, words), tuple(said))


def _credited(told: Mapping[str, OrderFacts]) -> Disagreement | None:
    """Compare the books with the money that left, where both speak."""
    books = {name: f.credited for name, f in told.items() if f.credited is not None}
    money = {n: f.refunded for n, f in told.items() if f.refunded is not None and f.paid}
    if not books or not money:
        return None
    credited, refunded = _most(books), _most(money)
    if credited.currency == refunded.currency and credited.minor == refunded.minor:
        return None
    words = {name: f"{money_text(m)} credited" for name, m in books.items()}
    words |= {name: f"{money_text(m)} refunded" for name, m in money.items()}
    return Disagreement(_sentence(told, words), tuple(words))


def _pieces(told: Mapping[str, OrderFacts]) -> Disagreement | None:
    said = {name: f.returned for name, f in told.items() if f.returned is not None}
    if len(set(said.values())) < 2:
        return None
    words = {
        name: f"{count} {'piece' if count == 1 else 'pieces'} on return"
        for name, count in said.items()
    }
    return Disagreement(_sentence(told, words), tuple(said))


def _most(amounts: Mapping[str, Money]) -> Money:
    return max(amounts.values(), key=lambda money: money.minor)


def _sentence(told: Mapping[str, OrderFacts], words: Mapping[str, str]) -> str:
    return "; ".join(f"{told[name].system}: {text}" for name, text in words.items()) + "."


def _system(one: Told) -> dict[str, Any]:
    facts = one.facts
    return {
        "instance": one.instance,
        "system": one.instance if facts is None else facts.system,
        "state": one.state,
        "error": one.error,
        "facts": {}
        if facts is None
        else {
            "status": facts.status,
            "paid": _money(facts.paid),
            "refunded": _money(facts.refunded),
            "credited": _money(facts.credited),
            "returned": facts.returned,
            "cases": list(facts.cases),
        },
    }


def _money(amount: Money | None) -> dict[str, str] | None:
    return None if amount is None else {"money": amount.amount, "currency": amount.currency}
