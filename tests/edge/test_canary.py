"""Nothing that people write, and nothing that opens a door, is ever in a log line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from deskhub import log
from deskhub.store import rows
from tests.edge.conftest import PASSWORD, World
from tests.support.chat import NO_LIMITS, chat_hub

CANARY = "canary-7f3a1c"
EMAIL = f"{CANARY}@example.com"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged at the lowest level, as it would be written."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    log.configure("debug", stream=stream)
    # The client of the test, not the hub.
    for client in ("httpx2", "httpcore2"):
        logging.getLogger(client).setLevel(logging.WARNING)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def checked(stream: io.StringIO, *secrets: str) -> list[dict[str, object]]:
    """Fail when a secret is in the log; return its lines."""
    text = stream.getvalue()
    found = [one for one in (CANARY, PASSWORD, *secrets) if one in text]
    where = [line for line in text.splitlines() if any(one in line for one in found)]
    assert not where, where[0][:2000]
    return [json.loads(line) for line in text.splitlines()]


async def test_sign_in_and_rest_leave_no_trace_of_what_was_said(
    world: World, logged: io.StringIO
) -> None:
    client = await world.client()
    for password in (PASSWORD, CANARY):
        await client.post("/api/v1/sessions", json={"email": EMAIL, "password": password})
    await client.post("/api/v1/sessions", json={"email": {"x": EMAIL}, "password": PASSWORD})
    await client.post("/api/v1/sessions", content=f"{{{CANARY}", headers={"content-type": "application/json"})  # fmt: skip
    await client.get(f"/api/v1/customers/x?q={CANARY}", headers={"authorization": f"Bearer {CANARY}"})  # fmt: skip
    await client.get("/healthz", headers={"x-request-id": "ok-request", "cookie": CANARY})
    visitor = await world.visitor()
    agent = await world.agent()
    mine = await world.client(visitor["token"])
    body = {"body": {"kind": "text", "text": CANARY}}
    opened = await mine.post(
        "/api/v1/conversations", json=body, headers={"idempotency-key": "k1"}
    )
    where = opened.json()["conversation"]
    desk = await world.client(agent)
    for path, said in (
        ("messages", {"kind": "text", "text": CANARY}),
        ("notes", {"text": CANARY}),
        ("tags", {"add": [CANARY], "remove": []}),
        ("messages", {"kind": "text", "text": CANARY * 5_000}),
        ("messages", {"kind": CANARY, "text": CANARY}),
    ):
        await desk.post(
            f"/api/v1/conversations/{where}/{path}", json=said,
            headers={"idempotency-key": f"k-{path}"},
        )  # fmt: skip
    await desk.put(
        f"/api/v1/conversations/{where}/draft", json={"mode": "reply", "text": CANARY}
    )
    await desk.get("/api/v1/conversations", params={"q": CANARY})

    lines = checked(logged, visitor["token"], agent)

    assert any(line["event"] == "request_served" for line in lines)


async def test_the_stream_leaves_no_trace_of_what_was_said(
    tmp_path: Path, logged: io.StringIO
) -> None:
    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS) as hub:
        async with hub.dial(f"nobody.{CANARY}") as stranger:
            await stranger.closed()
        async with hub.dial(f"visitor.v_{CANARY[-6:]}") as visitor:
            await visitor.send(CANARY, "k1")
            await visitor.put({"t": "send", "id": "x", "body": CANARY})
            await visitor.put({"t": CANARY})
            await visitor.put(f"{{{CANARY}")
            await visitor.put({"t": "auth", "id": "y", "token": CANARY})
            await visitor.until("result", id="y")
            await visitor.put({"t": "typing", "conversation": CANARY, "on": True})
            await visitor.until("error")

    checked(logged)


@pytest.mark.parametrize("kind", ["database", "code"])
async def test_a_fault_is_logged_without_what_it_was_about(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A database's error quotes the row that it refused, unless it is told not to."""

    def refused(connection: sa.Connection, events: list[object]) -> None:
        if not events:
            return
        if kind == "code":
            raise RuntimeError("a fault without a quote")
        with connection.begin_nested():
            connection.execute(
                sa.text("INSERT INTO tenant (tenant, epoch, head) VALUES (:text, NULL, 1)"),
                {"text": CANARY},
            )

    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS) as hub:
        monkeypatch.setattr(rows, "insert_events", refused)
        async with hub.dial("visitor.v_1") as visitor:
            result = await visitor.send(CANARY, "k1")
        async with hub.http("visitor.v_1") as http:
            body = {"body": {"kind": "text", "text": CANARY}}
            posted = await http.post(
                "/api/v1/conversations", json=body, headers={"idempotency-key": "k2"}
            )
        monkeypatch.undo()

    lines = checked(logged)
    assert result["error"]["code"] in ("internal", "store_down")
    assert CANARY not in posted.text
    assert posted.status_code >= 500
    assert any(line.get("error") for line in lines)


def test_what_postgresql_says_about_a_refused_row_is_left_out(logged: io.StringIO) -> None:
    fault = RuntimeError(
        f"null value\nDETAIL:  Failing row contains (main, {CANARY}).\nHINT: x"
    )
    try:
        raise fault
    except RuntimeError:
        logging.getLogger("deskhub.test").exception("batch_failed")

    (line,) = checked(logged)
    assert "null value" in str(line["error"])


async def test_the_net_itself_can_catch(logged: io.StringIO) -> None:
    """The twin: a careless line is found, and a secret under its own name is masked."""
    logging.getLogger("deskhub.test").info("said", extra={"token": CANARY})
    checked(logged)
    logging.getLogger("deskhub.test").info("said", extra={"words": CANARY})

    with pytest.raises(AssertionError):
        checked(logged)
