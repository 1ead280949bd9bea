"""A message with files is durable when its files are, on every transport alike."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from deskhub.chat.commands import PostMessage
from deskhub.chat.errors import FileUnknown
from deskhub.files.blobs import FolderBlobs
from deskhub.store import batch
from deskhub.store import files as rows
from tests.files import made
from tests.files.conftest import Desk
from tests.support.chat import Dial, chat_hub, person

VISITOR, OTHER, AGENT = "visitor.v_1", "visitor.v_2", "agent.a_1"


def files_of(event: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = event["data"]["files"]
    return found


async def say(dial: Dial, conversation: str, cid: str, body: dict[str, Any]) -> dict[str, Any]:
    await dial.put(
        {"t": "send", "id": cid, "conversation": conversation, "cid": cid, "body": body}
    )
    return await dial.until("result", id=cid)


async def test_a_message_tells_what_its_files_are_before_they_are_loaded(desk: Desk) -> None:
    conversation = await desk.open()
    photo = await desk.uploaded(VISITOR, made.photo(800, 600), name="鞋 <b>.jpg")
    paper = await desk.uploaded(VISITOR, made.PDF, name="bill.pdf")

    answer = await desk.send(VISITOR, conversation, [photo, paper])

    shown = files_of(answer.json()["event"])
    assert answer.status_code == 201
    assert [one["id"] for one in shown] == [photo, paper]
    assert shown[0]["name"] == "鞋 <b>.jpg"
    assert (shown[0]["width"], shown[0]["height"]) == (800, 600)
    assert shown[0]["thumb"] == {"width": 640, "height": 480}
    assert shown[1] == {
        "id": paper, "name": "bill.pdf", "media": "application/pdf", "bytes": len(made.PDF),
    }  # fmt: skip


async def test_every_transport_carries_the_same_files(desk: Desk) -> None:
    conversation = await desk.open()
    names = [await desk.uploaded(VISITOR, made.TEXT, name=f"{n}.txt") for n in range(2)]
    async with (
        desk.hub.dial(AGENT) as agent,
        desk.hub.dial(VISITOR) as visitor,
        desk.hub.http(AGENT) as http,
    ):
        cursor = (await agent.until("welcome"))["cursor"]
        await visitor.until("welcome")
        body = {"kind": "text", "text": "", "files": [names[0]]}
        result = await say(visitor, conversation, "w-1", body)
        rest = await desk.send(VISITOR, conversation, [names[1]], cid="r-1")
        polled = (await http.get("/api/v1/events", params={"cursor": cursor, "wait": 5})).json()

    assert result["ok"], result
    assert rest.status_code == 201
    events = [one for one in polled["events"] if one["kind"] == "message.posted"]
    assert [files_of(one)[0]["id"] for one in events] == names
    assert events[1] == rest.json()["event"]


async def test_a_first_message_may_be_a_photo_alone(desk: Desk) -> None:
    photo = await desk.uploaded(VISITOR)
    async with desk.hub.http(VISITOR) as client:
        answer = await client.post(
            "/api/v1/conversations", json={"body": {"text": "", "files": [photo]}},
            headers={"idempotency-key": "first"},
        )  # fmt: skip

    assert answer.status_code == 201, answer.text
    assert files_of(answer.json()["event"])[0]["id"] == photo


async def test_a_message_of_nothing_is_still_refused(desk: Desk) -> None:
    answer = await desk.send(VISITOR, await desk.open(), [])

    assert answer.json()["code"] == "text_empty"


async def test_the_list_shows_the_names_where_there_is_no_text(desk: Desk) -> None:
    conversation = await desk.open()
    file = await desk.uploaded(VISITOR, name="crack.jpg")
    await desk.send(VISITOR, conversation, [file])

    async with desk.hub.http(AGENT) as client:
        found = (await client.get(f"/api/v1/conversations/{conversation}")).json()

    assert found["conversation"]["last"]["text"] == "crack.jpg"


@pytest.mark.parametrize("kind", ["invented", "foreign", "used"])
@pytest.mark.parametrize("way", ["rest", "socket"])
async def test_a_file_that_is_not_the_senders_to_give_is_refused(
    desk: Desk, kind: str, way: str
) -> None:
    conversation = await desk.open()
    file = "f_0123456789abcdef0123456789abcdef"
    if kind == "foreign":
        file = await desk.uploaded(OTHER)
    elif kind == "used":
        file = await desk.uploaded(VISITOR)
        assert (await desk.send(VISITOR, conversation, [file], cid="before")).status_code == 201

    if way == "rest":
        answer = await desk.send(VISITOR, conversation, [file], text="look")
        assert answer.status_code == 422
        code = answer.json()["code"]
    else:
        async with desk.hub.dial(VISITOR) as visitor:
            await visitor.until("welcome")
            body = {"kind": "text", "text": "look", "files": [file]}
            told = await say(visitor, conversation, "s", body)
        code = told["error"]["code"]

    assert code == "file_unknown"
    head = await desk.hub.store.read(
        lambda db: batch.rows.conversations(db, "main", [conversation])
    )
    assert head[conversation].last_text != "look"


async def test_without_the_question_whose_it_is_a_foreign_file_would_pass(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin of the test above: the guard is what refuses."""
    conversation = await desk.open()
    file = await desk.uploaded(OTHER)
    real = rows.offered
    monkeypatch.setattr(
        batch.files,
        "offered",
        lambda db, tenant, _by, ids: real(db, tenant, "visitor:v_2", ids),
    )

    answer = await desk.send(VISITOR, conversation, [file])

    assert answer.status_code == 201


