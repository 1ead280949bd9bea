"""Who works at the demo's company, as its identity provider knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """An account. *groups* are what the hub maps to roles."""

    id: str
    name: str
    local_name: str
    email: str
    title: str
    groups: tuple[str, ...]
    tenant: str = "main"
    email_verified: bool = True

    def claims(self) -> dict[str, Any]:
        """Return what the provider tells about this person."""
        return {
            "sub": self.id,
            "name": self.name,
            "preferred_username": self.email.partition("@")[0],
            "email": self.email,
            "email_verified": self.email_verified,
            "groups": list(self.groups),
            "tenant": self.tenant,
        }


PEOPLE = (
    Person("u-1001", "Li Wei", "李伟", "li.wei@scree.example", "Support agent", ("support",)),
    Person("u-1002", "Sara Lind", "", "sara.lind@scree.example", "Support agent", ("support",)),
    Person(
        "u-1003", "Zhou Min", "周敏", "zhou.min@scree.example", "Team lead",
        ("support", "support-leads"),
    ),
    Person(
        "u-1004", "Ada Admin", "", "ada@scree.example", "Administrator",
        ("support-admins",),
    ),
)  # fmt: skip


def person(wanted: str) -> Person | None:
    """Return who has *wanted* as id or e-mail address."""
    return next((one for one in PEOPLE if wanted.lower() in (one.id, one.email)), None)
