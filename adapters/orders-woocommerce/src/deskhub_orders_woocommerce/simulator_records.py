"""The simulated shop's memory: orders as WooCommerce writes them, refunds, left values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deskhub_sdk import Money
from deskhub_sdk.testing.facts import SoldOrder, World

# What orders of the demo world are called in a shop with a shipping plugin.
_STATUS = {
    "placed": "pending", "paid": "processing", "packed": "processing", "shipped": "shipped",
    "delivered": "delivered", "completed": "completed", "cancelled": "cancelled",
    "returned": "refunded",
}  # fmt: skip
WAY = ("pending", "processing", "shipped", "delivered", "completed")
# Forms of an order's own fields that a change may name.
_CHANGEABLE = frozenset({"status", "meta_data"})


class NotPossible(Exception):
    """What the shop cannot do, in its own words; it calls all of that an error of its own."""


@dataclass
class Shop:
    """Orders by number, refunds of each. *gateway_is_down* refuses to move money."""

    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    gateway_is_down: bool = False

    @classmethod
    def of(cls, world: World) -> Shop:
        """Return the orders of the demo *world*."""
        shop = cls()
        for sold in world.orders.values():
            shop.take(sold)
        return shop

    def take(self, sold: SoldOrder) -> None:
        """Remember an order of the world, with its refund if it went back."""
        number = int(sold.number)
        times = {step.code: _time(step.at) for step in sold.history}
        self.orders[number] = {
            "id": number, "number": sold.number, "status": _STATUS[sold.status],
            "currency": sold.total.currency, "total": sold.total.amount, "total_tax": "0.00",
            "customer_id": int(sold.customer[2:]), "customer_note": "",
            "date_created": times["placed"], "date_created_gmt": times["placed"],
            "date_modified": _time(sold.updated_at),
            "date_modified_gmt": _time(sold.updated_at),
            "date_paid_gmt": times.get("paid"), "date_completed_gmt": times.get("delivered"),
            "payment_method_title": sold.method, "transaction_id": sold.payment or "",
            "billing": {"email": "somebody@example.com"}, "refunds": [],
            "meta_data": [{"id": 1, "key": "_wc_order_attribution", "value": {"a": [1]}}],
            "line_items": [
                {
                    "id": at, "name": line.title, "sku": line.sku, "quantity": line.quantity,
                    "product_id": int(line.product[2:]), "variation_id": 0,
                    "total": line.unit_price.times(line.quantity).amount, "total_tax": "0.00",
                    "price": float(line.unit_price.amount),
                }
                for at, line in enumerate(sold.lines, start=1)
            ],
        }  # fmt: skip
        self.refunds[number] = []
        if sold.status == "returned":
            self.put_refund(number, sold.total.amount, "", at=_time(sold.updated_at))

    def listed(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the orders that *query* asks for, newest first; the bin is never listed."""
        found = [one for one in self.orders.values() if one["status"] != "trash"]
        if "include" in query:
            wanted = {int(one) for one in query["include"].split(",")}
            found = [one for one in found if one["id"] in wanted]
        if "customer" in query:
            found = [one for one in found if one["customer_id"] == int(query["customer"])]
        if "modified_after" in query:
            after = query["modified_after"]
            found = [one for one in found if one["date_modified_gmt"] > after]
        return sorted(found, key=lambda one: (one["date_created_gmt"], one["id"]), reverse=True)

    def change(self, number: int, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Merge *wish* into an order; a value under a known name takes the old one's place."""
        order = self.orders[number]
        unknown = set(wish) - _CHANGEABLE
        if unknown:
            raise NotPossible(f"the simulated shop cannot change {sorted(unknown)}")
        for one in wish.get("meta_data", ()):
            known = next((m for m in order["meta_data"] if m["key"] == one["key"]), None)
            if known is None:
                last = max(m["id"] for m in order["meta_data"])
                order["meta_data"].append({"id": last + 1, **one})
            else:
                known["value"] = one["value"]
        order["status"] = wish.get("status", order["status"])
        self.touch(number)
        return order

    def refund(self, number: int, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Make a refund, and another one for each repetition. Raises `NotPossible`."""
        order = self.orders[number]
        amount = Money(str(wish["amount"]), order["currency"])
        total = Money(order["total"], order["currency"])
        back = sum(Money(r["amount"], order["currency"]).minor for r in self.refunds[number])
        if amount.minor <= 0 or amount.minor > total.minor - back:
            raise NotPossible("Invalid refund amount.")
        if wish.get("api_refund", True) and self.gateway_is_down:
            raise NotPossible("The payment gateway for this order does not answer.")
        return self.put_refund(number, amount.amount, str(wish.get("reason", "")))

    def put_refund(
        self, number: int, amount: str, reason: str, *, at: str | None = None
    ) -> dict[str, Any]:
        """Add a refund without asking, as somebody in the shop's back office does."""
        made = {
            "id": 900_000 + sum(len(one) for one in self.refunds.values()), "amount": amount,
            "reason": reason, "refunded_payment": True, "date_created_gmt": at or _now(),
            "meta_data": [], "line_items": [],
        }  # fmt: skip
        self.refunds[number].insert(0, made)
        order = self.orders[number]
        short = {"id": made["id"], "reason": reason, "total": f"-{amount}"}
        order["refunds"].insert(0, short)
        back = sum(Money(r["amount"], order["currency"]).minor for r in self.refunds[number])
        if back == Money(order["total"], order["currency"]).minor:
            order["status"] = "refunded"
        if at is None:
            self.touch(number)
        return made

    def advance(self, number: int) -> dict[str, Any]:
        """Let an order go one step further on its way."""
        order = self.orders[number]
        order["status"] = WAY[min(len(WAY) - 1, WAY.index(order["status"]) + 1)]
        if order["status"] == "completed":
            order["date_completed_gmt"] = _now()
        self.touch(number)
        return order

    def touch(self, number: int) -> None:
        """Note that an order changed, to the second."""
        self.orders[number]["date_modified"] = self.orders[number]["date_modified_gmt"] = _now()


def paged(rows: Sequence[Any], query: Mapping[str, str]) -> tuple[list[Any], dict[str, str]]:
    """Return the page of *rows* that *query* asks for, and the headers that count them."""
    size, number = int(query.get("per_page", "10")), int(query.get("page", "1"))
    pages = -(-len(rows) // size)
    counted = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
    return list(rows[(number - 1) * size : number * size]), counted


def _now() -> str:
    return _time(datetime.now(UTC))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
