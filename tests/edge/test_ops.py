"""What an operator sees."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import generate_latest
from prometheus_client.core import Metric

from deskhub.edge.metrics import Metrics
from deskhub.store import log as event_log
from tests.edge.conftest import World
from tests.support.chat import chat_hub


async def test_a_hub_is_ready_when_its_database_answers(world: World) -> None:
    client = await world.client()

    assert (await client.get("/healthz")).json() == {"status": "alive"}
    assert (await client.get("/readyz")).json() == {"status": "ready", "adapters": {}}


async def test_a_hub_that_leaves_is_alive_and_not_ready(world: World) -> None:
    world.hub.draining = True
    client = await world.client()

    leaving = await client.get("/readyz")

    assert (leaving.status_code, leaving.json()["code"]) == (503, "not_ready")
    assert leaving.headers["retry-after"] == "2"
    assert (await client.get("/healthz")).status_code == 200


async def test_the_figures_name_routes_and_never_ids(world: World) -> None:
    client = await world.client(await world.agent())
    await client.get("/api/v1/customers/cu_secret")
    await client.get("/made/up/address/1")
    await client.get("/made/up/address/2")

    text = (await client.get("/metrics")).text

    assert (
        'deskhub_requests_total{method="GET",route="/api/v1/customers/{customer}",status="404"}'
        in text
    )
    assert 'route="unknown",status="404"} 2.0' in text
    assert "cu_secret" not in text
    assert "made/up" not in text
    assert "deskhub_sockets 0.0" in text


async def test_a_hub_that_cannot_write_is_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await world.client()
    assert (await client.get("/readyz")).status_code == 200

    def refused(*_: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))

    # The database itself: what it may say when its disk is full.
    monkeypatch.setattr(event_log, "touch", refused)
    async with asyncio.timeout(5):
        while (answer := await client.get("/readyz")).status_code == 200:
            await asyncio.sleep(0.05)

    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    monkeypatch.undo()
    assert (await client.get("/readyz")).status_code == 200


async def test_many_probes_cost_one_commit(world: World) -> None:
    client = await world.client()
    before = sum(world.hub.store.figures.commit_s.counts)

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(client.get("/readyz"))

    assert sum(world.hub.store.figures.commit_s.counts) <= before + 2


async def test_the_figures_follow_what_happens(tmp_path: Path) -> None:
    """Every figure that a conversation, a reconnect and a refusal change."""
    async with chat_hub(tmp_path / "hub.db") as hub, hub.http("agent.a_1") as http:

        async def value(name: str) -> float:
            text = (await http.get("/metrics")).text
            found = [line for line in text.splitlines() if line.startswith(name + " ")]
            return float(found[0].split()[-1]) if found else 0.0

        async with hub.dial("visitor.v_1") as visitor, hub.dial("agent.a_1", "x:1") as agent:
            await agent.until("reset")
            await visitor.until("welcome")
            assert await value('deskhub_sessions{kind="visitor"}') == 1
            await visitor.send("hello", "k1")
            cursor = visitor.cursor
        async with hub.dial("visitor.v_1", cursor) as visitor:
            await visitor.until("welcome")
            await visitor.put("{" * 70_000)
            await visitor.closed()
        await http.get("/api/v1/events", params={"cursor": cursor, "wait": 0})
        async with asyncio.timeout(5):
            while await value('deskhub_sessions{kind="visitor"}'):
                await asyncio.sleep(0.02)

        assert await value('deskhub_resumes_total{outcome="epoch",transport="socket"}') == 1
        assert await value('deskhub_resumes_total{outcome="fresh",transport="socket"}') == 1
        assert await value('deskhub_resumes_total{outcome="resumed",transport="socket"}') == 1
        assert await value('deskhub_resumes_total{outcome="resumed",transport="poll"}') == 1
        assert await value('deskhub_closes_total{code="gone"}') >= 2
        assert await value("deskhub_command_seconds_count") >= 1
        assert await value("deskhub_commit_seconds_count") >= 1
        assert await value("deskhub_commit_commands_sum") >= 1
        assert await value("deskhub_writer_queue") == 0


def names_in(collector: Metrics) -> dict[str, Metric]:
    return {one.name: one for one in collector.collect()}


async def test_every_figure_is_described_and_none_is_made_up(world: World) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/metrics.md").read_text()
    described = dict(re.findall(r"^\| `(deskhub\w*)` \| (\w+) \|", page, re.MULTILINE))
    ends = {"counter": "_total", "info": "_info"}

    found = {
        name + ends.get(one.type, ""): one.type
        for name, one in names_in(Metrics(world.hub)).items()
    }

    assert described == found


async def test_a_scrape_costs_the_same_with_many_connections(world: World) -> None:
    """No figure is made by walking over sessions, conversations or events."""
    metrics = Metrics(world.hub)
    world.hub.guard.sockets.update({f"10.0.{n // 250}.{n % 250}": 1 for n in range(10_000)})
    world.hub.streams._sessions.update({str(n): None for n in range(10_000)})  # type: ignore[misc]

    samples = sum(len(one.samples) for one in metrics.collect())
    began = time.perf_counter()
    generate_latest(metrics.registry)

    world.hub.streams._sessions.clear()
    assert samples < 500
    assert time.perf_counter() - began < 0.1


async def test_the_loops_lag_is_measured_while_the_hub_serves(world: World) -> None:
    lifespan = world.app.router.lifespan_context(world.app)
    async with lifespan:
        async with asyncio.timeout(5):
            text = ""
            client = await world.client()
            while 'deskhub_loop_lag_seconds_bucket{le="+Inf"} 1.0' not in text:
                await asyncio.sleep(0.05)
                text = (await client.get("/metrics")).text


async def test_the_openapi_document_describes_the_routes(world: World) -> None:
    document = (await (await world.client()).get("/openapi.json")).json()

    sign_in = document["paths"]["/api/v1/sessions"]["post"]
    assert sign_in["responses"]["200"]["content"]["application/json"]["schema"][
        "$ref"
    ].endswith("SessionView")
    assert "application/problem+json" in sign_in["responses"]["default"]["content"]
    assert (await (await world.client()).get("/docs")).status_code == 404
