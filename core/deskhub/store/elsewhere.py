"""What business systems answered to an erasure, and who of them has to be asked still.

One value for each erasure. Whom it is about stands in it as long as a system has not answered,
since the hub's own records are gone by then; after that only the answers are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from deskhub.clock import rfc3339
from deskhub.store import audit, kv
from deskhub.store.surroundings import CustomerRow
from deskhub.store.tx import Connection, Tx

# No instance of hub.toml can have this name.
PLACE = "~erasures"

State = Literal["waiting", "erased", "absent", "kept", "failed"]


class System(msgspec.Struct, frozen=True, kw_only=True):
    """One instance's answer; *failed* is given up. *at* is when it was asked last."""

    instance: str
    state: State = "waiting"
    text: str = ""
    attempts: int = 0
    at: datetime | None = None
    next_at: datetime | None = None

    def view(self) -> dict[str, object]:
        """Return it as clients read it."""
        return {
            "instance": self.instance, "state": self.state, "text": self.text,
            "attempts": self.attempts, "at": rfc3339(self.at) if self.at else None,
        }  # fmt: skip


class Elsewhere(msgspec.Struct, frozen=True):
    """Every system that takes part, and the *people* whom it is about until all answered."""

    systems: tuple[System, ...]
    people: tuple[CustomerRow, ...]

    @property
    def waiting(self) -> Sequence[System]:
        """Return who has not answered."""
        return [one for one in self.systems if one.state == "waiting"]


def begin(
    tx: Tx, customer: str, people: Sequence[CustomerRow], instances: Sequence[str]
) -> None:
    """Write down that *instances* have to be told of *people*; commits with the marker."""
    if instances:
        systems = tuple(System(instance=one) for one in sorted(instances))
        _put(tx, customer, Elsewhere(systems, tuple(people)))


def load(connection: Connection, tenant: str, customer: str) -> Elsewhere | None:
    """Return what is known of *customer*'s erasure elsewhere, or None."""
    value = kv.get(connection, tenant, PLACE, customer)
    return msgspec.json.decode(value, type=Elsewhere) if value is not None else None


def answered(tx: Tx, customer: str, system: System, by: str) -> None:
    """Take in what *system* says; an answer that is there already stays."""
    known = load(tx.connection, tx.tenant, customer)
    if known is None or system.instance not in {one.instance for one in known.waiting}:
        return
    systems = tuple(system if one.instance == system.instance else one for one in known.systems)
    found = Elsewhere(systems, known.people)
    _put(tx, customer, found if found.waiting else Elsewhere(systems, ()))
    if system.state != "waiting":
        audit.record(
            tx.connection, tx.tenant, tx.now, actor=by, what="customer.erased_elsewhere",
            object_=f"customer:{customer}",
            data={
                "instance": system.instance, "state": system.state,
                "attempts": system.attempts,
            },
        )  # fmt: skip


def _put(tx: Tx, customer: str, found: Elsewhere) -> None:
    kv.put(tx.connection, tx.tenant, PLACE, customer, msgspec.json.encode(found), tx.now)
