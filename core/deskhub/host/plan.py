"""What a changed hub.toml means for a hub that runs: which instances, and what has to wait.

Names of settings only, never their values: some are secrets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from deskhub.config import Config, Instance

# An instance is started anew for everything else of its own.
IN_PLACE = frozenset({"limits.timeout", "limits.concurrency"})
# Read once, when the hub starts.
AT_START = (
    "hub", "inboxes", "roles", "market", "actions", "retention", "mail", "push", "webhooks",
)  # fmt: skip
_TABLES = {"roles": "auth.roles"}

Kind = Literal["add", "remove", "restart", "in_place", "hub"]
Words = Mapping[Kind, str]

WORDS: Words = {
    "add": "is started",
    "remove": "ends its calls and stops",
    "restart": "is started beside the old one, which ends its calls and stops",
    "in_place": "changes while it runs",
    "hub": "holds after the next start of the hub",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to *where* ("adapters.shop", "hub.listen"), and *why* in words.

    *kind* ``hub`` is what the running hub cannot do.
    """

    kind: Kind
    where: str
    why: str

    @property
    def instance(self) -> str:
        """Return the instance it is about, or nothing."""
        table, _, name = self.where.partition(".")
        return name if table == "adapters" else ""

    def __str__(self) -> str:
        """Return one sentence."""
        return f"{self.where} {WORDS[self.kind]}: {self.why}."


def planned(
    running: Config, wanted: Config, renewed: Collection[str] = ()
) -> tuple[Change, ...]:
    """Return how a hub with *running* comes to *wanted*; nothing when it is there.

    *renewed* are instances whose adapter was installed anew since they were started.
    """
    return (
        *_of_adapters(running, wanted, renewed),
        *_in_place(running, wanted),
        *_of_the_hub(running, wanted),
    )


def attainable(running: Config, wanted: Config) -> Config:
    """Return as much of *wanted* as a hub with *running* can come to without a start."""
    adapters = {
        name: one for name, one in wanted.adapters.items() if one.tenant in running.tenants
    }
    return running.model_copy(
        update={"adapters": adapters, "bind": wanted.bind, "order": wanted.order}
    )


def _of_adapters(running: Config, wanted: Config, renewed: Collection[str]) -> Iterator[Change]:
    for name in sorted(running.adapters.keys() | wanted.adapters.keys()):
        change = _of_one(name, running.adapters.get(name), wanted.adapters.get(name), renewed)
        if change is None:
            continue
        after = wanted.adapters.get(name)
        if after is not None and after.tenant not in running.tenants:
            why = f"the tenant {after.tenant} is new"
            yield Change("hub", change.where, why)
        else:
            yield change


def _of_one(
    name: str, before: Instance | None, after: Instance | None, renewed: Collection[str]
) -> Change | None:
    where = f"adapters.{name}"
    if after is None:
        return Change("remove", where, "it stands in hub.toml no more")
    if before is None:
        why = "it is new in hub.toml" if after.enabled else "it is new, and switched off"
        return Change("add", where, why)
    if before.enabled != after.enabled:
        if after.enabled:
            return Change("add", where, "it is switched on")
        return Change("remove", where, "it is switched off")
    differ = sorted(_differing(before, after))
    if not after.enabled:
        return Change("in_place", where, f"{_listed(differ)} changed") if differ else None
    if name in renewed:
        return Change("restart", where, "its adapter was installed anew")
    if not differ:
        return None
    kind: Kind = "in_place" if IN_PLACE.issuperset(differ) else "restart"
    return Change(kind, where, f"{_listed(differ)} changed")


def _differing(before: Instance, after: Instance) -> Iterator[str]:
    for name in ("use", "tenant", "isolation"):
        if getattr(before, name) != getattr(after, name):
            yield name
    yield from (f"limits.{name}" for name in _fields(before.limits, after.limits))
    for key in before.config.keys() | after.config.keys():
        if before.config.get(key) != after.config.get(key):
            yield f"config.{key}"


def _in_place(running: Config, wanted: Config) -> Iterator[Change]:
    for table in ("bind", "order"):
        if (keys := _keys(getattr(running, table), getattr(wanted, table))) != ():
            yield Change("in_place", table, f"{_listed(keys)} changed")


def _of_the_hub(running: Config, wanted: Config) -> Iterator[Change]:
    for part in AT_START:
        before, after = getattr(running, part), getattr(wanted, part)
        if isinstance(before, BaseModel):
            names = _fields(before, after)
        else:
            names = _keys(before, after)
        for name in names:
            yield Change("hub", f"{_TABLES.get(part, part)}.{name}", "it changed")


def _fields(before: BaseModel, after: BaseModel) -> tuple[str, ...]:
    return tuple(
        name
        for name in type(before).model_fields
        if getattr(before, name) != getattr(after, name)
    )


def _keys(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(sorted(key for key in {*before, *after} if before.get(key) != after.get(key)))


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
