"""A small Tryton as a process, with the habits measured on 8.2: `python -m ….simulator`.

A search leaves out what is not there, a read of ids refuses all of them. What a button starts
in the queue is not in its answer. A second complaint about an order is a warning. More may be
returned than was sold. A confirmed return cannot be cancelled. Refusals are 400 with a
message, everything else that fails is an HTML page.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from deskhub_erp_tryton.simulator_records import Record, Records, decimal, now, sortable
from deskhub_sdk.testing.simulator import Simulator, body_of

DATABASE = "erp"
REST = f"/{DATABASE}/rest/model/{{model}}"
# These buttons take the next number of a sequence.
NUMBERED = {"quote": "R", "post": "CN"}
NOUNS = {"sale.sale": "Sale", "sale.complaint": "Sale Complaint"}
BUTTONS: Mapping[str, Mapping[str, tuple[frozenset[str], str]]] = {
    "sale.complaint": {
        "wait": (frozenset({"draft"}), "waiting"),
        "approve": (frozenset({"waiting"}), "approved"),
        "cancel": (frozenset({"draft", "waiting"}), "cancelled"),
    },
    "sale.sale": {
        "quote": (frozenset({"draft"}), "quotation"),
        "confirm": (frozenset({"quotation"}), "confirmed"),
        "cancel": (frozenset({"draft", "quotation"}), "cancelled"),
    },
    "stock.shipment.out.return": {
        "receive": (frozenset({"draft"}), "received"),
        "do": (frozenset({"received"}), "done"),
        "cancel": (frozenset({"draft", "received"}), "cancelled"),
    },
    "account.invoice": {
        "post": (frozenset({"draft", "validated"}), "posted"),
        "cancel": (frozenset({"draft", "validated"}), "cancelled"),
    },
}


class Tryton(Simulator):
    """Tryton's REST interface over the demo shop's orders."""

    name: ClassVar[str] = "erp_tryton"

    def reset(self) -> None:
        """Take the demo world's orders; nobody complained yet."""
        self.records = Records(self.world)

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this system."""
        return {**super().settings(), "database": DATABASE}

    def dump(self) -> dict[str, Any]:
        """Return what returns there are; orders and products stay as they are."""
        kept = ("sale.complaint", "stock.shipment.out.return", "account.invoice")
        told: dict[str, Any] = {
            model: list(self.records.models.get(model, {}).values()) for model in kept
        }
        told["returns"] = self.records.search("sale.sale", [["reference", "=", None]])
        return told

    def routes(self, app: web.Application) -> None:
        """Add Tryton's addresses."""
        app.router.add_get(REST, self._search)
        app.router.add_post(REST, self._create)
        app.router.add_post(f"{REST}/read", self._read)
        app.router.add_post(f"{REST}/{{id:[0-9]+}}/{{button}}", self._press)

    async def _search(self, request: web.Request) -> web.Response:
        model = request.match_info["model"]
        domain = _unpacked(request.query.get("d")) or []
        found = self.records.search(model, domain)
        for name, direction in reversed(_unpacked(request.query.get("o")) or []):
            empty = [one for one in found if one[name] is None]
            filled = [one for one in found if one[name] is not None]
            filled.sort(key=lambda one: sortable(one[name]), reverse=direction == "DESC")
            found = [*empty, *filled]
        first = int(request.query.get("p", 0))
        page = found[first : first + int(request.query.get("s", len(found)))]
        return web.json_response([self._told(one, request) for one in page])

    async def _read(self, request: web.Request) -> web.Response:
        given = await body_of(request)
        kept = self.records.models.get(request.match_info["model"], {})
        if any(one not in kept for one in given.get("ids", ())):
            return _page(403, "You don't have the permission to access the resource.")
        names = given.get("fields_names", ())
        return web.json_response([self.records.shown(kept[one], names) for one in given["ids"]])

    async def _create(self, request: web.Request) -> web.Response:
        model, given = request.match_info["model"], await body_of(request)
        if model != "sale.complaint":
            return _page(403, "The simulator makes complaints only.")
        sale = self._origin(given)
        if sale is None or not given.get("type") or sale["state"] not in ("processing", "done"):
            return _refused('The value for field "Origin" is not one of the allowed options.')
        lines = [
            (one["line"], one["quantity"])
            for _, actions in given.get("actions", ())
            for action in actions
            for _, wanted in action.get("sale_lines", ())
            for one in wanted
        ]
        action = self.records.add("sale.complaint.action", result=None, lines=lines)
        number = len(self.records.models.get("sale.complaint", {})) + 1
        made = self.records.add(
            "sale.complaint", number=str(number), reference=given.get("reference"),
            state="draft", origin=given["origin"], actions=[action["id"]],
        )  # fmt: skip
        self.count("complaint", str(given.get("reference")))
        return web.json_response(self._told(made, request))

    async def _press(self, request: web.Request) -> web.Response:
        model, button = request.match_info["model"], request.match_info["button"]
        record = self.records.models.get(model, {}).get(int(request.match_info["id"]))
        if record is None:
            return _page(404, "The requested URL was not found on the server.")
        if button not in BUTTONS.get(model, {}):
            return _page(403, "You don't have the permission to access the resource.")
        before, after = BUTTONS[model][button]
        if record["state"] not in before:
            noun = NOUNS.get(model, model)
            return _refused(f'You can not call "{button}" on "{record["id"]}" of "{noun}".')
        if button == "wait" and (other := self._similar(record)):
            return _refused(
                f'The complaint "{record["number"]}" is similar to complaint "{other}".'
            )
        record.update(state=after, write_date=now())
        if button in NUMBERED:
            record["number"] = f"{NUMBERED[button]}{record['id']}"
        answer = self._told(record, request)
        # Only now: what the queue does is seen by the next who asks.
        self._queue(model, button, record)
        return web.json_response(answer)

    def _queue(self, model: str, button: str, record: Record) -> None:
        if (model, button) == ("sale.complaint", "approve"):
            self._make_return(record)
        elif (model, button) == ("sale.sale", "confirm"):
            self._process(record)
        elif (model, button) == ("account.invoice", "post"):
            self.count("credit_note", record["number"])
        elif button == "do":
            self.count("goods_in", str(record["id"]))

    def _make_return(self, complaint: Record) -> None:
        records = self.records
        action = records.models["sale.complaint.action"][complaint["actions"][0]]
        sale = self._origin(complaint)
        if sale is None:
            return
        lines, total = [], 0.0
        for line_id, quantity in action["lines"]:
            sold = records.models["sale.line"][line_id]
            price = sold["unit_price"]
            total -= float(price["decimal"]) * quantity
            copied = records.add(
                "sale.line", product=sold["product"], quantity=-quantity, unit_price=price
            )
            lines.append(copied["id"])
        made = records.add(
            "sale.sale", number=None, reference=None, state="draft", shipment_state="none",
            invoice_state="none", total_amount=decimal(f"{total:.2f}"), lines=lines,
            currency=sale["currency"], party=sale["party"], shipment_returns=[], invoices=[],
            origin=f"sale.complaint,{complaint['id']}",
        )  # fmt: skip
        action["result"] = f"sale.sale,{made['id']}"
        complaint.update(state="done", write_date=now())

    def _process(self, sale: Record) -> None:
        number = len(self.records.models.get("stock.shipment.out.return", {})) + 1
        parcel = self.records.add(
            "stock.shipment.out.return", number=str(number), state="draft"
        )
        note = self.records.add(
            "account.invoice", number=None, state="draft", total_amount=sale["total_amount"]
        )
        sale.update(
            state="processing", shipment_state="waiting", invoice_state="pending",
            shipment_returns=[parcel["id"]], invoices=[note["id"]], write_date=now(),
        )  # fmt: skip
        self.count("return", str(sale["id"]))

    def _origin(self, complaint: Mapping[str, Any]) -> Record | None:
        number = str(complaint.get("origin", "")).removeprefix("sale.sale,")
        return self.records.models["sale.sale"].get(int(number)) if number.isdigit() else None

    def _similar(self, complaint: Record) -> str | None:
        """Return another complaint about the same order, whatever became of it."""
        same = self.records.search(
            "sale.complaint",
            [["origin", "=", complaint["origin"]], ["id", "!=", complaint["id"]]],
        )
        return str(same[0]["number"]) if same else None

    def _told(self, record: Record, request: web.Request) -> Record:
        return self.records.shown(record, request.query.getall("f", []))


def _unpacked(value: str | None) -> Any:  # noqa: ANN401  JSON
    return json.loads(base64.urlsafe_b64decode(value)) if value else None


def _refused(message: str) -> web.Response:
    told = {"status": 400, "message": message, "description": ""}
    return web.json_response(told, status=400)


def _page(status: int, text: str) -> web.Response:
    html = f"<!doctype html>\n<html lang=en>\n<title>{status}</title>\n<p>{text}</p>\n"
    return web.Response(text=html, status=status, content_type="text/html")


if __name__ == "__main__":
    sys.exit(Tryton.main())
