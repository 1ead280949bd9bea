"""The demo world that all simulators share: the same people, products and orders every time.

Everything is thrown with one seeded die, so that the shop, the warehouse and the payment
provider agree on order 1042 although they never talk. Times are relative to *now*.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from deskhub_sdk.records import Money
from deskhub_sdk.testing.catalogue import (
    CARRIERS,
    CRM_NOTES,
    HUBS,
    METHODS,
    MODELS,
    PEOPLE,
    TICKET_TITLES,
    VARIANTS,
    ModelSeed,
)
from deskhub_sdk.testing.facts import (
    Case,
    Item,
    Note,
    Paid,
    Person,
    SoldLine,
    SoldOrder,
    Status,
    Step,
    Tier,
    World,
)

__all__ = [
    "BASKETS", "WANG_FANG", "ZHANG_MIN",
    "Case", "Item", "Note", "Paid", "Person", "SoldLine", "SoldOrder", "Step", "World",
    "build_world",
]  # fmt: skip

FIRST_ORDER, LAST_ORDER = 1001, 1300
# The web shop numbers from 1001, the mini program from 1100; each range grows with time.
MINI_PROGRAM_FROM = 1100
WANG_FANG, ZHANG_MIN = "C-1001", "C-1007"
# Zhang Min buys for a chain of shops: three orders of 100 different products each.
BASKETS = ("1063", "1077", "1090")
# These two write about their latest order, so no newer one may follow it.
JOHN_SMITH, PRIYA_RAMAN = "C-1003", "C-1005"
QUIET_FOR = timedelta(days=25)
WANG_FANGS = ("1017", "1042", "1104", "1125", "1148", "1171", "1203", "1226")


def build_world(now: datetime | None = None, *, seed: int = 1042) -> World:
    """Return the demo world as it stands at *now* (default: this moment).

    The same *seed* gives the same people, products and orders; only times move with *now*.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    items = _items(random.Random(seed))
    orders = _orders(random.Random(seed + 1), items, moment)
    payments = {paid.id: paid for order in orders.values() if (paid := _payment(order))}
    people = _people(random.Random(seed + 2), orders, moment)
    cases = _cases(random.Random(seed + 3), orders, moment)
    return World(moment, people, items, orders, payments, cases)


def _items(dice: random.Random) -> dict[str, Item]:
    items: dict[str, Item] = {}
    for at, model in enumerate(MODELS, start=1):
        for nth, variant in enumerate(VARIANTS[model.sizes], start=1):
            item = _item(dice, model, variant, f"P-{at:02d}{nth:02d}")
            items[item.id] = item
    return items


def _item(dice: random.Random, model: ModelSeed, variant: str, key: str) -> Item:
    kind = dice.choices(("none", "few", "many"), (8, 14, 78))[0]
    stock = {"none": 0, "few": dice.randint(1, 5), "many": dice.randint(6, 180)}[kind]
    batch = f"{dice.choice('ABCD')}{dice.randint(1, 9)}"
    is_shoe_of_1042 = model.code == "TS" and variant == "42"
    return Item(
        id=key,
        sku=f"{model.code}-{variant[:2].upper() if len(variant) > 3 else variant}",
        name=f"{model.name} {variant}" if model.sizes == "shoe" else f"{model.name}, {variant}",
        model=model.name,
        variant=variant,
        category=model.category,
        price=Money.from_minor(model.yuan * 100, "CNY"),
        stock=14 if is_shoe_of_1042 else stock,
        location=f"Hangzhou {dice.choice('ABCDEF')}-{dice.randint(1, 24):02d}",
        batch="B7" if is_shoe_of_1042 else batch,
        final_sale=model.final_sale,
    )


def _orders(
    dice: random.Random, items: Mapping[str, Item], now: datetime
) -> dict[str, SoldOrder]:
    regulars = [f"C-{1000 + at}" for at in range(1, len(PEOPLE) + 1)]
    regulars = [number for number in regulars if number not in {WANG_FANG, ZHANG_MIN}]
    ids = list(items)
    shuffled = dice.sample(ids, 300)
    orders: dict[str, SoldOrder] = {}
    for at in range(FIRST_ORDER, LAST_ORDER + 1):
        number = str(at)
        customer = dice.choice(regulars)
        chosen = [(items[key], dice.randint(1, 2)) for key in dice.sample(ids, _size(dice))]
        age = _age(dice, at)
        while customer in {JOHN_SMITH, PRIYA_RAMAN} and age < QUIET_FOR:
            customer = dice.choice(regulars)
        if number in WANG_FANGS:
            customer = WANG_FANG
        if number in BASKETS:
            basket = BASKETS.index(number)
            customer = ZHANG_MIN
            cut = shuffled[basket * 100 : basket * 100 + 100]
            chosen = [(items[key], dice.randint(4, 12)) for key in cut]
        orders[number] = _order(dice, number, customer, chosen, now - age, now)
    orders.update((order.number, order) for order in _storied(items, now))
    return orders


