"""The door to the chat: every transport, feature and adapter sends its commands here."""

from __future__ import annotations

import asyncio
import re
from typing import Protocol

from deskhub.chat.commands import ChatCommand
from deskhub.chat.model import Receipt
from deskhub.errors import Invalid
from deskhub.identity.model import Principal

__all__ = ["Chat", "Receipt", "checked_cid"]

_CID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Log(Protocol):
    """Who decides commands one after another and makes their events durable."""

    def submit(
        self, principal: Principal, command: ChatCommand, cid: str
    ) -> asyncio.Future[Receipt]:
        """Queue *command* at once; the future ends after the durable commit."""
        ...


class Gate(Protocol):
    """Who may look at a command before it is stored."""

    def stands_before(self, principal: Principal, command: ChatCommand) -> bool:
        """Return whether this command has to pass; asked for every one, so it is cheap."""
        ...

    def submit(
        self, principal: Principal, command: ChatCommand, cid: str, log: Log
    ) -> asyncio.Future[Receipt]:
        """Hand *command* to *log*, or refuse it; one sender's commands keep their order."""
        ...


class Chat:
    """Sends commands to the log, past the *gate* when there is one."""

    def __init__(self, log: Log) -> None:
        """Send everything to *log*."""
        self._log = log
        self.gate: Gate | None = None

    async def do(self, principal: Principal, command: ChatCommand, *, cid: str) -> Receipt:
        """Return the receipt once *command* is on disk.

        *cid* makes a repetition harmless: the same command again gives the first result with
        ``dup``, another command with the same cid raises `CidReuse`. Rights are checked
        inside the transaction. Raises any `HubError`; nothing changed then. `Busy` and
        `StoreDown` may be tried again with the same cid.
        """
        return await self.submit(principal, command, cid=cid)

    def submit(
        self, principal: Principal, command: ChatCommand, *, cid: str
    ) -> asyncio.Future[Receipt]:
        """Queue *command* without waiting, so that the order of calls is the order of events.

        Raises `Invalid` and `Busy` at once, everything else through the future.
        """
        checked_cid(cid)
        if self.gate is not None and self.gate.stands_before(principal, command):
            return self.gate.submit(principal, command, cid, self._log)
        return self._log.submit(principal, command, cid)


def checked_cid(cid: str) -> str:
    """Return *cid* when it is 1–64 characters of ``A–Z a–z 0–9 _ -``, else raise `Invalid`."""
    if not _CID.fullmatch(cid):
        raise Invalid(
            "cid",
            fields=({"path": "cid", "code": "format", "text": "1–64 of A–Z a–z 0–9 _ -."},),
        )
    return cid
