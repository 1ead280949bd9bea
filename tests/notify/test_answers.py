"""Answers to customers who are away: once, together, and only while nobody read them."""

from __future__ import annotations

from typing import Any

import pytest

from deskhub.notify import outbox as senders
from deskhub.store import mails
from tests.notify.conftest import ANNA, Desk, text_of


async def test_an_answer_to_somebody_who_is_away_is_mailed_once(desk: Desk) -> None:
    async with desk.mailing():
        conversation = await desk.open()
        await desk.answer(conversation, "It arrives on Tuesday.")

        message = await desk.office.until(1)
        await desk.settled("sent")

    assert "It arrives on Tuesday." in text_of(message)
    assert "Where is my order?" not in text_of(message)
    assert desk.office.envelopes == [("support@desk.example", [ANNA])]
    async with desk.mailing():
        second = await desk.open("v_2")
        await desk.answer(second, "Another one.", "a-2")
        assert "Another one." in text_of(await desk.office.until(2))


async def test_several_answers_are_one_mail(desk: Desk) -> None:
    async with desk.mailing(grace="400ms"):
        conversation = await desk.open()
        for number in range(3):
            await desk.answer(conversation, f"Part {number}.", f"a-{number}")

        message = await desk.office.until(1)
        await desk.settled("sent")

    text = text_of(message)
    assert text.index("Part 0.") < text.index("Part 1.") < text.index("Part 2.")


async def test_what_was_read_in_the_chat_is_not_mailed(desk: Desk) -> None:
    async with desk.mailing(grace="400ms") as mail:
        conversation = await desk.open()
        seq = await desk.answer(conversation, "Seen at once.")
        await desk.read(conversation, seq)

        await desk.ended(mail, "answers", "seen")

    assert desk.office.visits == 0
    assert await desk.rows() == []


async def test_a_mail_holds_only_what_was_not_read(desk: Desk) -> None:
    async with desk.mailing(grace="400ms"):
        conversation = await desk.open()
        seq = await desk.answer(conversation, "Seen at once.")
        await desk.answer(conversation, "Came later.", "a-2")
        await desk.read(conversation, seq)

        text = text_of(await desk.office.until(1))

    assert "Came later." in text
    assert "Seen at once." not in text


async def test_nothing_is_mailed_to_somebody_who_is_connected(desk: Desk) -> None:
    async with desk.mailing():
        conversation = await desk.open()
        async with desk.hub.dial("visitor.v_1") as there:
            await there.until("welcome")
            seq = await desk.answer(conversation, "You are here.")
            await desk.settled("waiting")
            await there.put(
                {"t": "read", "id": "r", "conversation": conversation, "seq": seq, "cid": "r1"}
            )
            await there.until("result", id="r")
            async with _until(desk, 0):
                pass

    assert desk.office.visits == 0


async def test_notes_and_the_customers_own_words_are_not_mailed(desk: Desk) -> None:
    from deskhub.chat.commands import AddNote
    from tests.support.chat import person

    async with desk.mailing():
        conversation = await desk.open()
        await desk.hub.chat.do(
            person("agent", "a_1"), AddNote(conversation, "secret note"), cid="n-1"
        )
        await desk.answer(conversation, "Public.")

        text = text_of(await desk.office.until(1))

    assert "secret note" not in text


async def test_without_an_address_nothing_waits(desk: Desk) -> None:
    async with desk.mailing() as mail:
        conversation = await desk.open(address=None)
        await desk.answer(conversation, "Nobody can be told.")
        await desk.ended(mail, "answers", "no_address")

    assert await desk.rows() == []


@pytest.mark.parametrize("bad", ["anna@example.com\r\nBcc: all@example.com", "anna", "<a@b.c>"])
async def test_a_record_with_a_forged_address_is_nobodys(desk: Desk, bad: str) -> None:
    async with desk.mailing() as mail:
        conversation = await desk.open(address=bad)
        await desk.answer(conversation, "Hello.")
        await desk.ended(mail, "answers", "no_address")

    assert desk.office.visits == 0


async def test_a_server_that_is_away_is_asked_again_until_it_takes_it(desk: Desk) -> None:
    desk.office.rcpt = ["451 later", "421 later"]
    desk.office.data = ["452 full"]
    async with desk.mailing() as mail:
        conversation = await desk.open()
        await desk.answer(conversation, "Patience.")

        message = await desk.office.until(1)
        rows = await desk.settled("sent")

    assert mail.ended.counts["answers", "retried"] == 3
    assert rows[0].attempts == 3
    assert message["Message-ID"] == f"<{rows[0].id}@desk.example>"


