"""What an adapter is asked with when nobody else asks: records of the demo world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deskhub_sdk.records import (
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Identity,
    Order,
    OrderId,
    OrderLine,
    ProductId,
    TenantId,
)
from deskhub_sdk.steps import Fact, ReturnLine, StepCall, Subject
from deskhub_sdk.testing.world import WANG_FANG, World

ORDER = "1042"
# What earlier steps of a return would have provided.
FACTS: Mapping[str, Fact] = {
    "authorized": {"id": "RMA-7001", "rma_id": "RMA-7001"},
    "restocked": {"id": "RC-1", "receipt_id": "RC-1"},
    "credited": {"id": "CN-1", "note_id": "CN-1"},
    "refunded": {"id": "re_1", "refund_id": "re_1"},
}


def conversation(world: World) -> Conversation:
    """Return an open conversation."""
    return Conversation(
        id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open",
        opened_at=world.now, customer=CustomerId("cu_1"), language="en",
    )  # fmt: skip


def customer(world: World, number: str = WANG_FANG) -> Customer:
    """Return the person with the shop's *number*."""
    person = world.people[number]
    return Customer(
        id=CustomerId("cu_1"), tenant=TenantId("main"), subject=number, name=person.name,
        email=person.email, phone=person.phone, language=person.language,
    )  # fmt: skip


def identity(world: World, number: str = WANG_FANG) -> Identity:
    """Return what a visitor who is *number* says of themselves."""
    person = world.people[number]
    return Identity(
        inbox="shop", subject=number, email=person.email, phone=person.phone,
        name=person.name, language=person.language, verified=True,
    )  # fmt: skip


def order(world: World, number: str = ORDER) -> Order:
    """Return a delivered order that can go back."""
    sold = world.orders[number]
    lines = tuple(
        OrderLine(
            id=line.id, sku=line.sku, title=line.title, quantity=line.quantity,
            unit_price=line.unit_price, returnable=0 if line.final_sale else line.quantity,
            product=ProductId(line.product),
        )
        for line in sold.lines
    )  # fmt: skip
    zero = sold.total - sold.total
    return Order(
        id=OrderId(number), number=number, customer=sold.customer, status=sold.status,
        placed_at=sold.placed_at, updated_at=sold.updated_at, version=sold.version,
        total=sold.total, refunded=zero, lines=lines, carrier=sold.carrier,
        tracking=sold.tracking, payment=sold.payment, paid_with=sold.method,
    )  # fmt: skip


def candidates(world: World) -> list[str]:
    """Return the numbers of one order in each state: the delivered one of the demo first."""
    found = {order.status: number for number, order in world.orders.items()}
    return [ORDER, *found.values()]


def step_call(
    world: World, action: str, key: str, facts: Sequence[str], number: str = ORDER
) -> StepCall:
    """Return the call of a step of *action* that concerns one piece of an order."""
    about = order(world, number)
    line = next((line for line in about.lines if line.returnable), about.lines[0])
    back = ReturnLine(
        line=line.id, sku=line.sku, title=line.title, quantity=1, amount=line.unit_price
    )
    return StepCall(
        action=action, run="r_kit", key=key,
        subject=Subject(
            about=about, lines=(back,), amount=line.unit_price, reason="damaged",
            note="The left shoe.", summary="A shoe came damaged.",
            transcript="https://desk.example.com/console/#c_1", instead=(back,),
        ),
        facts={slot: FACTS.get(slot, {"id": f"{slot}-1"}) for slot in facts},
        customer=customer(world), conversation="c_1",
    )  # fmt: skip


def ids_of(world: World, method: str) -> list[str]:
    """Return ids that exist for a capability's *method*, as the demo world numbers them."""
    if method in ("get_orders", "get_payments"):
        return list(world.orders)
    if method in ("get_products", "variants_of"):
        return list(world.items)
    if method == "get_tickets":
        return [case.key for case in world.cases.values()]
    return list(world.people)