def _size(dice: random.Random) -> int:
    return dice.choices((1, 2, 3, 4), (45, 30, 17, 8))[0]


def _age(dice: random.Random, number: int) -> timedelta:
    """Return how long ago order *number* was placed: older for lower numbers."""
    jitter = dice.random()
    if number >= MINI_PROGRAM_FROM:
        share = (LAST_ORDER - number + jitter) / (LAST_ORDER - MINI_PROGRAM_FROM + 1)
        return timedelta(days=200) * math.pow(share, 1.5) + timedelta(minutes=12)
    if number < 1042:
        return timedelta(days=6) + timedelta(days=170) * math.pow(
            (1042 - number + jitter) / 42, 1.5
        )
    return timedelta(days=4.9) * ((MINI_PROGRAM_FROM - number - jitter) / 58) + timedelta(
        minutes=9
    )


# Hours after the order until each thing happens.
_PACE = (
    ("placed", 0.0), ("paid", 0.05), ("packed", 4.0), ("shipped", 20.0), ("transit", 34.0),
    ("delivered", 66.0), ("completed", 400.0),
)  # fmt: skip


def _order(
    dice: random.Random,
    number: str,
    customer: str,
    chosen: list[tuple[Item, int]],
    placed_at: datetime,
    now: datetime,
) -> SoldOrder:
    currency = PEOPLE[int(customer[2:]) - 1001].currency
    carrier, prefix = dice.choice(CARRIERS)
    tracking = f"{prefix}{dice.randrange(10**12, 10**13)}"
    hub, method = dice.choice(HUBS), dice.choice(METHODS[currency])
    fate = dice.choices(("good", "cancelled", "returned"), (93, 4, 3))[0]
    pace = dice.uniform(0.8, 1.2)
    history = [
        Step(
            code, placed_at + timedelta(hours=hours * pace), hub if code == "transit" else None
        )
        for code, hours in _PACE
    ]
    history = [step for step in history if step.at <= now]
    reached = {step.code for step in history}
    if fate == "cancelled" and "packed" in reached:
        history = [step for step in history if step.code in {"placed", "paid"}]
        history.append(Step("cancelled", placed_at + timedelta(hours=2)))
    elif fate == "returned" and "completed" in reached:
        back = next(step.at for step in history if step.code == "delivered") + timedelta(days=6)
        history = [step for step in history if step.code != "completed"]
        history.append(Step("returned", back))
    lines = tuple(
        _line(at, item, quantity, currency)
        for at, (item, quantity) in enumerate(chosen, start=1)
    )
    return _sold(number, customer, lines, tuple(history), method, carrier, tracking)


def _storied(items: Mapping[str, Item], now: datetime) -> tuple[SoldOrder, ...]:
    """Return the orders that people write about when the demo opens."""
    by_name = {item.name: item for item in items.values()}

    def order(
        number: str,
        customer: str,
        names: tuple[str, ...],
        hours: Mapping[str, float],
        sent: tuple[str, str, str],
    ) -> SoldOrder:
        currency = PEOPLE[int(customer[2:]) - 1001].currency
        lines = tuple(_line(at, by_name[n], 1, currency) for at, n in enumerate(names, start=1))
        history = tuple(
            Step(code, now - timedelta(hours=ago), "Hangzhou" if code == "transit" else None)
            for code, ago in hours.items()
        )
        return _sold(number, customer, lines, history, *sent)

    return (
        # A shoe that came today with its sole loose, and socks that nobody takes back.
        order(
            "1042", WANG_FANG, ("Trail Shoe 42", "Merino socks, M"),
            {"placed": 126, "paid": 125.9, "packed": 120, "shipped": 96, "transit": 72,
             "delivered": 1.25},
            ("Alipay", "SF Express", "SF1390022118472"),
        ),
        # A parcel that nobody scanned for days.
        order(
            "1033", JOHN_SMITH, ("Ridge Runner 43",),
            {"placed": 190, "paid": 189.9, "packed": 170, "shipped": 140},
            ("Visa", "YTO Express", "YT8800417302991"),
        ),
        # Packed, but held: its customer asks for another address.
        order(
            "1051", PRIYA_RAMAN, ("Moor Mid 39", "Rain Jacket, S"),
            {"placed": 60, "paid": 59.9, "packed": 20},
            ("WeChat Pay", "SF Express", "SF1390022119035"),
        ),
    )  # fmt: skip


def _line(at: int, item: Item, quantity: int, currency: str) -> SoldLine:
    return SoldLine(
        id=f"L{at}",
        product=item.id,
        sku=item.sku,
        title=item.name,
        quantity=quantity,
        unit_price=item.priced_in(currency),
        final_sale=item.final_sale,
    )


