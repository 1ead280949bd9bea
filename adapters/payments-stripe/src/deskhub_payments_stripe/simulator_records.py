"""Simulated Stripe's memory: payments, charges, refunds, events, and a search that lags."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deskhub_payments_stripe.amounts import units_of
from deskhub_payments_stripe.simulator_wire import invalid
from deskhub_sdk.testing.facts import Paid, World

API_VERSION = "2025-09-30.clover"
_CLAUSE = r'metadata\["([^"]+)"\]:"((?:[^"\\]|\\.)*)"'
_QUERY = re.compile(rf"{_CLAUSE}(?: OR {_CLAUSE})*")
_CARDS = {"Visa": "visa", "Mastercard": "mastercard", "American Express": "amex"}


@dataclass
class Account:
    """One account. *fresh* payments are not in the search yet."""

    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    charges: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    fresh: set[str] = field(default_factory=set)
    balance_is_empty: bool = False
    next_refund: str = "succeeded"

    @classmethod
    def of(cls, world: World) -> Account:
        """Return the payments of the demo *world* as Stripe would have them."""
        account = cls()
        for paid in world.payments.values():
            account.take(paid)
        return account

    def take(self, paid: Paid) -> None:
        """Remember a payment of the world, with what went back."""
        at = int(paid.at.timestamp())
        currency, amount = paid.captured.currency.lower(), units_of(paid.captured)
        about = {"order_id": paid.order, "customer_id": paid.customer}
        intent, charge = f"pi_{paid.order}", f"ch_{paid.order}"
        self.charges[charge] = {
            "id": charge, "object": "charge", "amount": amount, "amount_captured": amount,
            "amount_refunded": 0, "captured": True, "created": at, "currency": currency,
            "disputed": False, "livemode": False, "metadata": {}, "paid": True,
            "payment_intent": intent, "payment_method_details": _details(paid.method),
            "refunded": False, "status": "succeeded",
            "billing_details": {
                "address": None, "email": None, "name": None, "phone": None, "tax_id": None,
            },
        }  # fmt: skip
        self.intents[intent] = {
            "id": intent, "object": "payment_intent", "amount": amount,
            "amount_received": amount, "capture_method": "automatic",
            "confirmation_method": "automatic", "created": at, "currency": currency,
            "latest_charge": charge, "livemode": False, "metadata": about,
            "payment_method_types": ["card"], "status": "succeeded",
        }  # fmt: skip
        if paid.refunded.minor:
            self.add_refund(intent, units_of(paid.refunded), {}, at=at)

    def add_refund(
        self, intent: str, amount: int, metadata: Mapping[str, str], *, at: int | None = None
    ) -> dict[str, Any]:
        """Make a refund without asking whether it may be made."""
        charge = self.charges[self.intents[intent]["latest_charge"]]
        made = {
            "id": f"re_{len(self.refunds) + 1:04d}", "object": "refund", "amount": amount,
            "charge": charge["id"], "created": at or int(datetime.now(UTC).timestamp()),
            "currency": charge["currency"], "metadata": dict(metadata),
            "payment_intent": intent, "reason": None, "status": self.next_refund,
        }  # fmt: skip
        self.refunds[made["id"]] = made
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        return made

    def refund(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Make the refund of a request. Raises `Refused` as Stripe does."""
        intent = str(wish.get("payment_intent", ""))
        if intent not in self.intents:
            text = f"No such payment_intent: '{intent}'"
            raise invalid(text, code="resource_missing", status=404)
        asked = str(wish.get("amount", ""))
        if not asked.isdigit() or int(asked) < 1:
            raise invalid(
                f"Invalid positive integer: {asked}", code="parameter_invalid_integer"
            )
        # From here on work has begun: a key remembers even a refusal.
        charge = self.charges[self.intents[intent]["latest_charge"]]
        left = charge["amount"] - charge["amount_refunded"]
        if left == 0:
            text = f"Charge {charge['id']} has already been refunded."
            raise invalid(text, code="charge_already_refunded", kept=True)
        if charge["disputed"]:
            raise invalid("This charge is disputed.", code="charge_disputed", kept=True)
        if int(asked) > left:
            text = f"Refund amount ({asked}) is greater than unrefunded amount ({left})"
            raise invalid(text, kept=True)
        if self.balance_is_empty:
            text = "Insufficient funds in your Stripe balance to refund this amount."
            raise invalid(text, code="balance_insufficient", kept=True)
        made = self.add_refund(intent, int(asked), wish.get("metadata", {}))
        made["reason"] = wish.get("reason")
        return made

    def fail(self, refund: str) -> dict[str, Any]:
        """Let a refund come back from the customer's bank, as happens days later."""
        made = self.refunds[refund]
        made.update(status="failed", failure_reason="expired_or_canceled_card")
        charge = self.charges[made["charge"]]
        charge["amount_refunded"] -= made["amount"]
        charge["refunded"] = False
        return made

    def dispute(self, intent: str) -> None:
        """Let the customer's bank dispute a payment."""
        self.charges[self.intents[intent]["latest_charge"]]["disputed"] = True

    def event(self, kind: str, thing: Mapping[str, Any]) -> dict[str, Any]:
        """Note that *kind* happened to *thing* and return the event."""
        told = {
            "id": f"evt_{len(self.events) + 1:06d}", "object": "event", "type": kind,
            "api_version": API_VERSION, "created": int(datetime.now(UTC).timestamp()),
            "livemode": False, "pending_webhooks": 1, "data": {"object": dict(thing)},
        }  # fmt: skip
        self.events.append(told)
        return told

    def found(self, query: str) -> list[dict[str, Any]]:
        """Return the payments that a search finds, newest first. Raises `Refused`."""
        wanted = clauses(query)
        if not wanted:
            raise invalid(f"We were unable to parse your search query: {query!r}")
        found = [
            intent
            for intent in self.intents.values()
            if intent["id"] not in self.fresh
            and any(
                str(intent["metadata"].get(name, "")).lower() == value.lower()
                for name, value in wanted
            )
        ]
        return sorted(found, key=lambda one: int(one["created"]), reverse=True)

    def shown(self, intent: Mapping[str, Any], expand: Sequence[str]) -> dict[str, Any]:
        """Return *intent* with what was asked to be expanded; ids stand for the rest."""
        copy = dict(intent)
        if any(one.startswith("latest_charge") for one in expand):
            charge = dict(self.charges[str(intent["latest_charge"])])
            if "latest_charge.refunds" in expand:
                own = self.refunds_of(str(intent["id"]))
                url = f"/v1/charges/{charge['id']}/refunds"
                charge["refunds"] = listed(own[:10], url, has_more=len(own) > 10)
            copy["latest_charge"] = charge
        return copy

    def refunds_of(self, intent: str) -> list[dict[str, Any]]:
        """Return the refunds of a payment, newest first."""
        own = [one for one in self.refunds.values() if one["payment_intent"] == intent]
        return own[::-1]


