"""Seed a Tryton database. Runs inside the peer's own environment, never in the hub's.

``tryton_seed.py CONFIG DATABASE SEED.json``: a company with a chart of accounts, then the
customers, products, stock and orders of SEED.json. Some orders are confirmed and shipped.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from proteus import Model
from proteus import config as proteus_config
from trytond.modules.account.tests.tools import (
    create_chart,
    create_fiscalyear,
    get_accounts,
)
from trytond.modules.account_invoice.tests.tools import (
    create_payment_term,
    set_fiscalyear_invoice_sequences,
)
from trytond.modules.company.tests.tools import create_company, get_company

PIECES = 1000.0
# What a key for a support desk has to be allowed; no administration.
GROUPS = ("Sales", "Sales Administrator", "Stock", "Accounting")


def main(config: str, database: str, seed: dict[str, Any]) -> None:
    """Fill the database."""
    found = proteus_config.set_trytond(
        f"sqlite:///{database}", user="admin", config_file=config
    )
    company, employee = _company(found)
    accounts = get_accounts()
    products = _products(seed["products"], accounts)
    _stock(products.values())
    term = create_payment_term()
    term.save()
    parties = _parties(seed["customers"])
    for kind in ("sale.sale", "sale.line"):
        _complaint_type(kind)
    _orders(seed["orders"], parties, products, term)
    _key(seed["key"], company, employee)


def _company(found: Any) -> tuple[Any, Any]:  # noqa: ANN401  Tryton's models are made at run time
    create_company()
    company = get_company()
    party = Model.get("party.party")(name="Support desk")
    party.save()
    employee = Model.get("company.employee")(party=party, company=company)
    employee.save()
    user_class = Model.get("res.user")
    (admin,) = user_class.find([("login", "=", "admin")])
    admin.companies.append(company)
    admin.company = company
    admin.employees.append(employee)
    admin.employee = employee
    for group in Model.get("res.group").find([]):
        if group not in admin.groups:
            admin.groups.append(Model.get("res.group")(group.id))
    admin.save()
    found._context = user_class.get_preferences(True, found.context)  # noqa: FBT003, SLF001
    create_chart()
    year = set_fiscalyear_invoice_sequences(create_fiscalyear())
    year.click("create_period")
    return company, employee


def _products(wanted: list[dict[str, str]], accounts: Any) -> dict[str, Any]:  # noqa: ANN401
    category = Model.get("product.category")(name="Goods", accounting=True)
    category.account_expense = accounts["expense"]
    category.account_revenue = accounts["revenue"]
    category.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    made = {}
    for one in wanted:
        template = Model.get("product.template")(name=one["name"], default_uom=unit)
        template.type = "goods"
        template.salable = True
        template.list_price = Decimal(one["price"])
        template.account_category = category
        template.products[0].suffix_code = one["sku"]
        template.products[0].identifiers.new(code=one["id"])
        template.save()
        made[one["sku"]] = template.products[0]
    return made


def _stock(products: Any) -> None:  # noqa: ANN401
    (storage,) = Model.get("stock.location").find([("code", "=", "STO")])
    inventory = Model.get("stock.inventory")()
    inventory.location = storage
    for product in products:
        line = inventory.lines.new(product=product)
        line.quantity = PIECES
        line.expected_quantity = 0.0
    inventory.click("confirm")


def _parties(wanted: list[dict[str, str]]) -> dict[str, Any]:
    made = {}
    for one in wanted:
        party = Model.get("party.party")(name=one["name"], code=one["number"])
        party.contact_mechanisms.new(type="email", value=one["email"])
        party.addresses.new(city=one["city"])
        party.save()
        made[one["number"]] = party
    return made


def _complaint_type(model: str) -> None:
    kind = Model.get("sale.complaint.type")(name=model)
    (kind.origin,) = Model.get("ir.model").find([("name", "=", model)])
    kind.save()


def _orders(
    wanted: list[dict[str, Any]],
    parties: dict[str, Any],
    products: dict[str, Any],
    term: Any,  # noqa: ANN401
) -> None:
    sale_class = Model.get("sale.sale")
    drafts = []
    for one in wanted:
        if not one["shipped"]:
            drafts.append(_draft(one, parties, products, term))
            continue
        sale = sale_class(party=parties[one["customer"]], reference=one["number"])
        sale.payment_term = term
        for sold in one["lines"]:
            line = sale.lines.new(product=products[sold["sku"]])
            line.quantity = float(sold["quantity"])
            line.unit_price = Decimal(sold["price"])
        sale.save()
        _ship(sale)
    # What is only read is made in one call, without asking the server about each field.
    sale_class._proxy.create(drafts, sale_class._config.context)  # noqa: SLF001


def _draft(
    one: dict[str, Any],
    parties: dict[str, Any],
    products: dict[str, Any],
    term: Any,  # noqa: ANN401
) -> dict[str, Any]:
    lines = [
        {
            "type": "line",
            "product": products[sold["sku"]].id,
            "quantity": float(sold["quantity"]),
            "unit": products[sold["sku"]].default_uom.id,
            "unit_price": Decimal(sold["price"]),
        }
        for sold in one["lines"]
    ]
    return {
        "party": parties[one["customer"]].id,
        "reference": one["number"],
        "payment_term": term.id,
        "lines": [("create", lines)],
    }


def _ship(sale: Any) -> None:  # noqa: ANN401
    sale.click("quote")
    sale.click("confirm")
    sale.reload()
    for shipment in sale.shipments:
        for button in ("assign_force", "pick", "pack", "do"):
            shipment.click(button)
    for invoice in sale.invoices:
        invoice.click("post")


def _key(key: str, company: Any, employee: Any) -> None:  # noqa: ANN401
    """Let a user without administration in with the application key *key*."""
    user = Model.get("res.user")(name="Support desk", login="deskhub")
    for group in Model.get("res.group").find([("name", "in", GROUPS)]):
        user.groups.append(group)
    user.companies.append(Model.get("company.company")(company.id))
    user.company = company
    user.employees.append(Model.get("company.employee")(employee.id))
    user.employee = employee
    user.save()
    application = Model.get("res.user.application")(user=user, application="rest", key=key)
    application.save()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text(encoding="utf-8")))
