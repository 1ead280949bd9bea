"""Reports over REST: who may read them, what they are asked for, and the file they give."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from deskhub.chat.commands import AddNote, Assign, Close, PostMessage, Rate
from deskhub.edge.csv import cell
from deskhub.identity.records import agent_principal
from deskhub.ids import new_id
from tests.edge.conftest import World

TODAY = datetime.now(UTC).date()


async def rated(world: World, comment: str, score: int = 5) -> str:
    """Have a conversation that ends with a rating, and return its id."""
    arrived = await world.visitor()
    who = await world.hub.identity.authenticate(arrived["token"])
    visitor = await world.client(arrived["token"])
    body = {"body": {"kind": "text", "text": "Hello"}}
    headers = {"idempotency-key": new_id("k")}
    opened = await visitor.post("/api/v1/conversations", json=body, headers=headers)
    conversation = str(opened.json()["conversation"])
    (agent,) = [
        one for one in await world.hub.identity.agents("main") if one.role == "supervisor"
    ]
    by = agent_principal(agent, "s_test")
    do = world.hub.chat.do
    await do(by, Assign(conversation, agent.id, name=agent.name), cid=new_id("k"))
    await do(by, AddNote(conversation, "=secret"), cid=new_id("k"))
    await do(by, PostMessage(conversation, "Hello!"), cid=new_id("k"))
    await do(by, Close(conversation), cid=new_id("k"))
    await do(who, Rate(conversation, score, comment), cid=new_id("k"))
    return conversation


async def lead(world: World) -> httpx2.AsyncClient:
    return await world.client(await world.agent("supervisor", name="=Zhou, Min"))


async def test_an_overview_has_the_span_the_one_before_and_each_day(world: World) -> None:
    client = await lead(world)
    await rated(world, "")

    answer = await client.get("/api/v1/reports/overview")

    found = answer.json()
    assert found["figures"]["opened"] == found["figures"]["closed"] == 1
    assert found["before"]["opened"] == 0
    assert len(found["days"]) == 30
    assert found["inboxes"] == {"web": "Web", "second": "Second"}
    assert found["last"] == TODAY.isoformat()
    assert found["days"][-1]["ratings"] == 1


async def test_the_file_holds_what_the_page_shows_and_no_formula(world: World) -> None:
    client = await lead(world)
    said = '=HYPERLINK("http://evil.example","click")'
    await rated(world, said, 1)

    answer = await client.get("/api/v1/reports/ratings/csv?zone=Asia/Shanghai")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="deskhub-ra')
    text = answer.content.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["comment"] == f"'{said}"
    assert (row["agent"], row["score"]) == ("'=Zhou, Min", "1")
    assert "secret" not in text


@pytest.mark.parametrize("name", ["overview", "agents", "inboxes"])
async def test_every_report_is_a_table_too(world: World, name: str) -> None:
    client = await lead(world)
    await rated(world, "")

    answer = await client.get(f"/api/v1/reports/{name}/csv")

    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert found[-1]["closed"] == "1"
    assert found[-1]["promised"] == "0"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), (" =1", "' =1"), ("＝1", "'＝1"),
        ("fine - really", "fine - really"), ("", ""), (None, ""), (-3, -3),
    ],
)  # fmt: skip
def test_a_cell_is_no_formula(value: object, shown: object) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "2024-01-01", "to": "2026-11-01"}, "from"),
        ({"from": "0001-01-01", "to": "2026-11-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"from": "yesterday"}, "from"),
    ],
)
async def test_what_is_no_span_is_refused_with_the_reason(
    world: World, query: dict[str, str], path: str
) -> None:
    client = await lead(world)

    answer = await client.get("/api/v1/reports/overview", params=query)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert path in answer.json()["errors"][0]["path"]


async def test_a_year_is_the_most_at_once(world: World) -> None:
    client = await lead(world)
    for days, status in ((365, 200), (366, 422)):
        query = {"from": (TODAY - timedelta(days=days)).isoformat(), "to": TODAY.isoformat()}

        answer = await client.get("/api/v1/reports/overview", params=query)

        assert answer.status_code == status


async def test_the_live_page_knows_who_is_there_and_what_today_brought(world: World) -> None:
    client = await lead(world)
    await rated(world, "", 4)

    found: dict[str, Any] = (await client.get("/api/v1/live?zone=UTC")).json()

    assert (found["open"], found["today"]["closed"], found["today"]["satisfied"]) == (0, 1, 1)
    assert [one["name"] for one in found["agents"]] == ["=Zhou, Min"]
    assert found["agents"][0] | {"agent": ""} == {
        "agent": "", "name": "=Zhou, Min", "role": "supervisor", "status": "online",
        "online": False, "capacity": 5, "open": 0, "waiting": 0, "waiting_since": None,
    }  # fmt: skip
    assert [one["inbox"] for one in found["inboxes"]] == ["web", "second"]


async def test_another_tenants_inbox_is_empty_and_has_no_name(world: World) -> None:
    client = await lead(world)

    answer = await client.get("/api/v1/reports/inboxes?inbox=other")

    assert answer.json()["rows"] == []
    assert "other" not in answer.json()["inboxes"]