def _sold(
    number: str,
    customer: str,
    lines: tuple[SoldLine, ...],
    history: tuple[Step, ...],
    method: str,
    carrier: str,
    tracking: str,
) -> SoldOrder:
    codes = [step.code for step in history]
    minor = sum(line.unit_price.times(line.quantity).minor for line in lines)
    status = next(code for code in reversed(codes) if code != "transit")
    return SoldOrder(
        number=number,
        customer=customer,
        status=_STATUS[status],
        lines=lines,
        history=history,
        total=Money.from_minor(minor, lines[0].unit_price.currency),
        method=method,
        payment=f"pay_{number}" if "paid" in codes else None,
        carrier=carrier if "shipped" in codes else None,
        tracking=tracking if "shipped" in codes else None,
        channel="mini_program" if int(number) >= MINI_PROGRAM_FROM else "web",
    )


_STATUS: dict[str, Status] = {
    "placed": "placed", "paid": "paid", "packed": "packed", "shipped": "shipped",
    "delivered": "delivered", "completed": "completed", "cancelled": "cancelled",
    "returned": "returned",
}  # fmt: skip


def _payment(order: SoldOrder) -> Paid | None:
    if order.payment is None:
        return None
    gone = order.status in {"cancelled", "returned"}
    return Paid(
        id=order.payment,
        order=order.number,
        customer=order.customer,
        method=order.method,
        captured=order.total,
        refunded=order.total if gone else Money.from_minor(0, order.total.currency),
        at=next(step.at for step in order.history if step.code == "paid"),
    )


_TIERS: dict[str, Tier] = {WANG_FANG: "vip", "C-1008": "vip", ZHANG_MIN: "gold"}


def _people(
    dice: random.Random, orders: Mapping[str, SoldOrder], now: datetime
) -> dict[str, Person]:
    people: dict[str, Person] = {}
    for at, seed in enumerate(PEOPLE):
        number = f"C-{1001 + at}"
        tier: Tier = dice.choices(("standard", "silver", "gold", "vip"), (55, 25, 15, 5))[0]
        mine = [order for order in orders.values() if order.customer == number]
        good = [order for order in mine if order.status not in {"cancelled", "returned"}]
        spent = sum(order.total.minor for order in good) + dice.randrange(0, 400_000)
        phone = f"13{dice.randrange(10**8, 10**9)}" if seed.language == "zh-CN" else (
            f"+1{dice.randrange(2_000_000_000, 9_999_999_999)}"
        )  # fmt: skip
        notes = tuple(
            Note(now - timedelta(days=dice.uniform(2, 300)), "Li Wei", text)
            for text in dice.sample(CRM_NOTES, dice.choice((0, 1, 1, 2)))
        )
        people[number] = Person(
            number=number,
            name=seed.name,
            email=seed.email,
            phone="13800132211" if number == WANG_FANG else phone,
            language=seed.language,
            city=seed.city,
            currency=seed.currency,
            tier=_TIERS.get(number, tier),
            since=now - timedelta(days=dice.randrange(210, 1600)),
            lifetime=Money.from_minor(spent, seed.currency),
            return_rate=dice.choice((0.0, 0.0, 0.04, 0.08, 0.11, 0.2)),
            tags=_tags(number, dice),
            notes=notes,
        )
    return people


def _tags(number: str, dice: random.Random) -> tuple[str, ...]:
    if number == WANG_FANG:
        return ("VIP", "Runner")
    if number == ZHANG_MIN:
        return ("Wholesale",)
    return tuple(
        dice.sample(("Runner", "Hiker", "Newsletter", "Wide fit"), dice.choice((0, 1, 2)))
    )


def _cases(
    dice: random.Random, orders: Mapping[str, SoldOrder], now: datetime
) -> dict[str, Case]:
    numbers = [order.number for order in orders.values() if order.customer != WANG_FANG]
    cases: dict[str, Case] = {}
    for at in range(301, 331):
        order = orders[dice.choice(numbers)]
        created = now - timedelta(days=dice.uniform(0.2, 60))
        status: Literal["open", "in_progress", "waiting", "done"] = dice.choices(
            ("open", "in_progress", "waiting", "done"), (25, 25, 15, 35)
        )[0]
        case = Case(
            key=f"SUP-{at}",
            customer=order.customer,
            title=dice.choice(TICKET_TITLES),
            status=status,
            created_at=created,
            updated_at=created + (now - created) * dice.random(),
            order=order.number,
            assignee=dice.choice((None, "Li Wei", "Sara Lind", "Zhou Min")),
        )
        cases[case.key] = case
    created = now - timedelta(days=2, hours=3)
    cases["SUP-318"] = Case(
        "SUP-318", WANG_FANG, "Sole glue, batch B7", "in_progress", created,
        now - timedelta(hours=1), None, "Li Wei",
    )  # fmt: skip
    return cases
