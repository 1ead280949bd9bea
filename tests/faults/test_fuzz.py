"""Rubbish on the stream: every answer is from the catalogue, and a good client notices nothing."""

from __future__ import annotations

import asyncio
import json
import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets

from deskhub.errors import CATALOGUE
from deskhub.stream.errors import Close
from tests.faults.scale import SCALE
from tests.load.wire import dial
from tests.support.chat import Dial
from tests.support.served import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FRAMES = int(1_500 * SCALE)
TYPES = [
    "hello",
    "send",
    "note",
    "assign",
    "close",
    "reopen",
    "wake",
    "snooze",
    "tag",
    "read",
    "unread",
    "typing",
    "open",
    "ack",
    "auth",
    "ping",
    "pong",
    "welcome",
    "events",
    "result",
    "drain",
    "__proto__",
]
NASTY: list[Any] = [
    None, True, 0, -1, 2**53, 2**63, 2**64, 1e308, -0.0, "", "x", "new", "\x00", "\ud83d", "💥" * 64,
    "../../etc/passwd", "' OR 1=1 --", "<script>", "\u202e", "c_1", [], {}, [[]], {"": {}}, "9" * 400,
]  # fmt: skip
FIELDS = [
    "id",
    "conversation",
    "cid",
    "body",
    "text",
    "kind",
    "files",
    "reply_to",
    "seq",
    "on",
    "token",
    "k",
    "v",
    "cursor",
    "client",
    "agent",
    "how",
    "until",
    "add",
    "remove",
    "language",
    "t",
]
# What may close a connection: codes of the protocol, and what RFC 6455 says about broken frames.
CODES = {int(code) for code in Close} | {1002, 1003, 1006, 1007, 1009}


def frames(dice: random.Random, conversation: str) -> Iterator[str]:
    """Yield texts between a correct frame and noise."""
    good = {
        "id": "f",
        "conversation": conversation,
        "cid": "f",
        "text": "x",
        "seq": 1,
        "on": True,
    }
    while True:
        frame: dict[str, Any] = {"t": dice.choice(TYPES)} | good
        frame["cid"] = f"f-{dice.randint(0, 400)}"
        frame["body"] = {"kind": "text", "text": "x"}
        for _ in range(dice.choice((0, 1, 1, 2, 5))):
            frame[dice.choice(FIELDS)] = dice.choice(NASTY)
        match dice.randint(0, 9):
            case 0:
                yield "[" * dice.choice((1, 63, 64, 65, 5_000))
            case 1:
                yield "".join(
                    chr(dice.choice((dice.randint(1, 127), dice.randint(160, 0xD7FF))))
                    for _ in range(40)
                )
            case 2:
                text = json.dumps(frame)
                yield text[: dice.randint(0, len(text))]
            case 3:
                text = list(json.dumps(frame, ensure_ascii=True))
                text[dice.randrange(len(text))] = dice.choice('{}[]",:\\0')
                yield "".join(text)
            case 4:
                yield json.dumps(
                    frame
                    | {
                        "body": {
                            "kind": "text",
                            "text": "x" * dice.choice((16_383, 16_384, 16_385)),
                        }
                    }
                )
            case _:
                yield json.dumps(frame)


def raw(dice: random.Random) -> bytes:
    """Return bytes that a WebSocket never says: broken at the level of RFC 6455."""
    first = dice.choice((0x00, 0x01, 0x71, 0x81, 0x82, 0x83, 0x88, 0x89, 0x8A, 0xC1, 0xFF))
    size = dice.choice((0, 1, 125, 126, 127))
    head = bytes((first, dice.choice((0, 0x80)) | size))
    if size == 126:
        head += struct.pack(">H", dice.choice((0, 10, 65_535)))
    if size == 127:
        head += struct.pack(">Q", dice.choice((0, 2**16, 2**31, 2**63 - 1, 2**64 - 1)))
    return head + dice.randbytes(dice.randint(0, 200))


