"""Every limit of the stream: one below, at it, one above, and a hundred times as much."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websockets

from deskhub.chat.model import TEXT_BYTES
from deskhub.edge.buckets import Rate as EdgeRate
from deskhub.edge.limits import Limits as EdgeLimits
from deskhub.stream.limits import Limits, Rate
from tests.support.chat import FREE, NO_EDGE_LIMITS, NO_LIMITS, ChatHub, chat_hub

KIB = 1024


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[ChatHub]:
    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS) as one:
        yield one


def around(limit: int) -> list[tuple[int, bool]]:
    return [(limit - 1, True), (limit, True), (limit + 1, False), (limit * 100, False)]


def sized(size: int, letter: str = "x") -> str:
    """Return a ping of exactly *size* bytes."""
    frame = '{"t":"ping","k":1,"pad":""}'
    count = (size - len(frame)) // len(letter.encode())
    filled = frame[:-2] + letter * count + frame[-2:]
    return filled[:-2] + "x" * (size - len(filled.encode())) + filled[-2:]


# Frame: 64 KiB


@pytest.mark.parametrize("letter", ["x", "好"], ids=["ascii", "chinese"])
@pytest.mark.parametrize(("size", "fits"), around(64 * KIB))
async def test_a_frame_has_64_kib(hub: ChatHub, size: int, fits: bool, letter: str) -> None:
    """Counted in bytes: Chinese takes three for a letter."""
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        with contextlib.suppress(websockets.ConnectionClosed):
            await agent.put(sized(size, letter))
        if fits:
            assert (await agent.until("pong"))["k"] == 1
        else:
            assert await agent.closed() in (1009, 4513)
    async with hub.dial("agent.a_1") as other:
        await other.until("welcome")


async def test_a_hundred_small_parts_do_not_make_a_larger_frame(hub: ChatHub) -> None:
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        assert agent.socket is not None
        with contextlib.suppress(websockets.ConnectionClosed):
            await agent.socket.send(["x" * KIB] * 6_400)

        assert await agent.closed() in (1009, 4513)


# Text: 16 KiB, on every way in


@pytest.mark.parametrize("letter", ["x", "好"], ids=["ascii", "chinese"])
@pytest.mark.parametrize(("size", "fits"), around(TEXT_BYTES))
async def test_a_text_has_16_kib_on_every_way(
    hub: ChatHub, size: int, fits: bool, letter: str
) -> None:
    text = letter * (size // len(letter.encode()))
    text += "x" * (size - len(text.encode()))
    body = {"kind": "text", "text": text}
    async with hub.http("visitor.v_2") as http:
        posted = await http.post(
            "/api/v1/conversations", json={"body": body}, headers={"idempotency-key": "k1"}
        )
    assert posted.status_code == (201 if fits else 413)
    if not fits:
        assert posted.json()["code"] in ("text_too_long", "too_large")
        assert posted.json()["retry"] == "never"
    if size > 64 * KIB:
        return
    async with hub.dial("visitor.v_1") as visitor:
        result = await visitor.send(text, "k1")
        assert result["ok"] is fits
        if not fits:
            assert result["error"]["code"] == posted.json()["code"]
        assert (await visitor.send("still here", "k2"))["ok"]


# JSON depth: 64


def deep(levels: int) -> str:
    """Return a ping whose unknown field makes it nest *levels* deep."""
    return '{"t":"ping","k":1,"new":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


@pytest.mark.parametrize(("levels", "fits"), around(64))
async def test_json_in_a_frame_nests_64_deep(hub: ChatHub, levels: int, fits: bool) -> None:
    async with hub.dial("agent.a_1") as agent:
        await agent.until("welcome")
        await agent.put(deep(levels))
        if fits:
            assert (await agent.until("pong"))["k"] == 1
        else:
            assert (await agent.until("error"))["error"]["code"] == "too_deep"
        await agent.put('{"t":"ping","k":2,"brackets":"' + "[{" * 500 + '"}')
        assert (await agent.until("pong"))["k"] == 2


# Sends: a visitor 2 per s, burst 10; an agent 20 per s, burst 40


@pytest.mark.parametrize(("who", "burst"), [("visitor.v_1", 10), ("agent.a_1", 40)])
@pytest.mark.parametrize("times", [1, 100])
async def test_who_sends_faster_than_people_do_is_told_when_to_go_on(
    tmp_path: Path, who: str, burst: int, times: int
) -> None:
    # Nothing flows back in during the test; the burst alone is what passes.
    slow = Rate(1e-6, burst)
    limits = replace(NO_LIMITS, visitor_sends=slow, agent_sends=slow)
    assert (Limits().visitor_sends, Limits().agent_sends) == (Rate(2, 10), Rate(20, 40))
    async with chat_hub(tmp_path / "hub.db", limits=limits) as hub:
        async with hub.dial("visitor.v_9") as other:
            where = (await other.send("hello", "k0"))["conversation"]
        async with hub.dial(who) as sender:
            await sender.until("welcome")
            count = burst + 1 if times == 1 else burst * times
            conversation = "new" if who.startswith("visitor") else where
            oks: dict[int, bool] = {}
            refusal: dict[str, Any] = {}
            for start in range(0, count, 30):
                batch = range(start, min(start + 30, count))
                for n in batch:
                    await sender.put({
                        "t": "send", "id": f"{n}", "cid": f"k{n}",
                        "conversation": conversation, "body": {"text": f"{n}"},
                    })  # fmt: skip
                for _ in batch:
                    result = await sender.until("result")
                    oks[int(result["id"])] = result["ok"]
                    # A refusal waits for no commit: it may overtake.
                    refusal = refusal if result["ok"] else result
            assert [oks[n] for n in range(count)] == [n < burst for n in range(count)]
            assert refusal["error"]["code"] == "rate_limited"
            assert refusal["error"]["retry"] == "later"
            assert refusal["error"]["after_ms"] > 0
        # Another connection, or another transport, is not another person.
        async with hub.http(who) as http:
            refused = await http.post(
                f"/api/v1/conversations/{where}/messages"
                if who.startswith("agent") else "/api/v1/conversations",
                json={"kind": "text", "text": "x"} if who.startswith("agent")
                else {"body": {"kind": "text", "text": "x"}},
                headers={"idempotency-key": "other"},
            )  # fmt: skip
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert log_of(hub) == burst + 1


def log_of(hub: ChatHub) -> int:
    """Return how many messages are stored."""
    events = hub.store.tail.recent("main", 0, None) or []
    return sum(event.kind == "message.posted" for event in events)


# Frames of any kind: above every honest use


@pytest.mark.parametrize(
    ("count", "stays"), [(19, True), (20, True), (21, False), (2_000, False)]
)
async def test_a_flood_of_frames_ends_the_connection(
    tmp_path: Path, count: int, stays: bool
) -> None:
    limits = replace(NO_LIMITS, frames=Rate(1e-6, 20))
    async with chat_hub(tmp_path / "hub.db", limits=limits) as hub:
        async with hub.dial("agent.a_1") as agent:
            await agent.until("welcome")
            with contextlib.suppress(websockets.ConnectionClosed):
                for number in range(count):
                    await agent.put({"t": "ping", "k": number})
            if stays:
                await agent.until("pong", k=count - 1)
            else:
                assert await agent.closed() == 4409


# Sockets: 5 for a visitor, 20 for an agent, 50 for an address


@pytest.mark.parametrize(("who", "limit"), [("visitor.v_1", 5), ("agent.a_1", 20)])
async def test_a_person_has_a_number_of_sockets(tmp_path: Path, who: str, limit: int) -> None:
    free = replace(Limits(), frames=NO_LIMITS.frames)
    async with chat_hub(tmp_path / "hub.db", limits=free) as hub:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(limit):
                one = await stack.enter_async_context(hub.dial(who))
                assert (await one.until("welcome"))["v"] == 1
            codes = await refused_at_once(hub, who, limit * 100 if limit == 5 else 200)
            assert set(codes) == {4505}
            assert hub.streams.size == limit
        async with asyncio.timeout(10):
            while hub.streams.size:
                await asyncio.sleep(0.02)
        async with hub.dial(who) as again:
            await again.until("welcome")


async def refused_at_once(hub: ChatHub, who: str, count: int) -> list[int]:
    """Dial *count* times, many at a time; return the close codes."""
    codes: list[int] = []
    gate = asyncio.Semaphore(50)

    async def dial() -> None:
        async with gate, hub.dial(who) as one:
            codes.append(await one.closed())

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(dial())
    return codes


@pytest.mark.parametrize(("extra", "refused"), [(-1, 0), (0, 0), (1, 1), (99 * 5, 99 * 5)])
async def test_an_address_has_a_number_of_sockets(
    tmp_path: Path, extra: int, refused: int
) -> None:
    assert EdgeLimits().sockets_per_address == 50
    edge = replace(NO_EDGE_LIMITS, sockets_per_address=5)
    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS, edge_limits=edge) as hub:
        answers: list[tuple[int, bool]] = []
        async with contextlib.AsyncExitStack() as stack:
            for number in range(5 + extra):
                try:
                    await stack.enter_async_context(hub.dial(f"agent.a_{number}"))
                except websockets.InvalidStatus as error:
                    pause = int(error.response.headers["retry-after"])
                    answers.append((error.response.status_code, pause >= 1))
        assert answers == [(429, True)] * refused


# Handshakes: 300 per s and process, then 503 with a spread pause


@pytest.mark.parametrize(("extra", "refused"), [(-1, 0), (0, 0), (1, 1), (99 * 20, 99 * 20)])
async def test_handshakes_above_the_rate_are_sent_away_for_a_spread_while(
    tmp_path: Path, extra: int, refused: int
) -> None:
    assert EdgeLimits().handshakes == EdgeRate(300, 300)
    edge = replace(NO_EDGE_LIMITS, handshakes=EdgeRate(1e-6, 20))
    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS, edge_limits=edge) as hub:
        pauses: list[tuple[int, int]] = []
        async with contextlib.AsyncExitStack() as stack:
            for number in range(20 + extra):
                try:
                    await stack.enter_async_context(hub.dial(f"agent.a_{number}"))
                except websockets.InvalidStatus as error:
                    status = error.response.status_code
                    pauses.append((status, int(error.response.headers["retry-after"])))
        # Whoever is connected is not affected, and neither is the rest of the API.
        async with hub.http("agent.a_1") as http:
            assert (await http.get("/api/v1/events", params={"wait": 0})).status_code == 200
    assert [status for status, _ in pauses] == [503] * refused
    if refused > 100:
        spread = {pause for _, pause in pauses}
        assert len(spread) >= 4
        assert spread <= {1, 2, 3, 4, 5}


# Over a real server: REST body 1 MiB, headers 16 KiB


@pytest.mark.parametrize(("size", "fits"), around(KIB * KIB))
async def test_a_rest_body_has_one_mib(hub: ChatHub, size: int, fits: bool) -> None:
    # Space between values is JSON too.
    frame = json.dumps({"body": {"kind": "text", "text": "hi"}}).encode()
    body = frame + b" " * (size - len(frame))
    async with hub.http("visitor.v_1") as http:
        headers = {"content-type": "application/json", "idempotency-key": "k1"}
        try:
            answer = await http.post("/api/v1/conversations", content=body, headers=headers)
        except httpx2.TransportError:
            # The answer came before the whole body went out, and the server hung up.
            assert not fits
            return
    assert answer.status_code == (201 if fits else 413)
    assert fits or answer.json()["code"] == "too_large"


@pytest.mark.parametrize(("size", "fits"), around(16 * KIB))
async def test_headers_have_16_kib(hub: ChatHub, size: int, fits: bool) -> None:
    path = b"/healthz"
    fixed = [(b"host", b"127.0.0.1"), (b"connection", b"close")]
    counted = len(path) + sum(len(name) + len(value) + 4 for name, value in fixed)
    filler = b"h" * (size - counted - len(b"x-pad") - 4)
    head = b"GET " + path + b" HTTP/1.1\r\n"
    head += b"".join(n + b": " + v + b"\r\n" for n, v in [*fixed, (b"x-pad", filler)])
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    answer = b""
    with contextlib.suppress(ConnectionError):
        writer.write(head + b"\r\n")
        await writer.drain()
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10):
            answer = await reader.read()
    writer.close()

    status = answer.split(b" ", 2)[1] if answer else b"cut"
    assert status == b"200" if fits else status in (b"431", b"400", b"cut")


def test_the_numbers_are_those_of_the_table() -> None:
    stream, edge = Limits(), EdgeLimits()
    table: dict[str, Any] = {
        "frame": stream.frame_bytes, "text": TEXT_BYTES, "depth": edge.json_depth,
        "body": edge.body_bytes, "headers": edge.header_bytes,
        "sockets": (stream.visitor_sockets, stream.agent_sockets, edge.sockets_per_address),
        "in_flight": stream.in_flight, "resume": (stream.resume_events, stream.resume_bytes),
    }  # fmt: skip
    assert table == {
        "frame": 64 * KIB, "text": 16 * KIB, "depth": 64, "body": KIB * KIB,
        "headers": 16 * KIB, "sockets": (5, 20, 50), "in_flight": 32,
        "resume": (2_000, KIB * KIB),
    }  # fmt: skip
    assert FREE.burst > 1e6


# Pressure: comfort goes first, an open conversation never


async def test_under_pressure_comfort_goes_first_and_an_open_talk_never(hub: ChatHub) -> None:
    def waits(count: int) -> None:
        """Let *count* more pieces of work wait behind one that does not end."""
        for _ in range(count):
            hub.store._writer.submit("main", lambda _tx: None)

    async with hub.dial("visitor.v_1") as visitor, hub.dial("agent.a_1") as agent:
        where = (await visitor.send("hello", "k0"))["conversation"]
        await agent.until("events")
        end = threading.Event()
        blocked = hub.store._writer.submit("main", lambda _tx: end.wait(30))
        shed, pressed = hub.streams.figures.shed.counts, hub.streams.shedding
        try:
            await asyncio.sleep(0)
            waits(1_998)
            assert not pressed.leaves_out("typing")
            waits(1)
            await visitor.put({"t": "typing", "conversation": where, "on": True})
            await visitor.put({"t": "ping", "k": 1})
            await visitor.until("pong")
            assert shed == {("typing",): 1}
            waits(1_000)
            assert pressed.leaves_out("presence")
            assert not pressed.leaves_out("visitors")
            waits(1_000)
            assert pressed.leaves_out("visitors")
            # Whoever talks already is stored, at last, and nothing of it is refused.
            await visitor.put({
                "t": "send", "id": "k1", "cid": "k1", "conversation": where,
                "body": {"text": "still here"},
            })  # fmt: skip
        finally:
            end.set()
        assert (await visitor.until("result", id="k1"))["ok"]
        await blocked
        assert not any(frame.get("kind") == "typing" for frame in agent.frames)
