"""Files come in over HTTP: streamed, looked at, kept; what is refused leaves nothing."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator

import pytest

from deskhub.files import files as module
from deskhub.files import reencode, spool
from deskhub.files.errors import FileTooLarge, UploadTooSlow
from tests.files import made
from tests.files.conftest import Desk
from tests.support.chat import person

VISITOR, OTHER, AGENT = "visitor.v_1", "visitor.v_2", "agent.a_1"


async def test_a_photo_is_kept_with_its_sizes_known(desk: Desk) -> None:
    answer = await desk.upload(VISITOR, made.photo(800, 600), name="鞋子 1.jpg")

    told = answer.json()
    assert answer.status_code == 201
    assert (told["width"], told["height"]) == (800, 600)
    assert told["thumb"] == {"width": 640, "height": 480}
    assert (told["name"], told["media"]) == ("鞋子 1.jpg", "image/webp")
    assert desk.kept() == [told["file"], f"{told['file']}.thumb"]


async def test_the_picture_is_shown_and_carries_no_place(desk: Desk) -> None:
    told = (await desk.upload(VISITOR, made.photo())).json()

    picture = await desk.get(told["image_url"])

    assert picture.headers["content-type"] == "image/webp"
    assert picture.headers["content-disposition"].startswith('inline; filename="shoe.webp"')
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert picture.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert picture.headers["cross-origin-resource-policy"] == "cross-origin"
    assert len(picture.content) == told["bytes"]
    assert b"SecretCamera" not in picture.content


async def test_anything_else_is_only_ever_a_download(desk: Desk) -> None:
    told = (await desk.upload(AGENT, made.PDF, name="invoice\u202e.pdf")).json()

    file = await desk.get(told["url"])

    assert told["image_url"] is None
    assert file.content == made.PDF
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith('attachment; filename="invoice.pdf"')
    assert file.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert file.headers["cross-origin-resource-policy"] == "same-site"


REFUSED = {
    "empty": (b"", 422, "file_empty"),
    "svg": (made.SVG, 415, "file_type_refused"),
    "page": (made.HTML, 415, "file_type_refused"),
    "program": (made.PROGRAM, 415, "file_type_refused"),
    "gif and script": (made.gif_that_is_a_script(), 415, "file_type_refused"),
    "photo and archive": (made.jpeg_that_is_a_zip(), 415, "file_type_refused"),
    "huge dimensions": (made.png_that_says(60_000, 60_000), 422, "picture_too_large"),
    "36 megapixels of nothing": (made.png_of_nothing(6_000, 6_000), 422, "picture_too_large"),
    "truncated": (made.photo(300, 200)[:1500], 422, "picture_damaged"),
}


@pytest.mark.parametrize(("content", "status", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused_says_why_and_costs_nothing(
    desk: Desk, content: bytes, status: int, code: str
) -> None:
    # The name and the type that a client claims change nothing.
    answer = await desk.upload(
        VISITOR, content, name="nice.jpg", headers={"content-type": "image/jpeg"}
    )

    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code)
    assert told["retry"] == "never"
    assert told["detail"].endswith(".")
    assert desk.kept() == []
    assert await loose(desk, VISITOR) == 0


async def test_a_file_over_the_limit_is_refused_before_it_is_sent(desk: Desk) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.hub.port)
    writer.write(
        b"POST /api/v1/files?name=a.jpg HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
        b"visitor.v_1\r\ncontent-length: 99999999\r\n\r\n"
    )

    async with asyncio.timeout(15):
        answer = await reader.readuntil(b"}")

    assert b"413" in answer.split(b"\r\n")[0]
    assert b"file_too_large" in answer
    writer.close()


async def test_a_file_that_hides_its_length_is_stopped_at_the_limit(desk: Desk) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while taken < 200 * 1024**2:
            taken += 256 * 1024
            yield b"\xff\xd8\xff" + b"\0" * (256 * 1024 - 3)

    files, who = desk.hub.hub.files, person("visitor", "v_1")
    with pytest.raises(FileTooLarge):
        await files.take(who, "a.jpg", endless())

    assert taken < 11 * 1024**2
    assert desk.kept() == []


async def test_an_upload_that_stalls_is_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "STALLED_S", 0.05)

    async def stalls() -> AsyncIterator[bytes]:
        yield b"\xff\xd8\xff"
        await asyncio.Event().wait()

    with pytest.raises(UploadTooSlow):
        await desk.hub.hub.files.take(person("visitor", "v_1"), "a.jpg", stalls())

    assert desk.kept() == []


async def test_a_browser_that_goes_away_leaves_nothing(desk: Desk) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", desk.hub.port)
    writer.write(
        b"POST /api/v1/files?name=a.jpg HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
        b"visitor.v_1\r\ncontent-length: 5000\r\n\r\n" + made.photo()[:300]
    )
    await writer.drain()
    await until(lambda: desk.kept() == ["in"])
    writer.close()

    await until(lambda: desk.kept() == [])
    assert await loose(desk, VISITOR) == 0


async def test_one_person_uploads_three_files_at_once_and_not_four(desk: Desk) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(desk.upload(VISITOR, made.photo())) for _ in range(6)]

    codes = sorted(task.result().status_code for task in tasks)
    assert codes[:3] == [201, 201, 201]
    assert set(codes) <= {201, 429}
    assert (await desk.upload(OTHER)).status_code == 201


async def test_files_that_are_never_sent_have_a_limit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOSE_MAX", 2)
    for _ in range(2):
        await desk.uploaded(VISITOR, made.TEXT)

    answer = await desk.upload(VISITOR)

    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many_files"
    assert len(desk.kept()) == 2


async def test_one_person_cannot_upload_without_end(desk: Desk) -> None:
    answers = [await desk.upload(VISITOR, made.SVG) for _ in range(22)]

    assert [one.status_code for one in answers[:20]] == [415] * 20
    assert answers[-1].json()["code"] == "rate_limited"
    assert (await desk.upload(OTHER, made.TEXT)).status_code == 201


async def test_a_form_is_told_how_to_send_a_file(desk: Desk) -> None:
    answer = await desk.upload(
        VISITOR, b"--x\r\n", headers={"content-type": "multipart/form-data; boundary=x"}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["text"] == "Send the file itself, no form."


async def test_twenty_bombs_at_once_take_nothing_from_the_server(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencode, "WAITING_MAX", 6)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bomb = made.png_of_nothing(6_000, 6_000)

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(desk.upload(f"visitor.v_{number}", bomb)) for number in range(20)
        ]
        # The chat goes on meanwhile.
        conversation = await desk.open("v_99")

    codes = [task.result().json()["code"] for task in tasks]
    assert conversation
    # Few are opened, two at a time; the rest is told to come back.
    assert codes.count("picture_too_large") + codes.count("busy") == 20
    assert codes.count("picture_too_large") >= 6
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024, f"{grown} KB"


async def loose(desk: Desk, token: str) -> int:
    from deskhub.store import files as rows

    who = person(*token.split(".", 1))
    return await desk.hub.store.read(lambda db: rows.loose(db, "main", who.by))


async def until(holds: object) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)
