"""The simulated ticket system's memory: cases, comments, and keys that were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deskhub_sdk.testing.facts import Case, World

STATUSES = ("open", "in_progress", "waiting", "done")


@dataclass(slots=True)
class TicketRecords:
    """Cases by id, the newest last."""

    cases: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World) -> TicketRecords:
        """Return the cases of the demo *world*."""
        cases = (_case(case) for case in world.cases.values())
        return cls(cases={case["id"]: case for case in cases})

    def read(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the cases that exist among *ids*."""
        return [self.cases[id_] for id_ in ids if id_ in self.cases]

    def by_reference(self, reference: str) -> list[dict[str, Any]]:
        """Return the cases that were opened under *reference*."""
        return [case for case in self.cases.values() if case["reference"] == reference]

    def open_of(self, customer: str) -> list[str]:
        """Return the ids of *customer*'s open cases, the latest change first."""
        own = (
            case
            for case in self.cases.values()
            if case["customer"] == customer and case["status"] != "done"
        )
        ordered = sorted(own, key=lambda case: str(case["updated_at"]), reverse=True)
        return [case["id"] for case in ordered]

    def open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Open a new case and return it."""
        id_ = str(max((int(id_) for id_ in self.cases), default=300) + 1)
        now = _time(datetime.now(UTC))
        case = {
            "id": id_,
            "key": f"SUP-{id_}",
            "title": str(given["title"]),
            "body": str(given.get("body", "")),
            "status": "open",
            "queue": str(given.get("queue", "")),
            "customer": given.get("customer"),
            "assignee": None,
            "conversation": given.get("conversation"),
            "reference": given.get("reference"),
            "links": given.get("links", []),
            "labels": given.get("labels", []),
            "comments": [],
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }
        self.cases[id_] = case
        return case

    def find(self, name: str) -> dict[str, Any] | None:
        """Return a case by id or key."""
        return next(
            (case for case in self.cases.values() if name in (case["id"], case["key"])), None
        )

    def change(self, case: dict[str, Any], given: Mapping[str, Any]) -> None:
        """Apply a status, an assignee or a comment, and count the version up."""
        if given.get("status") in STATUSES:
            case["status"] = given["status"]
        if "assignee" in given:
            case["assignee"] = given["assignee"]
        now = _time(datetime.now(UTC))
        if given.get("comment"):
            comment = {"at": now, "by": str(given.get("by", "")), "text": str(given["comment"])}
            case["comments"].append(comment)
        case["version"] += 1
        case["updated_at"] = now


def _case(case: Case) -> dict[str, Any]:
    number = case.key.rpartition("-")[2]
    return {
        "id": number,
        "key": case.key,
        "title": case.title,
        "body": "",
        "status": case.status,
        "queue": "Support",
        "customer": case.customer,
        "assignee": case.assignee,
        "conversation": None,
        "reference": None,
        "links": [{"kind": "order", "id": case.order}] if case.order else [],
        "labels": [],
        "comments": [],
        "version": 1 + STATUSES.index(case.status),
        "created_at": _time(case.created_at),
        "updated_at": _time(case.updated_at),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