async def test_a_mail_that_is_refused_for_good_lies_where_an_admin_finds_it(desk: Desk) -> None:
    desk.office.rcpt = ["550 no such user"]
    async with desk.mailing() as mail:
        conversation = await desk.open()
        await desk.answer(conversation, "Nobody there.")
        (row,) = await desk.settled("failed")
        assert row.error == "it answered 550"
        assert desk.office.arrived == []

        await mail.again("main", row.id)
        await desk.office.until(1)


async def test_attempts_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "LONGEST_PAUSE_S", 0.02)
    desk.office.rcpt = ["451 later"] * 50
    async with desk.mailing():
        conversation = await desk.open()
        await desk.answer(conversation, "Never.")
        (row,) = await desk.settled("failed")

    assert row.attempts == senders.ATTEMPTS == desk.office.visits


async def test_what_a_server_may_have_taken_is_not_sent_again_by_itself(desk: Desk) -> None:
    desk.office.data = ["hang up"]
    async with desk.mailing():
        conversation = await desk.open()
        await desk.answer(conversation, "Perhaps.")
        (row,) = await desk.settled("unknown")
        await desk.answer(conversation, "Another.", "a-2")
        message = await desk.office.until(2)

    assert row.error
    assert "Perhaps." not in text_of(message)


@pytest.mark.parametrize("moment", ["rcpt", "data"])
async def test_a_process_that_dies_between_deciding_and_sending_sends_once(
    desk: Desk, moment: str
) -> None:
    getattr(desk.office, moment).append("stall")
    async with desk.mailing():
        conversation = await desk.open()
        await desk.answer(conversation, "Once.")
        await _reached(desk, moment)

    async with desk.mailing():
        if moment == "rcpt":
            await desk.office.until(1)
            await desk.settled("sent")
        else:
            await desk.settled("unknown")

    assert len(desk.office.arrived) == 1


async def test_without_the_intent_on_disk_the_same_death_sends_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin of the test above: what it watches for does happen."""
    monkeypatch.setattr(mails, "hand_over", lambda *_: True)
    desk.office.data.append("stall")
    async with desk.mailing():
        conversation = await desk.open()
        await desk.answer(conversation, "Once.")
        await _reached(desk, "data")

    async with desk.mailing():
        await desk.office.until(2)


async def test_an_answer_that_was_noted_before_a_death_is_not_forgotten(desk: Desk) -> None:
    async with desk.mailing(grace="60m"):
        conversation = await desk.open()
        await desk.answer(conversation, "Late but there.")
        await desk.settled("waiting")
    # Said while no process noted anything.
    other = await desk.open("v_2")
    await desk.answer(other, "Said in between.", "a-2")

    async with desk.mailing():
        assert "Said in between." in text_of(await desk.office.until(1))
        assert len(await desk.rows("waiting")) == 1


async def test_a_read_while_the_server_is_asked_keeps_the_text_here(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.office.rcpt = ["451 later"]
    async with desk.mailing() as mail:
        conversation = await desk.open()
        seq = await desk.answer(conversation, "Read meanwhile.")
        await desk.ended(mail, "answers", "retried")
        await desk.read(conversation, seq)
        await desk.ended(mail, "answers", "seen")

    assert desk.office.arrived == []


async def test_one_of_two_processes_mails(desk: Desk) -> None:
    async with desk.mailing():
        async with desk.mailing():
            conversation = await desk.open()
            await desk.answer(conversation, "One of us.")
            await desk.office.until(1)
            await desk.settled("sent")

    assert len(desk.office.arrived) == 1


async def test_the_hub_stops_although_the_library_swallowed_its_wish(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from deskhub.notify.smtp import SmtpServer

    asked = asyncio.Event()

    async def send(*_: object) -> tuple[str, str]:
        asked.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return "later", "swallowed"
        raise AssertionError

    monkeypatch.setattr(SmtpServer, "send", send)
    async with asyncio.timeout(30):
        async with desk.mailing():
            conversation = await desk.open()
            await desk.answer(conversation, "Stop.")
            await asked.wait()

    (row,) = await desk.rows("waiting")
    assert row.error == "swallowed"


async def _reached(desk: Desk, moment: str) -> None:
    import asyncio

    async with asyncio.timeout(20):
        while not (desk.office.visits if moment == "rcpt" else desk.office.arrived):
            await asyncio.sleep(0.005)


def _until(desk: Desk, count: int) -> Any:
    import contextlib

    @contextlib.asynccontextmanager
    async def waiting():
        await desk.settled("waiting", count=count)
        yield

    return waiting()
