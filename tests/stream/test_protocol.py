"""``deskhub.v1`` over a real socket: greeting, resuming, answering, ending."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import websockets

from deskhub.chat.commands import AddNote, OpenConversation, PostMessage
from deskhub.stream.limits import Limits, Rate
from tests.support.chat import NO_LIMITS, ChatHub, chat_hub, person

FAST = replace(
    NO_LIMITS, hello_s=0.3, heartbeat_s=1.0, heartbeat_jitter_s=0.1, answer_s=1.0, typing_s=0.2
)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[ChatHub]:
    async with chat_hub(tmp_path / "hub.db", limits=FAST) as one:
        yield one


async def talk(hub: ChatHub, count: int = 1, who: str = "v_1") -> str:
    """Let visitor *who* write *count* messages; return the conversation."""
    visitor = person("visitor", who)
    first = await hub.chat.do(visitor, OpenConversation("web", "0"), cid=f"{who}-0")
    for number in range(1, count):
        command = PostMessage(first.conversation, str(number))
        await hub.chat.do(visitor, command, cid=f"{who}-{number}")
    return first.conversation


def texts(events: list[dict[str, Any]]) -> list[str]:
    return [e["data"]["text"] for e in events if e["kind"] == "message.posted"]


# Greeting


async def test_a_new_client_is_sent_to_the_snapshot(hub: ChatHub) -> None:
    await talk(hub, 3)
    async with hub.dial("agent.a_1") as agent:
        welcome = await agent.until("welcome")

    assert welcome["v"] == 1
    assert welcome["mode"] == "snapshot"
    assert welcome["cursor"].endswith(":4")
    assert welcome["heartbeat_s"] == 1
    assert welcome["limits"]["frame_bytes"] == 65_536


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"t": "hello", "v": 1, "token": "nobody.x"}, 4501),
        ({"t": "hello", "v": 2, "token": "agent.a_1"}, 4500),
        ({"t": "ping"}, 4500),
        ("not json", 4500),
        ({"t": "hello", "v": 1}, 4500),
    ],
)
async def test_a_wrong_greeting_ends_the_connection(
    hub: ChatHub, first: dict[str, Any], code: int
) -> None:
    async with hub.dial("", hello=first) as client:
        assert await client.closed() == code


async def test_silence_instead_of_a_greeting_ends_the_connection(hub: ChatHub) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{hub.port}/api/v1/stream") as socket:
        async with asyncio.timeout(5):
            await socket.wait_closed()

    assert socket.close_code == 4408


async def test_a_page_of_a_foreign_origin_gets_no_visitor_stream(hub: ChatHub) -> None:
    async with hub.dial("visitor.v_1", origin="https://evil.example") as foreign:
        refused = await foreign.closed()
    async with hub.dial("visitor.v_1", origin="https://web.example") as own:
        welcome = await own.until("welcome")

    assert refused == 4506
    assert welcome["mode"] == "snapshot"


# Resuming


async def test_a_client_that_returns_gets_exactly_what_it_missed(hub: ChatHub) -> None:
    where = await talk(hub, 2)
    async with hub.dial("visitor.v_1") as visitor:
        cursor = (await visitor.until("welcome"))["cursor"]
    await hub.chat.do(person("agent", "a_1"), PostMessage(where, "missed"), cid="k1")
    await hub.chat.do(person("agent", "a_1"), AddNote(where, "secret"), cid="k2")

    async with hub.dial("visitor.v_1", cursor) as visitor:
        welcome = await visitor.until("welcome")
        missed = await visitor.until("events")

    assert welcome["mode"] == "resumed"
    assert missed["from"] == cursor
    assert texts(missed["events"]) == ["missed"]
    assert missed["to"] == hub.streams.cursor("main")


@pytest.mark.parametrize(
    ("cursor", "why"),
    [
        ("other:3", "epoch"),
        ("{epoch}:999", "ahead"),
        ("rubbish", "epoch"),
        ("{epoch}:-1", "epoch"),
    ],
)
async def test_a_cursor_that_cannot_be_resumed_is_reset_with_the_reason(
    hub: ChatHub, cursor: str, why: str
) -> None:
    await talk(hub)
    cursor = cursor.format(epoch=hub.store.tail.epoch("main"))

    async with hub.dial("agent.a_1", cursor) as agent:
        welcome = await agent.until("welcome")
        reset = await agent.until("reset")
    async with hub.http("agent.a_1") as client:
        polled = await client.get("/api/v1/events", params={"cursor": cursor, "wait": 0})

    assert welcome["mode"] == "snapshot"
    assert (reset["why"], reset["cursor"]) == (why, hub.streams.cursor("main"))
    assert polled.json() == {"reset": why, "cursor": reset["cursor"]}


async def test_too_much_to_resume_is_a_reset_and_never_a_part(tmp_path: Path) -> None:
    limits = replace(NO_LIMITS, resume_events=10)
    async with chat_hub(tmp_path / "hub.db", limits=limits) as hub:
        await talk(hub, 11)
        epoch = hub.store.tail.epoch("main")
        async with hub.dial("agent.a_1", f"{epoch}:1") as agent:
            reset = await agent.until("reset")
        async with hub.dial("agent.a_1", f"{epoch}:2") as agent:
            events = await agent.events(10)

    assert reset["why"] == "too_far"
    assert len(events) == 10


async def test_a_cursor_resumes_after_a_restart(tmp_path: Path) -> None:
    db = tmp_path / "hub.db"
    async with chat_hub(db) as hub:
        where = await talk(hub)
        async with hub.dial("agent.a_1") as agent:
            cursor = (await agent.until("welcome"))["cursor"]
        await hub.chat.do(person("visitor", "v_1"), PostMessage(where, "late"), cid="k9")
    async with chat_hub(db) as hub, hub.dial("agent.a_1", cursor) as agent:
        assert texts(await agent.events(1)) == ["late"]


# Commands


async def test_every_command_of_an_agent_works_on_the_stream(hub: ChatHub) -> None:
    where = await talk(hub)
    commands: list[dict[str, Any]] = [
        {"t": "assign", "agent": "a_2"},
        {"t": "note", "text": "VIP"},
        {"t": "tag", "add": ["late"], "remove": []},
        {"t": "snooze", "until": "2099-01-01T00:00:00Z"},
        {"t": "wake"},
        {"t": "read", "seq": 2},
        {"t": "unread"},
        {"t": "close"},
        {"t": "reopen"},
    ]
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        for number, command in enumerate(commands):
            name = f"k{number}"
            await agent.put(command | {"id": name, "cid": name, "conversation": where})
            result = await agent.until("result", id=name)
            assert result["ok"], (command, result)
        events = [
            e for frame in agent.frames if frame["t"] == "events" for e in frame["events"]
        ]
        while len(events) < len(commands):
            events += await agent.events(1)

    assert [e["kind"] for e in events] == [
        "conversation.assigned", "note.posted", "conversation.tagged", "conversation.snoozed",
        "conversation.woken", "conversation.read", "conversation.read", "conversation.closed",
        "conversation.reopened",
    ]  # fmt: skip
    assert events[0]["data"]["name"] == "A_2"


async def test_commands_are_events_in_the_order_they_were_sent(hub: ChatHub) -> None:
    where = await talk(hub)
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        for number in range(30):
            body = {"kind": "text", "text": str(number)}
            await agent.put(
                {
                    "t": "send",
                    "id": f"{number}",
                    "cid": f"{number}",
                    "conversation": where,
                    "body": body,
                }
            )

        assert texts(await agent.events(30)) == [str(number) for number in range(30)]


async def test_an_agent_who_does_not_exist_is_assigned_nothing(hub: ChatHub) -> None:
    where = await talk(hub)
    async with hub.dial("agent.a_1") as agent:
        await agent.put(
            {"t": "assign", "id": "x", "cid": "x", "conversation": where, "agent": "a_9"}
        )
        result = await agent.until("result")

    assert (result["ok"], result["error"]["code"]) == (False, "not_found")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"t": "dance", "id": "x"}, "unknown_type"),
        ({"t": "send", "id": "x"}, "invalid"),
        (
            {"t": "send", "id": "x", "cid": "a b", "conversation": "c", "body": {"text": "x"}},
            "invalid",
        ),
        (
            {"t": "send", "id": "x", "cid": "k", "conversation": 7, "body": {"text": "x"}},
            "invalid",
        ),
        (
            {"t": "send", "id": "x", "cid": "k", "conversation": "c_9", "body": {"text": "x"}},
            "not_found",
        ),
        ({"t": "close", "id": "x", "cid": "k", "conversation": "c_9"}, "not_found"),
        (
            {
                "t": "snooze",
                "id": "x",
                "cid": "k",
                "conversation": "c",
                "until": "2099-01-01T00:00:00",
            },
            "invalid",
        ),
    ],
)
async def test_a_bad_frame_is_refused_and_the_connection_goes_on(
    hub: ChatHub, frame: dict[str, Any], code: str
) -> None:
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        await agent.put(frame)
        result = await agent.until("result", id="x")
        await agent.put({"t": "ping", "k": 7})
        pong = await agent.until("pong")

    assert (result["ok"], result["error"]["code"]) == (False, code)
    assert set(result["error"]) <= {"code", "retry", "text", "after_ms", "errors"}
    assert pong["k"] == 7


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "invalid"),
        ("[]", "invalid"),
        ("7", "invalid"),
        ('"hello"', "invalid"),
        ('{"t":' * 2_000, "too_deep"),
        ("[" * 60_000, "too_deep"),
    ],
)
async def test_what_is_no_frame_is_an_error_and_the_connection_goes_on(
    hub: ChatHub, text: str, code: str
) -> None:
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        await agent.put(text)
        error = await agent.until("error")
        await agent.put({"t": "ping", "k": 1})
        await agent.until("pong")

    assert error["error"]["code"] == code


async def test_unknown_fields_are_ignored(hub: ChatHub) -> None:
    async with hub.dial("agent.a_1") as agent:
        await agent.put({"t": "ping", "k": 1, "new": {"in": ["v2"]}})

        assert (await agent.until("pong"))["k"] == 1


# Limits: at, over and far over


@pytest.mark.parametrize(
    ("size", "is_fine"), [(65_535, True), (65_536, True), (65_537, False), (6_553_600, False)]
)
async def test_a_frame_has_a_size(hub: ChatHub, size: int, is_fine: bool) -> None:
    frame = '{"t":"ping","k":1,"pad":""}'
    frame = frame[:-2] + "x" * (size - len(frame)) + frame[-2:]
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        if is_fine:
            await agent.put(frame)
            assert (await agent.until("pong"))["k"] == 1
        else:
            with contextlib.suppress(websockets.ConnectionClosed):
                await agent.put(frame)
            assert await agent.closed() in (1009, 4513, 1006)


async def test_a_visitor_sends_at_a_human_pace(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "hub.db", limits=Limits()) as hub:
        async with hub.dial("visitor.v_1") as visitor:
            where = (await visitor.send("0", "k0"))["conversation"]
            for number in range(1, 12):
                body = {"kind": "text", "text": str(number)}
                await visitor.put(
                    {
                        "t": "send",
                        "id": f"{number}",
                        "cid": f"k{number}",
                        "conversation": where,
                        "body": body,
                    }
                )
            results = {}
            while len(results) < 11:
                result = await visitor.until("result")
                results[int(result["id"])] = result

    assert all(results[number]["ok"] for number in range(1, 10))
    refused = results[11]["error"]
    assert refused["code"] == "rate_limited"
    assert refused["retry"] == "later"
    assert 0 < refused["after_ms"] <= 501


async def test_a_flood_of_frames_ends_the_connection(tmp_path: Path) -> None:
    limits = replace(NO_LIMITS, frames=Rate(10, 20))
    async with chat_hub(tmp_path / "hub.db", limits=limits) as hub:
        async with hub.dial("agent.a_1") as agent:
            await agent.until("welcome")
            with contextlib.suppress(Exception):
                for _ in range(200):
                    await agent.put({"t": "ping"})
            assert await agent.closed() == 4409


async def test_a_visitor_has_five_sockets(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "hub.db", limits=Limits()) as hub:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(5):
                client = await stack.enter_async_context(hub.dial("visitor.v_1"))
                await client.until("welcome")
            async with hub.dial("visitor.v_1") as sixth:
                refused = await sixth.closed()
            async with hub.dial("visitor.v_2") as other:
                await other.until("welcome")

    assert refused == 4505


# Time


async def test_a_quiet_client_is_asked_and_its_answer_counts(hub: ChatHub) -> None:
    async with hub.dial("agent.a_1") as agent:
        for _ in range(2):
            ping = await agent.until("ping")
            await agent.put({"t": "pong", "k": ping["k"]})


async def test_a_client_that_does_not_answer_is_dropped(hub: ChatHub) -> None:
    async with hub.dial("agent.a_1") as agent:
        await agent.until("ping")

        assert await agent.closed() == 4408


async def test_a_removed_agent_is_out_within_five_seconds(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS) as hub:
        await talk(hub)
        async with hub.dial("agent.a_1") as gone, hub.dial("agent.a_2") as stays:
            await gone.until("welcome")
            await stays.until("welcome")
            where = {"cursor": hub.streams.cursor("main"), "wait": 10}
            async with hub.http("agent.a_1") as client, asyncio.TaskGroup() as group:
                polling = group.create_task(client.get("/api/v1/events", params=where))
                await asyncio.sleep(0.1)
                started = time.monotonic()
                hub.people.revoked.add("a_1")
                code = await gone.closed()
                answer = await polling
            took = time.monotonic() - started
            await stays.put({"t": "ping", "k": 1})
            await stays.until("pong")

    assert code == 4504
    assert answer.status_code == 401
    assert took < 5


def jwt(sub: str, exp: float) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"sub": sub, "exp": exp}).encode()).rstrip(b"=")
    return f"e30.{body.decode()}.x"


async def test_an_expiring_token_is_announced_and_ends_the_connection(tmp_path: Path) -> None:
    async with (
        chat_hub(tmp_path / "hub.db", limits=NO_LIMITS) as hub,
        hub.dial(jwt("agent.a_1", time.time() + 3)) as agent,
    ):
        soon = await agent.until("auth_soon")
        code = await agent.closed()

    assert soon["in_s"] <= 3
    assert code == 4401


async def test_a_renewed_token_keeps_the_connection(hub: ChatHub) -> None:
    ends = time.time() + 5
    async with hub.dial(jwt("agent.a_1", ends)) as agent:
        await agent.until("auth_soon")
        await agent.put({"t": "auth", "id": "x", "token": jwt("agent.a_1", time.time() + 900)})
        result = await agent.until("result", id="x")
        while time.time() < ends + 2:
            await agent.put({"t": "pong", "k": (await agent.until("ping"))["k"]})

    assert result["ok"]


async def test_a_token_of_somebody_else_ends_the_connection(hub: ChatHub) -> None:
    async with hub.dial("agent.a_1") as agent:
        await agent.put({"t": "auth", "id": "x", "token": "agent.a_2"})

        assert await agent.closed() == 4503


async def test_draining_names_a_window_finishes_and_closes(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "hub.db", limits=FAST) as hub:
        where = await talk(hub)
        agent = await hub.dial("agent.a_1").__aenter__()
        await agent.until("welcome")
        sends = [
            {
                "t": "send",
                "id": f"{n}",
                "cid": f"{n}",
                "conversation": where,
                "body": {"text": "x"},
            }
            for n in range(20)
        ]
        for send in sends:
            await agent.put(send)
        await agent.until("result", id="0")
        async with asyncio.TaskGroup() as group:
            draining = group.create_task(hub.streams.drain())
            code = await agent.closed()
        late = hub.dial("agent.a_1")
        async with late:
            refused = await late.closed()

    told = [frame for frame in agent.frames if frame["t"] == "drain"]
    acked = [frame for frame in agent.frames if frame["t"] == "result"]
    assert draining.done()
    assert (code, refused) == (1012, 1012)
    low, high = told[0]["window_ms"]
    assert 0 <= low < high
    assert all(frame["ok"] for frame in acked)


# Beside the log


async def test_typing_reaches_the_other_side_at_most_every_so_often(hub: ChatHub) -> None:
    where = await talk(hub)
    async with hub.dial("agent.a_1") as agent, hub.dial("visitor.v_1") as visitor:
        async with hub.dial("visitor.v_2") as other:
            await agent.until("welcome")
            await visitor.until("welcome")
            await other.until("welcome")
            for _ in range(3):
                await agent.put({"t": "typing", "conversation": where, "on": True})
            first = await visitor.until("ephemeral", kind="typing")
            await agent.put({"t": "typing", "conversation": where, "on": False})
            stopped = await visitor.until("ephemeral", kind="typing")
            await other.put({"t": "typing", "conversation": where, "on": True})
            refused = await other.until("error")

    assert (first["conversation"], first["by"]) == (where, "agent:a_1")
    assert first["data"] == {"on": True, "name": "A_1"}
    assert stopped["data"]["on"] is False
    assert refused["error"]["code"] == "not_found"
    assert not any(frame["t"] == "ephemeral" for frame in other.frames)


async def test_agents_see_who_looks_at_the_same_conversation(hub: ChatHub) -> None:
    where = await talk(hub)
    async with hub.dial("agent.a_1") as first:
        await first.put({"t": "open", "conversation": where, "on": True})
        async with hub.dial("agent.a_2") as second:
            await second.put({"t": "open", "conversation": where, "on": True})
            sees = await second.until("ephemeral", kind="viewing")
            seen = await first.until("ephemeral", kind="viewing")
        left = await first.until("ephemeral", kind="viewing")
        hub.streams.push_panel("main", where, {"instance": "orders", "state": "ok"})
        panel = await first.until("ephemeral", kind="panel")

    assert sees["data"] == {"agent": "a_1", "name": "A_1", "on": True}
    assert seen["data"] == {"agent": "a_2", "name": "A_2", "on": True}
    assert left["data"]["on"] is False
    assert (panel["by"], panel["data"]["state"]) == ("adapter:orders", "ok")


async def test_agents_learn_who_comes(hub: ChatHub) -> None:
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        async with hub.dial("visitor.v_1") as visitor:
            await visitor.until("welcome")
            came = await agent.until("ephemeral", by="visitor:v_1")
        assert "visitor:v_1" in hub.streams.online("main")

    assert came["data"] == {"who": "visitor:v_1", "online": True}


async def test_what_a_client_has_stored_is_told_to_the_other_side(hub: ChatHub) -> None:
    async with hub.dial("agent.a_1") as agent, hub.dial("visitor.v_1") as visitor:
        await agent.until("welcome")
        sent = await visitor.send("Hello", "k1")
        await agent.events(2)
        await agent.put({"t": "ack", "seq": sent["seq"]})
        delivered = await visitor.until("ephemeral", kind="delivered")

    assert delivered["data"] == {"seq": sent["seq"]}
    assert delivered["conversation"] == sent["conversation"]


async def test_seats_are_agents_who_are_there_and_not_away(hub: ChatHub) -> None:
    hub.people.away.add("a_2")
    async with hub.dial("agent.a_1") as one, hub.dial("agent.a_2") as two:
        await one.until("welcome")
        await two.until("welcome")
        where = await talk(hub)
        waiting = await hub.streams.waiting("main", "web")
        await one.put(
            {"t": "assign", "id": "x", "cid": "x", "conversation": where, "agent": "a_1"}
        )
        await one.until("result")
        seats = await hub.streams.seats("main", "web")

    assert list(waiting) == [where]
    assert [(seat.agent, seat.load, seat.capacity) for seat in seats] == [("a_1", 1, 5)]


async def test_a_newer_poll_ends_the_older_of_the_same_client(hub: ChatHub) -> None:
    await talk(hub)
    where = {"cursor": hub.streams.cursor("main"), "wait": 20, "sid": "tab-1"}
    async with hub.http("agent.a_1") as client, asyncio.TaskGroup() as group:
        older = group.create_task(client.get("/api/v1/events", params=where))
        while not hub.streams.readers.staff("main"):
            await asyncio.sleep(0.01)
        newer = group.create_task(client.get("/api/v1/events", params=where))
        first = (await older).json()
        await hub.chat.do(person("visitor", "v_1"), OpenConversation("web", "again"), cid="z")
        second = (await newer).json()

    assert (first["events"], first["cursor"]) == ([], where["cursor"])
    assert texts(second["events"]) == ["again"]


async def test_asking_again_with_the_old_cursor_gives_the_same_events(hub: ChatHub) -> None:
    await talk(hub, 3)
    async with hub.http("visitor.v_1") as client:
        start = {"cursor": f"{hub.store.tail.epoch('main')}:0", "wait": 0}
        first = await client.get("/api/v1/events", params=start)
        again = await client.get("/api/v1/events", params=start)
        after = await client.get(
            "/api/v1/events", params={"cursor": first.json()["cursor"], "wait": 0}
        )

    assert first.content == again.content
    assert after.json()["events"] == []


async def test_an_idle_readers_cursor_follows_the_head(hub: ChatHub) -> None:
    async with hub.dial("visitor.v_2") as idle:
        start = (await idle.until("welcome"))["cursor"]
        await talk(hub, 3)
        moved = await idle.until("events")

    assert (moved["from"], moved["events"]) == (start, [])
    assert moved["to"] == hub.streams.cursor("main")
