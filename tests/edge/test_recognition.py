"""After a visitor is identified, the business systems fill in what the shop left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deskhub.host.asking import Answer
from deskhub_sdk import CustomerMatch, Identity
from tests.edge.conftest import World


class Gathered:
    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = answers

    async def all(self) -> Sequence[Answer]:
        return self.answers


async def customer_after(world: World, *answers: Answer, **facts: Any) -> dict:
    """Identify a visitor while adapters answer *answers*; return the customer."""
    seen: list[Identity] = []

    def gather(hook: str, tenant: str, *, identity: Identity) -> Gathered:
        assert (hook, tenant) == ("find_customer", "main")
        seen.append(identity)
        return Gathered(answers)

    world.hub.host.gather = gather  # type: ignore[method-assign]
    client = await world.client()
    body = {"inbox": "key-web", "identity": world.identity("C-1001", **facts)}
    arrival = (await client.post("/api/v1/visitors", json=body)).json()
    visitor = await world.hub.identity.visitors.by_token(arrival["token"])
    agent = await world.client(await world.agent())
    found = await agent.get(f"/api/v1/customers/{visitor.customer}")
    assert seen[0].verified
    return found.json()["customer"]


def match(**facts: Any) -> CustomerMatch:
    return CustomerMatch(**({"subject": "C-1001", "confidence": 0.9} | facts))


async def test_what_is_missing_is_filled_in_and_what_is_there_stays(world: World) -> None:
    crm = match(name="W. Fang", email="fang@example.com", tags=("vip",))

    customer = await customer_after(world, Answer("crm", "ok", [crm]), name="Wang Fang")

    assert customer["name"] == "Wang Fang"
    assert customer["email"] == "fang@example.com"
    assert customer["tags"] == ["vip"]


async def test_the_surer_system_wins(world: World) -> None:
    unsure = match(email="old@example.com", confidence=0.3)
    sure = match(email="new@example.com", confidence=0.95)

    customer = await customer_after(
        world, Answer("tickets", "ok", [unsure]), Answer("crm", "ok", [sure])
    )

    assert customer["email"] == "new@example.com"


async def test_a_look_alike_lends_nothing(world: World) -> None:
    twin = match(subject="C-2002", email="twin@example.com", tags=("debtor",))

    customer = await customer_after(world, Answer("crm", "ok", [twin]))

    assert not customer.get("email")
    assert customer["tags"] == []


async def test_a_system_that_fails_changes_nothing(world: World) -> None:
    late = Answer("crm", "late", error=TimeoutError())

    customer = await customer_after(world, late, name="Wang Fang")

    assert customer["name"] == "Wang Fang"
