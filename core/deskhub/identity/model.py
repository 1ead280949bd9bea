"""Who acts: tenants, principals, roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["agent", "visitor", "adapter", "token", "system"]
Role = Literal["agent", "supervisor", "admin", "auditor"]
ROLES: tuple[Role, ...] = ("agent", "supervisor", "admin", "auditor")


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was authenticated, in exactly one tenant.

    *inboxes* limits agents to these inboxes (None: all of the tenant); a visitor has exactly
    one. *grants* are an adapter's ``writes`` permissions, or an API token's scopes. *session*
    and *version* name the session to re-check: a removed agent is out within five seconds.
    """

    tenant: str
    kind: Kind
    id: str
    name: str = ""
    role: Role | None = None
    inboxes: frozenset[str] | None = None
    grants: frozenset[str] = frozenset()
    session: str | None = None
    version: int = 0

    @property
    def by(self) -> str:
        """Return how events name this actor: ``agent:a_1``."""
        return f"{self.kind}:{self.id}"


def system(tenant: str, part: str) -> Principal:
    """Return the hub itself acting in *tenant*; *part* says which feature ("routing")."""
    return Principal(tenant=tenant, kind="system", id=part, name="Deskhub")


def adapter(tenant: str, instance: str, grants: frozenset[str]) -> Principal:
    """Return the adapter *instance* acting in *tenant* with its granted writes."""
    return Principal(tenant=tenant, kind="adapter", id=instance, name=instance, grants=grants)
