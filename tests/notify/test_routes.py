"""Transcripts, addresses and dead mail over REST: who may, to whom it goes, how often."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.notify.conftest import ANNA, Desk, html_of, text_of

AGENT, VISITOR = "agent.a_1", "visitor.v_1"


async def asked(desk: Desk, token: str, conversation: str) -> httpx2.Response:
    async with desk.hub.http(token) as client:
        return await client.post(f"/api/v1/conversations/{conversation}/transcript", json={})


async def put(desk: Desk, address: str | None, token: str = VISITOR) -> httpx2.Response:
    async with desk.hub.http(token) as client:
        return await client.put("/api/v1/contact", json={"address": address})


async def contact(desk: Desk, token: str = VISITOR) -> Any:
    async with desk.hub.http(token) as client:
        return (await client.get("/api/v1/contact")).json()


@pytest.mark.parametrize("token", [AGENT, VISITOR])
async def test_a_transcript_holds_what_both_sides_saw(desk: Desk, token: str) -> None:
    from deskhub.chat.commands import AddNote
    from tests.support.chat import person

    async with desk.mailing(answers=False, grace="0ms"):
        conversation = await desk.open()
        await desk.hub.chat.do(
            person("agent", "a_1"), AddNote(conversation, "internal"), cid="n-1"
        )
        await desk.answer(conversation, "<b>On Tuesday.</b>")

        answer = await asked(desk, token, conversation)
        message = await desk.office.until(1)

    assert (answer.status_code, answer.json()["to"]) == (202, "a…@example.com")
    assert desk.office.envelopes[0][1] == [ANNA]
    text = text_of(message)
    assert text.index("Where is my order?") < text.index("<b>On Tuesday.</b>")
    assert "internal" not in text
    assert "&lt;b&gt;On Tuesday.&lt;/b&gt;" in html_of(message)


async def waiting(desk: Desk) -> list[str]:
    return [row.id for row in await desk.rows()]


async def test_the_same_transcript_asked_for_twice_is_one_mail(desk: Desk) -> None:
    async with desk.mailing(answers=False, grace="0ms"):
        conversation = await desk.open()
        first = await asked(desk, VISITOR, conversation)
        await desk.settled("sent")
        again = await asked(desk, VISITOR, conversation)

    assert again.json()["mail"] == first.json()["mail"]
    assert len(desk.office.arrived) == 1


async def test_a_conversation_is_not_mailed_over_and_over(desk: Desk) -> None:
    desk.build()
    conversation = await desk.open()
    codes = []
    for number in range(6):
        await desk.answer(conversation, f"Part {number}.", f"a-{number}")
        codes.append((await asked(desk, VISITOR, conversation)).status_code)

    assert codes == [202] * 5 + [429]


async def test_a_foreign_conversation_is_not_there(desk: Desk) -> None:
    desk.build()
    conversation = await desk.open("v_2")

    answers = [
        await asked(desk, VISITOR, conversation),
        await asked(desk, "visitor.w_1", conversation),
        await asked(desk, "agent.b_1", conversation),
        await asked(desk, AGENT, "c_unknown"),
    ]

    assert [one.status_code for one in answers] == [404] * 4


async def test_a_hub_without_a_mail_server_says_so(desk: Desk) -> None:
    conversation = await desk.open()

    assert (await asked(desk, AGENT, conversation)).json()["code"] == "mail_off"
    assert (await put(desk, ANNA)).json()["code"] == "mail_off"
    assert await contact(desk) == {"mail": False, "to": None, "vouched": False}


async def test_answers_go_to_the_address_that_a_visitor_left(desk: Desk) -> None:
    async with desk.mailing():
        conversation = await desk.open(address=None)
        answer = await put(desk, "me@example.org")
        await desk.answer(conversation, "To you.")
        await desk.office.until(1)

    assert answer.json() == {"mail": True, "to": "m…@example.org", "vouched": False}
    assert desk.office.envelopes[0][1] == ["me@example.org"]


async def test_nobody_has_own_texts_mailed_to_an_address_that_they_typed(desk: Desk) -> None:
    desk.build()
    conversation = await desk.open(address=None)
    await put(desk, "victim@example.org")

    mine = await asked(desk, VISITOR, conversation)
    agents = await asked(desk, AGENT, conversation)

    assert (mine.status_code, mine.json()["code"]) == (409, "mail_no_address")
    assert agents.status_code == 202


@pytest.mark.parametrize(
    "bad", ["anna", "a@b.de\r\nBcc: all@example.com", "a@b.de, c@d.de", "a@localhost"]
)
async def test_what_is_no_address_is_refused(desk: Desk, bad: str) -> None:
    desk.build()
    answer = await put(desk, bad)

    assert (answer.status_code, answer.json()["code"]) == (422, "mail_address_refused")
    assert (await contact(desk))["to"] is None


async def test_an_address_can_be_taken_back(desk: Desk) -> None:
    desk.build()
    await put(desk, "me@example.org")
    await put(desk, None)

    assert await contact(desk) == {"mail": True, "to": None, "vouched": False}
    assert (await put(desk, ANNA, AGENT)).status_code == 403


async def test_the_footer_ends_answers_and_begins_them_again(desk: Desk) -> None:
    async with desk.mailing() as mail:
        conversation = await desk.open()
        await desk.answer(conversation, "First.")
        message = await desk.office.until(1)
        path = "/mail/" + message["List-Unsubscribe"].strip("<>").rpartition("/")[2]
        async with httpx2.AsyncClient(base_url=desk.hub.api) as client:
            looked = await client.get(path)
            assert "a…@example.com" in looked.text
            assert "form-action 'self'" in looked.headers["content-security-policy"]
            ended = await client.post(path, data={"List-Unsubscribe": "One-Click"})
            await desk.answer(conversation, "Second.", "a-2")
            await desk.ended(mail, "answers", "stopped")
            await client.post(path, params={"do": "again"})
            unknown = await client.post(path[:-4])
        await desk.answer(conversation, "Third.", "a-3")
        await desk.office.until(2)

    assert ended.status_code == 200
    assert (unknown.status_code, unknown.json()["code"]) == (404, "mail_link_unknown")
    assert message["List-Unsubscribe-Post"] is None


async def test_mails_of_a_conversation_make_one_thread(desk: Desk) -> None:
    async with desk.mailing():
        conversation = await desk.open()
        await desk.answer(conversation, "First.")
        first = await desk.office.until(1)
        await desk.settled("sent")
        await desk.answer(conversation, "Second.", "a-2")
        second = await desk.office.until(2)

    assert second["In-Reply-To"] == first["Message-ID"]
    assert second["References"] == f"{first['References']} {first['Message-ID']}"
