"""A model with the official client: it looks and proposes; only a person or a limit confirms."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from deskhub.cli.mcp_tools import Ceiling, HubApi, Refused, Toolbox
from tests.support.desk import Desk, desk

mcp = pytest.importorskip("mcp")


def test_nothing_may_be_confirmed_unless_somebody_says_so():
    plan = {"amount": {"money": "20.00", "currency": "CNY"}}

    assert not Ceiling.parse("").covers(plan)
    assert Ceiling.parse("20.00 CNY").covers(plan)
    assert not Ceiling.parse("19.99 CNY").covers(plan)
    assert not Ceiling.parse("50.00 EUR").covers(plan)
    assert not Ceiling.parse("50.00 CNY").covers({"amount": None})


@pytest.mark.parametrize("text", ["much", "-1 CNY", "NaN CNY", "5 YUAN", "5"])
def test_a_limit_that_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="not an amount"):
        Ceiling.parse(text)


@pytest.mark.parametrize("plan", ["../runs", "", "p_1/confirm", "p 1"])
async def test_an_id_from_a_model_cannot_reach_another_address(plan):
    box = Toolbox(HubApi("http://127.0.0.1:1", "t"), Ceiling())

    with pytest.raises(Refused, match="invalid"):
        await box.use("confirm_plan", {"plan": plan, "digest": "d"})


async def use(client: Any, tool: str, **arguments: Any) -> tuple[dict[str, Any], bool]:
    answer = await client.call_tool(tool, arguments)
    return json.loads(answer.content[0].text), bool(answer.is_error)


def conversation_in(hub: Desk) -> str:
    visitor = hub.visitor("C-1001")
    body = {"body": {"kind": "text", "text": "The shoe is torn."}}
    return str(hub.post("/api/v1/conversations", body, visitor["token"])["conversation"])


async def over(client: Any, run: str) -> dict[str, Any]:
    """Wait until *run* has ended."""
    async with asyncio.timeout(60):
        while True:
            status, _ = await use(client, "run_status", run=run)
            if status["state"] in ("completed", "compensated", "attention"):
                return status
            await asyncio.sleep(0.1)


def another(hub: Desk, token: str, talk: str) -> str:
    """Return a size that is in stock, as the hub offers it."""
    query = f"conversation={talk}&object=orders:1042"
    form = hub.get(f"/api/v1/actions/order.exchange@1/form?{query}", token)
    return str(form["schema"]["properties"]["instead"]["oneOf"][0]["const"])


def server(hub: Desk, token: str, *options: str) -> Any:
    return mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "deskhub", "mcp", "--url", hub.api, *options],
        env={**os.environ, "DESKHUB_TOKEN": token},
    )


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_model_proposes_and_a_supervisor_decides():
    with desk() as hub:
        token, lead = hub.sign_in(), hub.sign_in("supervisor")
        hub.adapters_ready(token)
        talk = conversation_in(hub)
        form = {"conversation": talk, "object": "orders:1042", "reason": "goodwill"}

        async with mcp.Client(server(hub, token)) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            offered, _ = await use(client, "available_actions", conversation=talk)
            wrong, failed = await use(client, "plan_order_refund", **form, amount="9999.00")
            plan, _ = await use(client, "plan_order_refund", **form, amount="20.00")
            other, refused = await use(
                client, "confirm_plan", plan=plan["id"], digest="sha256:x"
            )
            waits, _ = await use(client, "confirm_plan", plan=plan["id"], digest=plan["digest"])

        assert {"plan_order_return", "plan_order_exchange", "plan_ticket_escalate"} <= names
        assert "order.refund@1" in {one["type"] for one in offered["actions"]}
        assert failed
        assert wrong["errors"][0]["code"] == "range"
        assert refused
        assert other["code"] == "digest_mismatch"
        assert waits["state"] == "waiting_for_a_person"
        assert hub.get("/api/v1/runs", token)["runs"] == []
        body = {"do": "approve", "digest": plan["digest"]}
        decided = hub.post(f"/api/v1/approvals/{waits['approval']}/decide", body, lead)
        assert decided["state"] == "approved"

        async with mcp.Client(server(hub, token, "--limit", "30.00 CNY")) as client:
            form["object"] = "orders:1042"
            status = await over(client, decided["run"])
            plan, _ = await use(client, "plan_order_refund", **form, amount="25.00")
            ran, _ = await use(client, "confirm_plan", plan=plan["id"], digest=plan["digest"])
            await over(client, ran["run"])
            other = {
                "lines": [{"line": "L1", "quantity": 1}],
                "instead": another(hub, token, talk),
            }
            swap, _ = await use(
                client, "plan_order_exchange", **form | other | {"reason": "other"}
            )
            swapped, _ = await use(
                client, "confirm_plan", plan=swap["id"], digest=swap["digest"]
            )
            exchanged = await over(client, swapped["run"])

        assert status["state"] == "completed"
        assert ran["state"] == "running"
        assert exchanged["state"] == "completed"
        assert exchanged["sentence"] == "A replacement is ordered for the customer."
        assert hub.effects("orders") == {"return_created": 1, "replacement_ordered": 1}
        assert hub.effects("erp")["reservation"] == 1
