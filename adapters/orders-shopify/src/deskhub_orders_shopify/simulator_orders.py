"""How a simulated Shopify keeps an order, and what follows from what happened to it.

What begins with an underscore is the shop's own and never answered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from deskhub_orders_shopify.mapping import gid, number_of
from deskhub_sdk.records import Money
from deskhub_sdk.testing.facts import SoldOrder

SHIPPED = frozenset({"shipped", "delivered", "completed", "returned"})
ARRIVED = SHIPPED - {"shipped"}


def webhook_payload(order: dict[str, Any]) -> dict[str, Any]:
    """Return *order* as a webhook tells it: the old interface's names and states."""
    sent = order["displayFulfillmentStatus"] == "FULFILLED"
    parcels = [
        {"id": 1, "status": "success",
         "shipment_status": "delivered" if one["deliveredAt"] else "in_transit"}
        for one in order["fulfillments"]
    ]  # fmt: skip
    return {
        "id": int(number_of(order["id"])),
        "admin_graphql_api_id": order["id"],
        "name": order["name"],
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "cancelled_at": order["cancelledAt"],
        "financial_status": str(order["displayFinancialStatus"]).lower(),
        "fulfillment_status": "fulfilled" if sent else None,
        "fulfillments": parcels,
        "customer": {"id": int(number_of(order["customer"]["id"]))},
    }


def new_order(sold: SoldOrder, numbers: list[str]) -> dict[str, Any]:
    """Return *sold* as the shop keeps it; *numbers* are free for parcels and payments."""
    lines = []
    for at, line in enumerate(sold.lines):
        # In this shop a line's number is made of the order's, as good as any.
        number = f"{sold.number}{at + 1:03d}"
        lines.append({
            "id": gid("LineItem", number), "sku": line.sku, "title": line.title,
            "variantTitle": None, "quantity": line.quantity, "currentQuantity": line.quantity,
            "unfulfilledQuantity": line.quantity,
            "_sent": gid("FulfillmentLineItem", numbers[at]),
            "discountedUnitPriceAfterAllDiscountsSet": bag(line.unit_price),
        })  # fmt: skip
    transactions = []
    if sold.payment is not None:
        transactions.append({
            "id": gid("OrderTransaction", numbers[-1]), "kind": "SALE", "status": "SUCCESS",
            "gateway": sold.method.lower(), "formattedGateway": sold.method,
            "amountSet": bag(sold.total), "parentTransaction": None,
        })  # fmt: skip
    order: dict[str, Any] = {
        "id": gid("Order", sold.number), "name": f"#{sold.number}",
        "createdAt": told(sold.placed_at), "updatedAt": told(sold.updated_at),
        "cancelledAt": None, "customer": {"id": gid("Customer", sold.customer[2:])},
        "totalPriceSet": bag(sold.total), "totalRefundedSet": bag(sold.total - sold.total),
        "paymentGatewayNames": [sold.method] if sold.payment else [], "fulfillments": [],
        "_lines": lines, "_transactions": transactions, "_refunds": [], "_returns": [],
        "_cancellation": None, "_status": sold.status,
        "_tracking": {"company": sold.carrier, "number": sold.tracking},
    }  # fmt: skip
    if sold.status in SHIPPED:
        send(order, next((s.at for s in sold.history if s.code == "shipped"), sold.updated_at))
        arrived = next((s.at for s in sold.history if s.code == "delivered"), None)
        order["fulfillments"][0]["deliveredAt"] = told(arrived) if arrived else None
    if sold.status in {"returned", "cancelled"} and transactions:
        back = {**transactions[0], "kind": "REFUND"}
        order["_transactions"].append(
            {**back, "id": gid("OrderTransaction", numbers[-2]),
             "parentTransaction": {"id": transactions[0]["id"]}}
        )  # fmt: skip
    if sold.status == "cancelled":
        order["cancelledAt"] = told(sold.updated_at)
        order["_cancellation"] = {"staffNote": None}
    settle(order, at=order["updatedAt"])
    return order


def settle(order: dict[str, Any], at: str | None = None) -> None:
    """Work out what follows from an order's payments, returns and parcels."""
    currency = order["totalPriceSet"]["presentmentMoney"]["currencyCode"]
    total = Money(order["totalPriceSet"]["presentmentMoney"]["amount"], currency).minor
    back = sum(
        Money(one["amountSet"]["presentmentMoney"]["amount"], currency).minor
        for one in order["_transactions"]
        if one["kind"] == "REFUND" and one["status"] != "FAILURE"
    )
    order["totalRefundedSet"] = bag(Money.from_minor(back, currency))
    paid = any(one["kind"] == "SALE" for one in order["_transactions"])
    order["displayFinancialStatus"] = (
        "PENDING" if not paid else "REFUNDED" if back >= total
        else "PARTIALLY_REFUNDED" if back else "PAID"
    )  # fmt: skip
    status = order["_status"]
    order["displayFulfillmentStatus"] = (
        "FULFILLED" if status in SHIPPED else "IN_PROGRESS" if status == "packed"
        else "UNFULFILLED"
    )  # fmt: skip
    for line in order["_lines"]:
        gone = status in {"returned", "cancelled"}
        line["currentQuantity"] = 0 if gone else line["quantity"]
        line["unfulfilledQuantity"] = 0 if status in SHIPPED else line["currentQuantity"]
    is_open = any(one["status"] == "OPEN" for one in order["_returns"])
    order["returnStatus"] = (
        "RETURNED" if status == "returned" else "IN_PROGRESS" if is_open else "NO_RETURN"
    )
    order["updatedAt"] = at or now()


def send(order: dict[str, Any], at: datetime) -> None:
    """Put the whole *order* into one parcel *at* that time."""
    arrived = order["_status"] in ARRIVED
    order["fulfillments"] = [{
        "createdAt": told(at), "inTransitAt": told(at),
        "deliveredAt": told(at) if arrived else None,
        "displayStatus": "DELIVERED" if arrived else "IN_TRANSIT",
        "trackingInfo": [order["_tracking"]],
    }]  # fmt: skip


def sent_lines(order: dict[str, Any]) -> list[tuple[dict[str, str], dict[str, Any], int]]:
    """Return each line in a parcel with how many pieces of it can come back."""
    if order["displayFulfillmentStatus"] != "FULFILLED":
        return []
    found = []
    for line in order["_lines"]:
        on_returns = sum(
            one["_lines"].get(line["id"], 0)
            for one in order["_returns"]
            if one["status"] == "OPEN"
        )
        left = line["currentQuantity"] - on_returns
        if left > 0:
            found.append(({"id": line["_sent"]}, line, left))
    return found


def bag(amount: Money) -> dict[str, Any]:
    """Return *amount* as GraphQL writes it: without the last zero."""
    whole, _, part = amount.amount.partition(".")
    told = f"{whole}.{part.rstrip('0') or '0'}" if part else whole
    return {"presentmentMoney": {"amount": told, "currencyCode": amount.currency}}


def told(at: datetime) -> str:
    """Return *at* as Shopify writes it: to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> str:
    """Return this moment as Shopify writes it."""
    return told(datetime.now(UTC))


def left_of(order: dict[str, Any], payment: str) -> int:
    """Return what a *payment* can still take back, in minor units."""
    left = 0
    for one in order["_transactions"]:
        money = one["amountSet"]["presentmentMoney"]
        minor = Money(money["amount"], money["currencyCode"]).minor
        if one["id"] == payment:
            left += minor
        elif (one["parentTransaction"] or {}).get("id") == payment:
            left -= minor if one["status"] != "FAILURE" else 0
    return left
