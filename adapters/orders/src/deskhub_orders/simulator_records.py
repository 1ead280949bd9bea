"""What the simulated shop keeps: orders that go their way, and return authorizations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from deskhub_orders.mapping import RETURNABLE
from deskhub_sdk.testing import World, refuse
from deskhub_sdk.testing.world import SoldOrder

# What follows what; the shop's people and the carrier press these buttons.
NEXT = {
    "placed": "paid", "paid": "packed", "packed": "shipped", "shipped": "delivered",
    "delivered": "completed",
}  # fmt: skip
RETURN_DAYS = 30
FIRST_RETURN = 7001


@dataclass
class ShopRecords:
    """Orders and returns as JSON, by number."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    returns: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World) -> ShopRecords:
        """Return the shop's slice of *world*."""
        refunded = {paid.order: paid.refunded.amount for paid in world.payments.values()}
        return cls(
            {o.number: _json(o, refunded.get(o.number)) for o in world.orders.values()}, {}
        )

    def of_customer(self, customer: str) -> list[dict[str, Any]]:
        """Return *customer*'s orders, newest first."""
        mine = [order for order in self.orders.values() if order["customer"] == customer]
        return sorted(mine, key=lambda order: str(order["placed_at"]), reverse=True)

    def order(self, number: str) -> dict[str, Any]:
        """Return order *number*; 404 when there is none."""
        return self.orders.get(number) or refuse(404, "not_found", f"no order {number}")

    def go(self, number: str, status: str) -> dict[str, Any]:
        """Move an order forward until it has *status*; 409 when it is past that."""
        order = self.order(number)
        if status not in _ahead(order["status"]):
            refuse(409, "wrong_state", f"order {number} is {order['status']}")
        while order["status"] != status:
            following = NEXT[order["status"]]
            if following == "delivered":
                self._happen(order, "transit", place="Hangzhou")
            self._happen(order, following)
            order["status"] = following
        if order["status"] in {"shipped", "delivered"} and order["tracking"] is None:
            order.update(
                carrier="SF Express", tracking=f"SF139{int(number.replace('-', '')):010d}"
            )
        if order["payment"] is None and order["status"] != "placed":
            order["payment"] = f"pay_{number}"
        return order

    def open_return(self, number: str, wish: dict[str, Any]) -> dict[str, Any]:
        """Create a return authorization; 422 for what the policy refuses, 409 when late."""
        order = self.order(number)
        if order["status"] not in RETURNABLE:
            refuse(422, "not_returnable", f"order {number} is {order['status']}")
        arrived = next((e["at"] for e in order["history"] if e["code"] == "delivered"), None)
        limit = datetime.now(UTC) - timedelta(days=RETURN_DAYS)
        if arrived is not None and datetime.fromisoformat(arrived) < limit:
            refuse(422, "too_late", f"order {number} came more than {RETURN_DAYS} days ago")
        lines = {line["id"]: line for line in order["lines"]}
        wanted = wish.get("lines") or refuse(422, "no_lines", "a return needs lines")
        for one in wanted:
            line = lines.get(one.get("line")) or refuse(422, "no_line", "no such line")
            if line["final_sale"]:
                refuse(422, "final_sale", f"{line['title']} is final sale")
            if not 0 < one["quantity"] <= line["quantity"] - line["returned"]:
                refuse(409, "already_returned", f"{line['title']} is on a return already")
        made = {
            "id": f"RMA-{FIRST_RETURN + len(self.returns)}", "order": number, "status": "open",
            "reference": wish.get("reference"), "reason": wish.get("reason"), "lines": wanted,
        }  # fmt: skip
        self.returns[made["id"]] = made
        self._book(order, wanted, +1)
        self._happen(order, "return_opened")
        return made

    def cancel_return(self, return_id: str) -> bool:
        """Cancel a return; False when it was cancelled already, 404 when there is none."""
        made = self.returns.get(return_id) or refuse(404, "not_found", f"no return {return_id}")
        if made["status"] != "open":
            return False
        made["status"] = "cancelled"
        order = self.orders[made["order"]]
        self._book(order, made["lines"], -1)
        self._happen(order, "return_cancelled")
        return True

    def cancel(self, number: str, reference: str | None) -> dict[str, Any]:
        """Cancel an order; 409 when it has left or is cancelled already."""
        order = self.order(number)
        if order["status"] not in ("placed", "paid", "packed"):
            refuse(409, "wrong_state", f"order {number} is {order['status']}")
        order["cancellation"] = {"reference": reference, "from": order["status"]}
        order["status"] = "cancelled"
        self._happen(order, "cancelled")
        return order

    def replace(self, number: str, wish: dict[str, Any]) -> dict[str, Any]:
        """Add an order for nothing, to be packed: the old one has paid for it."""
        old = self.order(number)
        wanted = wish.get("lines") or refuse(422, "no_lines", "a replacement needs lines")
        again = 1 + sum(one.startswith(f"{number}-") for one in self.orders)
        now = datetime.now(UTC).isoformat()
        made = {
            **old, "id": f"{number}-{again}", "number": f"{number}-{again}", "status": "paid",
            "version": 1, "placed_at": now, "updated_at": now, "total": "0.00",
            "refunded": "0.00", "payment": None, "carrier": None, "tracking": None,
            "lines": [
                {"id": f"L{at}", "product": None, "returned": 0, "final_sale": False, **line}
                for at, line in enumerate(wanted, start=1)
            ],
            "history": [{"code": "placed", "at": now, "place": None}],
        }  # fmt: skip
        self.orders[str(made["id"])] = made
        return made

    def reinstate(self, number: str, reference: str | None) -> tuple[dict[str, Any], bool]:
        """Put a cancelled order back; return it and whether anything changed."""
        order = self.order(number)
        mark = order.get("cancellation")
        if mark is None or mark["reference"] != reference:
            return order, False
        order["status"] = mark["from"]
        order["cancellation"] = None
        self._happen(order, "reinstated")
        return order, True

    def _book(self, order: dict[str, Any], lines: list[dict[str, Any]], sign: int) -> None:
        quantities = {one["line"]: one["quantity"] for one in lines}
        for line in order["lines"]:
            line["returned"] += sign * quantities.get(line["id"], 0)

    def _happen(self, order: dict[str, Any], code: str, place: str | None = None) -> None:
        now = datetime.now(UTC).isoformat()
        order["history"].append({"code": code, "at": now, "place": place})
        order["version"] += 1
        order["updated_at"] = now


def _ahead(status: str) -> list[str]:
    ahead = []
    while status in NEXT:
        status = NEXT[status]
        ahead.append(status)
    return ahead


def _json(order: SoldOrder, refunded: str | None) -> dict[str, Any]:
    return {
        "id": order.number,
        "number": order.number,
        "customer": order.customer,
        "status": order.status,
        "version": order.version,
        "placed_at": order.placed_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
        "currency": order.total.currency,
        "total": order.total.amount,
        "refunded": refunded or "0.00",
        "payment": order.payment,
        "paid_with": order.method,
        "carrier": order.carrier,
        "tracking": order.tracking,
        "channel": order.channel,
        "lines": [
            {
                "id": line.id,
                "product": line.product,
                "sku": line.sku,
                "title": line.title,
                "quantity": line.quantity,
                "unit_price": line.unit_price.amount,
                "returned": line.quantity if order.status == "returned" else 0,
                "final_sale": line.final_sale,
            }
            for line in order.lines
        ],
        "history": [
            {"code": step.code, "at": step.at.isoformat(), "place": step.place}
            for step in order.history
        ],
    }