async def test_a_repetition_is_answered_with_the_first_result(desk: Desk) -> None:
    conversation = await desk.open()
    file = await desk.uploaded(VISITOR)

    first = await desk.send(VISITOR, conversation, [file])
    again = await desk.send(VISITOR, conversation, [file])

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["dup"] is True
    assert again.json()["event"] == first.json()["event"]


async def test_two_messages_at_once_cannot_share_a_file(desk: Desk) -> None:
    conversation = await desk.open()
    file = await desk.uploaded(VISITOR)
    who = person("visitor", "v_1")

    answers = [
        desk.hub.chat.submit(who, PostMessage(conversation, "", (file,)), cid=f"c-{n}")
        for n in range(2)
    ]
    await asyncio.wait(answers)

    assert (await answers[0]).event is not None
    assert isinstance(answers[1].exception(), FileUnknown)


async def test_a_refused_message_leaves_its_files_to_the_next_one(desk: Desk) -> None:
    conversation = await desk.open()
    file = await desk.uploaded(VISITOR)
    who = person("visitor", "v_1")

    with pytest.raises(FileUnknown):
        await desk.hub.chat.do(who, PostMessage(conversation, "", (file, "f_none")), cid="bad")
    done = await desk.hub.chat.do(who, PostMessage(conversation, "", (file,)), cid="good")

    assert done.event is not None


async def after_a_restart(folder: Path) -> bytes | None:
    """Send a file, end the hub, and read the file from the next one; None when it is gone."""
    async with chat_hub(folder / "hub.db") as hub:
        desk = Desk(hub, folder / "data")
        conversation = await desk.open()
        file = await desk.uploaded(VISITOR, made.PDF)
        assert (await desk.send(VISITOR, conversation, [file])).status_code == 201
    async with chat_hub(folder / "hub.db") as hub:
        desk = Desk(hub, folder / "data")
        told = (await desk.links(AGENT, [file])).json()["files"][0]
        answer = await desk.get(told["url"])
    return answer.content if answer.status_code == 200 else None


async def test_a_file_of_an_acknowledged_message_is_there_after_a_restart(
    tmp_path: Path,
) -> None:
    assert await after_a_restart(tmp_path) == made.PDF


async def test_a_folder_that_keeps_nothing_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin of the test above."""

    async def forgets(*_: object) -> None:
        return

    monkeypatch.setattr(FolderBlobs, "put", forgets)

    assert await after_a_restart(tmp_path) is None


async def test_a_file_is_kept_before_it_may_be_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that makes a message's promise cover its files."""
    steps: list[str] = []
    put, ready = FolderBlobs.put, rows.ready

    async def noted_put(self: FolderBlobs, key: str, source: Path) -> None:
        await put(self, key, source)
        steps.append("kept")

    def noted_ready(*arguments: Any) -> None:
        steps.append("offered")
        ready(*arguments)

    monkeypatch.setattr(FolderBlobs, "put", noted_put)
    monkeypatch.setattr(rows, "ready", noted_ready)
    await desk.uploaded(VISITOR, made.photo())

    assert steps == ["kept", "kept", "offered"]
