"""A hub on a real port that mails through a server of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from deskhub.chat.commands import LinkCustomer, MarkRead, OpenConversation, PostMessage
from deskhub.clock import SystemClock
from deskhub.config import MailSettings
from deskhub.identity.keys import KeyTable, new_table
from deskhub.identity.model import system
from deskhub.notify import Mail
from deskhub.store import mails
from deskhub.store.mails import MailRow
from deskhub.store.tables import chat as tables
from tests.notify.office import Office, office
from tests.support.chat import ChatHub, chat_hub, person

ANNA = "anna@example.com"
NOW_MESSAGE = EmailMessage()
NOW_MESSAGE["From"], NOW_MESSAGE["To"] = "support@desk.example", "anna@example.com"
NOW_MESSAGE.set_content("Hello.\n")
ALL = ("waiting", "handing", "sent", "failed", "unknown")


@dataclass
class Desk:
    """The hub, its mail, and what people do there."""

    hub: ChatHub
    office: Office
    keys: KeyTable = field(default_factory=new_table)
    running: asyncio.Task[None] | None = None

    def settings(self, **more: Any) -> MailSettings:
        given = {
            "server": f"127.0.0.1:{self.office.port}", "sender": "support@desk.example",
            "tls": "none", "grace": "50ms",
        }  # fmt: skip
        return MailSettings(**(given | more))

    def build(self, **more: Any) -> Mail:
        config = self.hub.hub.config.model_copy(update={"mail": self.settings(**more)})
        mail = Mail(
            config, self.hub.store, SystemClock(), self.keys, self.hub.streams.is_here,
            settle_s=0.0, first_pause_s=0.02,
        )  # fmt: skip
        self.hub.hub.mail = mail
        return mail

    @contextlib.asynccontextmanager
    async def mailing(self, **more: Any) -> AsyncIterator[Mail]:
        """Run mail; the end of the block is as sudden as a process's."""
        mail = self.build(**more)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(mail.run())
            try:
                # From here on what is said concerns it.
                if mail.is_on and more.get("answers", True):
                    await self.noticed()
                yield mail
            finally:
                running.cancel()

    async def noticed(self) -> None:
        from deskhub.notify.answers import CURSOR
        from deskhub.store import hookcursors

        async with asyncio.timeout(10):
            while (
                await self.hub.store.read(lambda db: hookcursors.position(db, "main", CURSOR))
            ) is None:
                await asyncio.sleep(0.01)

    async def open(self, visitor: str = "v_1", address: str | None = ANNA) -> str:
        """Open a conversation, of a customer whose address is known unless it is None."""
        first = OpenConversation("web", "Where is my order?")
        done = await self.hub.chat.do(person("visitor", visitor), first, cid=f"{visitor}-0")
        if address is not None:
            await self.known(done.conversation, address)
        return done.conversation

    async def known(
        self, conversation: str, address: str, name: str = "Anna", language: str | None = None
    ) -> None:
        customer = f"cu_{conversation}"

        def work(tx: Any) -> None:
            tx.connection.execute(
                sa.insert(tables.customer).values(
                    tenant="main", id=customer, name=name, email=address, language=language,
                    tags=[], external={}, since=tx.now,
                )
            )  # fmt: skip
            tx.chat(
                system("main", "identity"),
                LinkCustomer(conversation, customer, name),
                f"l-{conversation}",
            )

        await self.hub.store.transact("main", work)

    async def answer(self, conversation: str, text: str, cid: str = "a-1") -> int:
        command = PostMessage(conversation, text)
        return (await self.hub.chat.do(person("agent", "a_1"), command, cid=cid)).seq

    async def read(self, conversation: str, seq: int, visitor: str = "v_1") -> None:
        await self.hub.chat.do(
            person("visitor", visitor), MarkRead(conversation, seq), cid=f"r-{seq}"
        )

    async def rows(self, *states: str) -> list[MailRow]:
        return list(
            await self.hub.store.read(lambda db: mails.listed(db, "main", states or ALL))
        )

    async def settled(self, *states: str, count: int = 1) -> list[MailRow]:
        """Return the mails in *states* when there are *count*."""
        async with asyncio.timeout(20):
            while len(found := await self.rows(*states)) != count:
                await asyncio.sleep(0.01)
        return found

    async def ended(self, mail: Mail, kind: str, outcome: str, count: int = 1) -> None:
        async with asyncio.timeout(20):
            while mail.ended.counts.get((kind, outcome), 0) < count:
                await asyncio.sleep(0.01)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with office() as server, chat_hub(tmp_path / "hub.db") as hub:
        yield Desk(hub, server)
