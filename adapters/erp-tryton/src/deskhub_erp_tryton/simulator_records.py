"""What the simulated Tryton keeps: records by model, searched by domain, shown by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from deskhub_sdk.testing.world import World

Record = dict[str, Any]
LONG_AGO = 2020
# Which field of a model leads to which model; a list holds several.
LINKS: Mapping[tuple[str, str], str] = {
    ("company.company", "currency"): "currency.currency",
    ("product.product", "template"): "product.template",
    ("product.product", "identifiers"): "product.identifier",
    ("sale.sale", "party"): "party.party",
    ("sale.sale", "currency"): "currency.currency",
    ("sale.sale", "lines"): "sale.line",
    ("sale.sale", "shipment_returns"): "stock.shipment.out.return",
    ("sale.sale", "invoices"): "account.invoice",
    ("sale.line", "product"): "product.product",
    ("sale.complaint.type", "origin"): "ir.model",
    ("sale.complaint", "actions"): "sale.complaint.action",
}


class Records:
    """Every model's records by id."""

    def __init__(self, world: World) -> None:
        """Take the demo shop's people, products and orders."""
        self.models: dict[str, dict[int, Record]] = {}
        self._fill(world)
        for kept in self.models.values():
            for record in kept.values():
                record["create_date"] = {**record["create_date"], "year": LONG_AGO}

    def add(self, model: str, **values: Any) -> Record:  # noqa: ANN401
        """Keep a new record and return it."""
        kept = self.models.setdefault(model, {})
        record: Record = {"id": len(kept) + 1, "__name__": model, **values}
        record.update(create_date=now(), write_date=None)
        kept[record["id"]] = record
        return record

    def search(self, model: str, domain: Sequence[Any]) -> list[Record]:
        """Return the records in *domain*; what is not there is simply not among them."""
        return [one for one in self.models.get(model, {}).values() if self._in(one, domain)]

    def shown(self, record: Record, names: Iterable[str]) -> Record:
        """Return the fields *names* of *record*; a dot reaches into the next record.

        Raises `KeyError` for a field that there is not.
        """
        model = record["__name__"]
        told: Record = {"id": record["id"], "__name__": model}
        deeper: dict[str, list[str]] = {}
        for name in names:
            first, _, rest = name.partition(".")
            if rest:
                deeper.setdefault(first, []).append(rest)
            else:
                told[first] = record[first]
        for first, rests in deeper.items():
            target = LINKS[model, first]
            value = record[first]
            if isinstance(value, list):
                told[first] = [self.shown(self.models[target][one], rests) for one in value]
            elif value is not None:
                told[first] = self.shown(self.models[target][value], rests)
            else:
                told[first] = None
        return told

    def _in(self, record: Record, domain: Sequence[Any]) -> bool:
        if not domain:
            return True
        if domain[0] == "OR":
            return any(self._in(record, part) for part in domain[1:])
        if isinstance(domain[0], str) and len(domain) == 3:
            name, operator, wanted = domain
            return any(_fits(value, operator, wanted) for value in self._values(record, name))
        return all(self._in(record, part) for part in domain)

    def _values(self, record: Record, name: str) -> list[Any]:
        first, _, rest = name.partition(".")
        value = record[first]
        if not rest:
            return [value]
        target = self.models[LINKS[record["__name__"], first]]
        ids = value if isinstance(value, list) else [value] if value is not None else []
        return [found for one in ids for found in self._values(target[one], rest)]

    def _fill(self, world: World) -> None:
        currencies: dict[str, int] = {}

        def currency(code: str) -> int:
            if code not in currencies:
                currencies[code] = self.add("currency.currency", code=code)["id"]
            return currencies[code]

        first = next(iter(world.items.values())).price.currency
        self.add("company.company", rec_name="Scree Trading", currency=currency(first))
        self.add("stock.location", type="warehouse", code="WH", name="Warehouse")
        sales = self.add("ir.model", name="sale.sale")
        self.add("sale.complaint.type", name="Order", origin=sales["id"])
        items = {}
        for item in world.items.values():
            template = self.add(
                "product.template", name=item.name, list_price=decimal(item.price.amount)
            )
            own = self.add("product.identifier", code=item.id)
            items[item.id] = self.add(
                "product.product", code=item.sku, template=template["id"],
                identifiers=[own["id"]], quantity=float(item.stock),
                forecast_quantity=float(item.stock),
            )["id"]  # fmt: skip
        people = {
            one.number: self.add("party.party", code=one.number, name=one.name)["id"]
            for one in world.people.values()
        }
        for order in sorted(world.orders.values(), key=lambda one: one.placed_at):
            lines = [
                self.add(
                    "sale.line", product=items[line.product], quantity=float(line.quantity),
                    unit_price=decimal(line.unit_price.amount),
                )["id"]
                for line in order.lines
            ]  # fmt: skip
            sent = order.status in ("shipped", "delivered", "completed", "returned")
            state = "processing" if sent else "draft"
            self.add(
                "sale.sale", number=order.number, reference=order.number,
                state="cancelled" if order.status == "cancelled" else state,
                shipment_state="sent" if sent else "none",
                invoice_state="paid" if sent else "none",
                total_amount=decimal(order.total.amount), origin=None,
                currency=currency(order.total.currency), party=people[order.customer],
                lines=lines, shipment_returns=[], invoices=[],
            )  # fmt: skip


def decimal(amount: str) -> Record:
    """Return a decimal as Tryton's JSON writes it."""
    return {"__class__": "Decimal", "decimal": amount}


def now() -> Record:
    """Return this moment as Tryton's JSON writes it."""
    at = datetime.now(UTC)
    return {
        "__class__": "datetime", "year": at.year, "month": at.month, "day": at.day,
        "hour": at.hour, "minute": at.minute, "second": at.second,
        "microsecond": at.microsecond,
    }  # fmt: skip


def sortable(value: Any) -> Any:  # noqa: ANN401
    """Return *value* as something that has an order."""
    if isinstance(value, dict) and value.get("__class__") == "datetime":
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return tuple(value[name] for name in names)
    return value


def _fits(value: Any, operator: str, wanted: Any) -> bool:  # noqa: ANN401
    if operator == "=":
        return bool(value == wanted)
    if operator == "!=":
        return bool(value != wanted)
    if operator == "in":
        return value in wanted
    if operator == ">=":
        return value is not None and sortable(value) >= sortable(wanted)
    raise ValueError(f"the simulator knows no {operator}")
