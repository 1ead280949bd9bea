"""What Zammad answers and sends, checked and turned into the contract's records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from deskhub_sdk import Malformed, Signal, Ticket, TicketId
from deskhub_sdk.rest import Wire

Status = Literal["open", "in_progress", "waiting", "done"]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Id = Annotated[int, msgspec.Meta(gt=0)]

CHANGED = "ticket.changed"
OURS = "deskhub"
# Nobody owns a ticket that the user with this login owns.
NOBODY = "-"
WAITING = frozenset({"pending reminder", "pending close"})
DONE = frozenset({"closed", "merged", "removed"})


class Case(Wire, frozen=True):
    """A ticket with names in place of ids (``expand``). *customer* and *owner* are logins."""

    id: Id
    number: str
    title: str
    state: str
    updated_at: Aware
    customer: str = ""
    owner: str = NOBODY
    preferences: Mapping[str, Any] | None = None

    @property
    def status(self) -> Status:
        """Return the contract's word for the state; states of one's own count as open."""
        if self.state in DONE:
            return "done"
        if self.state in WAITING:
            return "waiting"
        return "open" if self.assignee is None else "in_progress"

    @property
    def assignee(self) -> str | None:
        """Return who owns it, if anybody does."""
        return self.owner if self.owner not in ("", NOBODY) else None

    @property
    def version(self) -> int:
        """Return the millisecond of the last change."""
        return int(self.updated_at.timestamp() * 1000)

    def left(self, name: str) -> str | None:
        """Return what Deskhub left at the ticket under *name*, if it opened it."""
        own = (self.preferences or {}).get(OURS)
        value = own.get(name) if isinstance(own, Mapping) else None
        return value if isinstance(value, str) else None


class Pushed(Wire, frozen=True):
    """The part of a webhook's ticket that is read: which, and how old."""

    id: Id
    updated_at: Aware


class Delivery(Wire, frozen=True):
    """A webhook's body."""

    ticket: Pushed


def ticket_of(case: Case, base_url: str) -> Ticket:
    """Return *case* as the contract's ticket."""
    return Ticket(
        id=TicketId(str(case.id)),
        key=case.number,
        title=case.title,
        status=case.status,
        updated_at=case.updated_at,
        url=link(case, base_url),
        assignee=case.assignee,
    )


def link(case: Case, base_url: str) -> str | None:
    """Return where people read *case*; addresses without TLS are not linked."""
    base = base_url.rstrip("/")
    return f"{base}/#ticket/zoom/{case.id}" if base.startswith("https://") else None


def signal_of(case: Case, instance: str) -> Signal:
    """Return the fact that *case* stands as it does."""
    return Signal(
        kind=CHANGED,
        dedupe=f"{case.id}:{case.version}",
        object=f"{instance}:{case.id}",
        version=case.version,
        at=case.updated_at,
        subject=case.customer or None,
        data={"case": msgspec.to_builtins(case)},
    )


def case_in(signal: Signal, instance: str) -> Case | None:
    """Return the ticket that *signal* holds, or None when another adapter sent it."""
    told = signal.data.get("case")
    if signal.kind != CHANGED or not signal.object.startswith(f"{instance}:") or told is None:
        return None
    try:
        return msgspec.convert(told, Case)
    except msgspec.ValidationError as error:
        raise Malformed(f"signal {signal.dedupe}: {error}") from error
