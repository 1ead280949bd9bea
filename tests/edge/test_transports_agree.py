"""One truth on every transport: the same commands give the same bytes to the same readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.chat import ChatHub, chat_hub


@pytest.fixture
async def running(tmp_path: Path):
    async with chat_hub(tmp_path / "hub.db") as hub:
        yield hub


def raw_events(text: str) -> list[str]:
    """Return the event objects of a frame or an answer exactly as they were written."""
    decoder, found = json.JSONDecoder(), []
    at = text.index('"events":[') + len('"events":[')
    while text[at] == "{":
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = end + (text[end] == ",")
    return found


def raw_frames(texts: list[str]) -> list[str]:
    """Return the event objects of all events frames among *texts*."""
    return [one for text in texts if '"t":"events"' in text for one in raw_events(text)]


AGENT_COMMANDS: list[dict[str, Any]] = [
    {"t": "note", "text": "VIP"},
    {"t": "edit", "text": "One minute.", "version": 0},
    {"t": "assign", "agent": "a_2"},
    {"t": "tag", "add": ["late"]},
    {"t": "close"},
]


async def speak(hub: ChatHub, transport: str) -> str:
    """Hold the same conversation over *transport*; return its id."""
    if transport == "socket":
        async with hub.dial("visitor.v_1") as visitor, hub.dial("agent.a_1") as agent:
            opened = await visitor.send("Where is my order? 我的订单呢", "m1")
            where = opened["conversation"]
            await visitor.send("It is “late”.", "m2", where)
            said = (await agent.send("One moment.", "m3", where))["seq"]
            for number, command in enumerate(AGENT_COMMANDS, 4):
                cid = f"m{number}"
                about = {"seq": said} if command["t"] == "edit" else {}
                more = {"id": cid, "cid": cid, "conversation": where}
                await agent.put(command | about | more)
                await agent.until("result", id=cid)
        return where
    async with hub.http("visitor.v_1") as visitor, hub.http("agent.a_1") as agent:
        base = "/api/v1/conversations"

        async def post(client: Any, path: str, cid: str, body: Any) -> Any:
            answer = await client.post(base + path, json=body, headers={"idempotency-key": cid})
            assert answer.status_code in (200, 201), answer.text
            return answer.json()

        first = {"body": {"kind": "text", "text": "Where is my order? 我的订单呢"}}
        where = (await post(visitor, "", "m1", first))["conversation"]
        at = f"/{where}"
        await post(visitor, f"{at}/messages", "m2", {"kind": "text", "text": "It is “late”."})
        one = {"kind": "text", "text": "One moment."}
        said = (await post(agent, f"{at}/messages", "m3", one))["seq"]
        await post(agent, f"{at}/notes", "m4", {"text": "VIP"})
        edit = {"seq": said, "text": "One minute.", "version": 0}
        await post(agent, f"{at}/edit", "m5", edit)
        await post(agent, f"{at}/assign", "m6", {"agent": "a_2"})
        await post(agent, f"{at}/tags", "m7", {"add": ["late"]})
        await post(agent, f"{at}/close", "m8", {})
    return where


def without_moments(event: str, conversation: str) -> str:
    """Return *event* without what differs between two conversations: id, time."""
    value = json.loads(event)
    return event.replace(conversation, "C").replace(value["at"], "T")


async def test_every_transport_delivers_the_same_bytes(running: ChatHub) -> None:
    async with running.dial("agent.a_3") as watcher, running.http("agent.a_3") as client:
        start = (await watcher.until("welcome"))["cursor"]
        where = await speak(running, "socket")
        await watcher.events(9)
        polled = await client.get("/api/v1/events", params={"cursor": start, "wait": 0})
        read = await client.get(f"/api/v1/conversations/{where}/messages")
        shown = await client.get(f"/api/v1/conversations/{where}")

    pushed = raw_frames(watcher.texts)
    assert len(pushed) == 9
    assert raw_events(polled.text) == pushed
    assert raw_events(read.text) == pushed
    assert raw_events(shown.text) == pushed


async def test_the_same_commands_make_the_same_events_on_every_transport(
    tmp_path: Path,
) -> None:
    spoken = {}
    for transport in ("socket", "rest"):
        async with chat_hub(tmp_path / f"{transport}.db") as hub:
            where = await speak(hub, transport)
            async with hub.http("agent.a_3") as client:
                answer = await client.get(f"/api/v1/conversations/{where}/messages")
        spoken[transport] = [without_moments(one, where) for one in raw_events(answer.text)]

    assert spoken["socket"] == spoken["rest"]


async def test_a_receipt_holds_the_event_that_others_see(running: ChatHub) -> None:
    async with running.dial("agent.a_1") as agent, running.http("visitor.v_1") as visitor:
        await agent.until("welcome")
        answer = await visitor.post(
            "/api/v1/conversations",
            json={"body": {"kind": "text", "text": "Hello"}},
            headers={"idempotency-key": "k1"},
        )
        await agent.events(2)

    pushed = raw_frames(agent.texts)
    assert answer.status_code == 201
    assert pushed[-1] in answer.text


async def test_a_resend_over_another_transport_is_the_same_message(running: ChatHub) -> None:
    async with running.dial("visitor.v_1") as visitor, running.http("visitor.v_1") as client:
        first = await visitor.send("Hello", "k1")
        again = await client.post(
            "/api/v1/conversations",
            json={"body": {"kind": "text", "text": "Hello"}},
            headers={"idempotency-key": "k1"},
        )
        other = await client.post(
            "/api/v1/conversations",
            json={"body": {"kind": "text", "text": "Good-bye"}},
            headers={"idempotency-key": "k1"},
        )

    assert again.status_code == 200
    assert (again.json()["seq"], again.json()["dup"]) == (first["seq"], True)
    assert (other.status_code, other.json()["code"]) == (409, "cid_reuse")


async def test_no_transport_shows_a_visitor_what_is_for_agents(running: ChatHub) -> None:
    where = await speak(running, "rest")
    async with running.http("visitor.v_1") as own, running.http("visitor.v_2") as other:
        start = {"cursor": f"{running.store.tail.epoch('main')}:0", "wait": 0}
        polled = (await own.get("/api/v1/events", params=start)).json()["events"]
        own_kinds = [event["kind"] for event in polled]
        foreign = (await other.get("/api/v1/events", params=start)).json()["events"]
        page = (await own.get(f"/api/v1/conversations/{where}/messages")).json()["events"]
        snapshot = (await own.get("/api/v1/snapshot")).json()
        refused = await other.get(f"/api/v1/conversations/{where}/messages")
    async with running.dial("visitor.v_1", start["cursor"]) as socket:
        await socket.until("welcome")
        pushed = [e["kind"] for e in await socket.events(len(own_kinds))]

    assert own_kinds == [
        "conversation.opened", "message.posted", "message.posted", "message.posted",
        "message.edited", "conversation.assigned", "conversation.closed",
    ]  # fmt: skip
    assert pushed == own_kinds
    assert [e["kind"] for e in page] == own_kinds
    assert [e["kind"] for e in snapshot["events"]] == own_kinds
    assert "late" not in json.dumps(snapshot["conversation"]["tags"])
    assert foreign == []
    assert refused.status_code == 404
