"""A simulated Shopify's orders with their returns, refunds and payments, as GraphQL has them.

What begins with an underscore is the shop's own and never answered.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from deskhub_orders_shopify.documents import CHANGED_ORDERS, CUSTOMER_ORDERS, FIRST_LINES
from deskhub_orders_shopify.documents import NEXT_LINES as PAGE
from deskhub_orders_shopify.mapping import gid, number_of
from deskhub_orders_shopify.simulator_orders import (
    SHIPPED,
    bag,
    left_of,
    new_order,
    now,
    send,
    sent_lines,
    settle,
)
from deskhub_sdk.records import Money
from deskhub_sdk.testing.facts import SoldOrder, World

WHOLE = (
    "id", "name", "createdAt", "updatedAt", "cancelledAt", "displayFinancialStatus",
    "displayFulfillmentStatus", "returnStatus", "paymentGatewayNames", "customer",
    "totalPriceSet", "totalRefundedSet", "fulfillments",
)  # fmt: skip
LINE = (
    "id", "sku", "title", "variantTitle", "quantity", "currentQuantity",
    "unfulfilledQuantity", "discountedUnitPriceAfterAllDiscountsSet",
)  # fmt: skip


class Refused(Exception):
    """A document that fails as a whole, with the code it fails with."""

    def __init__(self, code: str, text: str) -> None:
        """Fail with *code*."""
        super().__init__(text)
        self.code = code


class ShopifyRecords:
    """Orders by global id."""

    def __init__(self, world: World) -> None:
        """Take the world's orders; nobody has returned anything yet."""
        self._numbers = (str(number) for number in range(9001, 10**6))
        self.orders: dict[str, dict[str, Any]] = {}
        for sold in world.orders.values():
            order = new_order(sold, self._numbers_for(sold))
            self.orders[order["id"]] = order

    def read(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return what a query answers."""
        if operation == "Orders":
            return {"nodes": [self._node(one) for one in _checked(variables["ids"])]}
        if operation == "Customers":
            return {"nodes": [self._customer(one) for one in _checked(variables["ids"])]}
        if operation == "Changed":
            return {"orders": self._changed(variables["query"], variables.get("after"))}
        (wanted,) = _checked([variables["id"]])
        order = self.orders.get(wanted)
        if operation == "Lines":
            return {"order": order and {"lineItems": _lines(order, variables.get("after"))}}
        if operation == "Returnable":
            return _returnable(order)
        if operation == "Returns":
            returns = order["_returns"] if order is not None else []
            nodes = [
                {"id": one["id"], "name": one["name"], "status": one["status"],
                 "returnLineItems": {"nodes": [
                     {"__typename": "ReturnLineItem", "returnReasonNote": one["_note"]}]}}
                for one in returns
            ]  # fmt: skip
            return {"order": order and {"returns": {"nodes": nodes}}}
        if operation == "Money":
            return {"order": order and {
                "id": order["id"], "transactions": order["_transactions"],
                "refunds": order["_refunds"],
            }}  # fmt: skip
        return {"order": order and {
            "id": order["id"], "name": order["name"], "cancelledAt": order["cancelledAt"],
            "cancellation": order["_cancellation"],
        }}  # fmt: skip

    def create_return(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Create a return; asked twice, there are two as long as pieces are left."""
        order = self.orders.get(wish["orderId"])
        if order is None:
            return _return(None, "NOT_FOUND", "Order does not exist")
        can = {one["id"]: (line, left) for one, line, left in sent_lines(order)}
        for one in wish["returnLineItems"]:
            if one["fulfillmentLineItemId"] not in can:
                return _return(None, "NOT_FOUND", "Fulfillment line item does not exist")
            if len(one["returnReasonNote"]) > 255:
                return _return(None, "TOO_LONG", "Return reason note is too long")
            if not 0 < one["quantity"] <= can[one["fulfillmentLineItemId"]][1]:
                return _return(None, "INVALID", "Quantity is not available for return")
        number = next(self._numbers)
        name = f"{order['name']}-R{len(order['_returns']) + 1}"
        made = {
            "id": gid("Return", number), "name": name, "status": "OPEN",
            "_note": wish["returnLineItems"][0]["returnReasonNote"],
            "_lines": {can[one["fulfillmentLineItemId"]][0]["id"]: one["quantity"]
                       for one in wish["returnLineItems"]},
        }  # fmt: skip
        order["_returns"].append(made)
        settle(order)
        return _return(made)

    def cancel_return(self, wanted: str) -> dict[str, Any]:
        """Cancel an open return; a second time is an error."""
        for order in self.orders.values():
            for made in order["_returns"]:
                if made["id"] == wanted and made["status"] == "OPEN":
                    made["status"] = "CANCELED"
                    settle(order)
                    return _return(made, root="returnCancel")
                if made["id"] == wanted:
                    return _return(None, "INVALID_STATE", "Return is not open", "returnCancel")
        return _return(None, "NOT_FOUND", "Return does not exist", "returnCancel")

    def refund(self, wish: dict[str, Any], provider: str) -> dict[str, Any]:
        """Book a refund whose money the *provider* sends, is sending, or refuses to send."""
        order = self.orders.get(wish["orderId"])
        if order is None:
            return _refund(None, "Order does not exist")
        paid = {one["id"]: one for one in order["_transactions"] if one["kind"] == "SALE"}
        currency = order["totalPriceSet"]["presentmentMoney"]["currencyCode"]
        for part in wish["transactions"]:
            if part["parentId"] not in paid or wish["currency"] != currency:
                return _refund(None, "Transaction is invalid")
            if Money(part["amount"], currency).minor > left_of(order, part["parentId"]):
                return _refund(None, "Refund amount exceeds the refundable amount")
        total = sum(Money(part["amount"], currency).minor for part in wish["transactions"])
        for part in wish["transactions"]:
            order["_transactions"].append({
                "id": gid("OrderTransaction", next(self._numbers)), "kind": "REFUND",
                "status": provider, "gateway": part["gateway"],
                "formattedGateway": part["gateway"],
                "amountSet": bag(Money(part["amount"], currency)),
                "parentTransaction": {"id": part["parentId"]},
            })  # fmt: skip
        moved = total if provider != "FAILURE" else 0
        made = {
            "id": gid("Refund", next(self._numbers)), "note": wish["note"],
            "totalRefundedSet": bag(Money.from_minor(moved, currency)),
            "transactions": {"nodes": [{"status": provider} for _ in wish["transactions"]]},
        }  # fmt: skip
        order["_refunds"].append(made)
        settle(order)
        return copy.deepcopy(_refund(made))

    def cannot_cancel(self, wanted: str) -> str | None:
        """Return why an order cannot be cancelled, in Shopify's words."""
        order = self.orders.get(wanted)
        if order is None:
            return "Order does not exist"
        if order["cancelledAt"] is not None:
            return "Cannot cancel an order that has already been canceled"
        if order["_status"] in SHIPPED:
            return "Cannot cancel an order with outstanding fulfillments"
        return None

    def cancel(self, wanted: str, note: str) -> bool:
        """Cancel an order with *note*; return whether it was not before."""
        order = self.orders[wanted]
        if order["cancelledAt"] is not None:
            return False
        order["cancelledAt"] = now()
        order["_cancellation"] = {"staffNote": note}
        order["_status"] = "cancelled"
        settle(order)
        return True

    def advance(self, number: str) -> dict[str, Any]:
        """Send an order's parcel, or let it arrive."""
        order = self.orders[gid("Order", number)]
        order["_status"] = "delivered" if order["_status"] == "shipped" else "shipped"
        send(order, datetime.now(UTC))
        settle(order)
        return order

    def _node(self, wanted: str) -> dict[str, Any] | None:
        order = self.orders.get(wanted)
        if order is not None:
            return {"__typename": "Order", **_whole(order)}
        found = self._customer(wanted)
        return {"__typename": "Customer"} if found is not None else None

    def _customer(self, wanted: str) -> dict[str, Any] | None:
        if wanted in self.orders:
            return {"__typename": "Order"}
        mine = [one for one in self.orders.values() if one["customer"]["id"] == wanted]
        if not mine:
            return None
        mine.sort(key=lambda one: str(one["createdAt"]), reverse=True)
        nodes = [{"id": one["id"]} for one in mine[:CUSTOMER_ORDERS]]
        return {"__typename": "Customer", "id": wanted, "orders": {"nodes": nodes}}

    def _changed(self, query: str, after: str | None) -> dict[str, Any]:
        since = query.partition("'")[2].rstrip("'")
        found = [one for one in self.orders.values() if one["updatedAt"] >= since]
        found.sort(key=lambda one: (str(one["updatedAt"]), str(one["id"])))
        begin = int(after or 0)
        shown = found[begin : begin + CHANGED_ORDERS]
        return {
            "nodes": [_whole(one) for one in shown],
            "pageInfo": _page(begin + len(shown), len(found)),
        }

    def _numbers_for(self, sold: SoldOrder) -> list[str]:
        return [next(self._numbers) for _ in range(2 * len(sold.lines) + 1)]


def _returnable(order: dict[str, Any] | None) -> dict[str, Any]:
    lines = [
        {"quantity": left,
         "fulfillmentLineItem": {"id": sent["id"], "lineItem": {
             "id": line["id"], "sku": line["sku"]}}}
        for sent, line, left in (sent_lines(order) if order is not None else [])
    ]  # fmt: skip
    parcels = [{"returnableFulfillmentLineItems": {"nodes": lines[:50]}}] if lines else []
    return {
        "returnableFulfillments": {"nodes": parcels},
        "returnReasonDefinitions": {"nodes": [{"id": gid("ReturnReasonDefinition", "1")}]},
    }


def _whole(order: dict[str, Any]) -> dict[str, Any]:
    return {**{name: order[name] for name in WHOLE}, "lineItems": _lines(order, None)}


def _lines(order: dict[str, Any], after: str | None) -> dict[str, Any]:
    begin = int(after or 0)
    size = PAGE if after else FIRST_LINES
    shown = order["_lines"][begin : begin + size]
    return {
        "nodes": [{name: line[name] for name in LINE} for line in shown],
        "pageInfo": _page(begin + len(shown), len(order["_lines"])),
    }


def _page(end: int, of: int) -> dict[str, Any]:
    return {"hasNextPage": end < of, "endCursor": str(end) if end else None}


def _return(
    made: dict[str, Any] | None, code: str = "", text: str = "", root: str = "returnCreate"
) -> dict[str, Any]:
    told = made and {name: made[name] for name in ("id", "name", "status")}
    errors = [{"code": code, "field": None, "message": text}] if code else []
    return {root: {"return": told, "userErrors": errors}}


def _refund(made: dict[str, Any] | None, text: str = "") -> dict[str, Any]:
    errors = [{"field": None, "message": text}] if text else []
    return {"refundCreate": {"refund": made, "userErrors": errors}}


def _checked(ids: list[str]) -> list[str]:
    for one in ids:
        if not one.startswith("gid://shopify/") or not number_of(one).isdigit():
            raise Refused("argumentLiteralsIncompatible", f"Invalid global id '{one}'")
    return ids