def checked(frame: dict[str, Any]) -> None:
    """Fail on an answer whose words are not the catalogue's."""
    error = frame.get("error")
    if error is None:
        return
    known = CATALOGUE.get(error["code"])
    assert known is not None, error
    assert error["code"] != "internal", error
    assert error["text"] == known.text
    assert error["retry"] == known.retry


class Good:
    """A client who chats all the time, and how long each of its messages took."""

    def __init__(self, hub: Served) -> None:
        self.hub, self.late = hub, list[float]()

    async def run(self, stop: asyncio.Event) -> None:
        async with Dial(f"ws://127.0.0.1:{self.hub.port}", "visitor.v_good") as dialled:
            await dialled.until("welcome")
            while not stop.is_set():
                began = time.perf_counter()
                result = await dialled.send("still well", f"good-{len(self.late)}")
                assert result["ok"], result
                self.late.append(time.perf_counter() - began)
                await asyncio.sleep(0.01)


async def rubbish(hub: Served, token: str, count: int, seed: int) -> set[int]:
    """Say *count* frames of rubbish on as many connections as it takes; return close codes."""
    dice, codes, said = random.Random(seed), set[int](), 0
    texts = frames(dice, "new")
    while said < count:
        async with Dial(f"ws://127.0.0.1:{hub.port}", token) as dialled:
            await dialled.until("welcome")
            try:
                for _ in range(min(50, count - said)):
                    said += 1
                    await dialled.put(next(texts).encode("utf-8", "replace").decode())
                await dialled.put({"t": "ping", "k": f"end-{said}"})
                await dialled.until("pong", k=f"end-{said}")
            except websockets.ConnectionClosed as closed:
                codes.add(closed.rcvd.code if closed.rcvd else 1006)
            for frame in dialled.frames:
                checked(frame)
    return codes


async def broken(hub: Served, count: int, seed: int) -> None:
    """Break the framing itself, *count* times, before and after the greeting."""
    dice = random.Random(seed)
    for number in range(count):
        wire = await dial(hub.port, "/api/v1/stream", lambda text: checked(json.loads(text)))
        if number % 2:
            wire.send(b'{"t":"hello","v":1,"token":"visitor.v_bad"}')
        assert wire.transport is not None
        wire.transport.write(raw(dice))
        await asyncio.sleep(0.005)
        wire.transport.abort()


async def test_rubbish_gets_answers_of_the_catalogue_and_harms_nobody(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db") as hub:
        good, stop = Good(hub), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            chatting = group.create_task(good.run(stop))
            visitor = group.create_task(rubbish(hub, "visitor.v_bad", FRAMES // 2, 1))
            agent = group.create_task(rubbish(hub, "agent.a_1", FRAMES // 2, 2))
            await asyncio.wait([visitor, agent])
            await broken(hub, FRAMES // 10, 3)
            stop.set()
            await asyncio.wait([chatting])
        figures = await hub.figures()
        words = hub.words.read_text()

    codes = visitor.result() | agent.result()
    print(
        f"{FRAMES} frames of rubbish, closed with {sorted(codes)}; slowest good send {max(good.late) * 1e3:.0f} ms"
    )
    assert codes <= CODES
    assert len(good.late) > 20
    assert max(good.late) < 10
    assert figures.sessions == 0
    assert "Traceback" not in words, words[-3_000:]


async def test_a_text_that_is_no_utf8_ends_the_connection_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with (
        served(tmp_path / "hub.db") as hub,
        Dial(f"ws://127.0.0.1:{hub.port}", "visitor.v_bad") as dialled,
    ):
        await dialled.until("welcome")
        assert dialled.socket is not None
        await dialled.socket.send([b"{", b"\xff}"], text=True)
        code = await dialled.closed()
        words = hub.words.read_text()

    assert code == 1007
    assert "Traceback" not in words, words


async def test_the_check_notices_words_that_are_not_the_catalogues() -> None:
    with pytest.raises(AssertionError):
        checked(
            {
                "t": "error",
                "error": {"code": "invalid", "retry": "never", "text": "KeyError: 'x'"},
            }
        )
    with pytest.raises(AssertionError):
        checked({"t": "error", "error": {"code": "internal", "retry": "later", "text": "Oops"}})
