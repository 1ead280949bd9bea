"""A mail's whole way: Dovecot, conversation, agent's answer, aiosmtpd, and back again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskhub.app import build, run_all
from deskhub.chat.commands import PostMessage
from deskhub.clock import SystemClock
from deskhub.config import load
from deskhub.identity.model import Principal
from deskhub.store import log as event_log
from deskhub.store import mails, sabotage
from tests.channels.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.notify.office import Office, office
from tests.tools import needs

pytestmark = pytest.mark.skipif(
    needs.dovecot() is None,
    reason="no dovecot here (apt-get install dovecot-imapd)",
)
US = "support@desk.example"
AGENT = Principal("main", "agent", "a_1", "Li Wei", role="agent", session="s")
HUB = """
schema = 1
[hub]
listen = "127.0.0.1:8700"
[inboxes.shop]
key = "key-of-the-shop"
name = "Shop"
origins = ["https://shop.example"]
[adapters.mail]
use = "channel-mail"
isolation = "inline"
[adapters.mail.config]
address = "support@desk.example"
inbox = "shop"
imap_host = "127.0.0.1"
imap_port = {imap}
imap_tls = "none"
smtp_host = "127.0.0.1"
smtp_port = {smtp}
smtp_tls = "none"
smtp_login = false
user = "{user}"
password = {{ env = "MAILBOX_PASSWORD" }}
poll_s = 0.2
"""


@dataclass
class Desk:
    app: Any
    box: Dovecot
    office: Office

    async def events(self, kind: str) -> list[Any]:
        found = await self.app.hub.store.read(lambda db: event_log.after(db, "main", 0, 1000))
        return [one for one in found if one.kind == kind]

    async def messages(self, count: int) -> list[tuple[str, str, str]]:
        async with asyncio.timeout(15):
            while len(found := await self.events("message.posted")) < count:
                await asyncio.sleep(0.02)
        return [
            (one.conversation, one.by.partition(":")[0], msgspec.json.decode(one.data)["text"])
            for one in found
        ]

    async def seen(self) -> None:
        async with asyncio.timeout(15):
            while await asyncio.to_thread(self.box.unseen):
                await asyncio.sleep(0.05)

    async def answer(self, conversation: str, text: str, cid: str) -> None:
        await self.app.hub.chat.do(AGENT, PostMessage(conversation, text), cid=cid)


def letter(number: int, body: str, *, to: str = US, more: str = "") -> bytes:
    return (
        f"From: Anna <anna@example.com>\r\nTo: {to}\r\nSubject: Shoes\r\n"
        f"Message-ID: <{number}@example.com>\r\n{more}\r\n{body}\r\n"
    ).encode()


@asynccontextmanager
async def hub(folder: Path, box: Dovecot, there: Office) -> AsyncIterator[Desk]:
    file = folder / "hub.toml"
    file.write_text(HUB.format(folder=folder, imap=box.port, smtp=there.port, user=USER))
    app = await build(load(file), SystemClock())
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_all(app.services, stop))
        try:
            assert await app.adapters_ready(10)
            yield Desk(app, box, there)
        finally:
            stop.set()
    await app.hub.store.close()


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setenv("MAILBOX_PASSWORD", PASSWORD)
    # A socket's path has a bound that pytest's folders exceed.
    with tempfile.TemporaryDirectory(prefix="dv") as short:
        async with (
            dovecot(Path(short)) as box,
            office() as there,
            hub(tmp_path, box, there) as one,
        ):
            yield one


async def test_a_mail_is_answered_and_the_reply_lands_in_the_same_conversation(
    desk: Desk,
) -> None:
    desk.box.put(letter(1, "Where are they?"))
    ((conversation, by, text),) = await desk.messages(1)
    await desk.answer(conversation, "On their way.", "a-1")
    left = await desk.office.until(1)
    desk.box.put(letter(2, "Thanks!", to=str(left["Reply-To"])))
    found = await desk.messages(3)
    forged = f"support+{'a' * 42}@desk.example"
    desk.box.put(letter(3, "Let me in.", to=forged, more="In-Reply-To: <1@example.com>\r\n"))
    last = (await desk.messages(4))[3]

    assert (by, text) == ("visitor", "Shoes\n\nWhere are they?")
    assert left["In-Reply-To"] == "<1@example.com>"
    assert left["To"] == "Anna <anna@example.com>"
    assert left.get_content().strip() == "On their way."
    assert desk.office.envelopes[0][0] in str(left["Reply-To"])
    assert found[2] == (conversation, "visitor", "Thanks!")
    assert last[0] != conversation
    assert len(desk.office.arrived) == 1
    rows = await desk.app.hub.store.read(lambda db: mails.listed(db, "main", ["sent"]))
    assert [row.kind for row in rows] == ["reply"]


@pytest.mark.parametrize("planted", [False, True])
async def test_a_mail_that_is_read_again_is_one_message(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, planted: bool
) -> None:
    if planted:
        monkeypatch.setattr(sabotage, "_ACTIVE", frozenset({"no_dedupe"}))
    desk.box.put(letter(1, "Once."))
    await desk.messages(1)
    await desk.seen()
    instance = desk.app.hub.host.instance("mail")
    await desk.app.hub.store.transact("main", _forget_place)
    desk.box.forget_seen()
    desk.app.hub.host.restart("mail")
    await instance.ready.wait()
    await desk.seen()

    assert len(await desk.messages(1)) == (2 if planted else 1)


async def test_automatic_mail_opens_nothing(desk: Desk) -> None:
    desk.box.put(letter(1, "I am away.", more="Auto-Submitted: auto-replied\r\n"))
    desk.box.put(letter(2, "A person."))

    ((_, _, text),) = await desk.messages(1)
    await desk.seen()

    assert text.endswith("A person.")
    assert len(await desk.events("conversation.opened")) == 1


async def test_a_refused_answer_is_shown_as_not_delivered(desk: Desk) -> None:
    desk.box.put(letter(1, "Hello"))
    ((conversation, _, _),) = await desk.messages(1)
    desk.office.rcpt.append("550 no such user")
    await desk.answer(conversation, "Hi.", "a-1")
    async with asyncio.timeout(15):
        while not (shown := await desk.events("card.shown")):
            await asyncio.sleep(0.02)

    assert shown[0].audience == "agents"
    assert desk.office.arrived == []


def _forget_place(tx: Any) -> None:
    from deskhub.store import kv

    kv.delete(tx.connection, "main", "mail", "place")
