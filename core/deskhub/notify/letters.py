"""From a row to a letter: what was said, where it may go, and whether it is still needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from deskhub.config import Config
from deskhub.notify.address import checked_or_none
from deskhub.notify.compose import Letter, Line
from deskhub.notify.stop import StopLinks
from deskhub.notify.words import language_of
from deskhub.store import mails
from deskhub.store.mails import MailRow
from deskhub.store.surroundings import Around, around
from deskhub.store.tx import Connection

# Why a mail is not needed any more.
Needless = Literal["seen", "no_address", "stopped", "gone", "nothing"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter, and the visitor whose presence would make it needless."""

    letter: Letter
    visitor: str


class Letters:
    """Writes letters from what the store says in one transaction."""

    def __init__(self, config: Config, links: StopLinks) -> None:
        """Name inboxes as *config* does, and sign footers with *links*."""
        self._config = config
        self._links = links

    def draft(self, db: Connection, row: MailRow, now: datetime) -> Draft | Needless:
        """Return what *row* becomes now, or why nothing is to be sent."""
        found = around(db, row.tenant, row.conversation)
        if found is None:
            return "gone"
        address = row.address or address_of(db, found)
        if address is None:
            return "no_address"
        if row.kind == "answers" and mails.is_stopped(db, row.tenant, address):
            return "stopped"
        said = mails.said(db, row.tenant, row.conversation, (row.from_seq, row.until_seq))
        lines = _lines(row, found, said)
        if not lines:
            return "seen" if row.kind == "answers" else "nothing"
        before = mails.sent_before(db, row.tenant, row.conversation)
        letter = self._letter(row, found, address, lines, now, before)
        return Draft(letter, found.conversation.visitor)

    def _letter(
        self,
        row: MailRow,
        found: Around,
        address: str,
        lines: Sequence[Line],
        now: datetime,
        before: str | None,
    ) -> Letter:
        talk, customer = found.conversation, found.customer
        box = self._config.inboxes.get(talk.inbox)
        stop = self._links.path(row.tenant, address) if row.kind == "answers" else ""
        return Letter(
            id=row.id,
            kind=row.kind,
            conversation=row.conversation,
            sender=self._config.mail.sender_address,
            to=address,
            name=(customer and customer.name) or "",
            inbox=box.name if box else talk.inbox,
            language=language_of((customer and customer.language) or talk.language),
            lines=lines,
            sent_at=now,
            before=before,
            page=box.origins[0] if box and box.origins else "",
            stop=self._config.hub.url + stop if stop else "",
            cut=len(lines) >= mails.LINES_MAX,
        )


def address_of(db: Connection, found: Around, *, vouched: bool = False) -> str | None:
    """Return where mail about a conversation may go, or None.

    First the customer's own address, which the shop signed or a business system knows; then,
    unless it has to be *vouched* for, the one that the visitor left.
    """
    known = checked_or_none(found.customer.email if found.customer else None)
    if known is not None or vouched:
        return known
    talk = found.conversation
    return mails.contact(db, talk.tenant, talk.visitor)


def _lines(
    row: MailRow, found: Around, said: Sequence[tuple[int, datetime, str, bytes]]
) -> list[Line]:
    """Return what the mail shows: of answers, only those that were not read in the chat."""
    if row.kind == "answers":
        read = found.conversation.visitor_read_seq
        said = [one for one in said if one[0] > read and one[2].startswith("agent:")]
    return [_line(at, by, msgspec.json.decode(data)) for _, at, by, data in said]


def _line(at: datetime, by: str, data: dict[str, Any]) -> Line:
    name = "" if by.startswith("visitor:") else str(data.get("name") or by.partition(":")[2])
    files = tuple(str(one.get("name", "")) for one in data.get("files", ()))
    return Line(at, name, str(data.get("text", "")), files)
