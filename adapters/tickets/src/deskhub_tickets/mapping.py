"""What the ticket system answers and sends, checked and turned into the contract's records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from deskhub_sdk import Malformed, Signal, Ticket, TicketId
from deskhub_sdk.rest import Wire

Status = Literal["open", "in_progress", "waiting", "done"]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]

OBJECT = "tickets:"
UPDATED = "ticket.updated"


class Issue(Wire, frozen=True):
    """A case; *version* grows with every change, *reference* is its opener's own mark."""

    id: str
    key: str
    title: str
    status: Status
    version: int
    updated_at: Aware
    customer: str | None = None
    assignee: str | None = None
    conversation: str | None = None
    reference: str | None = None
    url: str | None = None


class Issues(Wire, frozen=True):
    """A list of cases as an answer."""

    issues: tuple[Issue, ...]


class IssueIds(Wire, frozen=True):
    """The ids of each customer's open cases, newest first."""

    customers: Mapping[str, tuple[str, ...]]


class Delivery(Wire, frozen=True):
    """A webhook's body. *delivery* stays the same when the sender repeats itself."""

    event: str
    delivery: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    sent_at: Aware
    ticket: Issue | None = None


def ticket_of(issue: Issue) -> Ticket:
    """Return *issue* as the contract's ticket."""
    return Ticket(
        id=TicketId(issue.id),
        key=issue.key,
        title=issue.title,
        status=issue.status,
        updated_at=issue.updated_at,
        url=issue.url,
        assignee=issue.assignee,
    )


def signal_of(delivery: Delivery, issue: Issue) -> Signal:
    """Return the fact that *issue* changed, with all that its card needs."""
    return Signal(
        kind=UPDATED,
        dedupe=delivery.delivery,
        object=f"{OBJECT}{issue.key}",
        version=issue.version,
        at=issue.updated_at,
        subject=issue.customer,
        data=msgspec.to_builtins(issue),
    )


def issue_of(signal: Signal) -> Issue | None:
    """Return the case a signal is about, or None when it is not one of ours."""
    if signal.kind != UPDATED or not signal.object.startswith(OBJECT):
        return None
    try:
        return msgspec.convert(dict(signal.data), Issue)
    except msgspec.ValidationError as error:
        raise Malformed(f"{signal.object} holds no case: {error}") from error
