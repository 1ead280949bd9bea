"""Tryton, an ERP: a database with the demo shop's people, products and a hundred orders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deskhub.cli.lab.cache import python_environment, resource, run

if TYPE_CHECKING:
    from deskhub_sdk.testing.facts import SoldOrder

DATABASE = "erp"
USER = "admin"
PASSWORD = "lab-admin-pass-1"  # noqa: S105  known to everybody, and only on loopback
KEY = "lab-application-key-0123456789abcdef"
MODULES = (
    "party", "product", "sale", "stock", "account", "account_invoice",
    "account_invoice_stock", "sale_complaint",
)  # fmt: skip
ORDERS, SHIPPED, LINES, PRODUCTS = 100, 5, 4, 110
FIRST = "1042"
SHAPE = f"{MODULES} {ORDERS} {SHIPPED} {LINES} {PRODUCTS} {KEY} {PASSWORD}"
_CONFIG = "[database]\nuri = sqlite://\npath = {path}\n\n[web]\nlisten = 127.0.0.1:{port}\n"


async def make(place: Path) -> None:
    """Install Tryton, initialise a database with its modules, and seed it."""
    await python_environment(place, resource("tryton.txt"))
    data = place / "template"
    data.mkdir()
    # The file has to be there, and an empty one makes the first user an administrator.
    (data / f"{DATABASE}.sqlite").touch()
    config = _config(place / "trytond.conf", data, 1)
    secret = place / "password"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    seed = place / "seed.json"
    seed.write_text(json.dumps(_seed()), encoding="utf-8")
    modules = [word for name in MODULES for word in ("-u", name)]
    await run(
        place / "venv/bin/trytond-admin", "-c", config, "-d", DATABASE,
        "--email", "admin@lab.example", "--activate-dependencies", *modules,
        env={"TRYTONPASSFILE": str(secret)},
    )  # fmt: skip
    await run(place / "venv/bin/python", resource("tryton_seed.py"), config, DATABASE, seed)


def command(place: Path, scratch: Path, port: int) -> tuple[str, ...]:
    """Copy the database to *scratch* and return what serves it on *port*."""
    shutil.copy(place / "template" / f"{DATABASE}.sqlite", scratch)
    config = _config(scratch / "trytond.conf", scratch, port)
    return (str(place / "venv/bin/trytond"), "-c", str(config), "-d", DATABASE)


def told(place: Path, url: str) -> dict[str, Any]:
    """Return its address, the login of a person, and the key of an application."""
    seed = json.loads((place / "seed.json").read_text(encoding="utf-8"))
    return {
        "url": url, "database": DATABASE, "user": USER, "password": PASSWORD, "key": KEY,
        "orders": [one["number"] for one in seed["orders"]],
        "shipped": [one["number"] for one in seed["orders"] if one["shipped"]],
    }  # fmt: skip


def _config(file: Path, data: Path, port: int) -> Path:
    file.write_text(_CONFIG.format(path=data, port=port), encoding="utf-8")
    return file


def _seed() -> dict[str, Any]:
    """Return the demo world's part that the ERP knows."""
    from deskhub_sdk.testing.world import build_world  # noqa: PLC0415  only making needs it

    world = build_world()
    skus: set[str] = set()
    orders: list[SoldOrder] = []
    for order in sorted(
        world.orders.values(),
        key=lambda one: (one.number != FIRST, one.status != "delivered", one.number),
    ):
        wanted = {line.sku for line in order.lines}
        if len(orders) == ORDERS:
            break
        if len(order.lines) <= LINES and len(skus | wanted) <= PRODUCTS:
            skus |= wanted
            orders.append(order)
    buyers = {order.customer for order in orders}
    return {
        "key": KEY,
        "customers": [
            {"number": one.number, "name": one.name, "email": one.email, "city": one.city}
            for one in world.people.values()
            if one.number in buyers
        ],
        "products": [
            {"id": one.id, "sku": one.sku, "name": one.name, "price": one.price.amount}
            for one in world.items.values()
            if one.sku in skus
        ],
        "orders": [
            {
                "number": order.number, "customer": order.customer, "shipped": at < SHIPPED,
                "lines": [
                    {"sku": line.sku, "quantity": line.quantity,
                     "price": line.unit_price.amount}
                    for line in order.lines
                ],
            }
            for at, order in enumerate(orders)
        ],
    }  # fmt: skip
