"""The document of the stream says what a real server sends and takes, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

import deskhub
from deskhub.chat.commands import LinkCustomer, LinkObject, OpenConversation, ShowCard
from deskhub.identity.model import Principal, system
from deskhub.store import inboxes, prechat
from deskhub.store.tx import Tx
from deskhub.stream import frames as f
from deskhub.stream import told
from deskhub.stream.asyncapi import document
from deskhub.stream.errors import Close
from tests.support.chat import NO_LIMITS, ChatHub, chat_hub

DOCUMENT = document("0")
CORE = Path(deskhub.__file__).parent


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def problems(side: str, frame: dict[str, Any]) -> list[str]:
    """Return what the document says against *frame*."""
    message = DOCUMENT["components"]["messages"].get(f"{side}.{frame.get('t')}")
    if message is None:
        return [f"no such frame: {frame.get('t')}"]
    schema = {"$ref": message["payload"]["$ref"], "components": DOCUMENT["components"]}
    return [one.message for one in jsonschema.Draft202012Validator(schema).iter_errors(frame)]


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, message in DOCUMENT["components"]["messages"].items():
        for example in message["examples"]:
            yield name, example["payload"]


@pytest.mark.parametrize(("name", "frame"), list(examples()))
def test_an_example_is_what_it_is_an_example_of(name: str, frame: dict[str, Any]) -> None:
    side = name.partition(".")[0]

    assert problems(side, frame) == []
    if side == "client":
        assert f.decode(json.dumps(frame)).__struct_config__.tag == frame["t"]
    else:
        msgspec.json.decode(json.dumps(frame), type=told.Outgoing)


def test_a_wrong_frame_is_found_out() -> None:
    """The twin: a schema that lets everything pass would prove nothing."""
    assert problems("server", {"t": "reset", "cursor": "e:1", "why": "whim"})
    assert problems("server", {"t": "welcome"})
    assert problems("server", {"t": "lag", "head": 1, "new": 2})
    assert problems("client", {"t": "send", "id": "1", "conversation": "c", "cid": "k"})
    assert problems("client", {"t": "made_up"})


def test_every_frame_a_client_can_send_is_in_it() -> None:
    tags = {kind.__struct_config__.tag for kind in get_args(f.Incoming)}
    operation = DOCUMENT["operations"]["receive"]["messages"]

    assert {resolved(one["$ref"])["$ref"].rpartition("client.")[2] for one in operation} == tags


def test_every_frame_that_the_code_can_make_is_in_it() -> None:
    made = set()
    for file in (CORE / "stream").glob("*.py"):
        if file.name not in ("told.py", "asyncapi.py"):
            made |= set(re.findall(r'"t"\s*:\s*"(\w+)"', file.read_text()))
    operation = DOCUMENT["operations"]["send"]["messages"]

    assert {resolved(one["$ref"])["$ref"].rpartition("server.")[2] for one in operation} == made


def test_every_kind_of_event_that_the_code_can_make_is_in_it() -> None:
    made = set()
    for area in ("chat", "actions", "signals"):
        for file in (CORE / area).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    made |= set(
                        re.findall(
                            r"\A(?:conversation|message|note|customer|card|run|prechat)\.\w+\Z",
                            node.value,
                        )
                    )

    assert {kind.__struct_config__.tag for kind in get_args(told.AnyFact)} == made


def test_the_close_codes_are_in_it() -> None:
    codes = DOCUMENT["channels"]["stream"]["x-close-codes"]

    assert codes == {str(int(one)): one.name.lower() for one in Close}


VISITOR = Principal("main", "visitor", "v_2", "V_2", inboxes=frozenset({"web"}))


def _asked_and_answered(tx: Tx) -> None:
    """Let the inbox ask something of everybody, and the second visitor answer it."""
    choices = [{"const": one, "title": one, "x-title": {"ar": one}} for one in ("a", "b")]
    field = {"type": "string", "title": "Topic", "x-title": {"ar": "t"}, "oneOf": choices}
    form = {"type": "object", "properties": {"topic": field}, "required": ["topic"]}
    inboxes.put_prechat(tx, "web", "agent:a_1", form)
    prechat.keep(tx, VISITOR.id, {"topic": "a"})


async def everything(hub: ChatHub) -> list[dict[str, Any]]:
    """Do everything that the stream can do; return what the server sent."""
    async with (
        hub.dial("visitor.v_1") as visitor,
        hub.dial("agent.a_1") as agent,
        hub.dial("agent.a_2", "other:1") as colleague,
    ):
        await colleague.until("reset")
        where = (await visitor.send("hello", "k1"))["conversation"]
        again = await visitor.send("hello", "k1")
        assert again["dup"]
        await visitor.put({"t": "typing", "conversation": where, "on": True})
        await agent.until("events")
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        here = {"conversation": where}
        for number, frame in enumerate(
            [
                {"t": "note", "text": "secret"}, {"t": "assign", "agent": "a_1"},
                {"t": "edit", "seq": 3, "text": "very secret", "version": 0},
                {"t": "tag", "add": ["vip"]}, {"t": "snooze", "until": until}, {"t": "wake"},
                {"t": "close"}, {"t": "reopen"}, {"t": "close", "conversation": "c_none"},
                {"t": "send", "body": {"kind": "text", "text": "hi", "reply_to": 2}},
                {"t": "edit", "seq": 11, "text": "hello", "version": 0},
                {"t": "read", "seq": 3}, {"t": "unread"},
                {"t": "snooze", "until": "2001-01-01T00:00:00Z"}, {"t": "tag", "add": 1},
            ]
        ):  # fmt: skip
            await agent.put(here | {"id": f"i{number}", "cid": f"c{number}"} | frame)
            await agent.until("result", id=f"i{number}")
        await agent.put(here | {"t": "close", "id": "i98", "cid": "c98"})
        await agent.until("result", id="i98")
        await visitor.put(here | {"t": "rate", "id": "i99", "cid": "c99", "score": 4})
        await visitor.until("result", id="i99")
        robot = system("main", "test")
        for number, command in enumerate(
            [
                LinkCustomer(where, "u_1", "Wang Fang", "identified"),
                LinkObject(where, "orders:1042"),
                ShowCard(where, b'{"v":1}', "both", "orders", signal={"kind": "order.shipped"}),
            ]
        ):
            await hub.chat.do(robot, command, cid=f"robot-{number}")
        for one in (agent, colleague):
            await one.put({"t": "open", "on": True} | here)
        await agent.until("ephemeral", kind="viewing")
        hub.streams.push_panel("main", where, {"instance": "orders"})
        await agent.until("ephemeral", kind="panel")
        await visitor.put({"t": "ack", "seq": hub.store.tail.head("main")})
        await agent.until("ephemeral", kind="delivered")
        await hub.store.transact("main", _asked_and_answered)
        await hub.chat.do(VISITOR, OpenConversation("web", "I was asked"), cid="asked")
        await agent.put({"t": "ping", "k": "x"})
        await agent.until("pong")
        await agent.put({"t": "auth", "id": "a", "token": "agent.a_1"})
        await agent.until("result", id="a")
        await agent.put({"t": "made_up"})
        await agent.put("[]")
        await agent.until("error")
        await hub.streams.drain(0.1)
        await visitor.closed()
        await agent.closed()
        return visitor.frames + agent.frames + colleague.frames


async def test_everything_a_real_server_sends_is_as_the_document_says(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS) as hub:
        frames = await everything(hub)

    assert [(frame, found) for frame in frames if (found := problems("server", frame))] == []
    sent = {frame["t"] for frame in frames}
    assert {
        "welcome",
        "events",
        "reset",
        "result",
        "error",
        "ephemeral",
        "drain",
        "pong",
    } <= sent
    kinds = {e["kind"] for frame in frames if frame["t"] == "events" for e in frame["events"]}
    # A run needs business systems; its event is checked where they are.
    assert kinds == {kind.__struct_config__.tag for kind in get_args(told.AnyFact)} - {
        "run.changed"
    }


async def test_the_document_is_served(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "hub.db") as hub, hub.http("agent.a_1") as http:
        answer = await http.get("/asyncapi.json")

    assert answer.status_code == 200
    assert answer.json()["asyncapi"] == "3.0.0"
    assert answer.json()["components"] == json.loads(json.dumps(DOCUMENT["components"]))
