"""Two people on one digest, through the REST interface: every wrong way changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from deskhub.actions.limits import Limits
from deskhub.actions.service import Actions
from deskhub.store import audit
from deskhub.store.tables.actions import action_approval, action_run
from deskhub_sdk.records import Money
from deskhub_sdk.steps import Preview
from tests.actions.conftest import FORM, Around, known, running
from tests.actions.five import FiveSystems
from tests.edge.conftest import World
from tests.edge.conftest import world as world  # noqa: PLC0414  a fixture

CID = {"Idempotency-Key": "one"}


@dataclass
class Two:
    """An agent who may move ¥300 alone, and a supervisor who may move anything."""

    world: World
    five: FiveSystems
    agent: httpx2.AsyncClient
    lead: httpx2.AsyncClient
    conversation: str

    async def plan(self, **changes: Any) -> dict[str, Any]:
        body = {"conversation": self.conversation, "input": FORM | changes}
        answer = await self.agent.post("/api/v1/actions/order.return@1/plan", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def ask(self, plan: dict[str, Any]) -> httpx2.Response:
        return await self.agent.post(f"/api/v1/plans/{plan['id']}/ask", json={})

    async def asked(self) -> dict[str, Any]:
        answer = await self.ask(await self.plan())
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def decide(self, request: dict[str, Any], who=None, do="approve", **more: Any):
        body = {"do": do, "digest": request["plan"]["digest"], **more}
        who = who or self.lead
        return await who.post(f"/api/v1/approvals/{request['id']}/decide", json=body)

    async def ended(self, run: str) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                view = (await self.agent.get(f"/api/v1/runs/{run}")).json()
                if view["state"] in ("completed", "compensated", "attention"):
                    return dict(view)
                await asyncio.sleep(0.01)

    async def nothing_happened(self) -> bool:
        count = sa.select(sa.func.count()).select_from(action_run)
        runs = await self.world.hub.store.read(lambda c: c.execute(count).scalar())
        return runs == 0 and all(not s.calls for s in self.five.systems.values())


@pytest.fixture
async def two(world):
    store, clock = world.hub.store, world.hub.clock
    five = FiveSystems()
    limits = Limits({"agent": Money("300.00", "CNY"), "supervisor": Money("5000.00", "CNY")})
    actions = Actions(
        store, five, Around(store), clock, limits=limits, pauses_s=(0.01,), sweep_s=0.2
    )
    object.__setattr__(world.hub, "actions", actions)
    who = await world.visitor()
    await store.transact("main", lambda tx: known(tx, who["visitor"]))
    visitor = await world.client(who["token"])
    opened = await visitor.post(
        "/api/v1/conversations", json={"body": {"kind": "text", "text": "Hi"}}, headers=CID
    )
    conversation = opened.json()["conversation"]
    agent = await world.client(await world.agent())
    lead = await world.client(await world.agent("supervisor", name="Chen"))
    async with running(actions.worker):
        yield Two(world, five, agent, lead, conversation)


async def test_above_the_limit_a_second_person_approves_and_both_are_recorded(two):
    plan = await two.plan()
    alone = await two.agent.post(
        f"/api/v1/plans/{plan['id']}/confirm", json={"digest": plan["digest"]}
    )
    request = (await two.ask(plan)).json()
    waiting = (await two.lead.get("/api/v1/approvals")).json()["approvals"]

    decided = await two.decide(request)

    assert plan["approval"]["state"] == "needed"
    assert plan["approval"]["why"] == "¥399.00 is above the limit of ¥300.00."
    assert (alone.status_code, alone.json()["code"]) == (403, "approval_needed")
    assert [one["id"] for one in waiting] == [request["id"]]
    assert waiting[0]["plan"]["steps"] == request["plan"]["steps"]
    assert decided.status_code == 200, decided.text
    view = await two.ended(decided.json()["run"])
    assert view["state"] == "completed"
    assert view["started_by"]["name"] == "Li Wei"
    assert view["approved_by"]["name"] == "Chen"
    rows = await two.world.hub.store.read(lambda c: audit.trail(c, "main"))
    assert [row.what for row in reversed(rows)] == [
        "action.approval.asked", "action.confirmed", "action.approval.approved",
        "action.completed",
    ]  # fmt: skip
    assert rows[1].actor != rows[2].actor


async def test_within_the_limit_nobody_is_asked(two):
    plan = await two.plan(lines=[{"line": "1", "quantity": 1}])

    answer = await two.ask(plan)

    assert plan["approval"] is None
    assert answer.json()["code"] == "approval_not_needed"


async def test_asking_twice_is_one_request(two):
    plan = await two.plan()

    first, second = (await two.ask(plan)).json(), (await two.ask(plan)).json()

    assert first["id"] == second["id"]


async def test_who_asks_cannot_approve_and_agents_cannot_at_all(two):
    request = await two.asked()

    refused = await two.decide(request, who=two.agent)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert await two.nothing_happened()


async def test_a_supervisor_cannot_approve_the_own_request(two):
    two.world.hub.actions._approvals._limits._limits["supervisor"] = Money("300.00", "CNY")
    two.agent = two.lead
    request = await two.asked()

    refused = await two.decide(request)

    assert refused.json()["code"] == "approval_same_person"
    assert await two.nothing_happened()


async def test_an_approver_has_a_limit_too(two):
    request = await two.asked()
    two.world.hub.actions._approvals._limits._limits["supervisor"] = Money("310.00", "CNY")

    refused = await two.decide(request)

    assert refused.json()["code"] == "approval_over_limit"
    assert await two.nothing_happened()


async def test_another_digest_is_not_what_was_asked(two):
    request = await two.asked()

    refused = await two.decide(request, digest="sha256:other")

    assert refused.json()["code"] == "digest_mismatch"
    assert await two.nothing_happened()
    assert (await two.decide(request)).status_code == 200


async def test_a_decision_is_made_once(two):
    request = await two.asked()
    first = await two.decide(request, do="refuse", reason="Too much.")

    second = await two.decide(request)

    assert first.json()["state"] == "refused"
    assert first.json()["reason"] == "Too much."
    assert second.json()["code"] == "approval_decided"
    assert await two.nothing_happened()


async def test_ten_approvals_at_once_are_one_run(two):
    request = await two.asked()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(two.decide(request)) for _ in range(10)]
    codes = sorted(task.result().status_code for task in tasks)

    assert codes == [200] + [409] * 9
    run = (await two.agent.get("/api/v1/runs")).json()["runs"]
    assert len(run) == 1
    await two.ended(run[0]["id"])
    assert two.five.systems["Refund"].count == 1


async def test_a_refusal_has_a_reason(two):
    request = await two.asked()

    refused = await two.decide(request, do="refuse")

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "reason"


async def test_nobody_decides_too_late(two):
    request = await two.asked()
    old = two.world.hub.clock.now() - timedelta(seconds=1)
    await two.world.hub.store.transact(
        "main",
        lambda tx: (
            tx.connection.execute(action_approval.update().values(expires_at=old)).rowcount
        ),
    )

    refused = await two.decide(request)

    assert refused.json()["code"] == "approval_expired"
    assert (await two.lead.get("/api/v1/approvals")).json()["approvals"] == []
    assert await two.nothing_happened()


async def test_a_world_that_moved_is_shown_and_nothing_runs(two):
    request = await two.asked()
    two.five.previews["Refund"] = Preview(title="Refund", changes=(), fingerprint="f2")

    refused = await two.decide(request)

    assert refused.json()["code"] == "plan_changed"
    assert refused.json()["plan"]["digest"] != request["plan"]["digest"]
    assert await two.nothing_happened()


async def test_what_does_not_exist_cannot_be_decided(two):
    request = await two.asked()

    missing = await two.decide(request | {"id": "o_nothing"})

    assert missing.status_code == 404