def clauses(query: str) -> list[tuple[str, str]]:
    """Return the names and values that *query* asks for; none when it cannot be read."""
    if _QUERY.fullmatch(query) is None:
        return []
    return [
        (name, re.sub(r"\\(.)", r"\1", value)) for name, value in re.findall(_CLAUSE, query)
    ]


def listed(data: Sequence[Any], url: str, *, has_more: bool) -> dict[str, Any]:
    """Return a page of a list."""
    return {"object": "list", "data": list(data), "has_more": has_more, "url": url}


def page(rows: Sequence[dict[str, Any]], query: Mapping[str, str], url: str) -> dict[str, Any]:
    """Return the page of *rows* after ``starting_after``, at most ``limit`` (10, up to 100)."""
    limit = int(query.get("limit", "10"))
    if not 1 <= limit <= 100:
        raise invalid(f"Invalid limit: {limit}", code="parameter_invalid_integer")
    start, after = 0, query.get("starting_after")
    if after is not None:
        ids = [row["id"] for row in rows]
        if after not in ids:
            raise invalid(f"No such object: '{after}'", code="resource_missing")
        start = ids.index(after) + 1
    some = rows[start : start + limit]
    return listed(some, url, has_more=start + limit < len(rows))


def _details(method: str) -> dict[str, Any]:
    brand = _CARDS.get(method)
    if brand is None:
        return {"type": method.lower().replace(" ", "_")}
    card = {
        "brand": brand, "last4": "4242", "country": None, "exp_month": 12, "exp_year": 2031,
        "funding": "credit", "installments": None, "mandate": None, "network": brand,
        "three_d_secure": None, "wallet": None, "checks": None,
    }  # fmt: skip
    return {"type": "card", "card": card}
